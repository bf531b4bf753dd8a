"""What AWS charges for each resource type: the function for its charges, or the reason why it is free."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pipeline.cost import compute, data, network, watching
from pipeline.cost.charge import Charge, Resource, Resources

Charges = Callable[[Resource, Resources], Iterator[Charge]]

CHARGED: Mapping[str, Charges] = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": watching.scaling_policy,
    "AWS::AutoScaling::AutoScalingGroup": compute.scaling_group,
    "AWS::CloudWatch::Alarm": watching.alarm,
    "AWS::CloudWatch::Dashboard": watching.dashboard,
    "AWS::DLM::LifecyclePolicy": data.snapshots,
    "AWS::EC2::EIP": network.address,
    "AWS::EC2::NatGateway": network.nat_gateway,
    "AWS::EC2::VPC": network.vpc,
    "AWS::EC2::VPCEndpoint": network.endpoint,
    "AWS::EC2::Volume": data.volume,
    "AWS::ECR::Repository": data.repository,
    "AWS::ECS::Cluster": compute.cluster,
    "AWS::ECS::Service": compute.service,
    "AWS::ECS::TaskDefinition": compute.task_definition,
    "AWS::ElastiCache::ReplicationGroup": data.cache_nodes,
    "AWS::ElastiCache::ServerlessCache": data.serverless_cache,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": network.load_balancer,
    "AWS::KMS::Key": data.key,
    "AWS::Lambda::Function": compute.function,
    "AWS::Logs::LogGroup": watching.log_group,
    "AWS::RDS::DBInstance": data.database,
    "AWS::Route53::HostedZone": network.hosted_zone,
    "AWS::S3::Bucket": data.bucket,
    "AWS::SecretsManager::Secret": data.secret,
    "AWS::WAFv2::WebACL": network.web_acl,
}

_IAM = "AWS charges nothing for IAM"
_VPC = "AWS charges nothing for this part of a VPC"
_OWNER = "the charge is that of {}"
_STACK_ONLY = "its function runs only when the stack changes, which costs less than a cent"
# The reason for a type in CHARGED whose resource has no charge.
WITHOUT_CHARGE: Mapping[str, str] = {
    "AWS::EC2::VPCEndpoint": "a gateway endpoint is free",
    "AWS::ECS::Cluster": "a cluster is free without Container Insights",
    "AWS::ECS::TaskDefinition": _OWNER.format("its service"),
    "AWS::Lambda::Function": "it runs only when the stack changes, which costs less than a cent",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "it creates no alarm",
}
FREE: Mapping[str, str] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": "Application Auto Scaling is free; its alarms are not",
    "AWS::CertificateManager::Certificate": "a public certificate for a load balancer is free",
    "AWS::CloudFormation::Stack": "CloudFormation is free for AWS's resource types",
    "AWS::EC2::FlowLog": _OWNER.format("its log group"),
    "AWS::EC2::InternetGateway": "the gateway is free; responses are charged at the load balancer",
    "AWS::EC2::LaunchTemplate": _OWNER.format("its Auto Scaling group"),
    "AWS::EC2::NetworkAcl": _VPC,
    "AWS::EC2::NetworkAclEntry": _VPC,
    "AWS::EC2::NetworkInterface": _VPC,
    "AWS::EC2::Route": _VPC,
    "AWS::EC2::RouteTable": _VPC,
    "AWS::EC2::SecurityGroup": _VPC,
    "AWS::EC2::SecurityGroupEgress": _VPC,
    "AWS::EC2::SecurityGroupIngress": _VPC,
    "AWS::EC2::Subnet": _VPC,
    "AWS::EC2::SubnetNetworkAclAssociation": _VPC,
    "AWS::EC2::SubnetRouteTableAssociation": _VPC,
    "AWS::EC2::VPCGatewayAttachment": _VPC,
    "AWS::ECS::ClusterCapacityProviderAssociations": "the charge is that of the tasks",
    "AWS::ElastiCache::ParameterGroup": _OWNER.format("the cache"),
    "AWS::ElastiCache::SubnetGroup": _OWNER.format("the cache"),
    "AWS::ElastiCache::User": _OWNER.format("the cache"),
    "AWS::ElastiCache::UserGroup": _OWNER.format("the cache"),
    "AWS::ElasticLoadBalancingV2::Listener": _OWNER.format("the load balancer"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": _OWNER.format("the load balancer"),
    "AWS::Events::Rule": "schedules and events of AWS services are free on the default bus",
    "AWS::IAM::InstanceProfile": _IAM,
    "AWS::IAM::ManagedPolicy": _IAM,
    "AWS::IAM::OIDCProvider": _IAM,
    "AWS::IAM::Policy": _IAM,
    "AWS::IAM::Role": _IAM,
    "AWS::KMS::Alias": _OWNER.format("the key"),
    "AWS::Lambda::EventInvokeConfig": _OWNER.format("the function"),
    "AWS::Lambda::Permission": _OWNER.format("the function"),
    "AWS::RDS::DBParameterGroup": _OWNER.format("the database"),
    "AWS::RDS::DBSubnetGroup": _OWNER.format("the database"),
    "AWS::Route53::RecordSet": _OWNER.format("the hosted zone"),
    "AWS::S3::BucketPolicy": _OWNER.format("the bucket"),
    "AWS::SNS::Subscription": _OWNER.format("the topic"),
    "AWS::SNS::Topic": "the first million publications and 1,000 e-mails of a month are free",
    "AWS::SNS::TopicPolicy": _OWNER.format("the topic"),
    "AWS::SecretsManager::SecretTargetAttachment": _OWNER.format("the secret"),
    "AWS::WAFv2::LoggingConfiguration": _OWNER.format("its log group"),
    "AWS::WAFv2::WebACLAssociation": _OWNER.format("the web ACL"),
}


def charges(resource: Resource, every: Resources) -> tuple[tuple[Charge, ...], str]:
    """The charges of a resource; without a charge, the reason. Both are empty for a type that is not known here."""
    if resource.kind in CHARGED:
        found = tuple(CHARGED[resource.kind](resource, every))
        return found, "" if found else WITHOUT_CHARGE.get(resource.kind, "")
    if (
        resource.kind.startswith("Custom::")
        or resource.kind == "AWS::CloudFormation::CustomResource"
    ):
        return (), _STACK_ONLY
    return (), FREE.get(resource.kind, "")
