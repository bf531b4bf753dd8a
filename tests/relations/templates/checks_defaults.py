"""Defaults of the templates: a launch that sets no parameter, as a whole or of a single layer, is an environment that works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.checks.render import check_rules, scope_of
from pipeline.errors import PipelineError
from pipeline.parameters.profiles import profile_names, read_pairs, rejection
from pipeline.parameters.relations import check_relations
from pipeline.paths import PARAMETERS
from templates_src.core.parameters.declaration import Declaration
from templates_src.environment import ROOT
from tests.relations.registry import Templates, template_relation
from tests.relations.variants import REGION

# What decides which values a parameter accepts, and what it is without a value.
SHARED = (
    *("Type", "Default", "AllowedValues", "AllowedPattern", "MinLength", "MaxLength"),
    *("MinValue", "MaxValue", "NoEcho"),
)
# Parameters whose default in the root differs on purpose.
REASONS: Mapping[str, str] = {
    "ReleasePrefix": "A root nests the layers of one release, its default; a single layer can use the functions of any release.",
}
# Parameters of the root without a default.
REQUIRED: Mapping[str, str] = {
    "ReleaseBucket": "Each account that publishes has its own bucket; a product has it written in.",
}


def defaults(template: Mapping[str, Any]) -> dict[str, str]:
    """The default of each parameter that has one, by name."""
    return {
        name: parameter["Default"]
        for name, parameter in template["Parameters"].items()
        if isinstance(parameter.get("Default"), str)
    }


@template_relation
def defaults_launch_the_environment_that_they_name(templates: Templates) -> Iterator[str]:
    """A launch without values is the environment of the default of Environment: its profile has each of these values."""
    given = defaults(templates[ROOT])
    name = given.get("Environment", "")
    if name not in profile_names():
        yield f"The default of Environment is {name!r}, which has no profile."
        return
    profile = read_pairs(PARAMETERS / f"{name}.json", name)
    for parameter, value in given.items():
        if parameter not in REASONS and profile.get(parameter) != value:
            yield f"{parameter} has the default {value!r}, but the profile {name} has {profile.get(parameter)!r}."
    required = profile.keys() | templates[ROOT]["Parameters"].keys() - REQUIRED.keys()
    for parameter in sorted(required - given.keys()):
        yield f"{parameter} has no default, so that a launch without values fails."


@template_relation
def templates_agree_on_their_parameters(templates: Templates) -> Iterator[str]:
    """A parameter has one default and accepts the same values in every template, so that no layer rejects what its root accepts."""
    first: dict[str, tuple[str, Mapping[str, Any]]] = {}
    # The root first: a finding names the layer that differs.
    for layer, template in sorted(templates.items(), key=lambda each: each[0] != ROOT):
        for name, parameter in template["Parameters"].items():
            other, known = first.setdefault(name, (layer, parameter))
            if name in REASONS:
                continue
            for key in SHARED:
                if parameter.get(key) != known.get(key):
                    yield f"{name} has {key} {parameter.get(key)!r} in {layer}, and {known.get(key)!r} in {other}."


@template_relation
def defaults_are_accepted(templates: Templates) -> Iterator[str]:
    """A parameter accepts its own default: CloudFormation checks a default like a value."""
    for layer, template in templates.items():
        for name, value in defaults(template).items():
            if rejection(declaration(name, template["Parameters"][name]), value):
                yield f"{name} of layer {layer} rejects its own default {value!r}."


def declaration(name: str, parameter: Mapping[str, Any]) -> Declaration:
    """The constraints of a parameter of a template."""

    def bound(key: str) -> int | None:
        return int(parameter[key]) if key in parameter else None

    return Declaration(
        name=name,
        group="",
        label="",
        description="",
        type=parameter["Type"],
        allowed=tuple(parameter.get("AllowedValues", ())),
        pattern=parameter.get("AllowedPattern"),
        min_length=bound("MinLength"),
        max_length=bound("MaxLength"),
        min_value=bound("MinValue"),
        max_value=bound("MaxValue"),
    )


@template_relation
def rules_accept_the_defaults(templates: Templates) -> Iterator[str]:
    """A template's rules accept its own defaults, and the relations that no rule can express hold for them."""
    for layer, template in templates.items():
        given = defaults(template)
        # No rule reads a parameter without a default: the launch would have to know it.
        values = dict.fromkeys(template["Parameters"], "") | given
        try:
            check_rules(scope_of(template, values, REGION, layer))
        except PipelineError as error:
            yield f"The defaults of {layer} are refused: {error}"
        reason = check_relations(given)
        if reason:
            yield f"The defaults of {layer} contradict each other: {reason}"
