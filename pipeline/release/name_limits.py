"""Limits of names: longest value and allowed characters per property, with their source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ACCOUNT = "111122223333"
# The longest region name in the partitions aws, aws-cn and aws-us-gov.
LONGEST_REGION = "ap-southeast-1"

_AWS = "https://docs.aws.amazon.com"
_S3 = f"{_AWS}/AmazonS3/latest/userguide/bucketnamingrules.html"
_ELASTICACHE = f"{_AWS}/AmazonElastiCache/latest/APIReference"
_LOAD_BALANCING = f"{_AWS}/elasticloadbalancing/latest/APIReference"
_IAM = f"{_AWS}/IAM/latest/UserGuide/reference_iam-quotas.html"
_RDS = f"{_AWS}/AmazonRDS/latest/APIReference"
_ECS = f"{_AWS}/AmazonECS/latest/APIReference"
_WAF = f"{_AWS}/waf/latest/APIReference"
_ROUTE53 = f"{_AWS}/Route53/latest/DeveloperGuide/DomainNameFormat.html"
_CLOUDWATCH = f"{_AWS}/AmazonCloudWatch/latest/APIReference"

_BUCKET = r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9](?!.*\.\.)[a-z0-9.-]*[a-z0-9](?<!-s3alias)"
_HYPHENATED = r"[A-Za-z](-?[A-Za-z0-9])*"
_BALANCED = r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_WORDS = r"[A-Za-z0-9_-]+"
_DOTTED = r"[A-Za-z0-9_.-]+"
_IAM_NAME = r"[\w+=,.@-]+"
_DNS = r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?"
_PATH = r"/([!-~]+/)*"


@dataclass(frozen=True)
class Limit:
    """The limit of one property, with its source.

    ``longest`` counts characters; ``path`` leads to the property through nested properties. ``suffix`` is what the
    service appends before it counts.
    """

    kind: str
    path: tuple[str, ...]
    longest: int
    pattern: str
    source: str
    suffix: str = ""


LIMITS = (
    Limit("AWS::S3::Bucket", ("BucketName",), 63, _BUCKET, _S3),
    Limit(
        "AWS::S3::Bucket",
        ("BucketNamePrefix",),
        63,
        _BUCKET,
        _S3,
        f"-{ACCOUNT}-{LONGEST_REGION}-an",
    ),
    Limit(
        "AWS::ElastiCache::ServerlessCache",
        ("ServerlessCacheName",),
        40,
        _HYPHENATED,
        f"{_ELASTICACHE}/API_CreateServerlessCache.html",
    ),
    Limit(
        "AWS::ElastiCache::ReplicationGroup",
        ("ReplicationGroupId",),
        40,
        _HYPHENATED,
        f"{_ELASTICACHE}/API_CreateReplicationGroup.html",
    ),
    # ElastiCache stores it in lower case: CloudFormation would see a name with a capital letter as changed in every update.
    Limit(
        "AWS::ElastiCache::User",
        ("UserId",),
        40,
        r"[a-z](-?[a-z0-9])*",
        f"{_ELASTICACHE}/API_CreateUser.html",
    ),
    Limit(
        "AWS::ElastiCache::UserGroup",
        ("UserGroupId",),
        40,
        r"[a-z](-?[a-z0-9])*",
        f"{_ELASTICACHE}/API_CreateUserGroup.html",
    ),
    Limit(
        "AWS::ElastiCache::SubnetGroup",
        ("CacheSubnetGroupName",),
        255,
        r"[A-Za-z0-9-]+",
        f"{_ELASTICACHE}/API_CreateCacheSubnetGroup.html",
    ),
    Limit(
        "AWS::ElastiCache::ParameterGroup",
        ("CacheParameterGroupName",),
        255,
        _HYPHENATED,
        f"{_ELASTICACHE}/API_CreateCacheParameterGroup.html",
    ),
    Limit(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        ("Name",),
        32,
        _BALANCED,
        f"{_LOAD_BALANCING}/API_CreateLoadBalancer.html",
    ),
    Limit(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        ("Name",),
        32,
        _BALANCED,
        f"{_LOAD_BALANCING}/API_CreateTargetGroup.html",
    ),
    Limit("AWS::IAM::Role", ("RoleName",), 64, _IAM_NAME, _IAM),
    Limit("AWS::IAM::Role", ("Path",), 512, _PATH, _IAM),
    Limit("AWS::IAM::Role", ("Policies", "PolicyName"), 128, _IAM_NAME, _IAM),
    Limit("AWS::IAM::Policy", ("PolicyName",), 128, _IAM_NAME, _IAM),
    Limit("AWS::IAM::ManagedPolicy", ("ManagedPolicyName",), 128, _IAM_NAME, _IAM),
    Limit("AWS::IAM::ManagedPolicy", ("Path",), 512, _PATH, _IAM),
    Limit("AWS::IAM::InstanceProfile", ("InstanceProfileName",), 128, _IAM_NAME, _IAM),
    Limit("AWS::IAM::InstanceProfile", ("Path",), 512, _PATH, _IAM),
    Limit(
        "AWS::Logs::LogGroup",
        ("LogGroupName",),
        512,
        r"[A-Za-z0-9._/#-]+",
        f"{_AWS}/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
    ),
    # Secrets Manager appends a hyphen and six characters, and interprets such an ending of a partial ARN.
    Limit(
        "AWS::SecretsManager::Secret",
        ("Name",),
        512,
        r"(?!.*-[A-Za-z0-9]{6}\Z)[A-Za-z0-9/_+=.@-]+",
        f"{_AWS}/secretsmanager/latest/apireference/API_CreateSecret.html",
    ),
    Limit(
        "AWS::ECR::Repository",
        ("RepositoryName",),
        256,
        r"(?=..)[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*",
        f"{_AWS}/AmazonECR/latest/APIReference/API_CreateRepository.html",
    ),
    Limit("AWS::WAFv2::WebACL", ("Name",), 128, _WORDS, f"{_WAF}/API_CreateWebACL.html"),
    Limit(
        "AWS::WAFv2::WebACL",
        ("VisibilityConfig", "MetricName"),
        128,
        r"(?!(All|Default_Action)\Z)[A-Za-z0-9_-]+",
        f"{_WAF}/API_VisibilityConfig.html",
    ),
    Limit(
        "AWS::WAFv2::LoggingConfiguration",
        ("LogDestinationConfigs",),
        2048,
        r"arn:[a-z-]+:(logs:[^:]+:\d+:log-group:|firehose:[^:]+:\d+:deliverystream/|s3:::)aws-waf-logs-.+",
        f"{_AWS}/waf/latest/developerguide/logging-cw-logs.html",
    ),
    Limit(
        "AWS::KMS::Alias",
        ("AliasName",),
        256,
        r"alias/(?!aws/)[A-Za-z0-9/_-]+",
        f"{_AWS}/kms/latest/APIReference/API_CreateAlias.html",
    ),
    Limit(
        "AWS::CloudWatch::Alarm",
        ("AlarmName",),
        255,
        r"[ -~]+",
        f"{_CLOUDWATCH}/API_PutMetricAlarm.html",
    ),
    Limit(
        "AWS::CloudWatch::Alarm",
        ("Namespace",),
        255,
        r"[A-Za-z0-9._/#-][A-Za-z0-9._/#: -]*",
        f"{_CLOUDWATCH}/API_PutMetricAlarm.html",
    ),
    Limit(
        "AWS::CloudWatch::Dashboard",
        ("DashboardName",),
        255,
        _WORDS,
        f"{_CLOUDWATCH}/API_PutDashboard.html",
    ),
    Limit(
        "AWS::SNS::Topic",
        ("TopicName",),
        256,
        _WORDS,
        f"{_AWS}/sns/latest/api/API_CreateTopic.html",
    ),
    Limit(
        "AWS::SNS::Topic",
        ("DisplayName",),
        100,
        r"[ -~]+",
        f"{_AWS}/sns/latest/api/API_SetTopicAttributes.html",
    ),
    Limit("AWS::ECS::Cluster", ("ClusterName",), 255, _WORDS, f"{_ECS}/API_CreateCluster.html"),
    Limit("AWS::ECS::Service", ("ServiceName",), 255, _WORDS, f"{_ECS}/API_CreateService.html"),
    Limit(
        "AWS::ECS::TaskDefinition",
        ("Family",),
        255,
        _WORDS,
        f"{_ECS}/API_RegisterTaskDefinition.html",
    ),
    Limit(
        "AWS::RDS::DBInstance",
        ("DBInstanceIdentifier",),
        63,
        _HYPHENATED,
        f"{_RDS}/API_CreateDBInstance.html",
    ),
    Limit(
        "AWS::RDS::DBSubnetGroup",
        ("DBSubnetGroupName",),
        255,
        r"(?!default\Z)[A-Za-z][A-Za-z0-9 ._-]*",
        f"{_RDS}/API_CreateDBSubnetGroup.html",
    ),
    Limit(
        "AWS::RDS::DBParameterGroup",
        ("DBParameterGroupName",),
        255,
        _HYPHENATED,
        f"{_RDS}/API_CreateDBParameterGroup.html",
    ),
    Limit(
        "AWS::Lambda::Function",
        ("FunctionName",),
        64,
        _WORDS,
        f"{_AWS}/lambda/latest/api/API_CreateFunction.html",
    ),
    Limit(
        "AWS::Events::Rule",
        ("Name",),
        64,
        _DOTTED,
        f"{_AWS}/eventbridge/latest/APIReference/API_PutRule.html",
    ),
    Limit(
        "AWS::EC2::LaunchTemplate",
        ("LaunchTemplateName",),
        128,
        r"[A-Za-z0-9()./_-]{3,}",
        f"{_AWS}/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html",
    ),
    Limit(
        "AWS::EC2::SecurityGroup",
        ("GroupName",),
        255,
        r"(?!sg-)[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]+",
        f"{_AWS}/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
    ),
    Limit(
        "AWS::AutoScaling::AutoScalingGroup",
        ("AutoScalingGroupName",),
        255,
        r"[ -9;-~]+",
        f"{_AWS}/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html",
    ),
    # A DNS name is at most 253 characters, each of its labels at most 63.
    Limit("AWS::Route53::HostedZone", ("Name",), 253, _DNS, _ROUTE53),
    Limit("AWS::Route53::RecordSet", ("Name",), 253, _DNS, _ROUTE53),
)


LIMITS_OF: Mapping[str, tuple[Limit, ...]] = {
    limit.kind: tuple(each for each in LIMITS if each.kind == limit.kind) for limit in LIMITS
}
