"""Facts about a resource type in the provider schemas that cfn-lint contains."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

REGION = "eu-north-1"


@cache
def schema_of(kind: str) -> dict[str, Any]:
    """The provider schema of a resource type."""
    # Imported here, because it takes long and every test worker imports this module.
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

    schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    return schema


def create_only(kind: str) -> set[str]:
    """Properties whose change replaces the resource."""
    return _properties(schema_of(kind).get("createOnlyProperties") or ())


def identifier(kind: str) -> set[str]:
    """Properties that identify the resource."""
    return _properties(schema_of(kind).get("primaryIdentifier") or ())


def tag_property(kind: str) -> str | None:
    """The property with the tags; None for a type without tags."""
    tagging = schema_of(kind).get("tagging") or {}
    if not tagging.get("taggable", False):
        return None
    (name,) = _properties([tagging.get("tagProperty", "/properties/Tags")])
    return name


def _properties(pointers: Iterable[str]) -> set[str]:
    return {pointer.split("/")[2] for pointer in pointers}
