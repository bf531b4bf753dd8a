"""What the pages promise about services, images, edge and network, beyond what AWS would refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pipeline.checks.render import Rendered
from tests.relations.registry import relation
from tests.relations.text import is_true, text_of
from tests.rendering import containers, id_of, ids_in, resources, resources_of_type

REGION = re.compile(
    r"\b(?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-gov)?-(?:north|south|east|west|central){1,2}-\d\b"
)
# A rollback needs the image of the last deployment; others wait for a review or belong to another environment.
FORMER_IMAGES = 20
PARTS_ON_THE_DASHBOARD = (
    "AWS::ECS::Service",
    "AWS::RDS::DBInstance",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::ServerlessCache",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
)


@relation
def images_cannot_change(rendered: Rendered) -> Iterator[str]:
    """A tag names one image permanently, so that a rollback runs what it ran; images are scanned when they are pushed, and old ones expire."""
    for repository in resources_of_type(rendered, "AWS::ECR::Repository"):
        if repository.properties.get("ImageTagMutability") != "IMMUTABLE":
            yield f"{repository.logical_id} lets a tag name another image."
        scanning = repository.properties.get("ImageScanningConfiguration", {})
        if not is_true(scanning.get("ScanOnPush")):
            yield f"{repository.logical_id} scans no image."
        rules = json.loads(
            repository.properties.get("LifecyclePolicy", {}).get("LifecyclePolicyText", "{}")
        ).get("rules", ())
        if {rule["selection"]["tagStatus"] for rule in rules} != {"tagged", "untagged"}:
            yield f"{repository.logical_id} keeps images permanently."
        for rule in rules:
            tagged = rule["selection"]["tagStatus"] == "tagged"
            if tagged and int(rule["selection"].get("countNumber", 0)) < FORMER_IMAGES:
                yield f"{repository.logical_id} deletes the image that a rollback needs."


@relation
def deployments_keep_the_api_up(rendered: Rendered) -> Iterator[str]:
    """A service behind a load balancer keeps all tasks during a deployment, and gives the new ones two minutes before their health counts; a service that scales keeps half of its tasks, and never doubles more than once."""
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        deployment = service.properties["DeploymentConfiguration"]
        least = int(deployment.get("MinimumHealthyPercent", 100))
        most = int(deployment.get("MaximumPercent", 200))
        if "DesiredCount" not in service.properties and (least < 50 or most > 200):
            yield f"{service.logical_id} has {least} to {most} % of its tasks during a deployment."
        if not service.properties.get("LoadBalancers"):
            continue
        if least < 100 or most != 200:
            yield f"{service.logical_id} loses tasks during a deployment."
        if not 60 <= int(service.properties.get("HealthCheckGracePeriodSeconds", 0)) <= 300:
            yield f"{service.logical_id} has a grace period of {service.properties.get('HealthCheckGracePeriodSeconds')} seconds."


@relation
def services_tag_their_tasks(rendered: Rendered) -> Iterator[str]:
    """Tasks have the tags of their service, by which costs are divided, and a shell exactly where the parameter says so."""
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        if service.properties.get("PropagateTags") != "SERVICE" or not is_true(
            service.properties.get("EnableECSManagedTags")
        ):
            yield f"{service.logical_id} starts tasks without tags."
        chosen = rendered.parameters[service.layer]["EnableExecuteCommand"]
        if str(service.properties.get("EnableExecuteCommand", "false")).lower() != chosen:
            yield f"{service.logical_id} does not follow EnableExecuteCommand ({chosen})."


@relation
def the_load_balancer_refuses_malformed_requests(rendered: Rendered) -> Iterator[str]:
    """Headers with invalid names are dropped, and ambiguous requests are not passed on: the api never parses what the firewall parsed otherwise, and learns the address of the client."""
    for balancer in resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer"):
        attributes = {
            each["Key"]: each["Value"] for each in balancer.properties["LoadBalancerAttributes"]
        }
        if not is_true(attributes.get("routing.http.drop_invalid_header_fields.enabled")):
            yield f"{balancer.logical_id} keeps headers with invalid names."
        if attributes.get("routing.http.desync_mitigation_mode") not in ("defensive", "strictest"):
            yield f"{balancer.logical_id} passes ambiguous requests on."
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
        if attributes.get("routing.http.xff_header_processing.mode", "append") != "append":
            yield f"{balancer.logical_id} does not add the address of the client to X-Forwarded-For."
        if is_true(attributes.get("waf.fail_open.enabled", False)):
            yield f"{balancer.logical_id} passes every request on while the firewall does not answer."
        wanted = is_true(rendered.parameters[balancer.layer]["AccessLogs"])
        if is_true(attributes.get("access_logs.s3.enabled")) != wanted:
            yield f"{balancer.logical_id} does not follow AccessLogs."


@relation
def host_ports_are_those_of_containers(rendered: Rendered) -> Iterator[str]:
    """A task with awsvpc has an address: ECS refuses a host port that is not the port of the container."""
    for task, container in containers(rendered):
        for mapping in container.get("PortMappings", ()):
            if int(mapping.get("HostPort", mapping["ContainerPort"])) != int(
                mapping["ContainerPort"]
            ):
                yield f"{task} maps port {mapping['ContainerPort']} to {mapping['HostPort']}."


@relation
def flow_logs_contain_every_connection(rendered: Rendered) -> Iterator[str]:
    """Accepted traffic is what an investigation asks for; the log of the VPC has all traffic, in a group with the key."""
    logged = set()
    for log in resources_of_type(rendered, "AWS::EC2::FlowLog"):
        logged.add(id_of(rendered, log.layer, log.properties["ResourceId"]))
        if log.properties.get("TrafficType") != "ALL":
            yield f"{log.logical_id} contains {log.properties.get('TrafficType')} traffic only."
        if (
            log.properties.get("LogDestinationType") != "cloud-watch-logs"
            or "LogGroupName" not in log.properties
        ):
            yield f"{log.logical_id} is written to {log.properties.get('LogDestinationType')}."
        if int(log.properties.get("MaxAggregationInterval", 0)) != 600:
            yield f"{log.logical_id} has ten times as many records as ten minutes need."
    for vpc in resources_of_type(rendered, "AWS::EC2::VPC"):
        if vpc.logical_id not in logged:
            yield f"{vpc.logical_id} has no flow log."
        for key in ("EnableDnsSupport", "EnableDnsHostnames"):
            if not is_true(vpc.properties.get(key)):
                yield f"{vpc.logical_id} has no {key}: names of private zones and endpoints do not resolve."


@relation
def nothing_names_another_region(rendered: Rendered) -> Iterator[str]:
    """Endpoints, principals and ARNs are of the region of the launch: another region's work in no policy and no request."""
    for _, resource in resources(rendered):
        for region in sorted(set(REGION.findall(str(resource.properties))) - {rendered.region}):
            yield f"{resource.logical_id} names {region}."


