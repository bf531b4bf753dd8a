"""The steps for launch roles, the release bucket and the release files."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.catalog.desired.bootstrap_stacks import BootstrapStack
from pipeline.catalog.desired.catalog import Desired
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.model import Observed, ObservedStack
from pipeline.catalog.plan.changes import ReleaseUpload, StackChange
from pipeline.catalog.plan.steps import Action, Step
from pipeline.errors import listed
from templates_src.launch_role.environments import LAUNCHED, SEPARATOR


def storage_steps(
    desired: Desired, observed: Observed, bootstrap_stacks: tuple[BootstrapStack, ...]
) -> Iterator[Step]:
    """The steps for roles, bucket and release files."""
    for bootstrap_stack in bootstrap_stacks:
        if bootstrap_stack.role:
            subject = f"{bootstrap_stack.role.name} (stack {bootstrap_stack.stack})"
            seen, is_there = (
                observed.role_stacks.get(bootstrap_stack.stack),
                bootstrap_stack.role.name in observed.roles,
            )
            yield lost_environments(bootstrap_stack, subject, seen) or bootstrap_step(
                bootstrap_stack, subject, seen, is_there=is_there
            )
        elif bootstrap_stack.launcher:
            subject = f"{bootstrap_stack.launcher} (stack {bootstrap_stack.stack})"
            seen = observed.launcher_stacks.get(bootstrap_stack.stack)
            is_there = bootstrap_stack.launcher in observed.roles
            yield bootstrap_step(bootstrap_stack, subject, seen, is_there=is_there)
        else:
            subject = f"{desired.bucket} (stack {bootstrap_stack.stack})"
            yield bootstrap_step(
                bootstrap_stack, subject, observed.bucket_stack, is_there=observed.bucket_exists
            )
    missing = observed.release_missing
    if missing:
        reason = f"{missing} files are missing"
        yield Step(Action.CREATE, Kind.RELEASE, f"s3://{desired.bucket}", reason, ReleaseUpload())
    else:
        yield Step(Action.UNCHANGED, Kind.RELEASE, f"s3://{desired.bucket}", "exist")


def lost_environments(
    bootstrap_stack: BootstrapStack, subject: str, seen: ObservedStack | None
) -> Step | None:
    """The refusal of a change by which a launch role would lose an environment; None if it loses none.

    The launch role also terminates what it launched, and a constraint may still name it for that environment. An
    environment that was added outside this publisher is removed.
    """
    role = bootstrap_stack.role
    if role is None or seen is None or seen.digest in {"", bootstrap_stack.digest}:
        return None
    # A release before 1.2.0 does not have this parameter, and its role launches every environment.
    reached = seen.parameters.get(LAUNCHED.name) or LAUNCHED.default or ""
    lost = [name for name in reached.split(SEPARATOR) if name not in role.environments]
    if not lost:
        return None
    reason = (
        f"launches {listed(lost)} too, and provisioned products there still need it; "
        f"name a new launch_role for portfolio {role.portfolio} in catalog.yaml"
    )
    return Step(Action.REFUSE, Kind.LAUNCH_ROLE, subject, reason)


def bootstrap_step(
    bootstrap_stack: BootstrapStack, subject: str, stack: ObservedStack | None, *, is_there: bool
) -> Step:
    """The step for one of the stacks; resources from another source are used unchanged."""
    if stack is None:
        if is_there:
            reason = "exists outside this stack; used unchanged"
            return Step(Action.UNCHANGED, bootstrap_stack.kind, subject, reason)
        return Step(
            Action.CREATE,
            bootstrap_stack.kind,
            subject,
            "missing",
            StackChange(bootstrap_stack),
        )
    if not stack.digest:
        reason = "unmanaged stack; used unchanged"
        return Step(Action.REPORT, bootstrap_stack.kind, subject, reason)
    if stack.status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        reason = f"the stack is in {stack.status}"
        return Step(
            Action.UPDATE, bootstrap_stack.kind, subject, reason, StackChange(bootstrap_stack)
        )
    if stack.digest != bootstrap_stack.digest:
        reason = "its template or parameters have changed"
        return Step(
            Action.UPDATE, bootstrap_stack.kind, subject, reason, StackChange(bootstrap_stack)
        )
    if changed := bootstrap_stack.differing(stack.parameters):
        reason = f"differs in {', '.join(changed)}"
        return Step(
            Action.UPDATE, bootstrap_stack.kind, subject, reason, StackChange(bootstrap_stack)
        )
    if not stack.protected:
        reason = "no termination protection"
        return Step(
            Action.UPDATE, bootstrap_stack.kind, subject, reason, StackChange(bootstrap_stack)
        )
    return Step(Action.UNCHANGED, bootstrap_stack.kind, subject, "up to date")
