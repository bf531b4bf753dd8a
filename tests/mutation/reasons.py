"""Why no check finds a mutant, by patterns of its key: type, place and operator."""

from __future__ import annotations

import re

EQUIVALENT: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), reason)
    for pattern, reason in (
        (
            r"AWS::ECS::Service DeploymentConfiguration/(MinimumHealthy|Maximum)Percent: drop"
            r"|AWS::ECS::Service AvailabilityZoneRebalancing: drop"
            r"|AWS::EC2::(EIP Domain|VPCEndpoint VpcEndpointType|LaunchTemplate LaunchTemplateData/MetadataOptions/HttpEndpoint): drop"
            r"|AWS::ElasticLoadBalancingV2::LoadBalancer IpAddressType: drop"
            r"|AWS::ECS::TaskDefinition ContainerDefinitions/\*/(ReadonlyRootFilesystem|PortMappings/\*/Protocol): drop"
            r"|AWS::ElastiCache::ReplicationGroup (ClusterMode|Port): drop"
            r"|AWS::Route53::RecordSet AliasTarget/EvaluateTargetHealth: drop"
            r"|AWS::CloudWatch::Alarm DatapointsToAlarm: drop"
            r"|AWS::EC2::Subnet MapPublicIpOnLaunch: drop"
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
            r"AWS::KMS::Key KeyPolicy/Statement/\*/Action: widen",
            "The statement of the account allows every action already; resource_policies/ and identity/ hold the other statements.",
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
REASONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), reason)
    for pattern, reason in (
        (
            r"AWS::(CloudWatch::Alarm|ApplicationAutoScaling::\w+|ElasticLoadBalancingV2::TargetGroup) .*"
            r"|AWS::EC2::Volume (Size|VolumeType): .*|AWS::EC2::LaunchTemplate .*/Ebs/Volume\w+: .*"
            r"|AWS::S3::Bucket (CorsConfiguration|LifecycleConfiguration)/.*: (times|divide).*|AWS::S3::Bucket AbacStatus: .*",
            "A choice of size or pace within what works; users choose most of them by parameters.",
        ),
        (
            r"(Layer|Root) template Conditions/\*: .*|Layer template Resources/\*/Condition: drop",
            "No environment of the run has the option that the condition is about, or only a text or a tag differs; the launches of the option do.",
        ),
        (
            r"Layer template Parameters/\*/(AllowedPattern|Default): .*",
            "An earlier layer passes the value: its output has this form, and in an environment the default is not used.",
        ),
        (
            r"Root template (Outputs/\*|Parameters/\*/.*): .*",
            "tests/taskcat and tests/launches read the output, or set the parameter, by its name and value.",
        ),
        (
            r"taskcat\.yml .*|catalog\.yaml .*",
            "tests/taskcat and tests/publishing launch and publish from the file, and fail.",
        ),
        (
            r"AWS::ElastiCache::ServerlessCache .*|AWS::EC2::Volume SnapshotId: drop"
            r"|AWS::Logs::LogGroup DependsOn.*|AWS::CloudWatch::Dashboard .*",
            "A choice within what works: a limit, a version or a copy that another check of the whole environment holds.",
        ),
        (
            r"AWS::(Events::Rule|Lambda::EventInvokeConfig) .*",
            "A missed measurement is made up by the next one a minute later; an alarm tells of missing data.",
        ),
        (
            r"Custom::.*|AWS::Lambda::Function .*",
            "The function refuses a request without the value, so that the launch fails with its sentence: tests/functions.",
        ),
        (
            r"AWS::IAM::(Role|Policy) .*|AWS::SNS::TopicPolicy .*|AWS::KMS::Key .*|AWS::S3::BucketPolicy .*",
            "The use of a permission is in launches, updates and attacks on the embedded AWS, which evaluates policies, not in a template.",
        ),
        (
            r"AWS::EC2::LaunchTemplate .*|AWS::AutoScaling::AutoScalingGroup .*|AWS::Route53::HostedZone .*",
            "tests/search and the launches boot the server and resolve its name with these values.",
        ),
        (
            r".* \(resource\): remove the resource|.* Metadata: drop|.*: refer to another",
            "The release gate and the tests of updates from kept releases find it.",
        ),
        (
            r"AWS::(ECS::TaskDefinition|ECS::Service|ECR::Repository|CertificateManager::Certificate|ElasticLoadBalancingV2::Listener|SNS::Subscription) .*",
            "The launches on the embedded AWS fail without the value, or the tests of the container contract do.",
        ),
    )
)
