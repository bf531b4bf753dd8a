"""Tasks as the container contract describes them, the health of their targets, and what an engine shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from pipeline.checks.render import Rendered
from pipeline.paths import PROJECT_FOLDER
from tests.relations.registry import relation
from tests.relations.text import is_true, text_of
from tests.rendering import containers, id_of, named, origins_in, resources, resources_of_type

CONTRACT = PROJECT_FOLDER / "docs" / "container-contract.md"
ROW = re.compile(r"\| `(?P<name>[A-Z_]+)` \|.*\| (?P<holders>[a-z, ]+) \|")
# The variable that exists with a version of the application's settings only.
WITH_SETTINGS = frozenset({"APPLICATION_SECRETS"})
ZONES = 3
MINUTE = 60
# Nothing in the templates refers to what people, a service or a later launch finds by its name.
# One-off tasks name the family of the migration.
FOUND_BY_NAME = frozenset({"ImageRepositoryOfEnvironment", "MigrationTaskDefinition"})
USED = (
    *("AWS::IAM::Role", "AWS::Lambda::Function", "AWS::ECS::TaskDefinition"),
    *("AWS::Logs::LogGroup", "AWS::EC2::SecurityGroup", "AWS::ElastiCache::User"),
)
FORMER = frozenset({"FlowLogGroup"})


# Without StopTimeout: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
STOP_SECONDS = 30
SERVICES = ("api", "worker", "beat")
TO_END = re.compile(r"\| seconds from SIGTERM to SIGKILL \| (\d+) \| (\d+) \| (\d+) \|")


@cache
def seconds_to_end() -> dict[str, int]:
    """The seconds that the contract gives a container to end, by its name."""
    found = TO_END.search(CONTRACT.read_text(encoding="utf-8"))
    assert found, "The contract does not say how long a container may take to end."
    return dict(zip(SERVICES, map(int, found.groups()), strict=True))


class Health(NamedTuple):
    """The health check of a target: path, seconds between two requests and for an answer, and failures that end the task."""

    path: str
    interval: int
    timeout: int
    failures: int


HEALTH = re.compile(
    r"requests `GET (?P<path>\S+)` on port \d+ every (?P<interval>\d+) seconds and expects 200 within (?P<timeout>\d+) seconds\."
    r" After\s+(?P<failures>\w+)\s+failures"
)
NUMBERS = ("one", "two", "three", "four", "five")


@cache
def health_of_contract() -> Health:
    """The health check as the contract describes it."""
    found = HEALTH.search(CONTRACT.read_text(encoding="utf-8"))
    assert found, "The contract does not describe the health check."
    return Health(
        found["path"],
        int(found["interval"]),
        int(found["timeout"]),
        NUMBERS.index(found["failures"]) + 1,
    )


@cache
def documented() -> dict[str, frozenset[str]]:
    """The variables of the contract's tables with the containers that get them."""
    return {
        found["name"]: frozenset(found["holders"].split(", "))
        for found in ROW.finditer(CONTRACT.read_text(encoding="utf-8"))
    }


@relation
def containers_get_what_the_contract_says(rendered: Rendered) -> Iterator[str]:
    """A container has each variable and secret that the contract gives it, and no other; the migration has the worker's."""
    settings = rendered.parameters["compute"]["ApplicationSettingsVersion"] != "0"
    for task, container in containers(rendered):
        name = "worker" if container["Name"] == "migration" else container["Name"]
        if rendered.parameters["compute"]["ImageTag"] == "":
            continue
        given = {
            each["Name"] for key in ("Environment", "Secrets") for each in container.get(key, ())
        }
        wanted = {variable for variable, holders in documented().items() if name in holders}
        wanted |= WITH_SETTINGS if settings and name != "beat" else set()
        for variable in sorted(wanted - given):
            yield f"{task} lacks {variable}, which the contract gives to {name}."
        for variable in sorted(given - wanted):
            yield f"{task} has {variable}, which the contract does not give to {name}."
        family = text_of(named(rendered, task).properties.get("Family"))
        if not family.endswith(f"-{container['Name']}"):
            yield f"{task} has the family {family}, in which nobody looks for {container['Name']}."
        files = container.get("EnvironmentFiles", ())
        if settings and name != "beat" and not files:
            yield f"{task} gets no file of settings."
        if any(
            each.get("Type") != "s3" or "settings/" not in text_of(each.get("Value"))
            for each in files
        ):
            yield f"{task} gets a file that is not the settings."


