"""Why a mutant changes nothing for a user, so that no check can find it, by patterns of its key: type, place and operator."""

from __future__ import annotations

import re

EQUIVALENT: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), reason)
    for pattern, reason in (
        (
            r"AWS::ECS::Service DeploymentConfiguration/(MinimumHealthy|Maximum)Percent: drop"
            r"|AWS::ECS::Service AvailabilityZoneRebalancing: drop"
            r"|AWS::EC2::(EIP Domain|VPCEndpoint VpcEndpointType|LaunchTemplate LaunchTemplateData/MetadataOptions/HttpEndpoint): drop"
            r"|AWS::ElasticLoadBalancingV2::(LoadBalancer IpAddressType|TargetGroup HealthCheckTimeoutSeconds): drop"
            r"|AWS::ECS::TaskDefinition ContainerDefinitions/\*/(ReadonlyRootFilesystem|PortMappings/\*/Protocol): drop"
            r"|AWS::ElastiCache::ReplicationGroup (ClusterMode|Port): drop"
            r"|AWS::Route53::RecordSet AliasTarget/EvaluateTargetHealth: drop"
            r"|AWS::CloudWatch::Alarm DatapointsToAlarm: drop"
            r"|AWS::ECS::Service DeploymentConfiguration/DeploymentCircuitBreaker/ResetOnHealthyTask: drop",
            "The value is the default of the service; it is written down for readers.",
        ),
        (
            r"AWS::EC2::NetworkAclEntry RuleNumber: (times ten|divide by ten)"
            r"|AWS::WAFv2::WebACL Rules/\*/Priority: times ten"
            r"|AWS::ECS::\w+ (Default)?CapacityProviderStrategy/\*/Weight: times ten"
            r"|AWS::EC2::NatGateway DependsOn/\*: drop element",
            "The order, the share or the wait is the same: only the relation between several values counts.",
        ),
        (
            r"AWS::ECS::Service DependsOn/\*: drop element",
            "The service waits for the migration, which waits for the same resources; without a migration, order/ finds it.",
        ),
        (
            r"AWS::ApplicationAutoScaling::ScalingPolicy .*/CustomizedMetricSpecification/Statistic: next value",
            "The metric has one value a minute, of which average and maximum are the same.",
        ),
        (
            r"AWS::(EC2::Volume|RDS::DBInstance) Metadata: drop|AWS::Route53::HostedZone HostedZoneConfig: drop"
            r"|AWS::SNS::Topic DisplayName: drop|(Custom::DeletionProtection|AWS::IAM::ManagedPolicy) Metadata: drop",
            "A text for people, or for the linter; the service does not act on it.",
        ),
        (
            r"Launch role template Parameters/\*/(MinLength: (drop|divide by ten)|MaxLength: (drop|times ten))",
            "The pattern of the parameter has the same bound. tests/launch_role tries a value beyond each bound.",
        ),
        (
            r"AWS::S3::Bucket LifecycleConfiguration/TransitionDefaultMinimumObjectSize: .*",
            "The rules of this bucket move nothing to another storage class.",
        ),
    )
)
