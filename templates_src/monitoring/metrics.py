"""The metrics of alarms and dashboard, each with the dimensions that its service publishes.

CloudWatch stores every combination of dimensions as a separate metric: with a missing, extra or misspelt dimension it
finds no data, and reports no error.
"""

from __future__ import annotations

from dataclasses import dataclass

from troposphere import Ref, Sub
from troposphere.cloudwatch import MetricDimension

from templates_src.core.parameters.declaration import Declaration, wired
from templates_src.core.parameters.groups import COMPUTE_OUTPUTS, DATA_OUTPUTS, EDGE_OUTPUTS
from templates_src.core.parameters.shared import ENVIRONMENT, METRIC_NAMESPACE
from templates_src.core.parameters.wiring.edge import (
    LOAD_BALANCER_FULL_NAME,
    TARGET_GROUP_FULL_NAME,
)

AVERAGE, MAXIMUM, MINIMUM, SUM, P50, P99 = "Average", "Maximum", "Minimum", "Sum", "p50", "p99"
SAMPLE_COUNT = "SampleCount"

WEB_ACL_NAME = wired(
    "WebAclName",
    group=EDGE_OUTPUTS,
    label="Firewall in metrics",
    description="Name of the web ACL in its metrics.",
    pattern=r"[\w-]{1,128}",
    message="WebAclName must be 1 to 128 letters, digits, hyphens and underscores.",
)
CLUSTER_NAME = wired(
    "ClusterName",
    group=COMPUTE_OUTPUTS,
    label="Cluster",
    description="Name of the ECS cluster, with Container Insights on.",
    pattern=r"[\w-]{1,255}",
    message="ClusterName must be the name of an ECS cluster, not its ARN.",
)
API_SERVICE_NAME = wired(
    "ApiServiceName",
    group=COMPUTE_OUTPUTS,
    label="Api service",
    description="Name of the api's ECS service.",
    pattern=r"[\w-]{1,255}",
    message="ApiServiceName must be the name of an ECS service, not its ARN.",
)
WORKER_SERVICE_NAME = wired(
    "WorkerServiceName",
    group=COMPUTE_OUTPUTS,
    label="Worker service",
    description="Name of the worker's ECS service.",
    pattern=r"[\w-]{1,255}",
    message="WorkerServiceName must be the name of an ECS service, not its ARN.",
)
BEAT_SERVICE_NAME = wired(
    "BeatServiceName",
    group=COMPUTE_OUTPUTS,
    label="Beat service",
    description="Name of beat's ECS service.",
    pattern=r"[\w-]{1,255}",
    message="BeatServiceName must be the name of an ECS service, not its ARN.",
)
QUEUE_DEPTH_FUNCTION_NAME = wired(
    "QueueDepthFunctionName",
    group=COMPUTE_OUTPUTS,
    label="Queue-depth function",
    description="Name of the function that measures the queues.",
    pattern=r"[\w-]{1,64}",
    message="QueueDepthFunctionName must be the name of a Lambda function, not its ARN.",
)
DATABASE_INSTANCE_ID = wired(
    "DatabaseInstanceId",
    group=DATA_OUTPUTS,
    label="Database instance",
    description="Identifier of the RDS instance.",
    pattern=r"[A-Za-z][A-Za-z0-9-]{0,62}",
    message="DatabaseInstanceId must be the identifier of an RDS instance, not its ARN.",
)
CACHE_NAME = wired(
    "CacheName",
    group=DATA_OUTPUTS,
    label="Cache",
    description="Name of the serverless cache, or id of the replication group.",
    pattern=r"[A-Za-z][A-Za-z0-9-]{0,39}",
    message="CacheName must be the name of a serverless cache or the id of a replication group.",
)


