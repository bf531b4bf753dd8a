"""Declaration of a template parameter: all properties that CloudFormation and its users need."""

from __future__ import annotations

from dataclasses import dataclass

from troposphere import Parameter

TRUE, FALSE = "true", "false"


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """A parameter of one or several templates.

    Defaults are strings for every type, because taskcat cannot override a default of another type. ``message`` is the
    sentence that CloudFormation shows for an invalid value; it says which values are valid. ``wired`` marks a value
    that another layer outputs under the same name: the root connects the two, and only a launch of the single layer
    has it on its form. ``release`` marks the location of the release, which no environment profile contains.
    """

    name: str
    group: str
    label: str
    description: str
    type: str = "String"
    default: str | None = None
    allowed: tuple[str, ...] = ()
    pattern: str | None = None
    message: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_value: int | None = None
    max_value: int | None = None
    wired: bool = False
    release: bool = False

    def parameter(self) -> Parameter:
        """The troposphere parameter of this declaration."""
        properties = {
            "Type": self.type,
            "Description": self.description,
            "Default": self.default,
            "AllowedValues": list(self.allowed) or None,
            "AllowedPattern": self.pattern,
            "ConstraintDescription": self.message,
            "MinLength": self.min_length,
            "MaxLength": self.max_length,
            "MinValue": self.min_value,
            "MaxValue": self.max_value,
        }
        return Parameter(self.name, **{k: v for k, v in properties.items() if v is not None})


def choice(
    name: str, *, group: str, label: str, description: str, allowed: tuple[str, ...], default: str
) -> Declaration:
    """A parameter with a list of allowed values."""
    return Declaration(
        name=name,
        group=group,
        label=label,
        description=description,
        default=default,
        allowed=allowed,
        message=f"{name} must be one of {', '.join(allowed)}.",
    )


def boolean(name: str, *, group: str, label: str, description: str, default: str) -> Declaration:
    """A switch; its values are the strings true and false."""
    return choice(
        name,
        group=group,
        label=label,
        description=description,
        allowed=(TRUE, FALSE),
        default=default,
    )


def number(
    name: str,
    *,
    group: str,
    label: str,
    description: str,
    default: str,
    at_least: int,
    at_most: int,
) -> Declaration:
    """A whole number between two bounds, both included."""
    return Declaration(
        name=name,
        group=group,
        label=label,
        description=description,
        type="Number",
        default=default,
        min_value=at_least,
        max_value=at_most,
        message=f"{name} must be a whole number from {at_least} to {at_most}.",
    )


def wired(
    name: str,
    *,
    group: str,
    label: str,
    description: str,
    type: str = "String",
    pattern: str | None = None,
    message: str | None = None,
    default: str | None = None,
) -> Declaration:
    """A value that another layer outputs under the same name."""
    return Declaration(
        name=name,
        group=group,
        label=label,
        description=description,
        type=type,
        pattern=pattern,
        message=message,
        default=default,
        wired=True,
    )
