"""The availability zones of a region; ministack gives every region the zones a, b and c.

Read by DescribeAvailabilityZones and Fn::GetAZs.
https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
"""

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_region

from embedded_aws.bridge import functions, tables
from embedded_aws.schemas.zones import zones_of

_INTRINSIC = "Fn::GetAZs"


def install() -> None:
    """Give each region its zones."""
    tables.EC2_ACTIONS["DescribeAvailabilityZones"] = _describe
    functions.resolve_functions.replace(_with_zones(functions.resolve_functions.current))


def _describe(_parameters: Any) -> Any:
    region = get_region()
    items = "".join(
        f"<item><zoneName>{name}</zoneName><zoneState>available</zoneState><regionName>{region}</regionName>"
        f"<zoneId>{functions.zone_id(name)}</zoneId><groupName>{region}-zg-1</groupName>"
        f"<networkBorderGroup>{region}</networkBorderGroup><optInStatus>opt-in-not-required</optInStatus>"
        "<zoneType>availability-zone</zoneType></item>"
        for name in zones_of(region)
    )
    return functions.ec2_answer(
        200,
        "DescribeAvailabilityZonesResponse",
        f"<availabilityZoneInfo>{items}</availabilityZoneInfo>",
    )


def _with_zones(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def resolved(value: Any, *context: Any, **named: Any) -> Any:
        if isinstance(value, dict) and _INTRINSIC in value:
            region = resolve(value[_INTRINSIC], *context, **named) or get_region()
            # AWS answers an empty list for a region other than that of the stack.
            return zones_of(get_region()) if str(region) == get_region() else []
        return resolve(value, *context, **named)

    return resolved
