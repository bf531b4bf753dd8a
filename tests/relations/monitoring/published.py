"""What services publish in CloudWatch: metrics, their dimensions, and where the values of the dimensions come from."""

from __future__ import annotations

from typing import NamedTuple


class Dimension(NamedTuple):
    """The source of a dimension's value: the type of a resource, and the attribute unless it is the Ref."""

    kind: str
    attribute: str | None = None


# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/serverless-metrics-events-redis.html
SOURCES = {
    ("AWS/ApplicationELB", "LoadBalancer"): Dimension(
        "AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerFullName"
    ),
    ("AWS/ApplicationELB", "TargetGroup"): Dimension(
        "AWS::ElasticLoadBalancingV2::TargetGroup", "TargetGroupFullName"
    ),
    ("AWS/ECS", "ClusterName"): Dimension("AWS::ECS::Cluster"),
    ("AWS/ECS", "ServiceName"): Dimension("AWS::ECS::Service", "Name"),
    ("ECS/ContainerInsights", "ClusterName"): Dimension("AWS::ECS::Cluster"),
    ("ECS/ContainerInsights", "ServiceName"): Dimension("AWS::ECS::Service", "Name"),
    ("AWS/Lambda", "FunctionName"): Dimension("AWS::Lambda::Function"),
    ("AWS/RDS", "DBInstanceIdentifier"): Dimension("AWS::RDS::DBInstance"),
    ("AWS/ElastiCache", "clusterId"): Dimension("AWS::ElastiCache::ServerlessCache"),
}
# The metrics of each namespace have all of these dimensions, or those of one alternative.
TOGETHER: dict[str, tuple[set[str], ...]] = {
    "AWS/ApplicationELB": ({"LoadBalancer"}, {"LoadBalancer", "TargetGroup"}),
    "AWS/ECS": ({"ClusterName", "ServiceName"},),
    "ECS/ContainerInsights": ({"ClusterName", "ServiceName"},),
    "AWS/Lambda": ({"FunctionName"},),
    "AWS/RDS": ({"DBInstanceIdentifier"},),
    "AWS/ElastiCache": ({"clusterId"}, {"CacheClusterId"}),
    "AWS/WAFV2": ({"WebACL", "Region", "Rule"},),
}
# The metrics that alarms, graphs and scaling policies may read.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html
# https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.Redis.html
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
METRICS: dict[str, frozenset[str]] = {
    "AWS/WAFV2": frozenset({"AllowedRequests", "BlockedRequests", "CountedRequests"}),
    "AWS/ApplicationELB": frozenset(
        {"RequestCount", "HTTPCode_ELB_5XX_Count", "TargetResponseTime", "HealthyHostCount"}
        | {"UnHealthyHostCount", "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count"}
    ),
    "AWS/ECS": frozenset({"CPUUtilization", "MemoryUtilization"}),
    "ECS/ContainerInsights": frozenset({"RunningTaskCount", "PendingTaskCount"}),
    "AWS/Lambda": frozenset({"Errors", "Throttles", "Duration", "Invocations"}),
    "AWS/RDS": frozenset(
        {"CPUUtilization", "FreeStorageSpace", "FreeableMemory", "DatabaseConnections"}
        | {"ReadLatency", "WriteLatency"}
    ),
    "AWS/ElastiCache": frozenset(
        {"ThrottledCmds", "BytesUsedForCache", "Evictions", "ElastiCacheProcessingUnits"}
        | {"EngineCPUUtilization", "DatabaseMemoryUsagePercentage"}
    ),
}
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
STATISTIC = r"Average|Sum|Minimum|Maximum|SampleCount|p(100|\d{1,2}(\.\d+)?)"
