"""The snapshot that a database is restored from: checked before anything is written, and let go of in an update of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from pipeline.aws import Aws
from pipeline.errors import PipelineError
from templates_src.data.database import ALLOCATED_STORAGE
from templates_src.functions.launch_check.snapshot import (
    CEILING,
    RESTORED,
    SNAPSHOT,
    missing,
    names_snapshot,
    refuse_place,
    refuse_size,
    refuse_snapshot,
)


def require_restorable(aws: Aws, values: Mapping[str, str], deployed: Mapping[str, str]) -> None:
    """Refuse a snapshot that LaunchCheck would refuse; ``deployed`` are the values of an environment that exists.

    A caller who may not read snapshots passes: LaunchCheck reads it in any case. Raises PipelineError.
    """
    named = values.get(SNAPSHOT, "")
    if not names_snapshot(values) or named == deployed.get(SNAPSHOT):
        return
    if refusal := refuse_place(named, aws.region, aws.account()):
        raise PipelineError(refusal)
    try:
        found = aws.client("rds").describe_db_snapshots(DBSnapshotIdentifier=named)["DBSnapshots"]
    except ClientError as error:
        if not error.response.get("Error", {}).get("Code", "").startswith("DBSnapshotNotFound"):
            return
        found = []
    if refusal := _refusal(named, found, values, aws.region):
        raise PipelineError(refusal)


# What an update can change beside the value "restored": the size, which is not used before.
WITH_RESTORED = frozenset({SNAPSHOT, ALLOCATED_STORAGE.name, CEILING})


def require_alone(
    values: Mapping[str, str], deployed: Mapping[str, str], *, same_release: bool
) -> None:
    """Refuse an update that lets go of the snapshot and changes something else.

    If such an update fails, its rollback names the snapshot again. RDS's handler then treats the database as immutable, so that
    CloudFormation creates another one from the snapshot, without what was written since.
    https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds (DBInstance, ImmutabilityHelper).
    Raises PipelineError.
    """
    if values.get(SNAPSHOT) != RESTORED or not names_snapshot(deployed):
        return
    changed = sorted(
        name for name in deployed.keys() & values.keys() if deployed[name] != values[name]
    )
    others = [name for name in changed if name not in WITH_RESTORED]
    if same_release and not others:
        return
    what = "the release" if not same_release else ", ".join(others)
    raise PipelineError(
        f"{SNAPSHOT}={RESTORED} changes together with {what}, and the rollback of a failure would restore the snapshot again;"
        f" change {SNAPSHOT} first, without other changes."
    )


def _refusal(
    named: str, found: list[dict[str, Any]], values: Mapping[str, str], region: str
) -> str | None:
    if not found:
        return missing(named, region)
    return refuse_snapshot(named, found[0]) or refuse_size(named, found[0], values.get(CEILING, ""))
