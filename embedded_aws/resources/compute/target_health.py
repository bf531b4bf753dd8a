"""DescribeTargetHealth with targets that fail their health check; ministack reports every target as healthy."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from embedded_aws.bridge import functions, tables

_ACTION = "DescribeTargetHealth"
# By target group: the answer's members of its unhealthy targets.
_UNHEALTHY: dict[str, list[str]] = {}


def install() -> None:
    """Report unhealthy targets."""
    describe = tables.LOAD_BALANCING_ACTIONS[_ACTION]

    def describe_with_unhealthy(parameters: Any) -> Any:
        members = _UNHEALTHY.get(functions.request_field(parameters, "TargetGroupArn"))
        if not members:
            return describe(parameters)
        inner = f"<TargetHealthDescriptions>{''.join(members)}</TargetHealthDescriptions>"
        return functions.load_balancing_answer(200, _ACTION, inner)

    tables.LOAD_BALANCING_ACTIONS[_ACTION] = describe_with_unhealthy


def set_unhealthy(group: str, address: str, port: int, reason: str, description: str) -> None:
    """Make this the only target of a target group; it fails its health check."""
    _UNHEALTHY[group] = [
        f"<member><Target><Id>{address}</Id><Port>{port}</Port></Target>"
        f"<TargetHealth><State>unhealthy</State><Reason>{escape(reason)}</Reason>"
        f"<Description>{escape(description)}</Description></TargetHealth></member>"
    ]


def forget(group: str) -> None:
    """Deregister the unhealthy targets of a target group."""
    _UNHEALTHY.pop(group, None)


def forget_all() -> None:
    """Deregister the unhealthy targets of every target group."""
    _UNHEALTHY.clear()
