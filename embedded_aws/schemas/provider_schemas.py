"""The provider schemas that cfn-lint contains, read without importing cfn-lint (0.5 s).

cfn-lint has one file for each region, which maps each resource type to a content hash, and one schema file for each hash.
"""

import functools
import importlib.util
import json
from pathlib import Path
from typing import Any

Schema = dict[str, Any]


class UnknownTypeError(ValueError):
    """A resource type that has no provider schema in the region."""


@functools.cache
def _directory() -> Path:
    package = importlib.util.find_spec("cfnlint")
    if package is None or package.origin is None:
        raise RuntimeError("cfn-lint is not installed: the embedded AWS needs its schemas")
    return Path(package.origin).parent / "data" / "schemas"


@functools.cache
def _types(region: str) -> dict[str, str]:
    path = _directory() / "providers" / f"{region}.json"
    if not path.exists():
        raise UnknownTypeError(f"{region} is not a region that CloudFormation schemas exist for.")
    types: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return types


@functools.cache
def _load(digest: str) -> Schema:
    path = _directory() / "resources" / f"{digest}.json"
    schema: Schema = json.loads(path.read_text(encoding="utf-8"))
    return schema


def schema_of(resource_type: str, region: str) -> Schema:
    """Return the provider schema of `resource_type` in `region`.

    Raises UnknownTypeError if CloudFormation does not have the type in the region.
    """
    if resource_type.startswith("Custom::"):
        resource_type = "AWS::CloudFormation::CustomResource"
    digest = _types(region).get(resource_type)
    if digest is None:
        raise UnknownTypeError(f"CloudFormation has no resource type {resource_type} in {region}.")
    return _load(digest)


@functools.cache
def regional_extension(name: str, region: str) -> Schema | None:
    """Return the content of the extension `name` for `region`; None if there is none.

    Extensions are cfn-lint's own schemas. Those about the offers of regions, made from AWS's price lists, have one schema for each
    region. Only the region's part is kept: the largest file is 3.7 MB, read in 0.1 s.
    """
    path = _directory() / "extensions" / f"{name}.json"
    regions: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    found = regions.get(region)
    # Beside the regions there is a "description", which is a string.
    return found if isinstance(found, dict) else None


def property_names(pointers: list[str]) -> set[str]:
    """Top-level property names of JSON pointers such as /properties/Endpoint/Address."""
    return {pointer.removeprefix("/properties/").split("/")[0] for pointer in pointers}


def is_tagged(schema: Schema) -> bool:
    """Whether stack-level tags reach the type through a list property named Tags."""
    tagging = schema.get("tagging", {})
    return bool(
        tagging.get("taggable") and tagging.get("tagProperty", "/properties/Tags").endswith("/Tags")
    )
