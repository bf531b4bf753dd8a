"""For each open port: who may connect, and the rules that allow it on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.checks.rendered_resources import RenderedResource
from pipeline.pages.access.words import readable
from pipeline.template.references import Name, tokens

GROUP = "AWS::EC2::SecurityGroup"
INGRESS, EGRESS = "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"
_PEERS = (
    "SourceSecurityGroupId",
    "DestinationSecurityGroupId",
    "CidrIp",
    "CidrIpv6",
    "SourcePrefixListId",
    "DestinationPrefixListId",
)
EVERYWHERE = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True)
class Rule:
    """A rule of a security group: ``peer`` is the name of the other group, or an address range."""

    name: str
    egress: bool
    group: Name
    peer: str
    protocol: str
    first: int
    last: int


@dataclass(frozen=True)
class Opening:
    """A port of a group, its resources, a client with its resources, and the rules: ingress, and the client's egress.

    ``lets_out`` is empty for a group that has no rule to this port, so that the connection fails, and for address ranges.
    """

    group: Name
    resources: tuple[Name, ...]
    port: str
    client: str
    clients: tuple[Name, ...]
    admits: str
    lets_out: tuple[str, ...]
    is_group: bool


def openings(resources: Iterable[RenderedResource]) -> list[Opening]:
    """Every open port of every security group, by group and port."""
    every = list(resources)
    rules = list(_rules(every))
    groups = {str(each.name): each.name for each in every if each.kind == GROUP}
    holders = {name: tuple(_holders(name, every)) for name in groups.values()}
    found = []
    for rule in rules:
        if rule.egress:
            continue
        client = groups.get(rule.peer)
        out = tuple(each.name for each in rules if client and _matches(each, rule, client))
        found.append(
            Opening(
                rule.group,
                holders.get(rule.group, ()),
                port_words(rule),
                "anyone on the internet" if rule.peer in EVERYWHERE else rule.peer,
                holders[client] if client else (),
                rule.name,
                out,
                client is not None,
            )
        )
    return sorted(found, key=lambda each: (each.group, each.port, each.client))


def _matches(out: Rule, into: Rule, client: Name) -> bool:
    return (
        out.egress
        and out.group == client
        and out.peer == str(into.group)
        and out.protocol in {into.protocol, "-1"}
        and ((out.first <= into.first and into.last <= out.last) or out.protocol == "-1")
    )


def port_words(rule: Rule) -> str:
    """The protocol and the ports of a rule."""
    if rule.protocol == "-1":
        return "every port"
    ports = str(rule.first) if rule.first == rule.last else f"{rule.first}-{rule.last}"
    return f"{rule.protocol.upper()} {ports}"


def _rules(every: list[RenderedResource]) -> Iterator[Rule]:
    for each in every:
        if each.kind == GROUP:
            for egress, key in ((False, "SecurityGroupIngress"), (True, "SecurityGroupEgress")):
                for number, body in enumerate(each.properties.get(key, ()), 1):
                    yield _rule(f"{each.name}/{key}/{number}", each.name, body, egress=egress)
        elif each.kind in {INGRESS, EGRESS}:
            group = _name(each.properties["GroupId"])
            if group:
                yield _rule(str(each.name), group, each.properties, egress=each.kind == EGRESS)


def _rule(name: str, group: Name, body: Mapping[str, Any], *, egress: bool) -> Rule:
    value = next(body[key] for key in _PEERS if key in body)
    peer = _name(value)
    return Rule(
        name,
        egress,
        group,
        str(peer) if peer else readable(str(value)),
        str(body["IpProtocol"]),
        int(body.get("FromPort", -1)),
        int(body.get("ToPort", -1)),
    )


def _name(value: Any) -> Name | None:
    return next((name for name, _ in tokens(value)), None)


def _holders(group: Name, every: list[RenderedResource]) -> Iterator[Name]:
    for each in every:
        if each.kind in {GROUP, INGRESS, EGRESS, "AWS::CloudFormation::Stack"}:
            continue
        if group in {name for name, _ in tokens(dict(each.properties))}:
            yield each.name
