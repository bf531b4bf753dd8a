"""The line about a resource that stays in the account: reason, size, cost, and the command that removes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.changes.updates.facts import (
    BUCKET,
    DATABASE,
    KEY,
    LOG_GROUP,
    REPLICATION_GROUP,
    VOLUME,
)
from pipeline.environments.deletion.costs import UNKNOWN_COST, Cost, sources, total

DATABASE_SNAPSHOT, CACHE_SNAPSHOT = "AWS::RDS::DBSnapshot", "AWS::ElastiCache::Snapshot"
VOLUME_SNAPSHOT = "AWS::EC2::Snapshot"
_WORDS: Mapping[str, str] = {
    BUCKET: "bucket",
    CACHE_SNAPSHOT: "cache snapshot",
    DATABASE: "database",
    DATABASE_SNAPSHOT: "database snapshot",
    KEY: "KMS key",
    LOG_GROUP: "log group",
    REPLICATION_GROUP: "cache",
    VOLUME: "volume",
    VOLUME_SNAPSHOT: "volume snapshot",
    "AWS::EC2::EIP": "public address",
    "AWS::EC2::NatGateway": "NAT gateway",
    "AWS::EC2::VPC": "VPC",
    "AWS::ECR::Repository": "image repository",
    "AWS::ElastiCache::ServerlessCache": "cache",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "load balancer",
    "AWS::IAM::OIDCProvider": "OIDC provider",
}


@dataclass(frozen=True)
class Remaining:
    """A resource that stays. ``origin`` is the reason, ``commands`` remove it, and ``verified`` says whether the account has it.

    With ``is_listing``, the command lists what stays, because these credentials cannot.
    """

    kind: str
    physical_id: str
    origin: str
    size: str
    cost: Cost
    commands: tuple[str, ...]
    verified: bool = True
    is_listing: bool = False

    def lines(self) -> Iterator[str]:
        """What stays, why, its size and cost; then the commands that remove it."""
        facts = [self.size, str(self.cost)] if self.size else [str(self.cost)]
        if not self.verified:
            facts = ["not verified"]
        if self.is_listing:
            facts = ["not verified; this lists them"]
        word = _WORDS.get(self.kind, self.kind)
        what = f"{word}s {self.physical_id}" if self.is_listing else f"{word} {self.physical_id}"
        yield f"{what[0].upper()}{what[1:]} ({self.origin}): {', '.join(facts)}"
        yield from (f"  {command}" for command in self.commands)


def remaining_lines(found: list[Remaining], region: str) -> Iterator[str]:
    """The resources that stay, with their total cost and the prices that it uses."""
    for each in found:
        yield from each.lines()
    costs = [each.cost if each.verified else UNKNOWN_COST for each in found]
    yield total(costs)
    if origin := sources(costs, region):
        yield origin