@relation
def containers_run_as_the_contract_says(rendered: Rendered) -> Iterator[str]:
    """A container has an init process and a command, writes only where the parameter allows, and never blocks on its log, except a migration."""
    for task, container in containers(rendered):
        if rendered.parameters["compute"]["ImageTag"] == "":
            continue
        if not is_true(container.get("LinuxParameters", {}).get("InitProcessEnabled")):
            yield f"{task} leaves zombie processes."
        if not is_true(container.get("Essential")) or not (
            container.get("Command")
            or (
                container["Name"] == "migration"
                and not rendered.parameters["compute"]["MigrationCommand"]
            )
        ):
            yield f"{task} has a container without a command, or one that may end."
        chosen = rendered.parameters["compute"]["ReadonlyRootFilesystem"]
        if str(container.get("ReadonlyRootFilesystem", "false")).lower() != chosen:
            yield f"{task} does not follow ReadonlyRootFilesystem ({chosen})."
        options = container["LogConfiguration"]["Options"]
        waits = container["Name"] == "migration"
        if options.get("mode") != ("blocking" if waits else "non-blocking"):
            yield f"{task} logs in the mode {options.get('mode')}."
        if not waits and "max-buffer-size" not in options:
            yield f"{task} loses its log after one megabyte."
        if options.get("awslogs-region") != rendered.region:
            yield f"{task} logs to {options.get('awslogs-region')}."
        seconds = int(container.get("StopTimeout", STOP_SECONDS))
        if container["Name"] in seconds_to_end() and seconds != seconds_to_end()[container["Name"]]:
            yield f"{task} has {seconds} seconds to end, not those of the contract."
        for mapping in container.get("PortMappings", ()):
            if mapping.get("Protocol", "tcp") != "tcp":
                yield f"{task} listens for {mapping['Protocol']}."


@relation
def targets_are_healthy_in_time(rendered: Rendered) -> Iterator[str]:
    """The load balancer asks for the path, the interval and the failures of the contract; a target is healthy within a minute, and requests end before it goes."""
    contract = health_of_contract()
    for group in resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::TargetGroup"):
        properties = group.properties
        interval = int(properties.get("HealthCheckIntervalSeconds", 30))
        timeout = int(properties.get("HealthCheckTimeoutSeconds", 5))
        failures = int(properties.get("UnhealthyThresholdCount", 2))
        asked = Health(str(properties.get("HealthCheckPath")), interval, timeout, failures)
        if asked != contract:
            yield f"{group.logical_id} asks {asked}, but the contract says {contract}."
        if not interval <= interval * int(properties.get("HealthyThresholdCount", 5)) <= MINUTE:
            yield f"{group.logical_id} needs {properties.get('HealthyThresholdCount')} answers, one every {interval} seconds."
        attributes = {
            each.get("Key"): each.get("Value")
            for each in properties.get("TargetGroupAttributes", ())
        }
        delay = int(attributes.get("deregistration_delay.timeout_seconds") or 300)
        if not 30 <= delay <= 120:
            yield f"{group.logical_id} drains for {delay} seconds."


@relation
def services_and_functions_are_in_three_zones(rendered: Rendered) -> Iterator[str]:
    """Services, the load balancer and the migration have a subnet in each zone; a service names its platform by capacity of its cluster."""
    placed = [
        *(
            (
                each,
                each.properties["NetworkConfiguration"]["AwsvpcConfiguration"].get("Subnets", ()),
            )
            for each in resources_of_type(rendered, "AWS::ECS::Service")
        ),
        *(
            (each, each.properties["Subnets"])
            for each in resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer")
        ),
        *(
            (each, each.properties.get("SubnetIds", ()))
            for each in resources_of_type(rendered, "Custom::Migration")
        ),
    ]
    for resource, subnets in placed:
        if len({str(each) for each in subnets}) != ZONES:
            yield f"{resource.logical_id} is in {len(subnets)} zones."
    for balancer in resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer"):
        if balancer.properties.get("IpAddressType", "ipv4") != "ipv4":
            yield f"{balancer.logical_id} has addresses that no subnet has."
    for association in resources_of_type(rendered, "AWS::ECS::ClusterCapacityProviderAssociations"):
        default = association.properties["DefaultCapacityProviderStrategy"]
        if [each["CapacityProvider"] for each in default] != ["FARGATE"]:
            yield f"{association.logical_id} puts other tasks on {default}."


