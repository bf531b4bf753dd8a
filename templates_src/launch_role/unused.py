"""Actions that handlers declare and do not call for these templates, each with the property that would cause the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Unused:
    """Actions that the handlers of a resource type call only for properties that no template sets.

    If no property of the type decides, ``reason`` says why they are not called.
    """

    kind: str
    properties: tuple[str, ...]
    actions: tuple[str, ...]
    reason: str = ""


def _of(service: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{service}:{name}" for name in names)


IDENTITY = (
    Unused(
        "AWS::IAM::Policy",
        ("Groups", "Users"),
        _of(
            "iam",
            *(f"{verb}{of}Policy" for verb in ("Delete", "Get", "Put") for of in ("Group", "User")),
        ),
    ),
    # Detaching stays: IAM deletes a role only without policies that a user attached to it.
    Unused("AWS::IAM::Role", ("ManagedPolicyArns",), ("iam:AttachRolePolicy",)),
    Unused(
        "AWS::ElastiCache::ParameterGroup",
        (),
        ("iam:PutRolePolicy",),
        "ElastiCache has one service-linked role, and IAM takes no inline policy for such a role.",
    ),
    Unused("AWS::RDS::DBInstance", ("AssociatedRoles",), _of("rds", "AddRoleToDBInstance", "RemoveRoleFromDBInstance")),
    Unused("AWS::RDS::DBInstance", ("ManageMasterUserPassword",), _of("secretsmanager", "CreateSecret", "TagResource")),
    Unused("AWS::SecretsManager::Secret", ("ReplicaRegions",), _of("secretsmanager", "RemoveRegionsFromReplication", "ReplicateSecretToRegions")),
)  # fmt: skip
NETWORK = (
    Unused("AWS::EC2::EIP", ("TransferAddress",), ("ec2:AcceptAddressTransfer",)),
    Unused("AWS::EC2::EIP", ("InstanceId",), _of("ec2", "AssociateAddress", "DisassociateAddress")),
    Unused("AWS::EC2::FlowLog", ("LogDestination",), _of("s3", "GetBucketPolicy", "PutBucketPolicy")),
    Unused(
        "AWS::EC2::NatGateway",
        ("SecondaryAllocationIds", "SecondaryPrivateIpAddresses", "SecondaryPrivateIpAddressCount", "AvailabilityZoneAddresses"),
        _of(
            "ec2",
            "AssignPrivateNatGatewayAddress",
            "AssociateNatGatewayAddress",
            "DisassociateNatGatewayAddress",
            "UnassignPrivateNatGatewayAddress",
        ),
    ),
    Unused("AWS::EC2::NetworkInterface", ("Ipv6AddressCount", "Ipv6Addresses"), _of("ec2", "AssignIpv6Addresses", "UnassignIpv6Addresses")),
    Unused("AWS::EC2::NetworkInterface", ("PrivateIpAddresses", "SecondaryPrivateIpAddressCount"), _of("ec2", "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses")),
    Unused("AWS::EC2::NetworkInterface", ("PublicIpDnsHostnameTypeSpecification",), ("ec2:ModifyPublicIpDnsNameOptions",)),
    Unused("AWS::EC2::Subnet", ("Ipv6CidrBlock", "Ipv6IpamPoolId", "Ipv6Native"), _of("ec2", "AssociateSubnetCidrBlock", "DisassociateSubnetCidrBlock")),
    Unused("AWS::EC2::VPC", ("InstanceTenancy",), ("ec2:ModifyVpcTenancy",)),
    Unused("AWS::EC2::VPC", ("VpcEncryptionControl",), _of("ec2", "CreateVpcEncryptionControl", "DescribeVpcEncryptionControls")),
    Unused("AWS::EC2::VPCEndpoint", ("ServiceNetworkArn",), _of("vpc-lattice", "CreateServiceNetworkVpcEndpointAssociation", "DescribeServiceNetworkVpcEndpointAssociation")),
    Unused("AWS::EC2::VPCEndpoint", ("ServiceRegion",), ("vpce:AllowMultiRegion",)),
    Unused("AWS::EC2::VPCGatewayAttachment", ("VpnGatewayId",), _of("ec2", "AttachVpnGateway", "DescribeVpnGateways", "DetachVpnGateway")),
    Unused("AWS::CertificateManager::Certificate", ("CertificateAuthorityArn",), _of("acm-pca", "GetCertificate", "IssueCertificate")),
    Unused(
        "AWS::ElasticLoadBalancingV2::Listener",
        (),
        ("cognito-idp:DescribeUserPoolClient",),
        "The listeners redirect and forward; none signs users in with Cognito.",
    ),
    Unused("AWS::ElasticLoadBalancingV2::LoadBalancer", ("Ipv4IpamPoolId",), ("ec2:DescribeIpamPools", "elasticloadbalancing:ModifyIpPools")),
    Unused("AWS::ElasticLoadBalancingV2::LoadBalancer", ("MinimumLoadBalancerCapacity",), ("elasticloadbalancing:ModifyCapacityReservation",)),
    Unused("AWS::Route53::HostedZone", ("QueryLoggingConfig",), _of("route53", "CreateQueryLoggingConfig", "DeleteQueryLoggingConfig")),
    Unused("AWS::Route53::HostedZone", ("HostedZoneFeatures",), ("route53:UpdateHostedZoneFeatures",)),
    Unused(
        "AWS::WAFv2::WebACLAssociation",
        (),
        (
            *_of("amplify", "AssociateWebACL", "DisassociateWebACL", "GetWebACLForResource"),
            "apigateway:SetWebACL",
            *_of("apprunner", "AssociateWebAcl", "DescribeWebAclForService", "DisassociateWebAcl"),
            *_of("appsync", "AssociateWebACL", "DisassociateWebACL", "GetWebACLForResource", "SetWebACL"),
            *_of("bedrock-agentcore", "GatewayAssociateWebACL", "GatewayDisassociateWebACL", "GatewayGetWebACLForResource"),
            *_of("cognito-idp", "AssociateWebACL", "DisassociateWebACL", "GetWebACLForResource"),
            *_of(
                "ec2",
                "AssociateVerifiedAccessInstanceWebAcl",
                "DescribeVerifiedAccessInstanceWebAclAssociations",
                "DisassociateVerifiedAccessInstanceWebAcl",
                "GetVerifiedAccessInstanceWebAcl",
            ),
            *_of("wafv2", "GetPermissionPolicy", "PutPermissionPolicy"),
        ),
        "The web ACL is associated with an Application Load Balancer; each service needs its own calls. "
        "https://docs.aws.amazon.com/waf/latest/developerguide/security_iam_service-with-iam.html",
    ),
    Unused(
        "AWS::WAFv2::LoggingConfiguration",
        (),
        ("firehose:ListDeliveryStreams", *_of("s3", "GetBucketPolicy", "PutBucketPolicy")),
        "The destination is a log group; streams and buckets need these. "
        "https://docs.aws.amazon.com/waf/latest/developerguide/logging-destinations.html",
    ),
)  # fmt: skip
COMPUTE = (
    Unused("AWS::ApplicationAutoScaling::ScalableTarget", ("ScheduledActions",), _of("application-autoscaling", "DeleteScheduledAction", "PutScheduledAction")),
    Unused(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        (),
        _of("lambda", *(f"{verb}ProvisionedConcurrencyConfig" for verb in ("Delete", "Get", "Put"))),
        "The scalable targets are ECS services.",
    ),
    Unused("AWS::AutoScaling::AutoScalingGroup", ("LoadBalancerNames",), _of("autoscaling", "AttachLoadBalancers", "DetachLoadBalancers")),
    Unused("AWS::AutoScaling::AutoScalingGroup", ("TargetGroupARNs",), _of("autoscaling", "AttachLoadBalancerTargetGroups", "DetachLoadBalancerTargetGroups")),
    Unused(
        "AWS::AutoScaling::AutoScalingGroup",
        ("TrafficSources",),
        (
            *_of("autoscaling", "AttachTrafficSources", "DetachTrafficSources"),
            *_of("vpc-lattice", "DeregisterTargets", "GetTargetGroup", "ListTargets", "RegisterTargets"),
        ),
    ),
    Unused("AWS::AutoScaling::AutoScalingGroup", ("NotificationConfiguration", "NotificationConfigurations"), _of("autoscaling", "DeleteNotificationConfiguration", "PutNotificationConfiguration")),
    Unused("AWS::AutoScaling::AutoScalingGroup", ("LifecycleHookSpecificationList",), _of("autoscaling", "DeleteLifecycleHook", "PutLifecycleHook")),
    Unused("AWS::AutoScaling::AutoScalingGroup", ("MetricsCollection",), _of("autoscaling", "DisableMetricsCollection", "EnableMetricsCollection")),
    Unused(
        "AWS::AutoScaling::AutoScalingGroup",
        (),
        (*_of("autoscaling", "CancelInstanceRefresh", "StartInstanceRefresh"), "cloudwatch:PutMetricAlarm"),
        "The update policy of the group is a rolling update; an instance refresh and its alarms belong to another.",
    ),
    Unused(
        "AWS::ECS::Cluster",
        (),
        _of("ecs", "PutAccountSetting", "PutAccountSettingDefault"),
        "No property of a cluster is a setting of the account.",
    ),
    Unused("AWS::Lambda::Function", ("FileSystemConfigs",), ("elasticfilesystem:DescribeMountTargets", "s3files:ListMountTargets")),
    Unused("AWS::Lambda::Function", ("Layers",), ("lambda:GetLayerVersion",)),
    Unused("AWS::Lambda::Function", ("CapacityProviderConfig",), ("lambda:PassCapacityProvider",)),
    Unused("AWS::Lambda::Function", ("CodeSigningConfigArn",), _of("lambda", "DeleteFunctionCodeSigningConfig", "GetCodeSigningConfig", "PutFunctionCodeSigningConfig")),
    Unused("AWS::Lambda::Function", ("ReservedConcurrentExecutions",), _of("lambda", "DeleteFunctionConcurrency", "PutFunctionConcurrency")),
    Unused("AWS::Lambda::Function", ("RecursiveLoop",), ("lambda:PutFunctionRecursionConfig",)),
    Unused("AWS::Lambda::Function", ("FunctionScalingConfig",), ("lambda:PutFunctionScalingConfig",)),
    Unused("AWS::Lambda::Function", ("RuntimeManagementConfig",), _of("lambda", "AssociateRuntimeAlias", "PutRuntimeManagementConfig")),
    Unused("AWS::ECR::Repository", ("RepositoryPolicyText",), _of("ecr", "DeleteRepositoryPolicy", "SetRepositoryPolicy")),
)  # fmt: skip
DATA = (
    Unused("AWS::EC2::Volume", ("SourceVolumeId",), ("ec2:CopyVolumes",)),
    Unused(
        "AWS::EC2::Volume",
        (),
        ("ec2:CreateSnapshot",),
        "The policies of the volume keep it; only a policy of Snapshot would take one.",
    ),
    Unused("AWS::EC2::Volume", ("AutoEnableIO",), ("ec2:ModifyVolumeAttribute",)),
    Unused("AWS::ElastiCache::ReplicationGroup", ("SnapshotArns",), ("s3:GetObject",)),
    Unused(
        "AWS::ElastiCache::ReplicationGroup",
        ("LogDeliveryConfigurations",),
        (
            *_of("firehose", "PutRecord", "PutRecordBatch", "TagDeliveryStream"),
            *_of("logs", "CreateLogDelivery", "CreateLogStream", "DeleteLogDelivery", "GetLogDelivery", "ListLogDeliveries", "PutLogEvents", "UpdateLogDelivery"),
        ),
    ),
    Unused("AWS::RDS::DBInstance", ("SourceDBInstanceIdentifier", "SourceDBClusterIdentifier"), _of("rds", "CreateDBInstanceReadReplica", "PromoteReadReplica")),
    Unused("AWS::RDS::DBInstance", ("SourceDbiResourceId", "SourceDBInstanceAutomatedBackupsArn"), _of("rds", "DescribeDBInstanceAutomatedBackups", "RestoreDBInstanceToPointInTime")),
    Unused("AWS::RDS::DBInstance", ("AutomaticBackupReplicationRegion",), _of("rds", "StartDBInstanceAutomatedBackupsReplication", "StopDBInstanceAutomatedBackupsReplication")),
    Unused("AWS::RDS::DBInstance", ("DBClusterIdentifier", "DBClusterSnapshotIdentifier"), _of("rds", "DescribeDBClusterSnapshots", "DescribeDBClusters")),
    Unused(
        "AWS::SecretsManager::SecretTargetAttachment",
        (),
        ("docdb-elastic:GetCluster", "rds:DescribeDBClusters", "redshift:DescribeClusters", *_of("redshift-serverless", "GetNamespace", "ListWorkgroups")),
        "The target is a database instance of RDS.",
    ),
    Unused(
        "AWS::S3::Bucket",
        ("MetadataConfiguration", "MetadataTableConfiguration"),
        (
            *_of("s3", "CreateBucketMetadataTableConfiguration", "DeleteBucketMetadataTableConfiguration", *(f"UpdateBucketMetadata{of}TableConfiguration" for of in ("Annotation", "Inventory", "Journal"))),
            *_of("s3tables", "CreateNamespace", "CreateTable", "CreateTableBucket", "GetTable", "GetTableMetadataLocation", "PutTableBucketPolicy", "PutTableEncryption", "PutTablePolicy", "UpdateTableMetadataLocation"),
        ),
    ),
    Unused("AWS::S3::Bucket", ("AccelerateConfiguration",), ("s3:PutAccelerateConfiguration",)),
    Unused("AWS::S3::Bucket", ("AnalyticsConfigurations",), _of("s3", "DeleteBucketAnalyticsConfiguration", "PutAnalyticsConfiguration")),
    Unused("AWS::S3::Bucket", ("InventoryConfigurations",), ("s3:PutInventoryConfiguration",)),
    Unused("AWS::S3::Bucket", ("MetricsConfigurations",), _of("s3", "DeleteBucketMetricsConfiguration", "PutMetricsConfiguration")),
    Unused("AWS::S3::Bucket", ("NotificationConfiguration",), ("s3:PutBucketNotification",)),
    Unused("AWS::S3::Bucket", ("ObjectLockConfiguration", "ObjectLockEnabled"), _of("s3", "PutBucketObjectLockConfiguration", "PutObjectLockConfiguration")),
    Unused("AWS::S3::Bucket", ("ReplicationConfiguration",), _of("s3", "DeleteBucketReplication", "PutBucketReplication", "PutReplicationConfiguration")),
    Unused("AWS::S3::Bucket", ("WebsiteConfiguration",), _of("s3", "DeleteBucketWebsite", "PutBucketWebsite")),
    Unused("AWS::S3::Bucket", ("AccessControl",), _of("s3", "PutBucketAcl", "PutObjectAcl")),
    Unused(
        "AWS::S3::Bucket",
        (),
        ("s3:DeleteObject",),
        "CloudFormation deletes no object: it cannot delete a bucket that has any. "
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html",
    ),
)  # fmt: skip
OPERATIONS = (
    Unused(
        "AWS::Logs::LogGroup",
        ("BearerTokenAuthenticationEnabled",),
        ("logs:PutBearerTokenAuthentication",),
    ),
    Unused("AWS::Logs::LogGroup", ("DataProtectionPolicy",), _of("logs", "CreateLogDelivery", "DeleteDataProtectionPolicy", "PutDataProtectionPolicy")),
    Unused("AWS::Logs::LogGroup", ("DataProtectionPolicy",), ("firehose:TagDeliveryStream",)),
    Unused("AWS::Logs::LogGroup", ("FieldIndexPolicies",), _of("logs", "DeleteIndexPolicy", "PutIndexPolicy")),
    Unused("AWS::Logs::LogGroup", ("ResourcePolicyDocument",), _of("logs", "DeleteResourcePolicy", "PutResourcePolicy")),
    Unused("AWS::Logs::LogGroup", ("DeletionProtectionEnabled",), ("logs:PutLogGroupDeletionProtection",)),
    Unused("AWS::SNS::Topic", ("DataProtectionPolicy",), ("sns:PutDataProtectionPolicy",)),
    Unused("AWS::SNS::Topic", ("DeliveryStatusLogging",), _of("iam", "GetRole", "PassRole")),
    Unused("AWS::SNS::Subscription", ("SubscriptionRoleArn",), _of("iam", "GetRole", "PassRole")),
)  # fmt: skip
UNUSED = (*IDENTITY, *NETWORK, *COMPUTE, *DATA, *OPERATIONS)
# Patterns that handlers declare, and the calls that the types of these templates cause. The handler of
# AWS::AutoScaling::AutoScalingGroup is not public; it declares all five.
PATTERNS: Mapping[str, tuple[str, ...]] = {
    # What the handler reads of a group, and what a rolling update follows. A report of a rolling update that failed
    # without DescribeScheduledActions: https://github.com/docker-archive/for-aws/issues/15
    "autoscaling:Describe*": _of(
        "autoscaling",
        "DescribeAutoScalingGroups",
        "DescribeAutoScalingInstances",
        "DescribeInstanceRefreshes",
        "DescribeLifecycleHooks",
        "DescribeLoadBalancerTargetGroups",
        "DescribeLoadBalancers",
        "DescribeNotificationConfigurations",
        "DescribePolicies",
        "DescribeScalingActivities",
        "DescribeScheduledActions",
        "DescribeTags",
        "DescribeTrafficSources",
        "DescribeWarmPool",
    ),
    # Auto Scaling validates the launch template and its resources on behalf of the caller; CloudFormation resolves
    # LatestVersionNumber, and reads the instances that it waits for.
    # https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html
    "ec2:Describe*": _of(
        "ec2",
        "DescribeAccountAttributes",
        "DescribeAvailabilityZones",
        "DescribeImages",
        "DescribeInstanceStatus",
        "DescribeInstanceTypes",
        "DescribeInstances",
        "DescribeLaunchTemplateVersions",
        "DescribeLaunchTemplates",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DescribeSnapshots",
        "DescribeSubnets",
        "DescribeTags",
        "DescribeVolumes",
        "DescribeVpcs",
    ),
    # For groups that choose instance types by attributes (InstanceRequirements); the launch template names one type.
    "ec2:Get*": (),
    # For groups behind a load balancer.
    "elasticloadbalancing:Describe*": (),
    "managed-fleets:Get*": (),
    # EC2 reads the image ID of the launch template from a public parameter.
    "ssm:Get*": _of("ssm", "GetParameters"),
}


def unused(kind: str) -> frozenset[str]:
    """The actions that the handlers of a resource type declare for properties that no template sets."""
    return frozenset(action for one in UNUSED if one.kind == kind for action in one.actions)
