"""A resource that a failed deletion depends on is not deleted.

CloudFormation deletes a resource only after everything that depends on it. ministack continues after a failure: it deletes the
network of a protected database.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from embedded_aws.bridge import functions, tables

# Resources held back from the deletion that runs in this context, by logical id.
_held: ContextVar[dict[str, Any] | None] = ContextVar("held", default=None)


def install() -> None:
    """Hold back what a failed deletion needs, and return it to the stack at the end."""
    delete = functions.delete_stack.current

    async def delete_in_order(stack_name: str, *arguments: Any, **options: Any) -> None:
        stack = tables.STACKS.get(stack_name)
        held: dict[str, Any] = {}
        outer = _held.set(held)
        try:
            await delete(stack_name, *arguments, **options)
        finally:
            _held.reset(outer)
            if held and stack is not None:
                stack["_resources"].update(held)

    functions.delete_stack.replace(delete_in_order)
    functions.add_event.replace(_holding_back(functions.add_event.current))


def _holding_back(add_event: Callable[..., None]) -> Callable[..., None]:
    def add(
        stack_id: str,
        stack_name: str,
        logical_id: str,
        kind: str,
        status: str,
        *rest: Any,
        **more: Any,
    ) -> None:
        add_event(stack_id, stack_name, logical_id, kind, status, *rest, **more)
        held = _held.get()
        if held is None or status != "DELETE_FAILED" or logical_id == stack_name:
            return
        stack = tables.STACKS[stack_name]
        resources, template = stack["_resources"], stack["_template"]
        needed = functions.with_dependencies([logical_id], template["Resources"], set(resources))
        for name in needed - {logical_id}:
            held[name] = resources.pop(name)

    return add