@dataclass(frozen=True)
class Metric:
    """A metric of CloudWatch.

    ``dimensions`` contains pairs of name and value; a value and the namespace can contain parameters, as ``${Name}``.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]

    def alarm_namespace(self) -> Ref | Sub | str:
        """The namespace as a property of an alarm."""
        return _value(self.namespace)

    def alarm_dimensions(self) -> list[MetricDimension]:
        """The dimensions as a property of an alarm."""
        return [MetricDimension(Name=name, Value=_value(text)) for name, text in self.dimensions]


@dataclass(frozen=True)
class Source:
    """A source: it publishes metrics with one combination of dimensions."""

    namespace: str
    dimensions: tuple[tuple[str, str], ...]

    def metric(self, name: str) -> Metric:
        """A metric of this source."""
        return Metric(self.namespace, name, self.dimensions)


def source(namespace: str, **dimensions: Declaration | str) -> Source:
    """A source with parameters or text as dimensions."""
    return Source(
        namespace,
        tuple(
            (name, f"${{{value.name}}}" if isinstance(value, Declaration) else value)
            for name, value in dimensions.items()
        ),
    )


def _value(text: str) -> Ref | Sub | str:
    if "${" not in text:
        return text
    name = text.removeprefix("${").removesuffix("}")
    return Ref(name) if f"${{{name}}}" == text and "${" not in name else Sub(text)


# Rule ALL is the sum over the web ACL. Regional web ACLs publish with a Region, those of CloudFront without.
# https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html
FIREWALL = source("AWS/WAFV2", WebACL=WEB_ACL_NAME, Region="${AWS::Region}", Rule="ALL")

# Responses of the load balancer itself have no target group.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
LOAD_BALANCER = source("AWS/ApplicationELB", LoadBalancer=LOAD_BALANCER_FULL_NAME)
TARGETS = source(
    "AWS/ApplicationELB",
    LoadBalancer=LOAD_BALANCER_FULL_NAME,
    TargetGroup=TARGET_GROUP_FULL_NAME,
)

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
API = source("AWS/ECS", ClusterName=CLUSTER_NAME, ServiceName=API_SERVICE_NAME)
WORKER = source("AWS/ECS", ClusterName=CLUSTER_NAME, ServiceName=WORKER_SERVICE_NAME)

# Task counts come from Container Insights alone.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
INSIGHTS = "ECS/ContainerInsights"
API_TASKS = source(INSIGHTS, ClusterName=CLUSTER_NAME, ServiceName=API_SERVICE_NAME)
WORKER_TASKS = source(INSIGHTS, ClusterName=CLUSTER_NAME, ServiceName=WORKER_SERVICE_NAME)
BEAT_TASKS = source(INSIGHTS, ClusterName=CLUSTER_NAME, ServiceName=BEAT_SERVICE_NAME)

# The metrics of the function queue_depth, which measures the worker's queues: functions/queue_depth/handler.py.
QUEUES = source(METRIC_NAMESPACE, ClusterName=CLUSTER_NAME, ServiceName=WORKER_SERVICE_NAME)
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
QUEUE_DEPTH_FUNCTION = source("AWS/Lambda", FunctionName=QUEUE_DEPTH_FUNCTION_NAME)

# The metrics that the search server publishes: compute/search/boot.sh.
SEARCH = source(METRIC_NAMESPACE, Environment=ENVIRONMENT)

# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html
DATABASE = source("AWS/RDS", DBInstanceIdentifier=DATABASE_INSTANCE_ID)

# The function database_storage publishes it: functions/database_storage/handler.py.
DATABASE_STORAGE = source(METRIC_NAMESPACE, DBInstanceIdentifier=DATABASE_INSTANCE_ID)

# A serverless cache publishes with the dimension clusterId, in this spelling; other names find no data.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/serverless-metrics-events-redis.html
SERVERLESS_CACHE = source("AWS/ElastiCache", clusterId=CACHE_NAME)


def cache_node(number: int) -> Source:
    """A node of the replication group, from 1; its name is that of the group with three digits.

    A failover exchanges the roles of nodes, not their names, so no alarm depends on which node is the primary.
    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.Redis.html
    """
    return source("AWS/ElastiCache", CacheClusterId=f"${{{CACHE_NAME.name}}}-{number:03}")
