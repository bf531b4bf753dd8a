"""Refuse a subnet whose range or zone EC2 refuses; ministack accepts every range and every zone.

A change of the range or of the zone replaces a subnet, and CloudFormation creates the new subnet before it deletes the old
one. The old range is therefore still in use, as it is when two subnets exchange their ranges.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html
https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-subnet.html
"""

from collections.abc import Callable
from ipaddress import IPv4Network, ip_network
from typing import Any

from ministack.core.responses import get_region

from embedded_aws.bridge import functions, tables
from embedded_aws.cloudformation.properties import hook
from embedded_aws.errors import ServiceCallError
from embedded_aws.schemas.zones import zones_of

_TYPE, _VOLUME = "AWS::EC2::Subnet", "AWS::EC2::Volume"
_PLACE = ("VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId")


def install() -> None:
    """Check subnets of CloudFormation and of the API."""
    hook.add(_check)
    tables.EC2_ACTIONS["CreateSubnet"] = _checked(tables.EC2_ACTIONS["CreateSubnet"])


def _check(operation: hook.Operation) -> None:
    properties = operation.properties
    if operation.resource_type == _VOLUME and operation.changes("AvailabilityZone"):
        _refuse_zone_of_volume(properties.get("AvailabilityZone"))
    if operation.resource_type == _TYPE and operation.changes(*_PLACE):
        _refuse(
            str(properties.get("VpcId", "")),
            properties.get("CidrBlock"),
            properties.get("AvailabilityZone"),
        )


def _checked(create: Callable[..., Any]) -> Callable[..., Any]:
    def checked(parameters: Any) -> Any:
        vpc, cidr, zone = (
            functions.request_field(parameters, name)
            for name in ("VpcId", "CidrBlock", "AvailabilityZone")
        )
        try:
            _refuse(vpc, cidr, zone)
        except ServiceCallError as error:
            return functions.ec2_error(error.code, error.message, 400)
        return create(parameters)

    return checked


def _refuse(vpc: str, cidr: str | None, zone: str | None) -> None:
    """Raise ServiceCallError with the words of CreateSubnet."""
    zones = zones_of(get_region())
    if zone and zone not in zones:
        raise ServiceCallError(
            "ec2",
            "InvalidParameterValue",
            f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the"
            f" following availability zones: {', '.join(zones)}.",
        )
    network = tables.VPCS.get(vpc)
    if not cidr or network is None:
        return
    wanted = ip_network(cidr)
    if not any(_within(wanted, each) for each in _ranges_of(network)):
        raise ServiceCallError("ec2", "InvalidSubnet.Range", f"The CIDR '{cidr}' is invalid.")
    for subnet in tables.SUBNETS.values():
        if subnet["VpcId"] == vpc and wanted.overlaps(ip_network(subnet["CidrBlock"])):
            raise ServiceCallError(
                "ec2", "InvalidSubnet.Conflict", f"The CIDR '{cidr}' conflicts with another subnet"
            )


def _ranges_of(network: dict[str, Any]) -> list[str]:
    """The IPv4 ranges of a VPC."""
    associated = network.get("CidrBlockAssociationSet") or []
    return [network["CidrBlock"], *(each["CidrBlock"] for each in associated)]


def _within(inner: Any, outer: str) -> bool:
    network = ip_network(outer)
    return (
        isinstance(inner, IPv4Network)
        and isinstance(network, IPv4Network)
        and inner.subnet_of(network)
    )


def _refuse_zone_of_volume(zone: str | None) -> None:
    """The words of CreateVolume.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (InvalidZone.NotFound)
    """
    if zone and zone not in zones_of(get_region()):
        raise ServiceCallError("ec2", "InvalidZone.NotFound", f"The zone '{zone}' does not exist.")
