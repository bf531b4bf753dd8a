"""The environments that a launch role launches: the parameter, and how the policies name them."""

from __future__ import annotations

from itertools import combinations

from troposphere import Equals, If, NoValue, Or, Ref, Split, Sub

from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import choice
from templates_src.core.parameters.shared import ENVIRONMENT, ENVIRONMENTS

SEPARATOR = ","
# A list parameter would accept any value. With these seven values, conditions identify each environment without a
# transform.
COMBINATIONS = tuple(
    SEPARATOR.join(chosen)
    for number in range(1, len(ENVIRONMENTS) + 1)
    for chosen in combinations(ENVIRONMENTS, number)
)
LAUNCHED = choice(
    "Environments",
    group=groups.LAUNCHING,
    label="Environments",
    description="Environments that this role launches. It cannot read or change resources of another environment.",
    allowed=COMBINATIONS,
    # The environments that the role of release 1.1.0 launched.
    default=SEPARATOR.join(ENVIRONMENTS),
)
# The name of no environment.
NO_ENVIRONMENT = "-"
# The placeholder for the name of each launched environment in a text for Sub.
EACH = f"${{{ENVIRONMENT.name}}}"


def declare(layer: Layer) -> None:
    """Add the parameter and one condition ``Launches…`` per environment."""
    value = layer.parameter(LAUNCHED)
    for environment in ENVIRONMENTS:
        chosen = [one for one in COMBINATIONS if environment in one.split(SEPARATOR)]
        layer.condition(condition(environment), Or(*(Equals(value, one) for one in chosen)))


def condition(environment: str) -> str:
    """Name of the condition that the role launches an environment."""
    return f"Launches{environment.capitalize()}"


def launched_environments() -> Split:
    """The names of the launched environments, as values of a policy's condition."""
    return Split(SEPARATOR, Ref(LAUNCHED.name))


def other_environments(text: str = EACH) -> list[object]:
    """A text for Sub once for each environment that the role does not launch, as values of a policy's condition.

    The last value is not the name of an environment: IAM rejects an empty list.
    """
    filled_in = {one: substituted(text.replace(EACH, one)) for one in ENVIRONMENTS}
    return [*(If(condition(one), NoValue, filled_in[one]) for one in ENVIRONMENTS), NO_ENVIRONMENT]


def per_environment(text: str) -> list[object]:
    """A text for Sub once for every launched environment; unchanged if the text has no placeholder."""
    if EACH not in text:
        return [substituted(text)]
    return [
        If(condition(environment), substituted(text.replace(EACH, environment)), NoValue)
        for environment in ENVIRONMENTS
    ]


def substituted(text: str) -> object:
    """A Sub if the text has placeholders, else the text."""
    return Sub(text) if "${" in text else text
