"""What a change of a resource's properties does, from the facts that decide an update."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.changes.change import Fate
from pipeline.changes.differences import covers
from pipeline.changes.state import Resource
from pipeline.changes.updates import facts
from pipeline.changes.updates.fates import fate_of_replacement
from pipeline.changes.updates.schemas import updates


@dataclass(frozen=True)
class UpdateEffects:
    """The properties of a resource by what their change does; every other change is in place.

    ``interrupting`` has pairs of a property and the interruption. ``fate`` is that of the data in a replacement, in words.
    ``always`` says that every change replaces the resource.
    """

    replacing: tuple[str, ...]
    possible: tuple[str, ...]
    refused: tuple[str, ...]
    interrupting: tuple[tuple[str, str], ...]
    fate: str
    always: bool = False


def update_effects(resource: Resource) -> UpdateEffects:
    """The effects for the properties that the resource has."""
    kind, known = resource.kind, updates(resource.kind)
    fixed = facts.FIXED.get(kind, frozenset())
    decided = facts.IN_PLACE.get(kind, frozenset()) | facts.REPLACING.get(kind, frozenset())
    own = sorted(resource.properties)
    certain = {path.split("/")[0] for path in known.create_only} | facts.REPLACING.get(
        kind, frozenset()
    )
    refused = tuple(key for key in own if key in fixed)
    replacing = tuple(key for key in own if key in certain and key not in fixed)
    possible = tuple(
        key
        for key in own
        if key not in decided
        and key not in replacing
        and any(covers(each, key) or each.startswith(f"{key}/") for each in known.conditional)
    )
    interrupting = tuple(
        (key, found.what)
        for (of, key), found in facts.INTERRUPTIONS.items()
        if of == kind and key in own
    )
    fate, notes = fate_of_replacement(resource, resource)
    words = "" if fate is Fate.NONE else ". ".join([fate.value.capitalize(), *notes]).rstrip(".")
    always = not known.update
    return UpdateEffects(
        () if always else replacing,
        () if always else possible,
        refused,
        interrupting,
        words,
        always,
    )
