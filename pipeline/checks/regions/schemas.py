"""What the schemas that come with cfn-lint say of a region: its resource types, its zones, and the classes it offers.

Only those that come with the pinned version are read, and no newer ones that `cfn-lint --update-specs` may have put into a cache:
one release has one answer on every machine.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

# Isolated regions have this one's resource types in place of their own, and a region without a file gets them too.
# https://github.com/aws-cloudformation/cfn-lint/pull/4103
REFERENCE = "us-east-1"
# Which list of cfn-lint names the values that a region offers for a property: type, way to the property, file.
LISTS: tuple[tuple[str, str, str], ...] = (
    (
        "AWS::RDS::DBInstance",
        "DBInstanceClass",
        "aws_rds_dbinstance/dbinstanceclass_enum.json",
    ),
    # cfn-lint itself holds only AWS::ElastiCache::CacheCluster to it; the node types are the same.
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
    """Whose schemas they are, and of which day."""
    day = _read("version.json")["schema_date"].partition("T")[0]
    return f"cfn-lint {importlib.metadata.version('cfn-lint')} of {day}"


@cache
def zones() -> Mapping[str, int]:
    """Every region of AWS, and how many availability zones an account has there."""
    from cfnlint.helpers import AVAILABILITY_ZONES

    return {region: len(AVAILABILITY_ZONES[region]) for region in sorted(AVAILABILITY_ZONES)}


@cache
def types(region: str) -> Mapping[str, str] | None:
    """The region's resource types, each with the name of its schema; None where there are none of its own."""
    if not (_folder() / _types_file(region)).is_file():
        return None
    found: Mapping[str, str] = _read(_types_file(region))
    return None if region != REFERENCE and found == _read(_types_file(REFERENCE)) else found


@cache
def properties(schema: str) -> frozenset[str]:
    """The properties of a resource type, by the name of its schema."""
    return frozenset(_read(f"resources/{schema}.json")["properties"])


def offered(file: str, region: str, resource: Mapping[str, Any]) -> frozenset[str] | None:
    """What a list says the region offers to a resource of these properties; None where it says nothing of it."""
    entry = _read(f"extensions/{file}").get(region)
    if entry is None:
        return None
    if "enum" in entry:
        return frozenset(entry["enum"])
    # A class is offered by engine and licence. Where several clauses apply, each must be met.
    applying = [clause["then"] for clause in entry["allOf"] if _applies(clause["if"], resource)]
    lists = [values["enum"] for then in applying for values in then["properties"].values()]
    return frozenset.intersection(*map(frozenset, lists)) if lists else None


def _applies(condition: Mapping[str, Any], resource: Mapping[str, Any]) -> bool:
    """Whether a clause is about such a resource; its conditions are no more than presence, absence and constants."""
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
    import cfnlint.data.schemas

    return Path(cfnlint.data.schemas.__file__).parent
