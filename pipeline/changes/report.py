"""The report of a comparison: data loss first, then failures and interruptions, the rest as counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.changes.change import Action, Change, Fate
from pipeline.changes.engine import Comparison, sorted_changes
from pipeline.changes.interface import interface_changes
from pipeline.changes.rights import RightsChange, rights_changes
from pipeline.changes.state import State, evaluate
from pipeline.cost.change import CostChange
from pipeline.cost.table import in_usd

# Every change of a container replaces the task definition; the change of the service says what that does.
ROUTINE = {"AWS::ECS::TaskDefinition"}
LOST, REFUSED, UNPROTECTED, INTERRUPTED = (
    "Data is lost to the environment",
    "AWS refuses the update",
    "Deletion protection is turned off",
    "Interrupted",
)
# The headings below which a preview shows every resource.
ALWAYS_SHOWN = {LOST, REFUSED, UNPROTECTED, INTERRUPTED}
_HEADINGS = (
    (LOST, lambda change: change.loses),
    (REFUSED, lambda change: change.action is Action.FAIL),
    (UNPROTECTED, lambda change: change.unprotects),
    (INTERRUPTED, lambda change: change.action is Action.INTERRUPT),
    (
        "Replaced or possibly replaced",
        lambda change: (
            change.action in {Action.REPLACE, Action.MAY_REPLACE} and change.kind not in ROUTINE
        ),
    ),
    ("Leaves the stack and stays", lambda change: change.action is Action.RELEASE),
)


@dataclass(frozen=True)
class Report:
    """The changes in one environment."""

    environment: str
    changes: tuple[Change, ...]
    interface: tuple[str, ...]
    rights: tuple[RightsChange, ...]
    cost: CostChange

    def losses(self) -> list[Change]:
        """The changes that lose data."""
        return [change for change in self.changes if change.loses]


def report(environment: str, before: State, after: State) -> Report:
    """Compare two states. Raises PipelineError for one that cannot be evaluated."""
    comparison = Comparison(evaluate(before), evaluate(after))
    return Report(
        environment,
        tuple(sorted_changes(comparison.changes())),
        tuple(interface_changes(before.templates[before.root], after.templates[after.root])),
        tuple(rights_changes(comparison.before, comparison.after)),
        comparison.cost(after.region),
    )


def sentence(change: Change) -> str:
    """A change in words."""
    causes = "; ".join(str(cause) for cause in change.causes)
    parts = [f"{change.name} ({change.kind}) {verb(change.action)}: {causes}."]
    if change.fate not in {Fate.NONE, Fate.SAME}:
        parts.append(f"{change.fate.value.capitalize()}.")
    parts += [note if note.endswith(".") else f"{note.capitalize()}." for note in change.notes]
    if change.renamed:
        parts.append(f"It has the properties of {change.renamed}: the logical ID changed.")
    return " ".join(parts)


def verb(action: Action) -> str:
    """The action, as a verb."""
    verbs = {
        Action.FAIL: "fails",
        Action.MAY_REPLACE: "may be replaced",
        Action.RELEASE: "leaves the stack",
    }
    return verbs.get(action, f"is {action.value}")


def groups(changes: Iterable[Change]) -> Iterator[tuple[str, list[Change]]]:
    """The changes by heading; each is under the first that fits."""
    left = list(changes)
    for heading, fits in _HEADINGS:
        group = [change for change in left if fits(change)]
        left = [change for change in left if change not in group]
        if group:
            yield heading, group


def rest(changes: Iterable[Change]) -> str:
    """The changes without a heading, as counts."""
    every = list(changes)
    shown = [change for _, group in groups(every) for change in group]
    counted = Counter(change.action for change in every if change not in shown)
    return ", ".join(f"{counted[action]} {action.value}" for action in Action if counted[action])


def lines(reports: Sequence[Report]) -> Iterator[str]:
    """The reports as text; the changes of parameters and outputs follow once, at the end."""
    for found in reports:
        yield found.environment
        if not found.changes:
            yield "  No resource changes."
        for heading, group in groups(found.changes):
            yield f"  {heading}:"
            yield from (f"    {sentence(change)}" for change in group)
        if counts := rest(found.changes):
            yield f"  The rest: {counts}."
        yield from (f"  {line}" for line in map(rights_sentence, found.rights))
        yield f"  {found.cost.sentence()}"
    if reports and reports[0].interface:
        yield "Parameters and outputs"
        yield from (f"  {line}" for line in reports[0].interface)


def rights_sentence(change: RightsChange) -> str:
    """The sentence about a change of permissions."""
    parts = [
        f"{word} {', '.join(actions)}"
        for word, actions in (("gains", change.gained), ("loses", change.lost))
        if actions
    ]
    return f"Role {change.role} {' and '.join(parts)}."


def markdown(reports: Sequence[Report]) -> str:
    """The reports for a pull request or a page."""
    parts = []
    for found in reports:
        parts.append(f"## {found.environment}\n")
        if not found.changes:
            parts.append("No resource changes.\n")
        for heading, group in groups(found.changes):
            parts.append(f"### {heading}\n")
            parts.append("".join(f"- {sentence(change)}\n" for change in group))
        if counts := rest(found.changes):
            parts.append(f"The rest: {counts}.\n")
        if found.rights:
            parts.append("### Rights\n")
            parts.append("".join(f"- {rights_sentence(each)}\n" for each in found.rights))
        parts.append(f"{found.cost.sentence()}\n")
    if reports and reports[0].interface:
        parts.append("## Parameters and outputs\n")
        parts.append("".join(f"- {line}\n" for line in reports[0].interface))
    return "\n".join(parts)


def as_json(reports: Iterable[Report]) -> str:
    """The reports for programs: a list with an object for each environment."""
    return json.dumps([_plain(found) for found in reports], indent=1, ensure_ascii=False)


def _plain(found: Report) -> dict[str, Any]:
    return {
        "Environment": found.environment,
        "Changes": [
            {
                "Stack": change.name.stack,
                "LogicalId": change.name.logical_id,
                "Type": change.kind,
                "Action": change.action.value,
                "Causes": [{"Property": cause.path, "Why": cause.why} for cause in change.causes],
                "Data": change.fate.value,
                "LosesData": change.loses,
                "Notes": list(change.notes),
                "Renamed": str(change.renamed) if change.renamed else None,
            }
            for change in found.changes
        ],
        "Interface": list(found.interface),
        "Rights": [
            {"Role": str(each.role), "Gained": list(each.gained), "Lost": list(each.lost)}
            for each in found.rights
        ],
        "MonthlyCost": _cost(found.cost),
    }


def _cost(cost: CostChange) -> dict[str, str] | None:
    if cost.difference is None:
        return None
    amounts = {
        "Before": cost.before.known(),
        "After": cost.after.known(),
        "Difference": cost.difference,
    }
    return {"Currency": "USD"} | {
        name: in_usd(usd).replace(",", "") for name, usd in amounts.items()
    }
