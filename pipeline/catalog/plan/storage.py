"""The steps for launch roles, the release bucket and the release files."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.catalog.desired.catalog import Desired
from pipeline.catalog.desired.foundations import Foundation
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.model import Observed, SeenStack
from pipeline.catalog.plan.changes import ReleaseUpload, StackChange
from pipeline.catalog.plan.steps import Action, Step
from pipeline.errors import listed
from templates_src.launch_role.environments import LAUNCHED, SEPARATOR


def storage_steps(
    desired: Desired, observed: Observed, foundations: tuple[Foundation, ...]
) -> Iterator[Step]:
    """The steps for roles, bucket and release files."""
    for foundation in foundations:
        if foundation.role:
            subject = f"{foundation.role.name} (stack {foundation.stack})"
            seen, is_there = (
                observed.role_stacks.get(foundation.stack),
                foundation.role.name in observed.roles,
            )
            yield lost_environments(foundation, subject, seen) or foundation_step(
                foundation, subject, seen, is_there=is_there
            )
        else:
            subject = f"{desired.bucket} (stack {foundation.stack})"
            yield foundation_step(
                foundation, subject, observed.bucket_stack, is_there=observed.bucket_exists
            )
    missing = observed.release_missing
    if missing:
        reason = f"{missing} files are not there"
        yield Step(Action.CREATE, Kind.RELEASE, f"s3://{desired.bucket}", reason, ReleaseUpload())
    else:
        yield Step(Action.UNCHANGED, Kind.RELEASE, f"s3://{desired.bucket}", "are there")


def lost_environments(foundation: Foundation, subject: str, seen: SeenStack | None) -> Step | None:
    """The refusal of a change by which a launch role would lose an environment; None where it loses none.

    What was launched with the role is terminated with it, and a constraint may still name it for that environment. An
    environment that somebody added by hand goes again.
    """
    role = foundation.role
    if role is None or seen is None or seen.digest in {"", foundation.digest}:
        return None
    # A release before 1.2.0 knows no such parameter, and its role launches every environment.
    reached = seen.parameters.get(LAUNCHED.name) or LAUNCHED.default or ""
    lost = [name for name in reached.split(SEPARATOR) if name not in role.environments]
    if not lost:
        return None
    reason = (
        f"launches {listed(lost)} too, and what is launched with it still needs it; "
        f"name a new launch_role for portfolio {role.portfolio} in catalog.yaml"
    )
    return Step(Action.REFUSE, Kind.LAUNCH_ROLE, subject, reason)


def foundation_step(
    foundation: Foundation, subject: str, stack: SeenStack | None, *, is_there: bool
) -> Step:
    """The step for one of the stacks; what was made in another way is used as it is."""
    if stack is None:
        if is_there:
            reason = "is there, not made by this stack; it is used as it is"
            return Step(Action.UNCHANGED, foundation.kind, subject, reason)
        return Step(
            Action.CREATE, foundation.kind, subject, "is not there", StackChange(foundation)
        )
    if not stack.digest:
        reason = "is a stack that this publisher did not make; it is used as it is"
        return Step(Action.REPORT, foundation.kind, subject, reason)
    if stack.status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        reason = f"the stack is in {stack.status}"
        return Step(Action.UPDATE, foundation.kind, subject, reason, StackChange(foundation))
    if stack.digest != foundation.digest:
        reason = "its template or parameters have changed"
        return Step(Action.UPDATE, foundation.kind, subject, reason, StackChange(foundation))
    if changed := foundation.differing(stack.parameters):
        reason = f"differs in {', '.join(changed)}"
        return Step(Action.UPDATE, foundation.kind, subject, reason, StackChange(foundation))
    if not stack.protected:
        reason = "has no termination protection"
        return Step(Action.UPDATE, foundation.kind, subject, reason, StackChange(foundation))
    return Step(Action.UNCHANGED, foundation.kind, subject, "is as it is to be")
