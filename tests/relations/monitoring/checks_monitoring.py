"""Alarms: an existing resource publishes their metrics, and their messages arrive."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import templates_src.functions
from pipeline.checks.render import Rendered
from pipeline.template.example_values import ACCOUNT
from templates_src.environment import ROOT
from tests.relations.identity.checks_identity import statements
from tests.relations.identity.iam import allows, is_about
from tests.relations.monitoring.published import METRICS, SOURCES, TOGETHER
from tests.relations.registry import relation
from tests.relations.text import is_true, listed, text_of
from tests.rendering import Resource, id_of, named, origin_of, resources_of_type

ALARM = "AWS::CloudWatch::Alarm"
FUNCTIONS = Path(templates_src.functions.__path__[0])
PUBLISHER = "cloudwatch.amazonaws.com"
# A dimension in the source of a program, in Python or as an argument of the AWS CLI.
DIMENSION = re.compile(r"""\bName"?\s*[:=]\s*"?(\w+)"?,\s*"?Value""")
NODE = re.compile(r"(?P<group>.+)-(?P<number>\d{3})")


def metrics(alarm: Resource) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The metrics of an alarm: namespace, metric and dimensions."""
    stats = [
        query["MetricStat"]["Metric"]
        for query in alarm.properties.get("Metrics", ())
        if "MetricStat" in query
    ]
    for metric in stats or [alarm.properties]:
        dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", ())}
        yield metric["Namespace"], metric["MetricName"], dimensions


@relation
def alarms_read_what_is_published(rendered: Rendered) -> Iterator[str]:
    """Each metric belongs to a resource of the environment, with the dimensions that its service publishes."""
    for alarm in resources_of_type(rendered, ALARM):
        for namespace, metric, dimensions in metrics(alarm):
            what = f"{alarm.logical_id} reads {metric} of {namespace}"
            yield from unpublished(rendered, alarm.layer, what, (namespace, metric), dimensions)


@relation
def scaling_reads_what_is_published(rendered: Rendered) -> Iterator[str]:
    """The same for the metrics of scaling policies; Application Auto Scaling waits for missing data without an error."""
    for policy in resources_of_type(rendered, "AWS::ApplicationAutoScaling::ScalingPolicy"):
        tracking = policy.properties.get("TargetTrackingScalingPolicyConfiguration", {})
        read = tracking.get("CustomizedMetricSpecification")
        if read is not None:
            name = (str(read["Namespace"]), str(read["MetricName"]))
            dimensions = {each["Name"]: each["Value"] for each in read.get("Dimensions", ())}
            what = f"{policy.logical_id} scales by {name[1]} of {name[0]}"
            yield from unpublished(rendered, policy.layer, what, name, dimensions)


def unpublished(
    rendered: Rendered,
    layer: str,
    what: str,
    name: tuple[str, str],
    dimensions: Mapping[str, Any],
) -> Iterator[str]:
    """Why nothing publishes a metric, given by namespace and name; ``what`` begins each sentence."""
    namespace, metric = name
    if namespace == own_namespace(rendered):
        yield from _unpublished_by_us(rendered, layer, what, metric, dimensions)
        return
    if metric not in METRICS.get(namespace, ()):
        yield f"{what}, which the service does not publish."
    if set(dimensions) not in TOGETHER.get(namespace, ()):
        yield f"{what} under {sorted(dimensions)}, under which nothing publishes."
    for key, value in dimensions.items():
        if not _leads_somewhere(rendered, layer, (namespace, key), value):
            yield f"{what} for {key} {value}, which the environment does not have."
    if namespace == "ECS/ContainerInsights" and not _has_insights(rendered):
        yield f"{what}, but Container Insights is off."


def own_namespace(rendered: Rendered) -> str:
    """Namespace of the metrics that the environment publishes."""
    given = rendered.parameters[ROOT]
    return f"{given['Project']}/{given['Environment']}"


class Program(NamedTuple):
    """Running code of this project: its logical ID, its role, its source, and the values of its settings, resources by their logical ID."""

    logical_id: str
    role: str
    source: str
    settings: frozenset[str]


def _unpublished_by_us(
    rendered: Rendered, layer: str, what: str, metric: str, dimensions: Mapping[str, Any]
) -> Iterator[str]:
    publishers = publishers_of(rendered, metric, dimensions)
    if not publishers:
        yield f"{what}, which nothing publishes."
    elif not any(set(dimensions) == dimension_names(each) for each in publishers):
        yield f"{what} under {sorted(dimensions)}, under which nothing publishes."
    for key, value in dimensions.items():
        if not any(id_of(rendered, layer, value) in each.settings for each in publishers):
            yield f"{what} for {key} {value}, for which nothing publishes it."


def publishers_of(rendered: Rendered, metric: str, dimensions: Iterable[str]) -> list[Program]:
    """The programs that may publish in the namespace of the environment, and whose source has the metric and the dimensions."""
    context = {"cloudwatch:namespace": own_namespace(rendered)}
    return [
        program
        for program in _programs(rendered)
        if allows(rendered, program.role, "cloudwatch:PutMetricData", "", context)
        and all(re.search(rf"\b{word}\b", program.source) for word in (metric, *dimensions))
    ]


def dimension_names(program: Program) -> set[str]:
    """The names of the dimensions under which a program publishes, from its source."""
    return set(DIMENSION.findall(program.source))


