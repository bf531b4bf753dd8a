"""Facts about a region in the schemas of cfn-lint: its resource types, zones, and instance classes.

Only the files of the pinned version are read, and not newer ones that `cfn-lint --update-specs` stored in a cache: one
release gives the same answer on every machine.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

# Isolated regions have the resource types of this region in cfn-lint, and so does a region without a file.
# https://github.com/aws-cloudformation/cfn-lint/pull/4103
REFERENCE = "us-east-1"
# The cfn-lint list of a region's values for a property: type, path of the property, file.
LISTS: tuple[tuple[str, str, str], ...] = (
    (
        "AWS::RDS::DBInstance",
        "DBInstanceClass",
        "aws_rds_dbinstance/dbinstanceclass_enum.json",
    ),
    # cfn-lint applies it only to AWS::ElastiCache::CacheCluster; the node types are the same.
    (
        "AWS::ElastiCache::ReplicationGroup",
        "CacheNodeType",
        "aws_elasticache_cachecluster/cachenodetype_enum.json",
    ),
    (
        "AWS::EC2::LaunchTemplate",
        "LaunchTemplateData/InstanceType",
        "aws_ec2_instance/instancetype_enum.json",
    ),
)


def source() -> str:
    """The source of the schemas and their date."""
    day = _read("version.json")["schema_date"].partition("T")[0]
    return f"cfn-lint {importlib.metadata.version('cfn-lint')} of {day}"


@cache
def zones() -> Mapping[str, int]:
    """Every region of AWS, with the number of availability zones of an account."""
    # Read from the source: the import of cfn-lint takes seconds, which a launch does not have.
    source = ast.parse((_package() / "helpers.py").read_text(encoding="utf-8"))
    found = next(
        ast.literal_eval(node.value)
        for node in source.body
        if isinstance(node, ast.Assign)
        and [target.id for target in node.targets if isinstance(target, ast.Name)]
        == ["AVAILABILITY_ZONES"]
    )
    return {region: len(found[region]) for region in sorted(found)}


@cache
def resource_types(region: str) -> Mapping[str, str] | None:
    """The region's resource types, each with the name of its schema; None if the region has no schemas."""
    if not (_folder() / _types_file(region)).is_file():
        return None
    found: Mapping[str, str] = _read(_types_file(region))
    return None if region != REFERENCE and found == _read(_types_file(REFERENCE)) else found


@cache
def properties(schema: str) -> frozenset[str]:
    """The properties of a resource type, by the name of its schema."""
    return frozenset(_read(f"resources/{schema}.json")["properties"])


def offered_values(file: str, region: str, resource: Mapping[str, Any]) -> frozenset[str] | None:
    """The values that a list allows in the region for a resource with these properties; None if the list does not cover it."""
    entry = _read(f"extensions/{file}").get(region)
    if entry is None:
        return None
    if "enum" in entry:
        return frozenset(entry["enum"])
    # A class depends on engine and licence. If several clauses apply, each must match.
    applying = [clause["then"] for clause in entry["allOf"] if _applies(clause["if"], resource)]
    lists = [values["enum"] for then in applying for values in then["properties"].values()]
    return frozenset.intersection(*map(frozenset, lists)) if lists else None


def _applies(condition: Mapping[str, Any], resource: Mapping[str, Any]) -> bool:
    """Whether a clause applies to the resource; its conditions are presence, absence and constants only."""
    if not set(condition["required"]) <= resource.keys():
        return False
    return all(
        name not in resource
        if wanted is False
        else name not in resource or wanted.get("const", resource[name]) == resource[name]
        for name, wanted in condition["properties"].items()
    )


def _types_file(region: str) -> str:
    return f"providers/{region}.json"


@cache
def _read(path: str) -> Any:
    return json.loads((_folder() / path).read_text(encoding="utf-8"))


@cache
def _folder() -> Path:
    return _package() / "data" / "schemas"


def _package() -> Path:
    package = importlib.util.find_spec("cfnlint")
    assert package is not None  # noqa: S101 - setup.cfg requires it
    return Path(str(package.origin)).parent
