"""Faults in security groups and ports."""

from __future__ import annotations

from pipeline.checks.render import Rendered
from tests.relations.network import checks_groups as groups
from tests.relations.network import checks_ports as ports
from tests.relations.planting import add, body, drop, put, remove
from tests.relations.registry import Fault

EVERYWHERE = "0.0.0.0/0"


def in_group(group: str) -> dict[str, list[str]]:
    """Reference to a security group of the security layer."""
    return {"Fn::GetAtt": [group, "GroupId"]}


def put_beat_into_the_group_of_the_workers(rendered: Rendered) -> None:
    """As in 1.1."""
    beat, worker = (
        body(rendered, f"{title}Service")["Properties"]["NetworkConfiguration"]
        for title in ("Beat", "Worker")
    )
    beat["AwsvpcConfiguration"] = worker["AwsvpcConfiguration"]


FAULTS = (
    Fault(
        "a flow that the target does not admit",
        groups.flows_have_both_sides,
        "WorkerSecurityGroup may reach DatabaseSecurityGroup on 5432-5432",
        remove("DatabaseFromWorker"),
    ),
    Fault(
        "a flow that the source may not take",
        groups.flows_have_both_sides,
        "CacheSecurityGroup admits ApiSecurityGroup on 6379-6379",
        remove("ApiToCache"),
    ),
    Fault(
        "a flow with two ports",
        groups.flows_have_both_sides,
        "on 7701-7701",
        lambda rendered: (
            put("SearchFromApi", "FromPort", 7701)(rendered),
            put("SearchFromApi", "ToPort", 7701)(rendered),
        ),
    ),
    Fault(
        "an api that everybody reaches",
        groups.only_the_load_balancer_allows_addresses,
        "ApiSecurityGroup admits 0.0.0.0/0 on 8000-8000",
        add(
            "security",
            "ApiFromEverybody",
            "AWS::EC2::SecurityGroupIngress",
            GroupId=in_group("ApiSecurityGroup"),
            IpProtocol="tcp",
            FromPort=8000,
            ToPort=8000,
            CidrIp=EVERYWHERE,
        ),
    ),
    Fault(
        "a load balancer that is open on every port",
        groups.only_the_load_balancer_allows_addresses,
        "LoadBalancerSecurityGroup admits 0.0.0.0/0 on 80-443",
        put("LoadBalancerFromClientsHttp", "ToPort", 443),
    ),
    Fault(
        "a rule within a group",
        groups.only_the_load_balancer_allows_addresses,
        "DatabaseSecurityGroup admits ::/0",
        put(
            "DatabaseSecurityGroup",
            "SecurityGroupIngress",
            [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIpv6": "::/0"}],
        ),
    ),
    Fault(
        "a group without an egress rule",
        groups.groups_allow_only_listed_egress,
        "CacheSecurityGroup has no egress rule",
        drop("CacheSecurityGroup", "SecurityGroupEgress"),
    ),
    Fault(
        "a database that calls out",
        groups.groups_allow_only_listed_egress,
        "DatabaseSecurityGroup allows egress",
        put("WorkerToInternet", "GroupId", in_group("DatabaseSecurityGroup")),
    ),
    Fault(
        "a worker that may go anywhere",
        groups.groups_allow_only_listed_egress,
        "WorkerSecurityGroup lets out to 0.0.0.0/0 on 0-65535",
        lambda rendered: (
            put("WorkerToInternet", "FromPort", 0)(rendered),
            put("WorkerToInternet", "ToPort", 65535)(rendered),
        ),
    ),
    Fault(
        "a container on another port than its group",
        ports.services_are_reached_on_their_port,
        "ApiSecurityGroup admits ports [(8000, 8000)]",
        put("ApiTaskDefinition", "ContainerDefinitions/0/PortMappings/0/ContainerPort", 8080),
    ),
    Fault(
        "a group on another port than its container",
        ports.services_are_reached_on_their_port,
        "may reach ApiSecurityGroup on [(8000, 8080)]",
        put("LoadBalancerToApi", "ToPort", 8080),
    ),
    Fault(
        "a command that listens on another port",
        ports.services_are_reached_on_their_port,
        "listens on 8001",
        put(
            "ApiTaskDefinition",
            "ContainerDefinitions/0/Command",
            ["uvicorn", "app.main:app", "--port", "8001"],
        ),
    ),
    Fault(
        "a placeholder that listens on another port",
        ports.services_are_reached_on_their_port,
        "listens on 80, ",
        put(
            "ApiTaskDefinition",
            "ContainerDefinitions/0/Command",
            ["sh", "-c", "exec python -m http.server 80"],
        ),
        "dev",
    ),
    Fault(
        "a target group on another port",
        ports.services_are_reached_on_their_port,
        "ApiTargetGroup has port 80",
        put("ApiTargetGroup", "Port", 80),
    ),
    Fault(
        "a health check on another port",
        ports.services_are_reached_on_their_port,
        "checks health on 9000",
        put("ApiTargetGroup", "HealthCheckPort", "9000"),
    ),
    Fault(
        "a service that registers a port that its container does not have",
        ports.services_are_reached_on_their_port,
        "registers api:8080",
        put("ApiService", "LoadBalancers/0/ContainerPort", 8080),
    ),
    Fault(
        "a database on another port than its group",
        ports.engines_are_reached_on_their_port,
        "Database listens on [5433]",
        put("Database", "Port", "5433"),
    ),
    Fault(
        "a cache on another port than its group",
        ports.engines_are_reached_on_their_port,
        "CacheReplicationGroup listens on [6390]",
        put("CacheReplicationGroup", "Port", 6390),
    ),
    Fault(
        "a serverless cache whose readers are not reached",
        ports.engines_are_reached_on_their_port,
        "ServerlessCache listens on [6379, 6380]",
        lambda rendered: (
            remove("CacheReaderFromApi")(rendered),
            remove("CacheReaderFromWorker")(rendered),
        ),
        "dev",
    ),
    Fault(
        "a port of the readers where nothing listens",
        ports.engines_are_reached_on_their_port,
        "CacheSecurityGroup admits [(6379, 6379), (6379, 6380)]",
        put("CacheFromApi", "ToPort", 6380),
    ),
    Fault(
        "beat in the group of the workers",
        groups.beat_reaches_only_the_broker,
        "BeatService may reach DatabaseSecurityGroup on 5432",
        put_beat_into_the_group_of_the_workers,
    ),
    Fault(
        "a beat that does not reach the broker",
        groups.beat_reaches_only_the_broker,
        "BeatService does not reach CacheSecurityGroup",
        lambda rendered: (
            remove("CacheFromBeat")(rendered),
            remove("BeatToCache")(rendered),
        ),
    ),
    Fault(
        "an ACL without the port of the readers",
        ports.network_acls_allow_the_ports_of_the_engines,
        "from 10.0.64.0/20",
        remove("DataCacheReaderFromPrivate2"),
        "dev",
    ),
    Fault(
        "an ACL with a port where nothing listens",
        ports.network_acls_allow_the_ports_of_the_engines,
        "from 10.0.64.0/20",
        put("DataCacheFromPrivate2", "PortRange/To", "6380"),
    ),
    Fault(
        "an ACL that lets no answer go to a client's port",
        ports.network_acls_allow_the_ports_of_the_engines,
        "DataToPrivate3 lets answers",
        put("DataToPrivate3", "PortRange/From", "32768"),
    ),
)
