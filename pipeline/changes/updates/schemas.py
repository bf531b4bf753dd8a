"""The parts of the provider schemas that concern updates. schemas.json contains them, so that a preview is fast.

    python -m pipeline.changes.updates.schemas

writes the file. Run it when a template gets a new resource type, or when cfn-lint gets a new version.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).with_name("schemas.json")
REGION = "eu-north-1"
CUSTOM = ("Custom::", "AWS::CloudFormation::CustomResource")


@dataclass(frozen=True)
class Updates:
    """The update behaviour of a resource type: paths of properties, parts joined by "/".

    ``create_only`` properties replace the resource, ``conditional`` ones can. ``names`` are the properties that name it
    and that a template can set. Every change replaces a type without ``update``.
    """

    create_only: frozenset[str]
    conditional: frozenset[str]
    names: frozenset[str]
    update: bool


def updates(kind: str) -> Updates:
    """The update behaviour of a type. For a custom resource, whose function decides, only a new ServiceToken replaces it."""
    if kind.startswith(CUSTOM):
        return Updates(frozenset({"ServiceToken"}), frozenset(), frozenset(), True)
    return _kept().get(kind) or _updates(schema_entry(kind))


@cache
def _kept() -> Mapping[str, Updates]:
    body = json.loads(SCHEMAS.read_text("utf-8"))
    return {kind: _updates(entry) for kind, entry in body["Types"].items()}


def _updates(entry: Mapping[str, Any]) -> Updates:
    return Updates(
        frozenset(entry["CreateOnly"]),
        frozenset(entry["ConditionalCreateOnly"]),
        frozenset(entry["Names"]),
        entry["Update"],
    )


def schema_entry(kind: str) -> dict[str, Any]:
    """The entry of a type from its provider schema; empty lists for a type without a schema."""
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    except ResourceNotFoundError:
        return {"CreateOnly": [], "ConditionalCreateOnly": [], "Names": [], "Update": True}
    read_only = paths(schema.get("readOnlyProperties", ()))
    return {
        "CreateOnly": sorted(paths(schema.get("createOnlyProperties", ()))),
        "ConditionalCreateOnly": sorted(paths(schema.get("conditionalCreateOnlyProperties", ()))),
        "Names": sorted(paths(schema.get("primaryIdentifier", ())) - read_only),
        "Update": "update" in schema.get("handlers", {"update": {}}),
    }


def paths(pointers: Iterable[str]) -> set[str]:
    """Property pointers of a schema as paths: ``/properties/A/B`` as ``A/B``."""
    return {pointer.removeprefix("/properties/") for pointer in pointers}


def schemas_text(kinds: Iterable[str]) -> bytes:
    """The file for these types."""
    body = {
        "Generated": "by `python -m pipeline.changes.updates.schemas` from the provider schemas: do not edit",
        "Types": {
            kind: schema_entry(kind) for kind in sorted(kinds) if not kind.startswith(CUSTOM)
        },
    }
    return (json.dumps(body, indent=1) + "\n").encode()


def main() -> None:
    """Write the file for the types of the current templates."""
    from pipeline.checks.permissions import resource_types
    from pipeline.release.assemble import assemble

    body = schemas_text(resource_types(assemble()))
    changed = not SCHEMAS.exists() or SCHEMAS.read_bytes() != body
    SCHEMAS.write_bytes(body)
    print(f"{SCHEMAS.name} {'is written' if changed else 'has not changed'}.")


if __name__ == "__main__":
    main()