@relation
def aliases_are_in_the_zone_of_their_target(rendered: Rendered) -> Iterator[str]:
    """An alias has the name and the hosted zone of one load balancer; a record is in the zone of the parameter or of the environment."""
    zones = {each.logical_id for each in resources_of_type(rendered, "AWS::Route53::HostedZone")}
    for record in resources_of_type(rendered, "AWS::Route53::RecordSet"):
        zone = id_of(rendered, record.layer, record.properties["HostedZoneId"])
        given = rendered.parameters[record.layer].get("HostedZoneId")
        if zone not in zones and zone != given:
            yield f"{record.logical_id} is in {zone}, which is no zone of the environment."
        alias = record.properties.get("AliasTarget")
        if alias is None:
            if not 10 <= int(record.properties.get("TTL", 0)) <= 300:
                yield f"{record.logical_id} is remembered for {record.properties.get('TTL')} seconds."
            continue
        name, target = (text_of(alias.get(key)).strip("<>") for key in ("DNSName", "HostedZoneId"))
        if name.partition(".")[0] != target.partition(".")[0] or not target.endswith(
            "CanonicalHostedZoneID"
        ):
            yield f"{record.logical_id} is an alias of {name} in the zone {target}."
        if is_true(alias.get("EvaluateTargetHealth")):
            yield f"{record.logical_id} disappears when no target is healthy, and clients get no answer at all."


@relation
def the_dashboard_shows_every_part(rendered: Rendered) -> Iterator[str]:
    """The dashboard has each service, the database, the cache, the load balancer and the firewall, and each alarm of its layer."""
    for dashboard in resources_of_type(rendered, "AWS::CloudWatch::Dashboard"):
        shown = ids_in(rendered, dashboard.layer, {"Body": dashboard.properties["DashboardBody"]})
        body = text_of(dashboard.properties["DashboardBody"])
        for kind in PARTS_ON_THE_DASHBOARD:
            for part in resources_of_type(rendered, kind):
                if part.logical_id not in shown:
                    yield f"{dashboard.logical_id} does not show {part.logical_id}."
        for alarm in resources_of_type(rendered, "AWS::CloudWatch::Alarm"):
            if alarm.layer == dashboard.layer and alarm.logical_id not in shown:
                yield f"{dashboard.logical_id} does not show {alarm.logical_id}."
        for metric in ("AWS/WAFV2", "QueueDepth", "SearchHealthy", "FreeStorageSpace"):
            if metric not in body:
                yield f"{dashboard.logical_id} does not show {metric}."


@relation
def statements_are_complete(rendered: Rendered) -> Iterator[str]:
    """Each policy has the version of 2012, without which variables are text; each statement of a role says in its Sid what it is for."""
    for _, resource in resources(rendered):
        for document in documents_in(dict(resource.properties)):
            if document.get("Version") != "2012-10-17":
                yield f"{resource.logical_id} has a policy of the version {document.get('Version')}."
            for statement in document["Statement"]:
                trust = "sts:" in str(statement["Action"])
                if "Sid" not in statement and not trust:
                    yield f"{resource.logical_id} has a statement without a Sid."


def documents_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every policy document within a value."""
    if isinstance(value, dict):
        if isinstance(value.get("Statement"), list):
            yield value
        for part in value.values():
            yield from documents_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from documents_in(part)


@relation
def lists_repeat_nothing(rendered: Rendered) -> Iterator[str]:
    """No list has an element twice: services refuse it, ignore it, or count it."""
    for _, resource in resources(rendered):
        for where, repeated in repetitions(dict(resource.properties), ""):
            yield f"{resource.logical_id} has {repeated} twice in {where}."


def repetitions(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Where a list repeats an element, and the element."""
    if isinstance(value, dict):
        for key, part in value.items():
            # Pieces of a text may be equal.
            if key != "Fn::Join":
                yield from repetitions(part, f"{where}/{key}".strip("/"))
    elif isinstance(value, list):
        texts = [str(part) for part in value]
        for part, text in zip(value, texts, strict=True):
            if texts.count(text) > 1:
                yield where, text[:60]
                break
            yield from repetitions(part, where)
