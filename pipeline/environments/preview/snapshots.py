"""The snapshot of a restored database: an update that removes it from the parameters must change nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.errors import PipelineError
from templates_src.data.database_parameters import ALLOCATED_STORAGE
from templates_src.functions.launch_check.snapshot import (
    CEILING,
    RESTORED,
    SNAPSHOT,
    names_snapshot,
)

# An update to "restored" can also change the size, which was not used before.
WITH_RESTORED = frozenset({SNAPSHOT, ALLOCATED_STORAGE.name, CEILING})


def require_alone(
    values: Mapping[str, str], deployed: Mapping[str, str], *, same_release: bool
) -> None:
    """Refuse an update that removes the snapshot from the parameters and changes something else.

    If such an update fails, its rollback names the snapshot again. RDS's handler then treats the database as
    immutable, so that CloudFormation creates another one from the snapshot, without the later data.
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
