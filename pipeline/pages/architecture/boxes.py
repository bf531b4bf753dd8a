"""The boxes of the drawing: each is a resource that an architect draws, or a group of equal ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pipeline.pages.architecture.references import Key, Resources

Properties = Mapping[str, Any]
INTERNET = "internet"


class Area(Enum):
    """Where a box stands: in the subnets that it uses, or beside the VPC."""

    OUTSIDE = "Outside"
    EDGE = "Edge"
    SUBNETS = "Subnets"
    # On the border of the VPC, where gateways stand.
    BORDER = "Border"
    STORAGE = "Storage"
    SECURITY = "Security"
    OPERATIONS = "Operations"


class Category(Enum):
    """AWS's categories of services, by the colours of its icons."""

    COMPUTE = "#ED7100"
    DATABASE = "#C925D1"
    STORAGE = "#7AA116"
    NETWORK = "#8C4FFF"
    SECURITY = "#DD344C"
    OPERATIONS = "#E7157B"
    OUTSIDE = "#545B64"


@dataclass
class Box:
    """A box: its ``primary`` resources, and all ``resources`` that belong to it. ``facts`` are the lines below the title.

    ``subnets`` and ``groups`` are the subnets and security groups that it uses, ``roles`` the roles.
    """

    name: str
    title: str
    short: str
    category: Category
    area: Area
    primary: tuple[Key, ...]
    facts: tuple[str, ...] = ()
    subnets: tuple[Key, ...] = ()
    groups: frozenset[Key] = frozenset()
    roles: frozenset[Key] = frozenset()
    resources: list[Key] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """How a resource type is drawn. ``grouped`` draws all resources of the types in one box.

    ``facts`` receives the resources and the key of the (first) one.
    """

    types: tuple[str, ...]
    title: Callable[[Resources, list[Key]], str]
    short: str
    category: Category
    area: Area
    facts: Callable[[Resources, list[Key]], tuple[str, ...]] = lambda _resources, _keys: ()
    grouped: bool = False
    applies: Callable[[Properties], bool] = lambda _properties: True


def boxes(resources: Resources, kinds: tuple[Kind, ...]) -> list[Box]:
    """The boxes of an environment, and the internet."""
    found = [Box(INTERNET, "Internet", "www", Category.OUTSIDE, Area.OUTSIDE, ())]
    for kind in kinds:
        keys = [
            key for key in resources.of_type(*kind.types) if kind.applies(resources.properties(key))
        ]
        groups = ([keys] if keys else []) if kind.grouped else [[key] for key in keys]
        for group in groups:
            found.append(_box(resources, kind, group))
    return found


def _box(resources: Resources, kind: Kind, keys: list[Key]) -> Box:
    reached = {other for key in keys for other in reach(resources, key)}
    subnets = sorted(key for key in reached if resources.kind(key) == "AWS::EC2::Subnet")
    return Box(
        keys[0].logical_id,
        kind.title(resources, keys),
        kind.short,
        kind.category,
        kind.area,
        tuple(keys),
        kind.facts(resources, keys),
        tuple(subnets),
        frozenset(key for key in reached if resources.kind(key) == "AWS::EC2::SecurityGroup"),
        frozenset(key for key in {*keys, *reached} if resources.kind(key) == "AWS::IAM::Role"),
    )


# A box uses the subnets, security groups and roles that it reaches through these.
_THROUGH = frozenset(
    {
        "AWS::ECS::TaskDefinition",
        "AWS::EC2::LaunchTemplate",
        "AWS::EC2::NetworkInterface",
        "AWS::IAM::InstanceProfile",
        "AWS::RDS::DBSubnetGroup",
        "AWS::ElastiCache::SubnetGroup",
        "AWS::EC2::RouteTable",
    }
)


def reach(resources: Resources, key: Key) -> set[Key]:
    """The resources that one refers to, also through task definitions, launch templates and the like."""
    seen: set[Key] = set()
    waiting = [key]
    while waiting:
        current = waiting.pop()
        for other in resources.named_by(current.layer, resources.properties(current)):
            if other not in seen:
                seen.add(other)
                if resources.kind(other) in _THROUGH:
                    waiting.append(other)
    if any(resources.kind(each) == "AWS::EC2::RouteTable" for each in seen):
        seen |= _subnets_of_tables(resources, seen)
    return seen


def _subnets_of_tables(resources: Resources, tables: set[Key]) -> set[Key]:
    """The subnets that are associated with route tables."""
    found: set[Key] = set()
    for key in resources.of_type("AWS::EC2::SubnetRouteTableAssociation"):
        properties = resources.properties(key)
        if resources.named_by(key.layer, properties["RouteTableId"]) & tables:
            found |= resources.named_by(key.layer, properties["SubnetId"])
    return found
