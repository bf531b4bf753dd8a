"""Publish a release: compute a plan for every region, and apply the plans in parallel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Protocol, TypeVar

from pipeline.aws import Aws, aws_errors
from pipeline.catalog.apply.boundaries import set_boundary
from pipeline.catalog.apply.catalog import Applier
from pipeline.catalog.apply.stacks import ensure_stack
from pipeline.catalog.apply.tokens import WAITS
from pipeline.catalog.desired.bootstrap_stacks import bootstrap_stacks
from pipeline.catalog.desired.catalog import Desired, desired
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.desired.launch_roles import check_account
from pipeline.catalog.observed.account import observe_account
from pipeline.catalog.observed.catalog import observe
from pipeline.catalog.observed.in_use import versions_in_use
from pipeline.catalog.observed.model import Observed
from pipeline.catalog.observed.storage import observe_storage
from pipeline.catalog.plan.account import OF_ACCOUNT, account_steps
from pipeline.catalog.plan.catalog import catalog_steps
from pipeline.catalog.plan.changes import BoundaryChange, StackChange
from pipeline.catalog.plan.gate import gate_steps
from pipeline.catalog.plan.steps import Action, Step, in_order
from pipeline.catalog.plan.storage import storage_steps
from pipeline.catalog.spec.model import Catalog
from pipeline.errors import PipelineError, listed
from pipeline.gate.notes import load_notes
from pipeline.release.assemble import Release

Done = TypeVar("Done")


class Progress(Protocol):
    """Receives every step of every region, and of the launch role's, from the thread that applies it."""

    def begin(self, region: str, steps: int) -> None:
        """A region starts; it has this number of steps."""

    def step(self, region: str, text: str) -> None:
        """The region starts its next step."""

    def note(self, region: str, text: str) -> None:
        """A step reports a detail."""

    def end(self, region: str) -> None:
        """The region has applied all its steps."""


class Silence:
    """Discards all progress."""

    def begin(self, region: str, steps: int) -> None:
        """Do nothing."""

    def step(self, region: str, text: str) -> None:
        """Do nothing."""

    def note(self, region: str, text: str) -> None:
        """Do nothing."""

    def end(self, region: str) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class RegionPlan:
    """The steps for a region, and the desired and observed state that they follow from.

    ``home`` is the region of the launch roles' stacks. It is set only in the plan that contains the steps for the roles.
    """

    aws: Aws = field(repr=False)
    home: Aws | None = field(repr=False)
    release: Release = field(repr=False)
    desired: Desired = field(repr=False)
    observed: Observed = field(repr=False)
    steps: tuple[Step, ...]
    role_stacks: tuple[str, ...] = ()

    @property
    def region(self) -> str:
        """The region's name."""
        return self.desired.region

    @property
    def writing(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.writes)

    def document(self) -> dict[str, object]:
        """The plan as JSON data."""
        return {
            "Account": self.desired.account,
            "Region": self.region,
            "Steps": [step.document() for step in self.steps],
        }


def plan_regions(
    connect: Callable[[str], Aws],
    release: Release,
    catalog: Catalog,
    regions: Sequence[str] = (),
) -> list[RegionPlan]:
    """The plan of each region, by default the regions of catalog.yaml; makes read-only calls.

    Roles have no region: the stacks of launch roles are in the first region of catalog.yaml. Raises PipelineError where
    AWS denies a read, and for an entry of catalog.yaml that belongs to another account.
    """
    chosen = list(regions) or list(catalog.regions)
    account = connect(chosen[0]).account()
    check_account(catalog, account)

    def one(region: str) -> RegionPlan:
        home = connect(catalog.regions[0]) if region == chosen[0] else None
        return plan_region(connect(region), home, release, catalog, account)

    plans = in_parallel(chosen, one)
    complete = set(chosen) >= set(catalog.regions)
    return [for_account(plan, plans, complete=complete) for plan in plans]


def for_account(plan: RegionPlan, plans: Sequence[RegionPlan], *, complete: bool) -> RegionPlan:
    """The plan, with the steps for the account if it is the plan that contains them."""
    if plan.home is None:
        return plan
    regions = [(each.aws, each.observed) for each in plans]
    account = observe_account(plan.home, plan.desired, plan.role_stacks, regions)
    steps = account_steps(plan.desired, account, complete=complete)
    return replace(plan, steps=in_order([*plan.steps, *steps]))


