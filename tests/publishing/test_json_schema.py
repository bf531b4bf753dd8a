"""catalog.schema.json and the checks of catalog.yaml agree, so that an editor marks exactly what the publisher refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from pipeline.catalog.spec.document import CATALOG, catalog
from pipeline.catalog.spec.json_schema import SCHEMA, schema, schema_text
from pipeline.catalog.spec.nodes import compose
from pipeline.errors import PipelineError
from tests.publishing import minimal_catalog
from tests.publishing.test_document import SHARES, WRONG

# A document with every key.
WHOLE = """
regions: [eu-north-1]
versions_kept: 2
launch_role: launch
owner: Platform
organization: o-a1b2c3d4e5
permissions_boundary: arn:aws:iam::111122223333:policy/boundary
support: {description: Ask us., email: help@example.com, url: "https://example.com", pages: "https://example.com/pages/"}
tags: {Team: platform}
portfolios:
  environments:
    name: Environments
    description: Whole environments
    products: [production]
    launch_role: launch-production
    launcher_role: launcher
    trusted_principals: ["arn:aws:iam::111122223333:role/Developer"]
    principals: [role/launcher, "arn:aws:iam::111122223333:user/path/a.person"]
    tags: {Area: environments}
    tag_options: {CostCenter: ["42"]}
    shares:
    - {account: "210987654321", tag_options: true}
    - {organizational_unit: ou-ab12-c3d4e5f6, principals: true}
    - {organization: o-a1b2c3d4e5}
  layers:
    name: Layers
    description: Single layers
    products: [network]
    environments: [dev]
    principals: [role/launcher]
products:
  production:
    name: Production
    description: For customers
    profile: prod
    fixed: [NatGateways]
    tags: {Kind: environment}
  network:
    name: Network
    description: A VPC
    layer: network
"""
# Errors that only the checks find, because they depend on other parts of the file, profiles or the list of regions.
BEYOND_A_SCHEMA = {
    "eu-nroth-1",
    "exists twice",
    "not a product; the products are production",
    "has the key of a tag",
    "which is the profile of production",
    "principals[10] is the 11th principal",
    "principals[9] is the 11th principal",
    "which is a launch_role",
    "makes 26 values of CostCenter",
    "names 210987654321 again",
}
TOO_LONG = "x" * 10_000
Path = tuple[str | int, ...]


def marks(document: Any) -> list[str]:
    """The errors that an editor marks."""
    return [error.message for error in jsonschema.Draft7Validator(schema()).iter_errors(document)]


def refusal(document: Any) -> str:
    """The error of the publisher; empty if the document is valid."""
    try:
        catalog(compose(json.dumps(document), "catalog.yaml"))
    except PipelineError as error:
        return str(error)
    return ""


def nodes(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value of a document with the path to it."""
    yield path, value
    entries = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, entry in entries:
        yield from nodes(entry, (*path, key))


def changed(path: Path, value: Any) -> Any:
    """The whole document with another value; None removes the key or entry."""
    document = copy.deepcopy(yaml.safe_load(WHOLE))
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    if value is None:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return document


def mutations() -> Iterator[tuple[str, Any]]:
    """The whole document with one change: a missing key or entry, an unknown key, a value of another type or too long."""
    for path, value in nodes(yaml.safe_load(WHOLE)):
        where = ".".join(map(str, path)) or "the file"
        if path:
            yield f"{where} gone", changed(path, None)
            yield f"{where} as a list of a list", changed(path, [[]])
            yield f"{where} as a mapping", changed(path, {"unknown": {}})
            if isinstance(value, str):
                yield f"{where} too long", changed(path, TOO_LONG)
                yield f"{where} empty", changed(path, "")
        if isinstance(value, dict):
            yield f"unknown key in {where}", changed((*path, "unknown"), "x")


def test_file_is_up_to_date() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), (
        "run python -m pipeline.catalog.spec.json_schema"
    )


def test_catalog_names_the_schema() -> None:
    first = CATALOG.read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA.name}"


def test_schema_is_valid() -> None:
    jsonschema.Draft7Validator.check_schema(schema())


@pytest.mark.parametrize(
    "text", [CATALOG.read_text(encoding="utf-8"), minimal_catalog.CATALOG, WHOLE]
)
def test_good_documents_have_no_marks(text: str) -> None:
    document = yaml.safe_load(text)
    assert marks(document) == []
    assert refusal(document) == ""


@pytest.mark.parametrize(("what", "document"), list(mutations()))
def test_editor_marks_what_the_publisher_refuses(what: str, document: Any) -> None:
    refused = refusal(document)
    if marks(document):
        assert refused
    elif refused:
        assert is_beyond_a_schema(refused), f"{what}: {refused}"


def is_beyond_a_schema(refused: str) -> bool:
    phrases = (
        "is in no portfolio",
        "has the launch role",
        "not a product; the products are",
        "AWS has no region",
        "needs the key organization at the top",
        "needs organization:",
        "needs the key launch_role",
        "has the key of a tag",
    )
    return any(phrase in refused for phrase in phrases)


@pytest.mark.parametrize(("right", "wrong", "reason"), [(a, b, c) for a, b, _, c in WRONG])
def test_wrong_values_are_marked(right: str, wrong: str, reason: str) -> None:
    document = yaml.safe_load(minimal_catalog.CATALOG.replace(right, wrong, 1))
    is_beyond = any(phrase in reason for phrase in BEYOND_A_SCHEMA)
    assert bool(marks(document)) is not is_beyond


@pytest.mark.parametrize(("shares", "reason"), SHARES)
def test_wrong_shares_are_marked(shares: str, reason: str) -> None:
    text = minimal_catalog.CATALOG.replace(
        "products:\n  prod", f"    shares: {shares}\nproducts:\n  prod"
    )
    is_beyond = any(phrase in reason for phrase in BEYOND_A_SCHEMA)
    assert bool(marks(yaml.safe_load(text))) is not is_beyond
