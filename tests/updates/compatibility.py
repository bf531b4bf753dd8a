"""Compatibility checks on the templates of two releases; each check yields sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.parameters.profiles import rejection
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import RELEASE_PREFIX
from templates_src.environment import ROOT
from tests.releases.kept import declarations
from tests.updates.stateful import Templates, stateful

# Parameters of the root whose pattern changed since the kept release, and why it accepts all former values.
WIDENED: Mapping[str, str] = {
    "ReleasePrefix": "takes every copy's prefix, and refuses another release's, whose layers the root would nest",
    "DatabaseSnapshotIdentifier": "names of AWS Backup are taken too; a snapshot named restored has its ARN",
}


@dataclass(frozen=True)
class Change:
    """Two releases: their templates by layer, and the values of the earlier one's profiles by environment."""

    before: Templates
    after: dict[str, dict[str, Any]]
    profiles: Mapping[str, Mapping[str, str]]

    @property
    def parameters(self) -> tuple[dict[str, Declaration], dict[str, Declaration]]:
        """The root's parameters before and after."""
        return declarations(self.before[ROOT]), declarations(self.after[ROOT])


def parameters_remain(change: Change) -> Iterator[str]:
    """An update names the former parameters, so they must still exist."""
    before, after = change.parameters
    for name in sorted(before.keys() - after.keys()):
        yield f"Parameter {name} is gone; keep it, so that an update that names it is not refused."


def added_parameters_have_defaults(change: Change) -> Iterator[str]:
    """An update does not name new parameters, so they need a default that changes nothing."""
    before, after = change.parameters
    for name in sorted(after.keys() - before.keys()):
        if after[name].default is None:
            yield f"Parameter {name} is new and has no default; add a default that changes nothing."


def former_values_are_accepted(change: Change) -> Iterator[str]:
    """Every former default and allowed value, and every value of a profile, is still valid.

    The location of the former release is the exception, because it must not be kept.
    """
    before, after = change.parameters
    for name in sorted((before.keys() & after.keys()) - {RELEASE_PREFIX.name}):
        for value, what in sorted(_known_values(change, before[name])):
            reason = rejection(after[name], value)
            if reason:
                yield f"Parameter {name} refuses {value!r}, {what}: {reason}"


def _known_values(change: Change, parameter: Declaration) -> set[tuple[str, str]]:
    values = {
        *((value, "which could be chosen") for value in parameter.allowed),
        *(
            (profile[parameter.name], f"which {environment} had")
            for environment, profile in change.profiles.items()
            if parameter.name in profile
        ),
    }
    return values | (
        {(parameter.default, "its default")} if parameter.default is not None else set()
    )


def declarations_are_no_narrower(change: Change) -> Iterator[str]:
    """A value must satisfy no new condition; a pattern changes only with a reason."""
    before, after = change.parameters
    for name in sorted(before.keys() & after.keys()):
        for what in _narrower(before[name], after[name]):
            yield f"Parameter {name} {what}."


def _narrower(was: Declaration, now: Declaration) -> Iterator[str]:
    if was.type != now.type:
        yield f"was of type {was.type} and is of {now.type}"
    if was.default is not None and now.default is None:
        yield "has no default any more, so that who leaves it out is refused"
    if now.allowed and not was.allowed:
        yield f"took any value and takes only {', '.join(now.allowed)}"
    if now.pattern not in {None, was.pattern} and now.name not in WIDENED:
        yield "has another pattern; if it takes all that the former took, say why in WIDENED"
    for what, former, least in (
        ("length", was.min_length, now.min_length),
        ("value", was.min_value, now.min_value),
    ):
        if least is not None and (former is None or least > former):
            yield f"has the least {what} {least} and had {former}"
    for what, former, most in (
        ("length", was.max_length, now.max_length),
        ("value", was.max_value, now.max_value),
    ):
        if most is not None and (former is None or most < former):
            yield f"has the greatest {what} {most} and had {former}"


def outputs_remain(change: Change) -> Iterator[str]:
    """Outputs of the root stay, because other stacks and workflows use them."""
    before, after = (templates[ROOT]["Outputs"] for templates in (change.before, change.after))
    for name in sorted(before.keys() - after.keys()):
        yield f"Output {name} is gone; others read it."


def what_holds_data_keeps_its_logical_id(change: Change) -> Iterator[str]:
    """Resources with data keep logical ID, layer and type; otherwise a new, empty one replaces them."""
    for layer, logical_id in stateful(change.before):
        kind = change.before[layer]["Resources"][logical_id]["Type"]
        found: Mapping[str, Any] = change.after.get(layer, {"Resources": {}})["Resources"]
        if logical_id not in found:
            yield f"{logical_id} of {layer} is gone, and holds data ({kind})."
        elif found[logical_id]["Type"] != kind:
            yield f"{logical_id} of {layer} was {kind} and is {found[logical_id]['Type']}."


def what_holds_data_keeps_its_policies(change: Change) -> Iterator[str]:
    """Retained resources are still retained."""
    for layer, logical_id in stateful(change.before):
        now = change.after.get(layer, {"Resources": {}})["Resources"].get(logical_id, {})
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            was = change.before[layer]["Resources"][logical_id].get(policy)
            if now and was != now.get(policy) and was not in {None, "Delete"}:
                yield f"{logical_id} of {layer} had {policy} {was} and has {now.get(policy)}."


Check = Callable[[Change], Iterable[str]]
CHECKS: tuple[Check, ...] = (
    parameters_remain,
    added_parameters_have_defaults,
    former_values_are_accepted,
    declarations_are_no_narrower,
    outputs_remain,
    what_holds_data_keeps_its_logical_id,
    what_holds_data_keeps_its_policies,
)