def plan_region(
    aws: Aws, home: Aws | None, release: Release, catalog: Catalog, account: str
) -> RegionPlan:
    """The plan of one region."""
    wanted = desired(release, catalog, account, aws.region)
    observed = observe(aws, wanted, observe_storage(aws, wanted, release, home))
    with aws_errors(f"read the versions that are in use in {aws.region}"):
        in_use = versions_in_use(aws, wanted, observed.products)
    role_stacks = {name: stack.parameters for name, stack in observed.role_stacks.items()}
    base = bootstrap_stacks(release, catalog, role_stacks if home else None)
    layers = {product.key: product.layer for product in catalog.products}
    gate = gate_steps(wanted, release, in_use, layers, load_notes(release.version))
    steps = in_order(
        [*storage_steps(wanted, observed, base), *catalog_steps(wanted, observed), *gate]
    )
    stacks = tuple(each.stack for each in base if each.kind is not Kind.BUCKET)
    return RegionPlan(aws, home, release, wanted, observed, steps, stacks)


def refusals(plans: Sequence[RegionPlan]) -> list[str]:
    """The reasons that stop the publication, each with its regions; empty if it can start."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for plan in plans:
        for step in plan.steps:
            if step.action is Action.REFUSE:
                found[step.subject, step.reason].append(plan.region)
    return [
        f"{subject} in {listed(regions)} {reason}." for (subject, reason), regions in found.items()
    ]


def publish(
    plans: Sequence[RegionPlan],
    progress: Progress | None = None,
    waits: tuple[float, ...] = WAITS,
) -> None:
    """Apply the plans of all regions in parallel; a region that fails does not stop the others.

    The launch roles come first, because the constraints of every region name them. Then come the boundaries of roles in
    existing environments. Raises PipelineError before it writes anything if a plan contains a refusal, and afterwards
    with the reasons of all regions that failed.
    """
    refused = refusals(plans)
    if refused:
        raise PipelineError(" ".join(refused))
    reporter = progress or Silence()
    stop = Event()

    def one(plan: RegionPlan) -> str:
        try:
            apply(plan, reporter, stop, waits)
        except PipelineError as refusal:
            return str(refusal)
        return ""

    for plan in plans:
        if plan.home:
            apply_to_account(plan.home, plan.writing, reporter)
    failures = [reason for reason in in_parallel(plans, one, stop) if reason]
    if failures:
        raise PipelineError(" ".join(failures))


def apply_to_account(home: Aws, steps: Sequence[Step], reporter: Progress) -> None:
    """Apply the steps for the account: the stack of each launch role, then the boundaries of roles."""
    for kind in OF_ACCOUNT:
        chosen = [step for step in steps if step.kind is kind]
        if not chosen:
            continue
        name = kind.value
        reporter.begin(name, len(chosen))
        for step in chosen:
            reporter.step(name, f"{step.action.value} {step.subject}")
            with aws_errors(f"{step.action.value} {name} {step.subject}"):
                take_for_account(home, step, reporter)
        reporter.end(name)


def take_for_account(home: Aws, step: Step, reporter: Progress) -> None:
    """Apply one step for the account."""
    match step.change:
        case StackChange(bootstrap_stack):
            ensure_stack(home, bootstrap_stack, lambda text: reporter.note(step.kind.value, text))
        case BoundaryChange() as change:
            set_boundary(home, change)


def apply(plan: RegionPlan, reporter: Progress, stop: Event, waits: tuple[float, ...]) -> None:
    """Apply one region's plan without the steps for the account; checks ``stop`` between two steps."""
    steps = [step for step in plan.writing if step.kind not in OF_ACCOUNT]
    if not steps:
        return
    reporter.begin(plan.region, len(steps))
    applier = applier_of(plan, reporter, waits)
    for step in steps:
        if stop.is_set():
            return
        reporter.step(plan.region, f"{step.action.value} {step.kind.value} {step.subject}")
        applier.apply_step(step)
    reporter.end(plan.region)


def applier_of(plan: RegionPlan, reporter: Progress, waits: tuple[float, ...]) -> Applier:
    """The object that applies a plan's steps."""
    return Applier(
        plan.aws,
        plan.desired,
        plan.release,
        plan.observed,
        lambda text: reporter.note(plan.region, text),
        waits,
    )


Thing = TypeVar("Thing")


def in_parallel(
    things: Sequence[Thing], work: Callable[[Thing], Done], stop: Event | None = None
) -> list[Done]:
    """Run several tasks in parallel; a single task runs in this thread, so that Ctrl-C stops it immediately.

    Every error or interruption sets ``stop``, which the tasks check.
    """
    if len(things) == 1:
        return [work(things[0])]
    with ThreadPoolExecutor(max(1, len(things))) as pool:
        try:
            return list(pool.map(work, things))
        except BaseException:
            # The end of the pool waits for its tasks.
            if stop:
                stop.set()
            raise


def summary(plans: Sequence[RegionPlan]) -> Mapping[Action, int]:
    """The number of steps per action in all plans."""
    counted = dict.fromkeys(Action, 0)
    for plan in plans:
        for step in plan.steps:
            counted[step.action] += 1
    return counted
