"""Ports agree in security group rules, network ACLs, containers, target groups, health checks and engines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipeline.checks.render import Rendered
from tests.relations.network.checks_groups import groups_of, groups_of_engines
from tests.relations.registry import relation
from tests.rendering import Resource, group_rules, id_of, named, resources_of_type

LISTENS = re.compile(r"(?:--port|-m http\.server) (\d+)")
# ElastiCache's serverless caches always listen on these two.
SERVERLESS_PORTS = frozenset({6379, 6380})
DEFAULT_PORTS = {"postgres": 5432, "valkey": 6379}


def _admitted(rendered: Rendered, group: str) -> set[tuple[int, int]]:
    return {
        (rule.first, rule.last)
        for rule in group_rules(rendered)
        if rule.group == group and not rule.egress
    }


def _services(rendered: Rendered) -> Iterator[tuple[Resource, str, dict[int, str], str]]:
    """Each service, the name of its container, the container's ports with its command, and its group."""
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        task = named(rendered, id_of(rendered, service.layer, service.properties["TaskDefinition"]))
        network = service.properties["NetworkConfiguration"]["AwsvpcConfiguration"]
        for container in task.properties["ContainerDefinitions"]:
            command = " ".join(str(part) for part in container.get("Command", ()))
            ports = {
                int(mapping["ContainerPort"]): command
                for mapping in container.get("PortMappings", ())
            }
            for group in network["SecurityGroups"]:
                yield service, container["Name"], ports, id_of(rendered, service.layer, group)


@relation
def services_are_reached_on_their_port(rendered: Rendered) -> Iterator[str]:
    """A group rule, the container, its command, the target group and its health check use the same port."""
    for service, container, ports, group in _services(rendered):
        admitted = _admitted(rendered, group)
        if admitted != {(port, port) for port in ports}:
            yield f"{group} admits ports {sorted(admitted)}, but container {container} has {sorted(ports)}."
        for port, command in ports.items():
            for listens in LISTENS.findall(command):
                if int(listens) != port:
                    yield f"Container {container} listens on {listens}, not on its port {port}."
        for balancer in service.properties.get("LoadBalancers", ()):
            if (
                int(balancer["ContainerPort"]) not in ports
                or balancer["ContainerName"] != container
            ):
                yield f"{service.logical_id} registers {balancer['ContainerName']}:{balancer['ContainerPort']}, which it does not have."
            yield from _of_target_group(rendered, service, balancer, group)


def _of_target_group(
    rendered: Rendered, service: Resource, balancer: dict[str, Any], group: str
) -> Iterator[str]:
    port = int(balancer["ContainerPort"])
    target_group = named(rendered, id_of(rendered, service.layer, balancer["TargetGroupArn"]))
    properties = target_group.properties
    if int(properties["Port"]) != port:
        yield f"{target_group.logical_id} has port {properties['Port']}, but the container {port}."
    if properties.get("HealthCheckPort", "traffic-port") not in ("traffic-port", str(port), port):
        yield f"{target_group.logical_id} checks health on {properties['HealthCheckPort']}, but the container has {port}."
    for source in groups_of(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer"):
        lets_out = {
            (rule.first, rule.last)
            for rule in group_rules(rendered)
            if rule.egress and rule.group == source and rule.peer == group
        }
        if lets_out != {(port, port)}:
            yield f"{source} may reach {group} on {sorted(lets_out)}, but the container has port {port}."


def _engines(rendered: Rendered) -> Iterator[tuple[Resource, frozenset[int]]]:
    """Database and cache with the ports on which they listen."""
    for kind in ("AWS::RDS::DBInstance", "AWS::ElastiCache::ReplicationGroup"):
        for engine in resources_of_type(rendered, kind):
            port = int(engine.properties.get("Port", DEFAULT_PORTS[engine.properties["Engine"]]))
            yield engine, frozenset({port})
    for engine in resources_of_type(rendered, "AWS::ElastiCache::ServerlessCache"):
        yield engine, SERVERLESS_PORTS


@relation
def engines_are_reached_on_their_port(rendered: Rendered) -> Iterator[str]:
    """The rules of an engine's group open each port on which it listens, and no other."""
    for engine, listens in _engines(rendered):
        for group in (
            *engine.properties.get("SecurityGroupIds", ()),
            *engine.properties.get("VPCSecurityGroups", ()),
        ):
            name = id_of(rendered, engine.layer, group)
            admitted = _admitted(rendered, name)
            if admitted != {(port, port) for port in listens}:
                yield f"{name} admits {sorted(admitted)}, but {engine.logical_id} listens on {sorted(listens)}."


@relation
def network_acls_allow_the_ports_of_the_engines(rendered: Rendered) -> Iterator[str]:
    """The network ACL allows the same ports as the security groups from each private subnet, and responses to ephemeral ports."""
    admitted = {
        span for group in groups_of_engines(rendered) for span in _admitted(rendered, group)
    }
    found: dict[str, set[tuple[int, int]]] = {}
    for entry in resources_of_type(rendered, "AWS::EC2::NetworkAclEntry"):
        ports = entry.properties["PortRange"]
        span = (int(ports["From"]), int(ports["To"]))
        if str(entry.properties["Egress"]).lower() == "true":
            if span != (1024, 65535):
                yield f"{entry.logical_id} lets answers go to {span} only."
        else:
            found.setdefault(entry.properties["CidrBlock"], set()).add(span)
    for block, spans in found.items():
        if spans != admitted:
            yield f"The network ACL admits {sorted(spans)} from {block}, but the groups {sorted(admitted)}."
