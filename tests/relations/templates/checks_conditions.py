"""Conditions of the templates: each depends on its parameters, and resources exist with what they name and with what uses them."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.checks.render import scope_of
from tests.relations.registry import Templates, template_relation
from tests.relations.variants import REGION
from tests.rendering import VARIABLE

# Resources that others name, and that are of use without them.
ALONE: Mapping[str, str] = {
    "MigrationTaskDefinition": "The function that runs the migration finds it by the name of its family.",
    "EnvironmentBoundary": "The roles of an environment name it by its ARN.",
}
SOME_TEXT = "text"

# Conditions with the value that each must have.
Guard = frozenset[tuple[str, bool]]
State = Mapping[str, bool]


class Reference(NamedTuple):
    """What a resource or an output names, and the conditions under which it does."""

    source: str
    target: str
    guard: Guard


@template_relation
def conditions_follow_their_parameters(templates: Templates) -> Iterator[str]:
    """Each condition is true for some values of its parameters and false for others: a constant one decides nothing."""
    for layer, template in templates.items():
        for name in template.get("Conditions", {}):
            found = {state[name] for state in states(template, [name])}
            if len(found) == 1:
                yield f"The condition {name} of layer {layer} is {str(*found).lower()} for all values."


@template_relation
def resources_exist_with_what_they_name(templates: Templates) -> Iterator[str]:
    """A resource or output names only resources that exist whenever it does: CloudFormation refuses another reference in a launch."""
    for layer, template in templates.items():
        resources = template["Resources"]
        for source, target, guard in references_of(template):
            own = condition_of(resources[target])
            if own and any(
                agrees(state, guard) and not agrees(state, own)
                for state in states(template, names_in(guard, own))
            ):
                yield f"{source} of layer {layer} names {target}, which does not always exist with it."


@template_relation
def resources_exist_with_what_uses_them(templates: Templates) -> Iterator[str]:
    """A resource that others name exists only with one of them: alone it costs, or collides with what it replaces."""
    for layer, template in templates.items():
        used: dict[str, set[Guard]] = {}
        for _, target, guard in references_of(template):
            used.setdefault(target, set()).add(guard)
        for target, guards in used.items():
            if target in ALONE or frozenset() in guards:
                continue
            own = condition_of(template["Resources"][target])
            if any(
                agrees(state, own) and not any(agrees(state, guard) for guard in guards)
                for state in states(template, names_in(own, *guards))
            ):
                yield f"{target} of layer {layer} may exist without anything that uses it."


def agrees(state: State, guard: Guard) -> bool:
    """Whether the conditions have the values of a guard."""
    return all(state[name] == value for name, value in guard)


def names_in(*guards: Guard) -> list[str]:
    """The conditions of guards."""
    return sorted({name for guard in guards for name, _ in guard})


def condition_of(part: Mapping[str, Any]) -> Guard:
    """The condition of a resource or output."""
    return frozenset({(part["Condition"], True)} if "Condition" in part else ())


def references_of(template: Mapping[str, Any]) -> Iterator[Reference]:
    """Everything that resources and outputs of a template name."""
    resources = template["Resources"]
    for name, resource in resources.items():
        own = condition_of(resource)
        named = [
            *((target, own) for target in resource.get("DependsOn", ())),
            *named_in(resource.get("Properties", {}), own),
        ]
        for target, guard in named:
            if target in resources and target != name:
                yield Reference(name, target, guard)
    for name, output in template.get("Outputs", {}).items():
        for target, guard in named_in(output["Value"], condition_of(output)):
            if target in resources:
                yield Reference(f"The output {name}", target, guard)


def named_in(value: Any, guard: Guard) -> Iterator[tuple[str, Guard]]:
    """Names of parameters and resources in a value, each with the conditions under which they count."""
    match value:
        case {"Ref": str(name)}:
            yield name, guard
        case {"Fn::GetAtt": [str(name), _]}:
            yield name, guard
        case {"Fn::If": [str(condition), yes, no]}:
            for part, holds in ((yes, True), (no, False)):
                if (condition, not holds) not in guard:
                    yield from named_in(part, guard | {(condition, holds)})
        case {"Fn::Sub": str() | [str(), _] as argument}:
            text, values = (argument, {}) if isinstance(argument, str) else argument
            yield from ((name, guard) for name, _ in VARIABLE.findall(text) if name not in values)
            yield from named_in(values, guard)
        case dict() | list():
            for part in value.values() if isinstance(value, dict) else value:
                yield from named_in(part, guard)


# The result for the same conditions and values, which most faults do not change.
_STATES: dict[tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]], list[State]] = {}


def states(template: Mapping[str, Any], names: Iterable[str]) -> list[State]:
    """The values of conditions together, for all values that their parameters accept."""
    wanted = tuple(names)
    expressions = written(template, wanted)
    parameters = template.get("Parameters", {})
    read = sorted(set(re.findall(r'"Ref": "(\w+)"', expressions)) & parameters.keys())
    literals = {"", SOME_TEXT, *re.findall(r'"([^"]*)"', expressions)}
    accepted = [parameters[name].get("AllowedValues") or sorted(literals) for name in read]
    key = (expressions, wanted, tuple(map(tuple, accepted)))
    if key not in _STATES:
        usual = {name: parameter.get("Default", "") for name, parameter in parameters.items()}
        found = set()
        for values in itertools.product(*accepted):
            given = {**usual, **dict(zip(read, values, strict=True))}
            scope = scope_of(template, given, REGION, "stack")
            found.add(tuple(scope.condition(name) for name in wanted))
        _STATES[key] = [dict(zip(wanted, each, strict=True)) for each in found]
    return _STATES[key]


def written(template: Mapping[str, Any], names: Iterable[str]) -> str:
    """The expressions of conditions, and of those that they name, as text."""
    conditions, found, todo = template.get("Conditions", {}), dict[str, str](), list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = json.dumps(conditions[name])
            todo += re.findall(r'"Condition": "(\w+)"', found[name])
    return "".join(found.values())
