"""Refuse unknown, missing and wrong properties of a resource, as CloudFormation does.

ministack's handlers take what they know from the properties and ignore the rest, so a misspelt one
would reach CREATE_COMPLETE.
"""

from typing import Any

from ministack.core.responses import get_region

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Created, Properties
from embedded_aws.schemas.provider_schemas import property_names, schema_of
from embedded_aws.schemas.regional_offers import refuse_missing
from embedded_aws.schemas.validation import problems

_STACK = "AWS::CloudFormation::Stack"


def install() -> None:
    """Check properties before a resource is created or updated."""
    provision, update_resource = (
        functions.provision_resource.current,
        functions.update_resource.current,
    )

    def checked_provision(
        resource_type: str, logical_id: str, properties: Properties, stack_name: str
    ) -> Created:
        check(resource_type, logical_id, properties)
        created: Created = provision(resource_type, logical_id, properties, stack_name)
        return created

    def checked_update(
        resource_type: str,
        physical_id: str,
        old: Properties,
        new: Properties,
        stack_name: str,
        logical_id: str | None = None,
        old_attributes: dict[str, Any] | None = None,
    ) -> Created:
        if old != new:
            check(resource_type, logical_id or physical_id, new)
        elif resource_type == _STACK:
            # The parameters are the same but the template behind the URL may not be: CloudFormation
            # looks into every child, ministack into none.
            handler = tables.RESOURCE_HANDLERS[_STACK]["update"]
            return _pair(handler(physical_id, old, new, stack_name))
        return _pair(
            update_resource(
                resource_type, physical_id, old, new, stack_name, logical_id, old_attributes
            )
        )

    functions.provision_resource.replace(checked_provision)
    functions.update_resource.replace(checked_update)


def _pair(created: Any) -> Created:
    physical_id, attributes = created
    return physical_id, attributes


def check(resource_type: str, logical_id: str, properties: Properties) -> None:
    """Raise ValueError when `properties` do not fit the type's schema or what the region offers.

    The words are CloudFormation's for the first and the service's for the second.
    """
    region = get_region()
    schema = schema_of(resource_type, region)
    given = _without_system_tags(properties)
    found = problems(given, schema)
    read_only = property_names(
        [p for p in schema.get("readOnlyProperties", []) if p.count("/") == 2]
    )
    found += [f"#/{name}: is read-only" for name in sorted(read_only & given.keys())]
    if found:
        raise ValueError(
            f"Properties validation failed for resource {logical_id} of type {resource_type}"
            f" with message: [{'; '.join(found)}]"
        )
    refuse_missing(resource_type, given, region)


def _without_system_tags(properties: Properties) -> Properties:
    """The properties without the aws: tags of the engine, which a schema refuses to a template."""
    tags = properties.get("Tags")
    if isinstance(tags, list):
        own = [tag for tag in tags if not str(tag.get("Key", "")).startswith("aws:")]
        rest = {name: value for name, value in properties.items() if name != "Tags"}
        return {**rest, "Tags": own} if own or not tags else rest
    if isinstance(tags, dict):
        own_tags = {key: value for key, value in tags.items() if not key.startswith("aws:")}
        return {**properties, "Tags": own_tags}
    return properties
