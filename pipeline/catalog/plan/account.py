"""Account-wide steps, in the plan of one region, because roles have no region: boundaries and unused launch roles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.catalog.desired.catalog import Desired
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.account import ObservedAccount
from pipeline.catalog.plan.boundaries import boundary_steps
from pipeline.catalog.plan.steps import Action, Step
from pipeline.errors import listed

# Steps that apply once per account, before any region's.
OF_ACCOUNT = (Kind.LAUNCH_ROLE, Kind.BOUNDARY, Kind.LAUNCHER_ROLE)


def account_steps(desired: Desired, account: ObservedAccount, *, complete: bool) -> Iterator[Step]:
    """The steps for roles of environments, and a report for each role that catalog.yaml does not name.

    ``complete`` says that all regions of catalog.yaml were read.
    """
    outdated = account.outdated if complete else None
    yield from boundary_steps(account.roles, desired.boundaries, outdated)
    for name, (role, holders) in account.left.items():
        yield unused_role_step(name, role, holders)
    for name, (role, owned) in account.left_launchers.items():
        yield unused_launcher_step(name, role, owned)


def unused_launcher_step(stack: str, role: str, owned: Sequence[str]) -> Step:
    """The report of a launcher role that no portfolio uses; users can still assume it."""
    reason = "not in catalog.yaml; "
    if owned:
        reason += f"these provisioned products belong to it: {listed(list(owned))}; make another role their owner, then delete stack {stack}"
    else:
        reason += f"no provisioned product belongs to it: delete stack {stack}"
    return Step(Action.REPORT, Kind.LAUNCHER_ROLE, f"{role} (stack {stack})", reason)


def unused_role_step(stack: str, role: str, holders: Sequence[str]) -> Step:
    """The report of a launch role that no portfolio uses."""
    reason = "not in catalog.yaml; "
    if holders:
        reason += f"these provisioned products would be terminated with it: {listed(list(holders))}; update each once, then delete stack {stack}"
    else:
        reason += f"no provisioned product uses it: delete stack {stack}"
    return Step(Action.REPORT, Kind.LAUNCH_ROLE, f"{role} (stack {stack})", reason)