@relation
def sessions_in_containers_are_recorded(rendered: Rendered) -> Iterator[str]:
    """Where people may open a shell, each session is recorded in a log group with the key."""
    for cluster in resources_of_type(rendered, "AWS::ECS::Cluster"):
        if rendered.parameters[cluster.layer]["EnableExecuteCommand"] != "true":
            continue
        configured = cluster.properties.get("Configuration", {}).get(
            "ExecuteCommandConfiguration", {}
        )
        log = configured.get("LogConfiguration", {})
        group = id_of(rendered, cluster.layer, log.get("CloudWatchLogGroupName"))
        if configured.get("Logging") != "OVERRIDE" or group != "ExecuteCommandLogGroup":
            yield f"{cluster.logical_id} records sessions in {group}."
        if not is_true(log.get("CloudWatchEncryptionEnabled")):
            yield f"{cluster.logical_id} records sessions without encryption."


@relation
def engines_and_firewall_can_be_observed(rendered: Rendered) -> Iterator[str]:
    """The firewall counts and samples by rule; the database's queries are kept a week under the key, and a change is made when it is asked for."""
    for acl in resources_of_type(rendered, "AWS::WAFv2::WebACL"):
        for rule in (acl.properties, *acl.properties["Rules"]):
            seen = rule["VisibilityConfig"]
            if not is_true(seen["CloudWatchMetricsEnabled"]) or not is_true(
                seen["SampledRequestsEnabled"]
            ):
                yield f"{acl.logical_id} does not show {rule.get('Name')}."
    for database in resources_of_type(rendered, "AWS::RDS::DBInstance"):
        properties = database.properties
        if not is_true(properties.get("ApplyImmediately")):
            yield f"{database.logical_id} changes in its maintenance window, after the deployment has ended."
        if is_true(properties.get("EnablePerformanceInsights")) and (
            int(properties.get("PerformanceInsightsRetentionPeriod", 0)) < 7
            or properties.get("PerformanceInsightsKMSKeyId")
            != properties.get("KmsKeyId", properties.get("PerformanceInsightsKMSKeyId"))
            or "PerformanceInsightsKMSKeyId" not in properties
        ):
            yield f"{database.logical_id} keeps queries under another key, or for less than a week."


@relation
def nothing_is_idle(rendered: Rendered) -> Iterator[str]:
    """Each role, function, task definition, group and user is used by a resource or an output."""
    used: set[tuple[str, str]] = set()
    for layer, template in rendered.layers.items():
        for name, body in template["Resources"].items():
            for part in ("Properties", "Metadata"):
                found = {
                    (o.layer, o.logical_id)
                    for o in origins_in(rendered, layer, dict(body.get(part, {})))
                }
                used |= found - {(layer, name)}
    used |= _put_out(rendered)
    for kind, resource in resources(rendered):
        free = resource.logical_id in FOUND_BY_NAME | FORMER
        if kind in USED and not free and (resource.layer, resource.logical_id) not in used:
            yield f"{resource.logical_id} is used by nothing."


def _put_out(rendered: Rendered) -> set[tuple[str, str]]:
    """Resources in outputs that people read."""
    return {
        (layer, origin.logical_id)
        for layer, template in rendered.layers.items()
        for output in template.get("Outputs", {}).values()
        for origin in origins_in(rendered, layer, output["Value"])
        if named(rendered, origin.logical_id).layer == layer
        and template["Resources"][origin.logical_id]["Type"] != "AWS::Lambda::Function"
    }


@relation
def the_domain_leads_to_the_load_balancer(rendered: Rendered) -> Iterator[str]:
    """A domain name in a zone of the account has a record, and the certificate that it is validated by."""
    for balancer in resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer"):
        given = rendered.parameters[balancer.layer]
        names = {
            text_of(each.properties["Name"])
            for each in resources_of_type(rendered, "AWS::Route53::RecordSet")
        }
        if given["DomainName"] and given["HostedZoneId"] and given["DomainName"] not in names:
            yield f"{given['DomainName']} has no record."
    for certificate in resources_of_type(rendered, "AWS::CertificateManager::Certificate"):
        given = rendered.parameters[certificate.layer]
        zones = {
            (each.get("DomainName"), each.get("HostedZoneId"))
            for each in certificate.properties.get("DomainValidationOptions", ())
        }
        if certificate.properties.get("ValidationMethod") != "DNS" or zones != {
            (given["DomainName"], given["HostedZoneId"])
        }:
            yield f"{certificate.logical_id} waits for a person to validate it."
