"""Changes of a template's parameters and outputs: removed ones, and values that are no longer accepted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from templates_src.core.parameters.shared import RELEASE_BUCKET, RELEASE_PREFIX

INTERFACE = "AWS::CloudFormation::Interface"
# The location of the release, so each release has other values.
RELEASE = {RELEASE_BUCKET.name, RELEASE_PREFIX.name}
# Key of the minimum or maximum, what it limits, and whether a higher limit accepts less.
_BOUNDS = (
    ("MinLength", "length", True),
    ("MinValue", "value", True),
    ("MaxLength", "length", False),
    ("MaxValue", "value", False),
)

Template = Mapping[str, Any]


@dataclass(frozen=True)
class InterfaceChange:
    """A change of a parameter or output.

    ``change`` names it briefly, as release notes repeat it; ``sentence`` has the detail. A change ``breaks`` if it
    refuses a call or a value that the earlier template accepted, or removes an output.
    """

    change: str
    sentence: str
    breaks: bool = True


def interface_changes(before: Template, after: Template) -> list[str]:
    """The sentences of the changes of parameters and outputs."""
    return [found.sentence for found in interface_findings(before, after)]


def interface_findings(before: Template, after: Template) -> list[InterfaceChange]:
    """Parameters that are removed, renamed, added without a default, narrowed or have another default, and outputs
    that are removed."""
    return [*parameter_changes(before, after), *output_changes(before, after)]


def parameter_changes(before: Template, after: Template) -> Iterator[InterfaceChange]:
    """The changes of parameters."""
    one, other = before.get("Parameters", {}), after.get("Parameters", {})
    pairs = renamed_parameters(before, after)
    for name in sorted(one.keys() - other.keys()):
        fate = f"is renamed {pairs[name]}" if name in pairs else "is removed"
        change = f"Parameter {name} {fate}"
        names = f"names {name}" if name in pairs else "names it"
        yield InterfaceChange(change, f"{change}; an update that {names} is refused.")
    for name in sorted(other.keys() - one.keys()):
        if "Default" not in other[name]:
            text = f"Parameter {name} is new and has no default; an update must give it."
            yield InterfaceChange(f"Parameter {name} is required", text)
    for name in sorted((one.keys() & other.keys()) - RELEASE):
        for what in narrowed(one[name], other[name]):
            yield InterfaceChange(f"Parameter {name} is narrowed", f"Parameter {name} {what}.")
        was, now = (each[name].get("Default") for each in (one, other))
        if was != now and None not in (was, now):
            text = f"Parameter {name} has the default {now!r} instead of {was!r}."
            yield InterfaceChange(f"Parameter {name} has another default", text, breaks=False)


def renamed_parameters(before: Template, after: Template) -> dict[str, str]:
    """The new name of each removed parameter for which one new parameter has the same label and type."""
    one, other = before.get("Parameters", {}), after.get("Parameters", {})
    found = {}
    for name in one.keys() - other.keys():
        same = [
            new
            for new in other.keys() - one.keys()
            if other[new]["Type"] == one[name]["Type"]
            and _label(after, new) == _label(before, name)
        ]
        if len(same) == 1:
            found[name] = same[0]
    return found


def _label(template: Template, name: str) -> str:
    labels = template.get("Metadata", {}).get(INTERFACE, {}).get("ParameterLabels", {})
    return str(labels.get(name, {}).get("default", name))


def narrowed(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """How a parameter accepts less than before: the end of a sentence that begins with its name."""
    if was["Type"] != now["Type"]:
        yield f"is of type {now['Type']} instead of {was['Type']}"
    if "Default" in was and "Default" not in now:
        yield "has no default any more, so an update must give it"
    refused = [
        value
        for value in was.get("AllowedValues", ())
        if value not in now.get("AllowedValues", [value])
    ]
    if refused:
        yield f"no longer takes {', '.join(map(str, refused))}"
    if "AllowedValues" in now and "AllowedValues" not in was:
        yield f"takes only {', '.join(map(str, now['AllowedValues']))}"
    if now.get("AllowedPattern") not in (None, was.get("AllowedPattern")):
        yield "has another pattern, which can refuse values that were accepted"
    for key, what, is_least in _BOUNDS:
        if key in now and (key not in was or _is_tighter(was[key], now[key], is_least)):
            side = "least" if is_least else "greatest"
            yield f"has the {side} {what} {now[key]} instead of {was.get(key, 'none')}"


def _is_tighter(was: Any, now: Any, is_least: bool) -> bool:
    return float(now) > float(was) if is_least else float(now) < float(was)


def output_changes(before: Template, after: Template) -> Iterator[InterfaceChange]:
    """The outputs that are removed."""
    for name in sorted(before.get("Outputs", {}).keys() - after.get("Outputs", {}).keys()):
        change = f"Output {name} is removed"
        yield InterfaceChange(change, f"{change}; stacks and workflows that read it fail.")
