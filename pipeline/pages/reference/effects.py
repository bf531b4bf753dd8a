"""The effects of a change of a parameter in each profile: the changes of resources, grouped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from pipeline.changes.change import Action, Change, Fate
from pipeline.changes.engine import Comparison
from pipeline.changes.report import ROUTINE
from pipeline.changes.sides import Side, of_release
from pipeline.changes.state import Evaluated, State, evaluate
from pipeline.checks.render import check_rules, scope_of
from pipeline.errors import PipelineError, listed
from pipeline.pages.reference.transitions import REGION, Transition, transitions
from pipeline.parameters.profiles import load_profile, profile_names
from pipeline.parameters.relations import check_relations
from pipeline.release.assemble import Release
from templates_src.core.parameters.declaration import Declaration
from templates_src.guards.launch_check import LAUNCH_CHECK

ENVIRONMENT = "Environment"
# The parts of a sentence that come from the example and not from the parameter.
_EXAMPLE = re.compile(r" from \d+ to \d+|(?<=the snapshot) \w+| \([^)]*\)(?=, which is taken)")
# Properties whose change makes ECS start a deployment.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
NEW_TASKS = frozenset({"TaskDefinition", "CapacityProviderStrategy"})
SERVICE = "AWS::ECS::Service"


class Kind(StrEnum):
    """The effect of a change of a parameter on a resource, the most serious first."""

    REFUSED = "Refused"
    LOSES = "Data"
    STAYS = "Stays"
    REPLACED = "Replaced"
    INTERRUPTED = "Interrupted"
    DELETED = "Deleted"
    DEPLOYED = "Deployed"
    IN_PLACE = "In place"


@dataclass(frozen=True)
class Effect:
    """One effect of a change of a parameter: the resources and the cases.

    ``cases`` names the changes and environments with the effect; empty for all.
    """

    kind: Kind
    what: str
    resources: tuple[str, ...]
    cases: str


@dataclass(frozen=True)
class _Found:
    kind: Kind
    what: str
    resource: str
    label: str
    environment: str


class Effects:
    """The effects of the parameters of a release."""

    def __init__(self, release: Release) -> None:
        self.release = release
        profiles = {name: load_profile(release.root, name) for name in profile_names()}
        self.profiles = profiles
        self.environments = distinct(profiles)
        self.side: Side = of_release(release, profiles)
        # A state takes some megabytes; most changes start from the same few states.
        self._evaluated = lru_cache(maxsize=8)(self._evaluate)

    def all(self) -> dict[str, list[Effect]]:
        """The effects of every parameter but those that belong to the release."""
        return {
            name: self.of(declaration)
            for name, declaration in self.release.root.declarations.items()
            if not declaration.release
        }

    def of(self, declaration: Declaration) -> list[Effect]:
        """The effects of a change of a parameter, the most serious first.

        Raises PipelineError if the rules allow no change of the parameter.
        """
        found: list[_Found] = []
        shown: set[tuple[str, str]] = set()
        for environment, names in self.environments.items():
            current = self.profiles[environment].get(declaration.name, declaration.default or "")
            for transition in transitions(declaration, current):
                states = self._states(environment, transition)
                if states is None:
                    continue
                shown.add((transition.label, names))
                before, after = (self._evaluated(_key(state)) for state in states)
                comparison = Comparison(before, after)
                found += [
                    _Found(kind, what, str(change.name), transition.label, names)
                    for change in comparison.changes()
                    if (described := describe(change))
                    for kind, what in [described]
                ]
        if not shown:
            raise PipelineError(
                f"No change of {declaration.name} satisfies the rules; add an example to pipeline/pages/reference/transitions.py."
            )
        return list(_grouped(found, shown))

    def _states(self, environment: str, transition: Transition) -> tuple[State, State] | None:
        """The two states; None if a rule or a relation refuses one of them."""
        states = tuple(
            self.side.state(environment, REGION) for _ in (transition.before, transition.after)
        )
        old, new = (
            replace(state, values={**state.values, **values})
            for state, values in zip(states, (transition.before, transition.after), strict=True)
        )
        return (old, new) if self._holds(old) and self._holds(new) else None

    def _holds(self, state: State) -> bool:
        root = state.templates[state.root]
        values = {
            name: state.values.get(name, str(parameter.get("Default", "")))
            for name, parameter in root["Parameters"].items()
        }
        try:
            check_rules(scope_of(root, values, REGION, "stack"))
        except PipelineError:
            return False
        return check_relations(values) is None

    def _evaluate(self, key: frozenset[tuple[str, str]]) -> Evaluated:
        state = self.side.state(next(iter(self.environments)), REGION)
        return evaluate(replace(state, values=dict(key)))


def _key(state: State) -> frozenset[tuple[str, str]]:
    return frozenset(state.values.items())


def distinct(profiles: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The environments with different values, each with the names of all environments that have the same values."""
    known: dict[frozenset[tuple[str, str]], list[str]] = {}
    for name, values in profiles.items():
        rest = frozenset(pair for pair in values.items() if pair[0] != ENVIRONMENT)
        known.setdefault(rest, []).append(name)
    return {names[0]: listed(names) for names in known.values()}


