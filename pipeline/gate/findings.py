"""The changes of a release for users and data of an older one, and their severity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from pipeline.changes.change import Action, Change
from pipeline.changes.interface import Template, interface_findings
from pipeline.changes.report import ROUTINE, sentence
from pipeline.changes.state import State
from pipeline.changes.updates import facts

# Updates that lose the data of a resource, in the words of release notes.
_DATA: Mapping[Action, str] = {
    Action.REPLACE: "is replaced",
    Action.MAY_REPLACE: "may be replaced",
    Action.DELETE: "is deleted",
    Action.RELEASE: "leaves the stack",
    Action.INTERRUPT: "loses data",
    Action.UPDATE: "loses data",
}
_COMES_OR_GOES = {Action.CREATE, Action.DELETE, Action.REPLACE, Action.MAY_REPLACE}


class Level(IntEnum):
    """The part of a version number that a change raises."""

    PATCH = 1
    MINOR = 2
    MAJOR = 3


@dataclass(frozen=True)
class Finding:
    """A breaking change for users or data. Release notes repeat ``change``; ``details`` are sentences."""

    change: str
    details: tuple[str, ...]


def of_environment(before: State, after: State, changes: Iterable[Change]) -> list[Finding]:
    """The breaking changes of an update, from the two states of an environment and the changes between them."""
    one, other = before.templates[before.root], after.templates[after.root]
    return [*of_resources(changes), *of_interface(one, other)]


def of_resources(changes: Iterable[Change], stack: str = "") -> Iterator[Finding]:
    """Resources with data that are replaced, deleted or emptied, and resources whose update fails.

    ``stack`` is the name in release notes for the stack of a layer that was launched alone.
    """
    for change in changes:
        name = f"{stack}.{change.name}" if stack else str(change.name)
        if change.action is Action.FAIL:
            yield Finding(f"{name} fails", (sentence(change),))
        elif change.loses or (change.action is Action.RELEASE and change.kind in facts.STATEFUL):
            yield Finding(f"{name} {_DATA[change.action]}", (sentence(change),))


def of_interface(before: Template, after: Template) -> Iterator[Finding]:
    """Parameters and outputs that users can no longer rely on; several reasons for one parameter are one finding."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for change in interface_findings(before, after):
        if change.breaks:
            found[change.change].append(change.sentence)
    for name, sentences in found.items():
        yield Finding(name, tuple(sentences))


def of_layer(layer: str, before: Template, after: Template) -> Iterator[Finding]:
    """The interface of a layer that was launched alone: one finding, as its parameters follow the wiring of the environment."""
    details = [detail for finding in of_interface(before, after) for detail in finding.details]
    if details:
        yield Finding(f"Layer {layer} has an incompatible interface", tuple(details))


def additions(one: Template, other: Template, changes: Iterable[Change]) -> Iterator[str]:
    """The changes that need a minor version: a new parameter or output, another default, a new or removed resource.

    ``one`` and ``other`` are the root templates.
    """
    for section, word in (("Parameters", "Parameter"), ("Outputs", "Output")):
        for name in sorted(other.get(section, {}).keys() - one.get(section, {}).keys()):
            yield f"{word} {name} is new"
    yield from (each.change for each in interface_findings(one, other) if not each.breaks)
    for change in changes:
        if change.action in _COMES_OR_GOES and change.kind not in ROUTINE:
            yield f"{change.name} is {change.action.value}"
