"""Environment profiles: the parameter values of dev, staging and prod, checked against their declarations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError, listed, suggestion
from pipeline.parameters.relations import check_relations
from pipeline.paths import PARAMETERS, PROJECT_FOLDER
from templates_src.core.layer import Layer, is_list
from templates_src.core.parameters.declaration import Declaration

NAME, VALUE = "ParameterKey", "ParameterValue"
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_VALUE_BYTES = 4_096


def profile_names(folder: Path = PARAMETERS) -> list[str]:
    """The environments with a profile."""
    return sorted(path.stem for path in folder.glob("*.json"))


def profile_parameters(root: Layer) -> dict[str, Declaration]:
    """The parameters that a profile must name: all of the root except the location of the release."""
    return {name: known for name, known in root.declarations.items() if not known.release}


def load_profile(root: Layer, name: str, folder: Path = PARAMETERS) -> dict[str, str]:
    """Parameter values of an environment, by name.

    Raises PipelineError for a profile that does not exist, is not in CloudFormation's format, lacks a parameter of the
    root, names an unknown one, or has a value that its declaration rejects.
    """
    path = folder / f"{name}.json"
    where = display_path(path)
    if name not in profile_names(folder):
        raise PipelineError(
            f"Environment {name!r} has no profile; {folder.name}/ contains {listed(profile_names(folder)) or 'none'}."
        )
    values = read_pairs(path, where)
    declared = profile_parameters(root)
    for missing in sorted(declared.keys() - values.keys()):
        raise PipelineError(f"{where} lacks {missing}; add it with the value for {name}.")
    check_names(values, declared, where)
    if values["Environment"] != name:
        raise PipelineError(
            f"{where} sets Environment to {values['Environment']!r}; it must be {name!r}."
        )
    check_values(values, declared, where)
    return values


def display_path(path: Path) -> str:
    """A path in the form for messages."""
    return (
        str(path.relative_to(PROJECT_FOLDER)) if path.is_relative_to(PROJECT_FOLDER) else str(path)
    )


def read_pairs(path: Path, where: str) -> dict[str, str]:
    """A list of ParameterKey and ParameterValue as a mapping."""
    try:
        pairs: Any = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise PipelineError(f"{where} cannot be read as JSON: {error}.") from error
    if not isinstance(pairs, list):
        raise PipelineError(f"{where} must be a list of objects with {NAME} and {VALUE}.")
    values: dict[str, str] = {}
    for position, pair in enumerate(pairs, 1):
        if not isinstance(pair, dict) or set(pair) != {NAME, VALUE}:
            raise PipelineError(f"{where}: entry {position} must have exactly {NAME} and {VALUE}.")
        name, value = pair[NAME], pair[VALUE]
        if not isinstance(name, str) or not isinstance(value, str):
            raise PipelineError(
                f"{where}: the value of {name} must be a string, not {json.dumps(value)}."
            )
        if name in values:
            raise PipelineError(f"{where} names {name} twice; remove one of the two.")
        values[name] = value
    return values


def check_names(names: Iterable[str], declared: Mapping[str, Declaration], where: str) -> None:
    """Raise PipelineError for an unknown parameter name, with the closest known name."""
    for name in sorted(set(names) - declared.keys()):
        meant = suggestion(name, declared)
        ending = f"; {meant}" if meant else "."
        raise PipelineError(
            f"{where} names {name}, which is not a parameter of the environment{ending}"
        )


def check_values(
    values: Mapping[str, str], declared: Mapping[str, Declaration], where: str
) -> None:
    """Raise PipelineError for a value that CloudFormation, or the service, would reject."""
    for name, value in values.items():
        reason = rejection(declared[name], value)
        if reason:
            raise PipelineError(f"{where}: {name} is {value!r}. {reason}")
    reason = check_relations(values)
    if reason:
        raise PipelineError(f"{where}: {reason}")


def rejection(declaration: Declaration, value: str) -> str | None:
    """The reason for which CloudFormation would reject the value, or None."""
    message = declaration.message or f"{declaration.name} is of type {declaration.type}."
    if len(value.encode()) > MAX_VALUE_BYTES:
        return f"{declaration.name} is {len(value.encode())} bytes long, but CloudFormation accepts {MAX_VALUE_BYTES}."
    items = [item.strip() for item in value.split(",")] if is_list(declaration) else [value]
    for item in items:
        if declaration.type == "Number":
            # CloudFormation accepts a fraction as a Number; no parameter of this project does.
            if not re.fullmatch(r"-?[0-9]+", item):
                return message
            if declaration.min_value is not None and int(item) < declaration.min_value:
                return message
            if declaration.max_value is not None and int(item) > declaration.max_value:
                return message
        if declaration.allowed and item not in declaration.allowed:
            return message
        # CloudFormation's patterns are Java's, where \d and \w are ASCII.
        if declaration.pattern is not None and not re.fullmatch(
            declaration.pattern, item, re.ASCII
        ):
            return message
        if declaration.min_length is not None and len(item) < declaration.min_length:
            return message
        if declaration.max_length is not None and len(item) > declaration.max_length:
            return message
    return None


def resolve(
    root: Layer,
    profile: Mapping[str, str],
    overrides: Mapping[str, str],
    where: str = "--set",
) -> dict[str, str]:
    """The value of every root parameter: profile, then overrides, then the root's defaults.

    Raises PipelineError for an override that names no parameter or has a rejected value, and for a parameter without a
    value.
    """
    values = with_overrides(root, profile, overrides, where)
    for name, parameter in root.template.parameters.items():
        if name not in values:
            default = parameter.properties.get("Default")
            if default is None:
                raise PipelineError(f"{name} has no value; set it with --set {name}=VALUE.")
            values[name] = str(default)
    check_values(values, root.declarations, where)
    return values


def with_overrides(
    root: Layer, profile: Mapping[str, str], overrides: Mapping[str, str], where: str = "--set"
) -> dict[str, str]:
    """A profile with overrides.

    Raises PipelineError for an override that names no parameter, has a rejected value, or changes the environment: a launch
    of dev must not change the stack of staging.
    """
    check_names(overrides, root.declarations, where)
    values = {**profile, **overrides}
    if values["Environment"] != profile["Environment"]:
        raise PipelineError(
            f"{where} sets Environment to {values['Environment']!r}, but the environment is {profile['Environment']!r}; use that environment instead."
        )
    check_values(values, root.declarations, where)
    return values
