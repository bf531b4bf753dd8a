"""The checks that run before CloudFormation creates or updates a resource.

ministack's handlers use the properties that they know and ignore the others. A check refuses what AWS refuses, or returns the
properties that the handler on AWS sends.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Created, Properties


@dataclass(frozen=True)
class Operation:
    """The creation or the update of one resource.

    ``old`` and ``physical_id`` are None for a creation. ``properties`` are those after the operation.
    """

    resource_type: str
    logical_id: str
    properties: Properties
    stack_name: str
    physical_id: str | None = None
    old: Properties | None = None

    @property
    def rolls_back(self) -> bool:
        """Whether the operation is part of the rollback of its stack."""
        stack = tables.STACKS.get(self.stack_name) or {}
        return "ROLLBACK" in str(stack.get("StackStatus", ""))

    def changes(self, *names: str) -> bool:
        """Whether one of these properties is new or has another value than before."""
        if self.old is None:
            return True
        return any(self.properties.get(name) != self.old.get(name) for name in names)


# Raises ValueError with the words of AWS; returns other properties to send, or None.
Check = Callable[[Operation], Properties | None]

_checks: list[Check] = []


def add(check: Check) -> None:
    """Run a check after those that were added before it."""
    if not _checks:
        _install()
    _checks.append(check)


def _install() -> None:
    provision, update = functions.provision_resource.current, functions.update_resource.current

    def checked_provision(
        resource_type: str, logical_id: str, properties: Properties, stack_name: str
    ) -> Created:
        checked = _run(Operation(resource_type, logical_id, properties, stack_name))
        created: Created = provision(resource_type, logical_id, checked, stack_name)
        return created

    def checked_update(
        resource_type: str,
        physical_id: str,
        old: Properties,
        new: Properties,
        stack_name: str,
        logical_id: str | None = None,
        old_attributes: dict[str, Any] | None = None,
    ) -> Any:
        if old != new:
            name = logical_id or physical_id
            new = _run(Operation(resource_type, name, new, stack_name, physical_id, old))
        return update(resource_type, physical_id, old, new, stack_name, logical_id, old_attributes)

    functions.provision_resource.replace(checked_provision)
    functions.update_resource.replace(checked_update)


def _run(operation: Operation) -> Properties:
    """The properties to send, after every check."""
    for check in _checks:
        changed = check(operation)
        if changed is not None:
            operation = Operation(**{**operation.__dict__, "properties": changed})
    return operation.properties
