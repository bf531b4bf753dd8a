"""The snapshot that a direct launch restores the database from, checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from templates_src.functions.launch_check.snapshot import (
    CEILING,
    SNAPSHOT,
    missing,
    names_snapshot,
    refuse_place,
    refuse_size,
    refuse_snapshot,
)

from pipeline.aws import Aws
from pipeline.errors import PipelineError


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


def _refusal(
    named: str, found: list[dict[str, Any]], values: Mapping[str, str], region: str
) -> str | None:
    if not found:
        return missing(named, region)
    return refuse_snapshot(named, found[0]) or refuse_size(named, found[0], values.get(CEILING, ""))
