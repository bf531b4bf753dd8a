"""The storage of the database, which can only grow, by at least 10 %. Without an answer from RDS, the check compares
the values of the parameter; RDS refuses other values, and CloudFormation rolls back.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.ModifyingExisting.ScalingUp.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds (Translator.modifyDbInstanceRequest): the handler
sends AllocatedStorage where it differs from the value before, whatever the instance has.
"""

from .launch import Launch
from .snapshot import CEILING, SNAPSHOT, names_snapshot, tenth_above

STORAGE = "DatabaseAllocatedStorage"


def storage_grows(launch: Launch) -> str | None:
    """CloudFormation sends either the allocated storage to RDS, or at least 10 % more."""
    if launch.creates or not is_sent(launch):
        return None
    before = int(launch.in_force[STORAGE])
    return refuse_storage(
        before, launch.deployed.allocated_storage or before, int(launch.values[STORAGE])
    )


def is_sent(launch: Launch) -> bool:
    """Whether an update sends AllocatedStorage to the existing database.

    A restored database gets the size of its snapshot, so the property appears when the parameter no longer names the
    snapshot. Another snapshot, or an empty parameter, creates another database.
    """
    if STORAGE not in launch.in_force or names_snapshot(launch.values):
        return False
    releases = names_snapshot(launch.in_force) and bool(launch.values.get(SNAPSHOT))
    if launch.changed(SNAPSHOT) and not releases:
        return False
    return releases or launch.changed(STORAGE)


def refuse_storage(before: int, allocated: int, wanted: int) -> str | None:
    """The sentence for storage, in GiB, that RDS refuses, or None.

    `before` is the value of the parameter before the update, `allocated` the storage of the database.
    """
    least = tenth_above(allocated)
    grown = f" (it grew from {before} GiB)" if allocated > before else ""
    if wanted < allocated:
        return (
            f"{STORAGE} cannot be {wanted}, because the database has {allocated} GiB{grown} and storage does not shrink;"
            f" {keep(before, allocated)}at least {least}."
        )
    if allocated < wanted < least:
        return (
            f"{STORAGE} cannot be {wanted}, because the database has {allocated} GiB{grown} and grows by at least 10 %;"
            f" {keep(before, allocated)}at least {least}."
        )
    return None


def keep(before: int, allocated: int) -> str:
    """The other valid values of the parameter."""
    return f"keep {before} or set " if before == allocated else f"set {allocated} or "


def ceiling_is_above(launch: Launch) -> str | None:
    """The limit of storage autoscaling is at least 10 % above the storage; no rule of CloudFormation compares numbers."""
    if CEILING not in launch.values or STORAGE not in launch.values:
        return None
    if names_snapshot(launch.values):
        # The database has the size of the snapshot, which snapshot.py compares.
        return None
    if not launch.creates and not launch.changed(CEILING) and not is_sent(launch):
        return None
    stored = int(launch.values[STORAGE])
    allocated = max(stored, (not launch.creates and launch.deployed.allocated_storage) or 0)
    return refuse_ceiling(allocated, int(launch.values[CEILING]))


def refuse_ceiling(allocated: int, ceiling: int) -> str | None:
    """The sentence for a limit, in GiB, that RDS refuses, or None."""
    least = tenth_above(allocated)
    if ceiling >= least:
        return None
    return (
        f"{CEILING} ({ceiling}) must be at least 10 % above the storage of the database ({allocated} GiB);"
        f" set at least {least}."
    )
