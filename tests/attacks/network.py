"""Attempts to connect that the security groups of an environment refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from templates_src.core import ports
from tests.attacks.attack import Attack
from tests.attacks.inside import API, BEAT, SEARCH, WORKER, prod
from tests.attacks.outside import OUTSIDER
from tests.rendering import GroupRule, group_rules

INTERNET = "0.0.0.0/0"
SSH, HTTPS = 22, 443


@dataclass(frozen=True)
class Connection:
    """A connection from one security group to another, or from or to the internet.

    A guard is a missing rule: ``GROUP: no ingress from PEER`` or ``GROUP: no egress to PEER``, each on a port.
    """

    source: str
    target: str
    port: int
    rules: tuple[GroupRule, ...]

    def reasons(self) -> tuple[str, ...]:
        """The missing rules. Security groups have no denials, and responses need no rule."""
        needed = {
            self._egress(): GroupRule(True, self.source, self.target, "tcp", self.port, self.port),
            self._ingress(): GroupRule(
                False, self.target, self.source, "tcp", self.port, self.port
            ),
        }
        return tuple(
            guard
            for guard, rule in needed.items()
            if rule.group != INTERNET and not any(admits(each, rule) for each in self.rules)
        )

    def without(self, guard: str) -> Connection:
        """The connection with the missing rule. Raises ValueError for another guard."""
        if guard not in (self._egress(), self._ingress()):
            raise ValueError(f"No group has the guard {guard}.")
        egress = guard == self._egress()
        group, peer = (self.source, self.target) if egress else (self.target, self.source)
        added = GroupRule(egress, group, peer, "tcp", self.port, self.port)
        return replace(self, rules=(*self.rules, added))

    def _egress(self) -> str:
        return f"{self.source}: no egress to {self.target} on {self.port}"

    def _ingress(self) -> str:
        return f"{self.target}: no ingress from {self.source} on {self.port}"


def admits(rule: GroupRule, wanted: GroupRule) -> bool:
    """Whether a rule allows the traffic of another one."""
    ports_match = rule.protocol == "-1" or rule.first <= wanted.first <= wanted.last <= rule.last
    peers_match = rule.peer in (wanted.peer, INTERNET)
    return (
        (rule.egress, rule.group) == (wanted.egress, wanted.group) and ports_match and peers_match
    )


def connects(
    principal: str,
    name: str,
    source: str,
    target: str,
    port: int,
    *,
    guards: Callable[[str, str, int], tuple[str, ...]],
) -> Attack:
    """An attempt to connect within production."""
    groups = [each if each == INTERNET else f"{each}SecurityGroup" for each in (source, target)]
    return Attack(
        principal,
        name,
        lambda: Connection(groups[0], groups[1], port, tuple(group_rules(prod().rendered))),
        guards(groups[0], groups[1], port),
    )


def both(source: str, target: str, port: int) -> tuple[str, ...]:
    """Neither group has a rule."""
    return (*outgoing(source, target, port), *incoming(source, target, port))


def outgoing(source: str, target: str, port: int) -> tuple[str, ...]:
    """The source's group has no rule."""
    return (f"{source}: no egress to {target} on {port}",)


def incoming(source: str, target: str, port: int) -> tuple[str, ...]:
    """The target's group has no rule."""
    return (f"{target}: no ingress from {source} on {port}",)


CONNECTIONS = (
    connects(BEAT, "connects to the database", "Beat", "Database", ports.DATABASE, guards=both),
    connects(BEAT, "connects to the search server", "Beat", "Search", ports.SEARCH, guards=both),
    connects(WORKER, "connects to the api around the load balancer", "Worker", "Api", ports.API, guards=both),
    connects(API, "sends mail to the internet", "Api", INTERNET, 25, guards=outgoing),
    connects(SEARCH, "connects to the database", "Search", "Database", ports.DATABASE, guards=both),
    connects(SEARCH, "connects to the cache", "Search", "Cache", ports.CACHE, guards=both),
    connects(OUTSIDER, "connects to the api around the firewall", INTERNET, "Api", ports.API, guards=incoming),
    connects(OUTSIDER, "connects to the search server by SSH", INTERNET, "Search", SSH, guards=incoming),
    connects(OUTSIDER, "sends data out of the database", "Database", INTERNET, HTTPS, guards=outgoing),
)  # fmt: skip