def _programs(rendered: Rendered) -> Iterator[Program]:
    """Functions, and instances by their user data."""
    for function in resources_of_type(rendered, "AWS::Lambda::Function"):
        folder = FUNCTIONS / function.properties["Handler"].split(".")[1]
        variables = function.properties.get("Environment", {}).get("Variables", {})
        yield Program(
            function.logical_id,
            id_of(rendered, function.layer, function.properties["Role"]),
            "".join(path.read_text() for path in sorted(folder.glob("*.py"))),
            frozenset(id_of(rendered, function.layer, value) for value in variables.values()),
        )
    for template in resources_of_type(rendered, "AWS::EC2::LaunchTemplate"):
        launch = template.properties["LaunchTemplateData"]
        profile = named(
            rendered, id_of(rendered, template.layer, launch["IamInstanceProfile"]["Arn"])
        )
        (role,) = profile.properties["Roles"]
        source = text_of(launch["UserData"]["Fn::Base64"])
        settings = frozenset(line.partition("=")[2] for line in source.splitlines())
        yield Program(template.logical_id, id_of(rendered, profile.layer, role), source, settings)


def _leads_somewhere(
    rendered: Rendered, layer: str, dimension: tuple[str, str], value: Any
) -> bool:
    if dimension[0] == "AWS/WAFV2":
        acls = {
            acl.properties["VisibilityConfig"]["MetricName"]
            for acl in resources_of_type(rendered, "AWS::WAFv2::WebACL")
        }
        allowed = {"WebACL": acls, "Region": {rendered.region}, "Rule": {"ALL"}}
        return value in allowed.get(dimension[1], set())
    if dimension == ("AWS/ElastiCache", "CacheClusterId"):
        return _is_node(rendered, layer, str(value))
    origin, wanted = origin_of(rendered, layer, value), SOURCES.get(dimension)
    if origin is None or wanted is None:
        return False
    kind = rendered.layers[origin.layer]["Resources"][origin.logical_id]["Type"]
    return (kind, origin.attribute) == wanted


def _is_node(rendered: Rendered, layer: str, value: str) -> bool:
    found = NODE.fullmatch(value)
    if not found:
        return False
    group = id_of(rendered, layer, found["group"])
    return any(
        each.logical_id == group
        and 1 <= int(found["number"]) <= int(each.properties["NumCacheClusters"])
        for each in resources_of_type(rendered, "AWS::ElastiCache::ReplicationGroup")
    )


def _has_insights(rendered: Rendered) -> bool:
    return all(
        {"Name": "containerInsights", "Value": "enabled"} in cluster.properties["ClusterSettings"]
        for cluster in resources_of_type(rendered, "AWS::ECS::Cluster")
    )


@relation
def nodes_of_the_cache_are_watched(rendered: Rendered) -> Iterator[str]:
    """Each cache node has the alarms, because any node can become the primary."""
    read = {
        str(dimensions.get("CacheClusterId"))
        for alarm in resources_of_type(rendered, ALARM)
        for _, _, dimensions in metrics(alarm)
    }
    watched = {found["number"] for value in read if (found := NODE.fullmatch(value))}
    for group in resources_of_type(rendered, "AWS::ElastiCache::ReplicationGroup"):
        for number in range(1, int(group.properties["NumCacheClusters"]) + 1):
            if f"{number:03}" not in watched:
                yield f"No alarm reads node {number} of {group.logical_id}."


def read_by_deployments(rendered: Rendered) -> set[str]:
    """The alarms that roll a deployment back, and that publish to no topic."""
    return {
        id_of(rendered, service.layer, alarm)
        for service in resources_of_type(rendered, "AWS::ECS::Service")
        for alarm in service.properties["DeploymentConfiguration"]
        .get("Alarms", {})
        .get("AlarmNames", ())
    }


@relation
def alarms_arrive(rendered: Rendered) -> Iterator[str]:
    """Each alarm, unless a deployment reads it, publishes to a topic that CloudWatch can publish to, with a key that CloudWatch can use."""
    read = read_by_deployments(rendered)
    topics = {found.logical_id for found in resources_of_type(rendered, "AWS::SNS::Topic")}
    for alarm in resources_of_type(rendered, ALARM):
        if alarm.logical_id in read:
            continue
        notified = {
            id_of(rendered, alarm.layer, action)
            for action in alarm.properties.get("AlarmActions", ())
        }
        if (
            not notified
            or notified - topics
            or not is_true(alarm.properties.get("ActionsEnabled", True))
        ):
            yield f"{alarm.logical_id} publishes to no topic."
    for topic in sorted(topics):
        policies = [
            policy.logical_id
            for policy in resources_of_type(rendered, "AWS::SNS::TopicPolicy")
            if topic
            in {id_of(rendered, policy.layer, each) for each in policy.properties["Topics"]}
        ]
        if not any(_admits(rendered, policy, "sns:Publish") for policy in policies):
            yield f"CloudWatch may not publish to {topic}."
        resource = named(rendered, topic)
        key = id_of(rendered, resource.layer, resource.properties.get("KmsMasterKeyId"))
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            if not _admits(rendered, key, action):
                yield f"CloudWatch may not {action} with {key}, so that no alarm reaches {topic}."


def _admits(rendered: Rendered, holder: str, action: str) -> bool:
    """Whether a resource policy allows CloudWatch alarms of this account."""
    context = {
        "aws:SourceAccount": ACCOUNT,
        "aws:SourceArn": f"arn:aws:cloudwatch:{rendered.region}:{ACCOUNT}:alarm:any",
    }
    return any(
        statement["Effect"] == "Allow"
        and isinstance(statement["Principal"], dict)
        and PUBLISHER in listed(statement["Principal"].get("Service"))
        and is_about(statement, action, context)
        for _, found, statement in statements(rendered)
        if found == holder
    )
