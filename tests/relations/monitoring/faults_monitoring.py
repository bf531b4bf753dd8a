"""Faults in alarms."""

from __future__ import annotations

from pipeline.checks.render import Rendered
from tests.relations.monitoring import checks_monitoring as monitoring
from tests.relations.planting import body, drop, put, remove
from tests.relations.registry import Fault


def rename_dimension(rendered: Rendered) -> None:
    """A dimension in another spelling, which CloudWatch accepts."""
    body(rendered, "DatabaseCpuTooHigh")["Properties"]["Dimensions"][0]["Name"] = "DBInstanceId"


def read_a_third_node(rendered: Rendered) -> None:
    """An alarm of a node that two nodes do not have."""
    dimension = body(rendered, "CacheNode2CpuTooHigh")["Properties"]["Dimensions"][0]
    dimension["Value"] = dimension["Value"].replace("-002", "-003")


def misname_own_metric(rendered: Rendered) -> None:
    """An alarm reads a metric in the environment's namespace that no program publishes."""
    body(rendered, "SearchUnhealthy")["Properties"]["MetricName"] = "SearchIsHealthy"


def publish_elsewhere(rendered: Rendered) -> None:
    """The search server can publish only in another namespace."""
    for policy in body(rendered, "SearchRole")["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            if "cloudwatch:PutMetricData" in statement["Action"]:
                statement["Condition"]["StringEquals"]["cloudwatch:namespace"] = "carbon-connect"


FAULTS = (
    Fault(
        "a dimension that is misspelt",
        monitoring.alarms_read_what_is_published,
        "under ['DBInstanceId']",
        rename_dimension,
    ),
    Fault(
        "an ARN where CloudWatch has a name",
        monitoring.alarms_read_what_is_published,
        "ApiCpuTooHigh reads CPUUtilization of AWS/ECS for ServiceName",
        put("ApiCpuTooHigh", "Dimensions/1/Value", "arn:aws:ecs:eu-north-1:111122223333:service/a"),
    ),
    Fault(
        "a node that there is none of",
        monitoring.alarms_read_what_is_published,
        "CacheNode2CpuTooHigh reads EngineCPUUtilization",
        read_a_third_node,
    ),
    Fault(
        "a web ACL of another name",
        monitoring.alarms_read_what_is_published,
        "WafBlockedTooHigh reads",
        put("WebAcl", "VisibilityConfig/MetricName", "firewall"),
    ),
    Fault(
        "task counts without Container Insights",
        monitoring.alarms_read_what_is_published,
        "Container Insights is off",
        put("Cluster", "ClusterSettings/0/Value", "disabled"),
    ),
    Fault(
        "a metric of ours that no program publishes",
        monitoring.alarms_read_what_is_published,
        "SearchIsHealthy of carbon-connect/prod, which nothing publishes",
        misname_own_metric,
    ),
    Fault(
        "a metric of ours of another environment",
        monitoring.alarms_read_what_is_published,
        "SearchHealthy of carbon-connect/prod for Environment dev",
        put("SearchUnhealthy", "Dimensions/0/Value", "dev"),
    ),
    Fault(
        "a program that may publish elsewhere only",
        monitoring.alarms_read_what_is_published,
        "SearchHealthy of carbon-connect/prod, which nothing publishes",
        publish_elsewhere,
    ),
    Fault(
        "a node without alarms",
        monitoring.nodes_of_the_cache_are_watched,
        "No alarm reads node 3",
        put("CacheReplicationGroup", "NumCacheClusters", "3"),
    ),
    Fault(
        "an alarm that publishes to no topic",
        monitoring.alarms_arrive,
        "BeatTasksTooLow publishes to no topic",
        drop("BeatTasksTooLow", "AlarmActions"),
    ),
    Fault(
        "a topic that CloudWatch may not publish to",
        monitoring.alarms_arrive,
        "may not publish to AlarmTopic",
        remove("AlarmTopicPolicy"),
    ),
    Fault(
        "a topic that another account's alarms may publish to only",
        monitoring.alarms_arrive,
        "may not publish to AlarmTopic",
        put(
            "AlarmTopicPolicy",
            "PolicyDocument/Statement/0/Condition/StringEquals/aws:SourceAccount",
            "444455556666",
        ),
    ),
    Fault(
        "a topic under AWS's key",
        monitoring.alarms_arrive,
        "no alarm reaches AlarmTopic",
        put("AlarmTopic", "KmsMasterKeyId", "alias/aws/sns"),
    ),
    Fault(
        "a key that CloudWatch may not use",
        monitoring.alarms_arrive,
        "CloudWatch may not kms:GenerateDataKey with Key",
        put("Key", "KeyPolicy/Statement/2/Action", ["kms:Decrypt"]),
    ),
)
