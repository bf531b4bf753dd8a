"""Updates of databases, as AWS's handler makes them where ministack's differs."""

from collections.abc import Callable
from typing import Any

from embedded_aws.bridge import tables
from embedded_aws.bridge.registry import Properties

_TYPE = "AWS::RDS::DBInstance"
_PROTECTION = "DeletionProtection"


def install() -> None:
    """Keep deletion protection in an update whose template no longer has the property.

    AWS's handler sends a property only if it differs and has a value: DifferenceUtils.diff in
    https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds. ministack sets the default.
    """
    handler = tables.RESOURCE_HANDLERS[_TYPE]
    handler["update"] = _keeping_protection(handler["update"])


def _keeping_protection(update: Callable[..., Any]) -> Callable[..., Any]:
    def update_given(
        physical_id: str, old: Properties, new: Properties, *rest: Any, **named: Any
    ) -> Any:
        if _PROTECTION not in new:
            # Neither has it: nothing differs, and an instance that replaces this one is created without.
            old = {name: value for name, value in old.items() if name != _PROTECTION}
        return update(physical_id, old, new, *rest, **named)

    return update_given
