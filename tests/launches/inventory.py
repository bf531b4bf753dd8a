"""The resources in a region of the account, listed with each service's API and not with CloudFormation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jmespath  # type: ignore[import-untyped]

from pipeline.aws import Aws

Inventory = frozenset[tuple[str, str]]
Identify = Callable[[Any], Iterator[str]]


@dataclass(frozen=True)
class Listing:
    """How resources of a type are listed: a call, and the JMESPath of their identities in the response.

    ``within`` is the listing of the parent resources, which the call receives as ``key``.
    """

    service: str
    operation: str
    identities: str
    within: str = ""
    key: str = ""
    arguments: Mapping[str, Any] | None = None


_LOCAL = {"Scope": "Local"}
LISTINGS: Mapping[str, Listing] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": Listing(
        "application-autoscaling",
        "describe_scalable_targets",
        "ScalableTargets[].ResourceId",
        arguments={"ServiceNamespace": "ecs"},
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Listing(
        "application-autoscaling",
        "describe_scaling_policies",
        "ScalingPolicies[].PolicyARN",
        arguments={"ServiceNamespace": "ecs"},
    ),
    "AWS::AutoScaling::AutoScalingGroup": Listing(
        "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups[].AutoScalingGroupName"
    ),
    "AWS::CertificateManager::Certificate": Listing(
        "acm", "list_certificates", "CertificateSummaryList[].CertificateArn"
    ),
    "AWS::CloudFormation::Stack": Listing("cloudformation", "describe_stacks", "Stacks[].StackId"),
    "AWS::CloudWatch::Alarm": Listing("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    "AWS::CloudWatch::Dashboard": Listing(
        "cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"
    ),
    "AWS::DLM::LifecyclePolicy": Listing("dlm", "get_lifecycle_policies", "Policies[].PolicyId"),
    "AWS::EC2::EIP": Listing("ec2", "describe_addresses", "Addresses[].AllocationId"),
    "AWS::EC2::FlowLog": Listing("ec2", "describe_flow_logs", "FlowLogs[].FlowLogId"),
    "AWS::EC2::Instance": Listing(
        "ec2",
        "describe_instances",
        "Reservations[].Instances[?State.Name!='terminated'].InstanceId[]",
    ),
    "AWS::EC2::InternetGateway": Listing(
        "ec2", "describe_internet_gateways", "InternetGateways[].InternetGatewayId"
    ),
    "AWS::EC2::LaunchTemplate": Listing(
        "ec2", "describe_launch_templates", "LaunchTemplates[].LaunchTemplateId"
    ),
    "AWS::EC2::NatGateway": Listing(
        "ec2", "describe_nat_gateways", "NatGateways[?State!='deleted'].NatGatewayId"
    ),
    "AWS::EC2::NetworkAcl": Listing("ec2", "describe_network_acls", "NetworkAcls[].NetworkAclId"),
    "AWS::EC2::NetworkInterface": Listing(
        "ec2", "describe_network_interfaces", "NetworkInterfaces[].NetworkInterfaceId"
    ),
    "AWS::EC2::RouteTable": Listing("ec2", "describe_route_tables", "RouteTables[].RouteTableId"),
    "AWS::EC2::SecurityGroup": Listing(
        "ec2", "describe_security_groups", "SecurityGroups[].GroupId"
    ),
    "AWS::EC2::Subnet": Listing("ec2", "describe_subnets", "Subnets[].SubnetId"),
    "AWS::EC2::VPC": Listing("ec2", "describe_vpcs", "Vpcs[].VpcId"),
    "AWS::EC2::VPCEndpoint": Listing(
        "ec2", "describe_vpc_endpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId"
    ),
    "AWS::EC2::Volume": Listing("ec2", "describe_volumes", "Volumes[].VolumeId"),
    "AWS::ECR::Repository": Listing(
        "ecr", "describe_repositories", "repositories[].repositoryName"
    ),
    "AWS::ECS::Cluster": Listing("ecs", "list_clusters", "clusterArns[]"),
    "AWS::ECS::Service": Listing(
        "ecs", "list_services", "serviceArns[]", within="AWS::ECS::Cluster", key="cluster"
    ),
    "AWS::ECS::TaskDefinition": Listing("ecs", "list_task_definitions", "taskDefinitionArns[]"),
    "AWS::ElastiCache::ParameterGroup": Listing(
        "elasticache",
        "describe_cache_parameter_groups",
        "CacheParameterGroups[].CacheParameterGroupName",
    ),
    "AWS::ElastiCache::ReplicationGroup": Listing(
        "elasticache", "describe_replication_groups", "ReplicationGroups[].ReplicationGroupId"
    ),
    "AWS::ElastiCache::ServerlessCache": Listing(
        "elasticache", "describe_serverless_caches", "ServerlessCaches[].ServerlessCacheName"
    ),
    "AWS::ElastiCache::Snapshot": Listing(
        "elasticache", "describe_snapshots", "Snapshots[].SnapshotName"
    ),
    "AWS::ElastiCache::SubnetGroup": Listing(
        "elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups[].CacheSubnetGroupName"
    ),
    "AWS::ElastiCache::User": Listing("elasticache", "describe_users", "Users[].UserId"),
    "AWS::ElastiCache::UserGroup": Listing(
        "elasticache", "describe_user_groups", "UserGroups[].UserGroupId"
    ),
    "AWS::ElasticLoadBalancingV2::Listener": Listing(
        "elbv2",
        "describe_listeners",
        "Listeners[].ListenerArn",
        within="AWS::ElasticLoadBalancingV2::LoadBalancer",
        key="LoadBalancerArn",
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Listing(
        "elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerArn"
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": Listing(
        "elbv2", "describe_target_groups", "TargetGroups[].TargetGroupArn"
    ),
    "AWS::Events::Rule": Listing("events", "list_rules", "Rules[].Name"),
    "AWS::IAM::InstanceProfile": Listing(
        "iam", "list_instance_profiles", "InstanceProfiles[].InstanceProfileName"
    ),
    "AWS::IAM::ManagedPolicy": Listing("iam", "list_policies", "Policies[].Arn", arguments=_LOCAL),
    "AWS::IAM::OIDCProvider": Listing(
        "iam", "list_open_id_connect_providers", "OpenIDConnectProviderList[].Arn"
    ),
    # A service-linked role belongs to the account, and every environment uses it.
    "AWS::IAM::Role": Listing(
        "iam", "list_roles", "Roles[?!starts_with(Path, '/aws-service-role/')].RoleName"
    ),
    "AWS::KMS::Alias": Listing("kms", "list_aliases", "Aliases[].AliasName"),
    # A deleted key is listed for a week at least.
    "AWS::KMS::Key": Listing(
        "kms",
        "describe_key",
        "[KeyMetadata][?KeyState!='PendingDeletion'].KeyId",
        within="keys",
        key="KeyId",
    ),
    "AWS::Lambda::Function": Listing("lambda", "list_functions", "Functions[].FunctionName"),
    "AWS::Logs::LogGroup": Listing("logs", "describe_log_groups", "logGroups[].logGroupName"),
    "AWS::RDS::DBInstance": Listing(
        "rds", "describe_db_instances", "DBInstances[].DBInstanceIdentifier"
    ),
    "AWS::RDS::DBParameterGroup": Listing(
        "rds", "describe_db_parameter_groups", "DBParameterGroups[].DBParameterGroupName"
    ),
    "AWS::RDS::DBSnapshot": Listing(
        "rds", "describe_db_snapshots", "DBSnapshots[].DBSnapshotIdentifier"
    ),
    "AWS::RDS::DBSubnetGroup": Listing(
        "rds", "describe_db_subnet_groups", "DBSubnetGroups[].DBSubnetGroupName"
    ),
    "AWS::Route53::HostedZone": Listing("route53", "list_hosted_zones", "HostedZones[].Id"),
    "AWS::Route53::RecordSet": Listing(
        "route53",
        "list_resource_record_sets",
        "ResourceRecordSets[].join(' ', [Name, Type])",
        within="AWS::Route53::HostedZone",
        key="HostedZoneId",
    ),
    "AWS::S3::Bucket": Listing("s3", "list_buckets", "Buckets[].Name"),
    "AWS::SNS::Subscription": Listing(
        "sns", "list_subscriptions", "Subscriptions[].SubscriptionArn"
    ),
    "AWS::SNS::Topic": Listing("sns", "list_topics", "Topics[].TopicArn"),
    "AWS::SecretsManager::Secret": Listing(
        "secretsmanager",
        "list_secrets",
        "SecretList[].ARN",
        arguments={"IncludePlannedDeletion": True},
    ),
    "AWS::ServiceDiscovery::PrivateDnsNamespace": Listing(
        "servicediscovery", "list_namespaces", "Namespaces[].Id"
    ),
    "AWS::SSM::Parameter": Listing("ssm", "describe_parameters", "Parameters[].Name"),
    "AWS::WAFv2::LoggingConfiguration": Listing(
        "wafv2",
        "list_logging_configurations",
        "LoggingConfigurations[].ResourceArn",
        arguments={"Scope": "REGIONAL"},
    ),
    "AWS::WAFv2::WebACL": Listing(
        "wafv2", "list_web_acls", "WebACLs[].ARN", arguments={"Scope": "REGIONAL"}
    ),
}
# Parent resources of other listings.
SUBJECTS: Mapping[str, Listing] = {"keys": Listing("kms", "list_keys", "Keys[].KeyId")}
# Types that are parts of other resources and are deleted with them.
PARTS: Mapping[str, str] = {
    "AWS::EC2::NetworkAclEntry": "AWS::EC2::NetworkAcl",
    "AWS::EC2::Route": "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroupEgress": "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupIngress": "AWS::EC2::SecurityGroup",
    "AWS::EC2::SubnetNetworkAclAssociation": "AWS::EC2::NetworkAcl",
    "AWS::EC2::SubnetRouteTableAssociation": "AWS::EC2::RouteTable",
    "AWS::EC2::VPCGatewayAttachment": "AWS::EC2::InternetGateway",
    "AWS::ECS::ClusterCapacityProviderAssociations": "AWS::ECS::Cluster",
    "AWS::IAM::Policy": "AWS::IAM::Role",
    "AWS::IAM::RolePolicy": "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig": "AWS::Lambda::Function",
    "AWS::Lambda::Permission": "AWS::Lambda::Function",
    "AWS::S3::BucketPolicy": "AWS::S3::Bucket",
    "AWS::SNS::TopicPolicy": "AWS::SNS::Topic",
    "AWS::SecretsManager::SecretTargetAttachment": "AWS::SecretsManager::Secret",
    "AWS::WAFv2::WebACLAssociation": "AWS::WAFv2::WebACL",
    "Custom::ApplicationSettings": "AWS::Lambda::Function",
    "Custom::BucketCleanup": "AWS::S3::Bucket",
    "Custom::DatabaseExtensions": "AWS::RDS::DBInstance",
    "Custom::DeletionProtection": "AWS::RDS::DBInstance",
    "Custom::LaunchCheck": "AWS::Lambda::Function",
    "Custom::Migration": "AWS::Lambda::Function",
    "Custom::ZoneCleanup": "AWS::Route53::HostedZone",
}
# The resources that functions of custom resources create.
CUSTOM: Mapping[str, str] = {
    "Custom::DevelopmentCertificate": "AWS::CertificateManager::Certificate",
}
# Resources that a service creates together with another one, and lists too.
WITH: Mapping[str, Mapping[str, int]] = {
    # The instance of the group, and the root volume of the instance.
    "AWS::AutoScaling::AutoScalingGroup": {"AWS::EC2::Instance": 1, "AWS::EC2::Volume": 1},
    "AWS::EC2::VPC": {
        "AWS::EC2::NetworkAcl": 1,
        "AWS::EC2::RouteTable": 1,
        "AWS::EC2::SecurityGroup": 1,
    },
    # Its NS and SOA records.
    "AWS::Route53::HostedZone": {"AWS::Route53::RecordSet": 2},
}
# Resources that exist in every account and region.
_GLOBAL = {"iam", "route53", "s3"}


def inventory(aws: Aws) -> Inventory:
    """Type and identity of all resources that can be listed in the region."""
    found: dict[str, list[str]] = {}

    def find(kind: str) -> list[str]:
        if kind not in found:
            listing = LISTINGS.get(kind) or SUBJECTS[kind]
            subjects = find(listing.within) if listing.within else [""]
            found[kind] = [name for of in subjects for name in _identities(aws, listing, of)]
        return found[kind]

    return frozenset((kind, name) for kind in LISTINGS for name in find(kind))


def existing(aws: Aws, kind: str) -> frozenset[str]:
    """The identities of the resources of one type."""
    return frozenset(_identities(aws, LISTINGS[kind], ""))


def _identities(aws: Aws, listing: Listing, subject: str) -> list[str]:
    client = aws.client(listing.service)
    arguments = {**(listing.arguments or {}), **({listing.key: subject} if subject else {})}
    if client.can_paginate(listing.operation):
        answers = client.get_paginator(listing.operation).paginate(**arguments)
    else:
        answers = [getattr(client, listing.operation)(**arguments)]
    search = jmespath.compile(listing.identities)
    return [name for answer in answers for name in search.search(answer) or []]


def counted(found: Inventory) -> Counter[str]:
    """The number of resources of each type."""
    return Counter(kind for kind, _ in found)


def expected(types: Counter[str]) -> Counter[str]:
    """The counts of an inventory with resources of these types."""
    counts: Counter[str] = Counter()
    for kind, count in types.items():
        if kind not in PARTS:
            counts[CUSTOM.get(kind, kind)] += count
        for other, each in WITH.get(kind, {}).items():
            counts[other] += each * count
    return counts


def is_regional(kind: str) -> bool:
    """Whether the resources of this type are regional."""
    return kind in LISTINGS and LISTINGS[kind].service not in _GLOBAL
