"""Deletion protection: what protects a database, and which protections an update turns off."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.changes.state import Evaluated, Resource
from pipeline.template.references import Name
from templates_src.guards.deletion_protection import DELETION_PROTECTION

PROTECTION = f"Custom::{DELETION_PROTECTION}"
# What each property of the custom resource protects.
PROTECTED: Mapping[str, str] = {
    "ProtectStack": "the stack",
    "ProtectDatabase": "the database",
    "ProtectLoadBalancer": "the load balancer",
}


def is_on(value: object) -> bool:
    """Whether a property is true; templates have it as a boolean or as text."""
    return str(value).lower() == "true"


def is_protected(state: Evaluated, database: Resource) -> bool:
    """Whether RDS refuses to delete a database: its own property says so, or the function of the root."""
    if is_on(database.properties.get("DeletionProtection", "")):
        return True
    function = state.resources.get(Name("", DELETION_PROTECTION))
    return function is not None and is_on(function.properties.get("ProtectDatabase", ""))


def protection_lost(old: Resource, new: Resource) -> str:
    """A sentence about the protections that an update turns off; empty if it turns off none."""
    if new.kind != PROTECTION:
        return ""
    lost = [
        subject
        for key, subject in PROTECTED.items()
        if is_on(old.properties.get(key, "")) and not is_on(new.properties.get(key, ""))
    ]
    return f"Turns off deletion protection of {_joined(lost)}." if lost else ""


def _joined(subjects: list[str]) -> str:
    *others, last = subjects
    return f"{', '.join(others)} and {last}" if others else last
