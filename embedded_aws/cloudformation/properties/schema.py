"""Refuse unknown, missing and wrong properties of a resource, as CloudFormation does.

ministack's handlers use the properties that they know and ignore the others, so a stack with a misspelt property would
reach CREATE_COMPLETE.
"""

from ministack.core.responses import get_region

from embedded_aws.bridge.registry import Properties
from embedded_aws.cloudformation.properties import hook
from embedded_aws.schemas.provider_schemas import property_names, schema_of
from embedded_aws.schemas.regional_offers import refuse_missing
from embedded_aws.schemas.validation import problems


def install() -> None:
    """Check properties before a resource is created or updated."""
    hook.add(_check)


def _check(operation: hook.Operation) -> None:
    check(operation.resource_type, operation.logical_id, operation.properties)


def check(resource_type: str, logical_id: str, properties: Properties) -> None:
    """Raise ValueError if `properties` do not fit the type's schema or what the region offers.

    The message is CloudFormation's for the schema and the service's for the offer.
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
    """The properties without the aws: tags of the engine, which the schemas reject."""
    tags = properties.get("Tags")
    if isinstance(tags, list):
        own = [tag for tag in tags if not str(tag.get("Key", "")).startswith("aws:")]
        rest = {name: value for name, value in properties.items() if name != "Tags"}
        return {**rest, "Tags": own} if own or not tags else rest
    if isinstance(tags, dict):
        own_tags = {key: value for key, value in tags.items() if not key.startswith("aws:")}
        return {**properties, "Tags": own_tags}
    return properties
