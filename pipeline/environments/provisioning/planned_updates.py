"""An update of an environment before it is made: the values that it gives, and the version that it leads to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.environments.provisioning.environments import Environment, Stack
from pipeline.environments.provisioning.offers import Offer, Version
from pipeline.errors import PipelineError
from templates_src.core.parameters.shared import RELEASE_BUCKET

# Versions before 1.2.0 have the source of their nested templates as a parameter, with their own as the default.
OF_THE_VERSION = frozenset({RELEASE_BUCKET.name})


@dataclass(frozen=True)
class PlannedUpdate:
    """An update before it is made: the stack, the version that it leads to, and every value that it gives.

    Parameters that are not among ``values`` take the version's defaults. ``same_version`` says that the stack has the templates
    of the version already.
    """

    stack: Stack
    version: Version
    values: Mapping[str, str]
    same_version: bool


# Reads an update before it starts; raises an error if it must not start.
Review = Callable[[PlannedUpdate], None]


def current_version(product: str, version: Version | None) -> Version:
    """The version of an environment, to keep it."""
    if version is None:
        raise PipelineError(
            f"The launched version is retired, or not a version of {product}; name another with --product-version."
        )
    return version


def update_parameters(
    settings: Mapping[str, str], offered: Offer, stack: Stack
) -> list[dict[str, Any]]:
    """Every parameter of the version for an update: its new value, or that it keeps its value.

    A parameter that is not in the update returns to the template's default, as in CloudFormation. The update therefore names
    all except those that the launched version does not have, and those that belong to the version.
    """
    parameters: list[dict[str, Any]] = []
    for name in offered.parameters:
        if name in settings:
            parameters.append({"Key": name, "Value": settings[name]})
        elif name in stack.parameters and name not in OF_THE_VERSION:
            parameters.append({"Key": name, "UsePreviousValue": True})
    return parameters


def planned(
    found: Environment, version: Version, parameters: list[dict[str, Any]], stack: Stack
) -> PlannedUpdate:
    """The update that these parameters make."""
    values = {
        each["Key"]: each.get("Value", stack.parameters.get(each["Key"], "")) for each in parameters
    }
    same = found.status == "AVAILABLE" and found.artifact_id == version.id
    return PlannedUpdate(stack, version, values, same)
