"""What a change set reports, and change sets of a stack that does not exist yet.

For a part of the resource types ministack knows which property replaces a resource; it reports Conditional for all others.
It also lists resources whose condition is false. A second change set for a stack that does not exist yet puts another stack
in its place; on AWS it belongs to the same stack, and the execution of one deletes the other.
"""

from typing import Any

from ministack.core.responses import get_region

from embedded_aws.bridge import functions, tables
from embedded_aws.schemas.provider_schemas import UnknownTypeError, property_names, schema_of


def install() -> None:
    """Classify changes by createOnlyProperties if ministack has no list for the type."""
    known = functions.property_recreation.current

    def recreation(resource_type: str, name: str) -> str:
        if resource_type in tables.REPLACING_PROPERTIES:
            return str(known(resource_type, name))
        try:
            schema = schema_of(resource_type, get_region())
        except UnknownTypeError:
            return str(known(resource_type, name))
        if f"/properties/{name}" in schema.get("createOnlyProperties", []):
            return "Always"
        conditional = [
            *schema.get("conditionalCreateOnlyProperties", []),
            *schema.get("createOnlyProperties", []),
        ]
        return "Conditionally" if name in property_names(conditional) else "Never"

    # Only where changes are described: the handlers of these types replace by themselves.
    functions.property_recreation.replace(recreation)
    functions.resolve_for_difference.replace(
        _without_false_conditions(functions.resolve_for_difference.current)
    )
    tables.ACTIONS["CreateChangeSet"] = _joining(tables.ACTIONS["CreateChangeSet"])


def _without_false_conditions(resolve: Any) -> Any:
    def resolve_existing(template: Any, values: Any, stack_name: str, stack_id: str) -> Any:
        resolved = resolve(template, values, stack_name, stack_id)
        if not resolved:
            return resolved
        holds = functions.evaluate_conditions(template, values)
        resources = {
            name: resource
            for name, resource in resolved["Resources"].items()
            if holds.get(resource.get("Condition"), True)
        }
        return {**resolved, "Resources": resources}

    return resolve_existing


def _joining(create: Any) -> Any:
    def create_and_join(parameters: Any) -> Any:
        name = parameters.get("StackName", [""])[0]
        in_review = tables.STACKS.get(name) or {}
        answer = create(parameters)
        stack = tables.STACKS.get(name) or in_review
        if in_review.get("StackStatus") == "REVIEW_IN_PROGRESS" and stack is not in_review:
            for change_set in tables.CHANGE_SETS.values():
                if change_set["StackId"] == in_review["StackId"]:
                    change_set["StackId"] = stack["StackId"]
        return answer

    return create_and_join
