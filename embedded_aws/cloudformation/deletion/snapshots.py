"""UpdateReplacePolicy: Snapshot leaves a snapshot of a replaced resource; ministack deletes the resource without one.

ministack also skips the checks of `protections` when a handler replaces a resource by itself.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Created, Delete, Properties

# The stack operation that runs in this context: template and parameter values.
_operation: ContextVar[tuple[dict[str, Any], dict[str, Any]] | None] = ContextVar(
    "operation", default=None
)
# The type of the resource that is updated in this context, if it can have a snapshot.
_updated: ContextVar[str | None] = ContextVar("updated", default=None)
# The ID of the root stack, type and physical ID of what was replaced and gets a snapshot before it is deleted.
_pending: set[tuple[str, str, str]] = set()


def install() -> None:
    """Take snapshots; install it after the types with a snapshot and after the cleanup of nested stacks."""
    deploy = functions.deploy_stack.current

    async def deploy_with_template(
        name: str, stack_id: str, template: Any, values: Any, *rest: Any, **options: Any
    ) -> None:
        token = _operation.set((template, values))
        try:
            await deploy(name, stack_id, template, values, *rest, **options)
        finally:
            _operation.reset(token)
            # The deletions of a nested stack wait for those of its root.
            _pending.difference_update([each for each in _pending if each[0] == stack_id])

    functions.deploy_stack.replace(deploy_with_template)
    functions.update_resource.replace(_noting(functions.update_resource.current))
    functions.delete_predecessor.replace(_by_handler(functions.delete_predecessor.current))
    for kind, handlers in tables.RESOURCE_HANDLERS.items():
        if "snapshot" in handlers:
            handlers["delete"] = _after_snapshot(kind, handlers["snapshot"], handlers["delete"])


def _noting(update: Callable[..., Any]) -> Callable[..., Any]:
    def noted(
        kind: str, physical_id: str, old: Properties, new: Properties, name: str, *rest: Any
    ) -> Created:
        can_have_one = "snapshot" in tables.RESOURCE_HANDLERS.get(kind, {})
        token = _updated.set(kind if can_have_one else None)
        try:
            after, attributes = update(kind, physical_id, old, new, name, *rest)
        finally:
            _updated.reset(token)
        if can_have_one and after != physical_id and _policy(name, rest[0]) == "Snapshot":
            stack = tables.STACKS[name]
            _pending.add((stack.get("RootId") or stack["StackId"], kind, physical_id))
        return after, attributes

    return noted


def _policy(stack_name: str, logical_id: str) -> str:
    """The UpdateReplacePolicy of a resource in the template that is deployed."""
    template, values = _operation.get() or ({}, {})
    stack = tables.STACKS[stack_name]
    policy: str = functions.resource_policy(
        template.get("Resources", {}).get(logical_id),
        "UpdateReplacePolicy",
        stack["_resources"],
        values,
        functions.evaluate_conditions(template, values),
        template.get("Mappings", {}),
        stack_name,
        stack["StackId"],
    )
    return policy


def _by_handler(delete_predecessor: Callable[..., None]) -> Callable[..., None]:
    """Delete through the handler, with its checks, instead of the function that ministack passes."""

    def delete(delete_one: Callable[..., None], *arguments: Any, **named: Any) -> None:
        kind = _updated.get()
        whole = tables.RESOURCE_HANDLERS[kind]["delete"] if kind else delete_one
        delete_predecessor(whole, *arguments, **named)

    return delete


def _after_snapshot(kind: str, snapshot: Delete, delete: Delete) -> Delete:
    def deleted(physical_id: str, properties: Properties, *rest: Any) -> None:
        for each in [each for each in _pending if each[1:] == (kind, physical_id)]:
            _pending.discard(each)
            snapshot(physical_id, properties)
        delete(physical_id, properties, *rest)

    return deleted
