"""Values for all parameters of a template, so that it can be evaluated without a launch."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.changes.interface import Template
from pipeline.checks.launch_examples import launch_examples
from templates_src.core.parameters.shared import ENVIRONMENT

# Examples of the types of parameters.
_EXAMPLES = {"Number": "1", "CommaDelimitedList": "a,b,c"}


def complete(template: Template, values: Mapping[str, str], region: str) -> dict[str, str]:
    """A value for each parameter: the given one, the default, or an example."""
    parameters = template.get("Parameters", {})
    environment = values.get(ENVIRONMENT.name) or parameters.get(ENVIRONMENT.name, {}).get(
        "Default", ""
    )
    examples = launch_examples(region, environment)
    found = {}
    for name, parameter in parameters.items():
        default = parameter.get("Default", next(iter(parameter.get("AllowedValues", ())), None))
        value = values.get(name, default)
        if value is None or (value == "" and name not in values):
            value = examples.get(
                name, "" if value == "" else _EXAMPLES.get(parameter["Type"], "given")
            )
        found[name] = str(value)
    return found
