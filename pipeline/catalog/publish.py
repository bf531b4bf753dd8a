"""Publishing a release: a plan for every region, and its application in all of them at once."""

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
from pipeline.catalog.desired.launch_roles import check_account
from pipeline.catalog.observed.account import observe_account
from pipeline.catalog.observed.catalog import observe
from pipeline.catalog.observed.in_use import versions_in_use
from pipeline.catalog.observed.model import Observed
from pipeline.catalog.observed.storage import stored
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
    """Is told of every step of every region, and of the launch role's, from the thread that takes it."""

    def begin(self, region: str, steps: int) -> None:
        """A region begins, with so many steps to take."""

    def step(self, region: str, told: str) -> None:
        """The region takes its next step."""

    def note(self, region: str, told: str) -> None:
        """Something worth saying happens within a step."""

    def end(self, region: str) -> None:
        """The region has taken all of its steps."""


class Silence:
    """Progress that nobody looks at."""

    def begin(self, region: str, steps: int) -> None:
        """Say nothing."""

    def step(self, region: str, told: str) -> None:
        """Say nothing."""

    def note(self, region: str, told: str) -> None:
        """Say nothing."""

    def end(self, region: str) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class RegionPlan:
    """What is to be done in a region, and from what that follows.

    ``home`` is the region of the launch roles' stacks, in the plan of the one region that sees to the roles.
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
    """The plan of each region, by default those of catalog.yaml; makes reading calls only.

    The stacks of launch roles are in the first of catalog.yaml's, as roles have no region. Raises PipelineError where AWS does
    not let it read, and for what catalog.yaml has of another account.
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
    """The plan with the steps of the account, where it is the one that has them."""
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
    observed = observe(aws, wanted, stored(aws, wanted, release, home))
    with aws_errors(f"read the versions that are in use in {aws.region}"):
        in_use = versions_in_use(aws, wanted, observed.products)
    role_stacks = {name: stack.parameters for name, stack in observed.role_stacks.items()}
    base = bootstrap_stacks(release, catalog, role_stacks if home else None)
    layers = {product.key: product.layer for product in catalog.products}
    gate = gate_steps(wanted, release, in_use, layers, load_notes(release.version))
    steps = in_order(
        [*storage_steps(wanted, observed, base), *catalog_steps(wanted, observed), *gate]
    )
    stacks = tuple(each.stack for each in base if each.role)
    return RegionPlan(aws, home, release, wanted, observed, steps, stacks)


def refusals(plans: Sequence[RegionPlan]) -> list[str]:
    """Why nothing is published: a sentence for each reason, with its regions; empty where nothing is refused."""
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
    """Carry out the plans of all regions at once; a region that fails does not hold up the others.

    The launch roles come first, as every region's constraints name them, and then the boundaries of roles that
    environments have already. Raises PipelineError before anything is written where a plan holds a refusal, and afterwards
    with the reasons of all regions that failed.
    """
    refused = refusals(plans)
    if refused:
        raise PipelineError(" ".join(refused))
    told = progress or Silence()
    stop = Event()

    def one(plan: RegionPlan) -> str:
        try:
            apply(plan, told, stop, waits)
        except PipelineError as refusal:
            return str(refusal)
        return ""

    for plan in plans:
        if plan.home:
            apply_to_account(plan.home, plan.writing, told)
    failures = [reason for reason in in_parallel(plans, one, stop) if reason]
    if failures:
        raise PipelineError(" ".join(failures))


def apply_to_account(home: Aws, steps: Sequence[Step], told: Progress) -> None:
    """Take the steps of the account: each launch role's stack, then the boundaries of roles."""
    for kind in OF_ACCOUNT:
        chosen = [step for step in steps if step.kind is kind]
        if not chosen:
            continue
        name = kind.value
        told.begin(name, len(chosen))
        for step in chosen:
            told.step(name, f"{step.action.value} {step.subject}")
            with aws_errors(f"{step.action.value} {name} {step.subject}"):
                take_for_account(home, step, told)
        told.end(name)


def take_for_account(home: Aws, step: Step, told: Progress) -> None:
    """Take one step of the account."""
    match step.change:
        case StackChange(bootstrap_stack):
            ensure_stack(home, bootstrap_stack, lambda text: told.note(step.kind.value, text))
        case BoundaryChange() as change:
            set_boundary(home, change)


def apply(plan: RegionPlan, told: Progress, stop: Event, waits: tuple[float, ...]) -> None:
    """Carry out one region's plan without the steps of the account; stops between two steps once it is told to."""
    steps = [step for step in plan.writing if step.kind not in OF_ACCOUNT]
    if not steps:
        return
    told.begin(plan.region, len(steps))
    applier = applier_of(plan, told, waits)
    for step in steps:
        if stop.is_set():
            return
        told.step(plan.region, f"{step.action.value} {step.kind.value} {step.subject}")
        applier.apply_step(step)
    told.end(plan.region)


def applier_of(plan: RegionPlan, told: Progress, waits: tuple[float, ...]) -> Applier:
    """What takes a plan's steps."""
    return Applier(
        plan.aws,
        plan.desired,
        plan.release,
        plan.observed,
        lambda text: told.note(plan.region, text),
        waits,
    )


Thing = TypeVar("Thing")


def in_parallel(
    things: Sequence[Thing], work: Callable[[Thing], Done], stop: Event | None = None
) -> list[Done]:
    """Work on several things at the same time; on one in this thread, so that Ctrl-C ends it at once.

    Whatever ends the waiting sets ``stop``, which the work is to look at.
    """
    if len(things) == 1:
        return [work(things[0])]
    with ThreadPoolExecutor(max(1, len(things))) as pool:
        try:
            return list(pool.map(work, things))
        except BaseException:
            # Leaving the pool waits for its work.
            if stop:
                stop.set()
            raise


def summary(plans: Sequence[RegionPlan]) -> Mapping[Action, int]:
    """How many steps of each kind of action the plans hold."""
    counted = dict.fromkeys(Action, 0)
    for plan in plans:
        for step in plan.steps:
            counted[step.action] += 1
    return counted
