"""The network: values that no update can change, and zones that the account does not have. If a call is denied, the
launch continues: EC2 refuses a subnet in a zone that does not exist, or with the range of another
subnet, and CloudFormation rolls back.
"""

import logging

from botocore.exceptions import BotoCoreError, ClientError

from .launch import Launch

LOGGER = logging.getLogger(__name__)
ZONES, VPC_CIDR = "AvailabilityZones", "VpcCidr"
COUNT = 3


def range_stays(launch: Launch) -> str | None:
    """RDS does not move a database to another VPC, and another range requires another VPC.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSubnetGroup.html
    """
    if not launch.changed(VPC_CIDR, launch.values.get(VPC_CIDR, "")):
        return None
    before = launch.in_force[VPC_CIDR]
    return (
        f"{VPC_CIDR} cannot change from {before} to {launch.values[VPC_CIDR]}, because a database does not move to another VPC;"
        f" set it to {before}."
    )


def zones_stay(launch: Launch) -> str | None:
    """Subnets do not move: a new subnet would have the range of the old one, which still exists, and EC2 refuses
    that. The template passes the actual zones for an empty parameter, so that the check can compare them. If the
    previous zones are unknown, as in the update from a release without this check, EC2 refuses other zones.
    """
    wanted, before = launch.values.get(ZONES, ""), launch.in_force.get(ZONES, "")
    return refuse_other_zones(before, wanted) if before and wanted else None


def refuse_other_zones(before: str, wanted: str) -> str | None:
    """The sentence for zones that differ, or None."""
    if before == wanted:
        return None
    what = "be reordered" if sorted(before.split(",")) == sorted(wanted.split(",")) else "change"
    return f"{ZONES} cannot {what} from {before} to {wanted}, because subnets do not move; set it to {before}."


def zones_exist(launch: Launch) -> str | None:
    """The zones are three different ones of the account in the region."""
    wanted = launch.values.get(ZONES, "")
    if not wanted or not launch.creates:
        return None
    try:
        found = launch.clients("ec2").describe_availability_zones()["AvailabilityZones"]
    except (BotoCoreError, ClientError) as error:
        LOGGER.warning("the zones of the account cannot be read: %s", error)
        return None
    return refuse_unknown_zones(wanted, [each["ZoneName"] for each in found])


def refuse_unknown_zones(wanted: str, known: list[str]) -> str | None:
    """The sentence for zones that the account lacks or that are not three different ones, or None."""
    zones = wanted.split(",")
    for zone in zones:
        if zone not in known:
            return (
                f"{ZONES} names {zone}, which this account does not have in the region;"
                f" name three of {', '.join(sorted(known))}."
            )
    if len(set(zones)) != COUNT or len(zones) != COUNT:
        return f"{ZONES} ({wanted}) must be empty or {COUNT} different zones; name three of {', '.join(sorted(known))}."
    return None