# It runs in each update that changes a value which it reads, and changes nothing.
CHECK = f"Custom::{LAUNCH_CHECK}"


def describe(change: Change) -> tuple[Kind, str] | None:
    """What a change of a resource is to a reader; None for what goes without saying, such as a new task definition."""
    notes = " ".join(
        note if note.endswith(".") else f"{note[0].upper()}{note[1:]}." for note in change.notes
    )
    notes = _EXAMPLE.sub("", notes).replace("CloudFormation's update deletes", "It loses")
    if change.action is Action.FAIL:
        return Kind.REFUSED, notes
    if change.kind in {*ROUTINE, CHECK} or change.action is Action.CREATE:
        return None
    if change.loses:
        verb = {Action.UPDATE: "updated"}.get(change.action, change.action.value)
        fate = "" if change.fate is Fate.LOST and notes else f" {change.fate.value.capitalize()}."
        return Kind.LOSES, f"{verb}. {notes}{fate}".replace(".  ", ". ").strip()
    if change.action is Action.RELEASE:
        return Kind.STAYS, "leaves the stack"
    if change.action in {Action.REPLACE, Action.MAY_REPLACE}:
        return Kind.REPLACED, change.action.value
    if change.action is Action.INTERRUPT:
        return Kind.INTERRUPTED, notes
    if change.action is Action.DELETE:
        return Kind.DELETED, change.action.value
    if change.kind == SERVICE and any(
        cause.path.split("/")[0] in NEW_TASKS for cause in change.causes
    ):
        return Kind.DEPLOYED, "new tasks replace the old ones"
    return Kind.IN_PLACE, change.action.value


def _grouped(found: Iterable[_Found], shown: set[tuple[str, str]]) -> Iterator[Effect]:
    """The findings, with the resources that have the same effect in the same cases joined."""
    cases: dict[tuple[Kind, str, str], set[tuple[str, str]]] = {}
    for each in found:
        cases.setdefault((each.kind, each.what, each.resource), set()).add(
            (each.label, each.environment)
        )
    together: dict[tuple[Kind, str, str], list[str]] = {}
    for (kind, what, resource), where in cases.items():
        together.setdefault((kind, what, _cases(where, shown)), []).append(resource)
    order = list(Kind)
    for (kind, what, case), resources in sorted(
        together.items(), key=lambda each: (order.index(each[0][0]), each[0][1:])
    ):
        yield Effect(kind, what, tuple(sorted(resources)), case)


def _cases(where: set[tuple[str, str]], shown: set[tuple[str, str]]) -> str:
    """The changes and environments; empty if they are all."""
    labels = {label for label, _ in where}
    environments = {environment for _, environment in where}
    parts = []
    if labels != {label for label, _ in shown}:
        parts.append(listed(sorted(labels)))
    if environments != {environment for label, environment in shown if label in labels}:
        parts.append(listed(sorted(environments)))
    return ", ".join(parts)
