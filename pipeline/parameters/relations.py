"""Relations between parameter values that CloudFormation's rules cannot express, because they compare numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from templates_src.core.keep_alive import FORMER_KEEP_ALIVE, OPTION

# The first must not exceed the second.
ORDERED = (
    ("ApiMinTasks", "ApiMaxTasks"),
    ("WorkerMinTasks", "WorkerMaxTasks"),
)
# RDS rejects a maximum that is less than 10 % above the initial storage.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
CEILINGS = (("DatabaseAllocatedStorage", "DatabaseMaxAllocatedStorage"),)
CEILING_PERCENT = 110
# The first must be below the second: S3 rejects two transitions on one day.
STRICTLY_ORDERED = (("DocumentsIntelligentTieringDays", "DocumentsGlacierDays"),)

# Lists without a repeated entry.
DISTINCT = ("WorkerQueues",)
# The minimum of a new value, in percent of the deployed value, if it changes. EBS accepts any increase, RDS at least
# 10 %.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.ModifyingExisting.ScalingUp.html
# https://docs.aws.amazon.com/ebs/latest/userguide/modify-volume-requirements.html
GROWING = (("DatabaseAllocatedStorage", 110), ("SearchVolumeGb", 100))

COMMAND, IDLE_TIMEOUT = "ApiCommand", "LoadBalancerIdleTimeout"
_KEEP_ALIVE = re.compile(rf"{re.escape(OPTION)}[ =](\d+)")

ZONES = "AvailabilityZones"
ZONES_NEEDED = 3
_REGIONAL_ARN = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:(?P<region>[a-z0-9-]+):[0-9]*:.+")


def check_relations(values: Mapping[str, str]) -> str | None:
    """The violated relation, in one sentence that names the parameters, or None.

    Every value matches its own declaration; relations of parameters without a value are left out.
    """
    for low, high in ORDERED:
        if {low, high} <= values.keys() and int(values[low]) > int(values[high]):
            return f"{low} ({values[low]}) is greater than {high} ({values[high]}); lower {low} or raise {high}."
    for low, high in CEILINGS:
        if {low, high} <= values.keys() and int(values[low]) * CEILING_PERCENT > int(
            values[high]
        ) * 100:
            least = -(-int(values[low]) * CEILING_PERCENT // 100)
            return f"{high} ({values[high]}) must be at least 10 % above {low} ({values[low]}); set it to {least} or more."
    for low, high in STRICTLY_ORDERED:
        if {low, high} <= values.keys() and int(values[low]) >= int(values[high]):
            return f"{low} ({values[low]}) must be below {high} ({values[high]}); lower {low} or raise {high}."
    for name in DISTINCT:
        entries = values.get(name, "").split(",")
        for entry in entries:
            if entries.count(entry) > 1:
                return f"{name} ({values[name]}) names {entry} {entries.count(entry)} times; name it once."
    return check_keep_alive(values) or check_zones(values)


def check_keep_alive(values: Mapping[str, str]) -> str | None:
    """The error in a command of the api that closes idle connections before the load balancer does, or None.

    The templates replace the option in the default of former releases.
    """
    idle = values.get(IDLE_TIMEOUT)
    option = _KEEP_ALIVE.search(values.get(COMMAND, "").replace(FORMER_KEEP_ALIVE, ""))
    if idle and option and int(option[1]) <= int(idle):
        return (
            f"{COMMAND} closes idle connections after {option[1]} seconds, not later than the load balancer ({IDLE_TIMEOUT} is {idle}),"
            f" so that requests fail with 502; set {OPTION} above {idle}."
        )
    return None


def check_growth(in_force: Mapping[str, str], values: Mapping[str, str]) -> str | None:
    """The value that cannot replace the deployed one, in one sentence with the possible values, or None."""
    for name, percent in GROWING:
        if name not in values or values[name] == in_force.get(name, values[name]):
            continue
        now, wanted = int(in_force[name]), int(values[name])
        least = -(-now * percent // 100)
        if wanted < now:
            return f"{name} is {now} and cannot shrink to {wanted}; keep {now}, or set {least} or more."
        if wanted < least:
            return f"{name} is {now} and grows by at least {percent - 100} %, but {wanted} is less; keep {now}, or set {least} or more."
    return None


def statements(name: str) -> Iterator[str]:
    """The relations that a parameter takes part in, in sentences."""
    for low, high in ORDERED:
        if name in {low, high}:
            yield f"{low} must not exceed {high}."
    for low, high in CEILINGS:
        if name in {low, high}:
            yield f"{high} must be at least 10 % above {low}."
    for low, high in STRICTLY_ORDERED:
        if name in {low, high}:
            yield f"{low} must be below {high}."
    if name in {COMMAND, IDLE_TIMEOUT}:
        yield f"{OPTION} in {COMMAND} must exceed {IDLE_TIMEOUT}."
    if name in DISTINCT:
        yield f"{name} must name each entry once."
    for growing, percent in GROWING:
        if name == growing:
            more = f" by less than {percent - 100} %" if percent > 100 else ""
            yield f"{name} cannot shrink{f', nor grow{more}' if more else ''} in an update."


def check_zones(values: Mapping[str, str]) -> str | None:
    """The error in an explicit list of zones, or None: each tier has a subnet in each of three."""
    zones = listed_zones(values)
    if zones and len(set(zones)) != ZONES_NEEDED:
        return f"{ZONES} ({values[ZONES]}) must be empty or {ZONES_NEEDED} different zones, separated by commas."
    return None


def check_region(values: Mapping[str, str], region: str) -> str | None:
    """The first value that belongs to another region than the launch, in one sentence, or None."""
    for zone in listed_zones(values):
        # The name of a local zone begins with its region too: us-west-2-lax-1a.
        if not re.fullmatch(rf"{re.escape(region)}(-[a-z]+-[0-9]+)?[a-z]", zone):
            return f"{ZONES} names {zone}, which is not a zone of {region}; name three such as {region}a."
    for name, value in values.items():
        arn = _REGIONAL_ARN.fullmatch(value)
        if arn and arn["region"] != region:
            return (
                f"{name} is in {arn['region']}, but the launch is in {region}; use one in {region}."
            )
    return None


def listed_zones(values: Mapping[str, str]) -> list[str]:
    """The zones that are set by name."""
    return [zone.strip() for zone in values.get(ZONES, "").split(",") if values.get(ZONES)]
