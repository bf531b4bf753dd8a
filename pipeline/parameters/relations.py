"""Relations between parameter values that CloudFormation's rules cannot express, because they compare numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping

# The first may not exceed the second.
ORDERED = (
    ("ApiMinTasks", "ApiMaxTasks"),
    ("WorkerMinTasks", "WorkerMaxTasks"),
)
# RDS refuses a ceiling that is not at least 10 % above the storage it starts with.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
CEILINGS = (("DatabaseAllocatedStorage", "DatabaseMaxAllocatedStorage"),)
CEILING_PERCENT = 110
# The first must be below the second: S3 refuses two transitions on one day.
STRICTLY_ORDERED = (("DocumentsIntelligentTieringDays", "DocumentsGlacierDays"),)

ZONES = "AvailabilityZones"
ZONES_NEEDED = 3
_REGIONAL_ARN = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:(?P<region>[a-z0-9-]+):[0-9]*:.+")


def check_relations(values: Mapping[str, str]) -> str | None:
    """What is wrong between the values, in one sentence that names the parameters, or None.

    Every value has passed its own declaration; relations between parameters that are not given are left out.
    """
    for low, high in ORDERED:
        if {low, high} <= values.keys() and int(values[low]) > int(values[high]):
            return f"{low} ({values[low]}) is over {high} ({values[high]}); lower the first or raise the second."
    for low, high in CEILINGS:
        if {low, high} <= values.keys() and int(values[low]) * CEILING_PERCENT > int(
            values[high]
        ) * 100:
            return f"{high} ({values[high]}) must be at least 10 % above {low} ({values[low]})."
    for low, high in STRICTLY_ORDERED:
        if {low, high} <= values.keys() and int(values[low]) >= int(values[high]):
            return f"{low} ({values[low]}) must be below {high} ({values[high]})."
    return check_zones(values)


def check_zones(values: Mapping[str, str]) -> str | None:
    """What is wrong with an explicit list of zones: each tier has a subnet in each of three."""
    zones = listed_zones(values)
    if zones and len(set(zones)) != ZONES_NEEDED:
        return f"{ZONES} ({values[ZONES]}) must be empty or {ZONES_NEEDED} different zones, separated by commas."
    return None


def check_region(values: Mapping[str, str], region: str) -> str | None:
    """Which value belongs to another region than that of the launch, in one sentence, or None."""
    for zone in listed_zones(values):
        # A local zone is named after its region too: us-west-2-lax-1a.
        if not re.fullmatch(rf"{re.escape(region)}(-[a-z]+-[0-9]+)?[a-z]", zone):
            return (
                f"{ZONES} names {zone}, which is no zone of {region}; name three such as {region}a."
            )
    for name, value in values.items():
        arn = _REGIONAL_ARN.fullmatch(value)
        if arn and arn["region"] != region:
            return f"{name} is in {arn['region']}, but the launch is in {region}; give one of that region."
    return None


def listed_zones(values: Mapping[str, str]) -> list[str]:
    """The zones that are given by name."""
    return [zone.strip() for zone in values.get(ZONES, "").split(",") if values.get(ZONES)]
