"""The search server, its volume, and its callers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipeline.checks.render import Rendered
from tests.relations.registry import relation
from tests.relations.templates.order import existing_before
from tests.relations.text import text_of
from tests.rendering import (
    Resource,
    containers,
    group_rules,
    id_of,
    named,
    only,
    origins_in,
    resources_of_type,
)

URL = re.compile(r"http://(?P<host>[a-z0-9.-]+):(?P<port>\d+)")
VOLUME = "AWS::EC2::Volume"
RECORD = "SearchRecord"


def _server(rendered: Rendered) -> tuple[Resource, Resource, dict[str, Any]]:
    """The Auto Scaling group of the search server, its launch template, and the launch template's data."""
    group = only(rendered, "AWS::AutoScaling::AutoScalingGroup")
    specification = group.properties["LaunchTemplate"]
    template = named(rendered, id_of(rendered, group.layer, specification["LaunchTemplateId"]))
    return group, template, template.properties["LaunchTemplateData"]


def settings(rendered: Rendered) -> dict[str, str]:
    """The settings in the server's user data, NAME=value a line."""
    _, _, launch = _server(rendered)
    header = launch["UserData"]["Fn::Base64"]["Fn::Join"][1][0]
    lines = text_of(header).splitlines()
    return {name: value for name, found, value in (line.partition("=") for line in lines) if found}


@relation
def search_server_is_in_the_zone_of_its_volume(rendered: Rendered) -> Iterator[str]:
    """The server runs in the zone of the volume, one instance at a time, because a volume attaches to one instance."""
    group, _, _ = _server(rendered)
    (volume,) = resources_of_type(rendered, VOLUME)
    sizes = {str(group.properties[key]) for key in ("MinSize", "MaxSize")}
    if sizes != {"1"}:
        yield f"{group.logical_id} has {sorted(sizes)} instances, but the volume one holder."
    subnets = {
        id_of(rendered, group.layer, subnet) for subnet in group.properties["VPCZoneIdentifier"]
    }
    zones = {
        origin.logical_id
        for origin in origins_in(rendered, volume.layer, volume.properties["AvailabilityZone"])
    }
    if len(subnets) != 1 or subnets != zones:
        yield f"{group.logical_id} starts in {sorted(subnets)}, but {volume.logical_id} lies in the zone of {sorted(zones)}."
    body = rendered.layers[group.layer]["Resources"][group.logical_id]
    rolling = body["UpdatePolicy"]["AutoScalingRollingUpdate"]
    if int(rolling["MinInstancesInService"]) != 0:
        yield f"{group.logical_id} starts a second instance before the first one releases the volume."


@relation
def search_is_reached_where_it_answers(rendered: Rendered) -> Iterator[str]:
    """Port and name are the same in the group's rules, the server's settings, the record, and the variables of api, worker and migration."""
    _, template, launch = _server(rendered)
    port, name = settings(rendered)["PORT"], text_of(named(rendered, RECORD).properties["Name"])
    for group_id in launch["SecurityGroupIds"]:
        group = id_of(rendered, template.layer, group_id)
        admitted = {
            (rule.first, rule.last)
            for rule in group_rules(rendered)
            if rule.group == group and not rule.egress
        }
        if admitted != {(int(port), int(port))}:
            yield f"{group} admits ports {sorted(admitted)}, but the server answers on {port}."
    receivers = set()
    for task, container in containers(rendered):
        for variable in container["Environment"]:
            if variable["Name"] == "MEILISEARCH_URL":
                receivers.add(container["Name"])
                found = URL.fullmatch(text_of(variable["Value"]))
                if not found or (found["host"], found["port"]) != (name, port):
                    yield f"{task} looks for search at {variable['Value']}, but it is {name}:{port}."
    if receivers != {"api", "worker", "migration"}:
        yield f"{sorted(receivers)} have the address of search."


@relation
def stack_owns_the_address_of_search(rendered: Rendered) -> Iterator[str]:
    """The record is a name of the private zone and points to an interface beside the server, with the server's group."""
    group, template, launch = _server(rendered)
    record = named(rendered, RECORD)
    zone = named(rendered, id_of(rendered, record.layer, record.properties["HostedZoneId"]))
    name, suffix = text_of(record.properties["Name"]), text_of(zone.properties["Name"])
    if not name.endswith(f".{suffix}"):
        yield f"{RECORD} is {name}, which is no name of the zone {suffix}."
    if name == f"search.{suffix}":
        yield f"{RECORD} is {name}, the record that the server of 1.0.0 and 1.1.0 created."
    (interface,) = resources_of_type(rendered, "AWS::EC2::NetworkInterface")
    values = [text_of(value) for value in record.properties["ResourceRecords"]]
    if values != [f"<{interface.logical_id}.PrimaryPrivateIpAddress>"]:
        yield f"{RECORD} points to {values}, not to the address of {interface.logical_id}."
    subnets = {id_of(rendered, group.layer, each) for each in group.properties["VPCZoneIdentifier"]}
    if subnets != {id_of(rendered, interface.layer, interface.properties["SubnetId"])}:
        yield f"{interface.logical_id} is not in the subnet of {group.logical_id}."
    groups = {id_of(rendered, template.layer, each) for each in launch["SecurityGroupIds"]}
    if groups != {
        id_of(rendered, interface.layer, each) for each in interface.properties["GroupSet"]
    }:
        yield f"{interface.logical_id} does not have the security group of the server."
    for service in ("ApiService", "WorkerService"):
        if (record.layer, RECORD) not in existing_before(rendered, "compute", service):
            yield f"{service} may look up {name} before it exists."


@relation
def search_server_protects_its_credentials(rendered: Rendered) -> Iterator[str]:
    """The instance requires IMDSv2 with one hop, so that a container cannot read its credentials, and has no key pair."""
    _, template, launch = _server(rendered)
    options = launch.get("MetadataOptions", {})
    if (
        options.get("HttpTokens") != "required"
        or int(options.get("HttpPutResponseHopLimit", 2)) > 1
    ):
        yield f"{template.logical_id} gives its role to every program on it."
    if "KeyName" in launch:
        yield f"{template.logical_id} can be reached by SSH."
