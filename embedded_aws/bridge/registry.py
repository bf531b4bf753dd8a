"""Register a resource type with ministack's CloudFormation."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from embedded_aws.bridge import functions
from embedded_aws.bridge.tables import REPLACING_PROPERTIES, RESOURCE_HANDLERS, STACK_TAG_PROPERTIES
from embedded_aws.errors import ServiceCallError
from embedded_aws.schemas.provider_schemas import is_tagged, property_names, schema_of

Properties = dict[str, Any]
# The value of `Ref`, and the values of `Fn::GetAtt` by attribute name.
Created = tuple[str, dict[str, Any]]
Create = Callable[[str, Properties, str], Created]
Update = Callable[[str, Properties, Properties, str], Created]
Delete = Callable[[str, Properties], None]

# Which properties replace a resource does not differ between regions.
_SCHEMA_REGION = "us-east-1"


def register(resource_type: str, *, create: Create, delete: Delete, update: Update) -> None:
    """Let CloudFormation manage `resource_type`.

    create(logical_id, properties, stack_name) and update(physical_id, old, new, stack_name) return the physical ID and the
    attributes. delete(physical_id, properties) must accept a resource that no longer exists. A change of a create-only
    property never reaches `update`: the engine replaces the resource.
    """
    schema = schema_of(resource_type, _SCHEMA_REGION)
    RESOURCE_HANDLERS[resource_type] = {
        "create": create,
        "update": update,
        "delete": delete,
    }
    REPLACING_PROPERTIES[resource_type] = tuple(
        sorted(property_names(schema.get("createOnlyProperties", [])))
    )
    if is_tagged(schema):
        STACK_TAG_PROPERTIES[resource_type] = ("Tags", "list")


def no_update(attributes: Callable[[str, Properties], dict[str, Any]]) -> Update:
    """An update for types that every property except the tags replaces."""

    def update(physical_id: str, _old: Properties, new: Properties, _stack_name: str) -> Created:
        return physical_id, attributes(physical_id, new)

    return update


def physical_name(stack_name: str, logical_id: str, *, limit: int, lowercase: bool = False) -> str:
    """Return the name that CloudFormation gives an unnamed resource, within the service's limit."""
    name: str = functions.physical_name(stack_name, logical_id, max_len=limit, lowercase=lowercase)
    return name


@contextlib.contextmanager
def ignoring(*codes: str) -> Iterator[None]:
    """Ignore these error codes of a service: the resource to delete does not exist."""
    try:
        yield
    except ServiceCallError as problem:
        if problem.code not in codes:
            raise
