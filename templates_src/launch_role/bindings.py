"""The actions of the launch role that need the tags of one of its environments, and the names of resources without
tags.

Sources: the service authorization reference for the condition keys; for the time at which CloudFormation tags, AWS's
handlers for RDS (https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds: the request to create
has the tags) and, for handlers that are not public, reports such as
https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/714 (a security group is tagged last).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awacs.aws import Condition, StringEquals, StringEqualsIfExists
from troposphere import Ref

from templates_src.core.parameters.shared import ENVIRONMENT, PROJECT
from templates_src.launch_role.environments import EACH, launched_environments

# Text for Sub. Stacks of Service Catalog are named SC-ACCOUNT-pp-ID. The names of nested stacks, and of resources
# without an explicit name, begin with the name of their stack, in lower case where a service requires it.
ACCOUNT = "${AWS::AccountId}"
ARN = "arn:${AWS::Partition}:"
STACK_NAMES = f"SC-{ACCOUNT}-*"
SMALL_NAMES = f"sc-{ACCOUNT}-*"
PROJECT_TEXT = f"${{{PROJECT.name}}}"
NAMED = f"{PROJECT_TEXT}-{EACH}"


def in_account(service: str, *names: str) -> tuple[str, ...]:
    """ARNs of a service in this account, in any region; without ``names``, of all its resources."""
    return tuple(f"{ARN}{service}:*:{ACCOUNT}:{name}" for name in names or ("*",))


# The resources of a service's actions, in addition to tags. Where a service gives IDs, or a name too short to keep the
# stack's, that is the account. A name with the project does without the environment where other environments' tags are
# denied.
NAMES: Mapping[str, tuple[str, ...]] = {
    "acm": in_account("acm", "certificate/*"),
    "application-autoscaling": in_account("application-autoscaling", "scalable-target/*"),
    "autoscaling": in_account(
        "autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{STACK_NAMES}"
    ),
    "cloudwatch": in_account(
        "cloudwatch",
        f"alarm:{STACK_NAMES}",
        # Application Auto Scaling names the alarms of a target after its service and cluster.
        f"alarm:TargetTracking-service/{STACK_NAMES}",
        # CloudFormation does not document how it names one.
        "dashboard/*",
    ),
    "dlm": in_account("dlm", "policy/*"),
    "ec2": in_account("ec2"),
    "ecr": in_account("ecr", f"repository/{SMALL_NAMES}"),
    "ecs": in_account(
        "ecs",
        "capacity-provider/*",
        f"cluster/{STACK_NAMES}",
        f"service/{STACK_NAMES}",
        f"service-deployment/{STACK_NAMES}",
        f"task-definition/{PROJECT_TEXT}-*",
    ),
    "elasticache": in_account("elasticache"),
    "elasticloadbalancing": in_account("elasticloadbalancing"),
    "events": in_account("events", f"rule/{STACK_NAMES}"),
    "iam": (f"{ARN}iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",),
    "lambda": in_account("lambda", f"function:{STACK_NAMES}"),
    "logs": in_account(
        "logs", f"log-group:{STACK_NAMES}", f"log-group:aws-waf-logs-{PROJECT_TEXT}-*"
    ),
    "rds": in_account("rds"),
    # By the logical ID of the secret, not by the name of its stack: the tags bind what exists.
    "secretsmanager": in_account("secretsmanager", "secret:*"),
    "sns": in_account("sns", STACK_NAMES),
    "wafv2": in_account("wafv2", f"*/webacl/{PROJECT_TEXT}-*"),
}
# Patterns of actions that change, open or delete a resource that already has its tags.
OWN = (
    "acm:DeleteCertificate",
    "acm:RemoveTagsFromCertificate",
    "acm:UpdateCertificateOptions",
    "autoscaling:Delete*",
    "autoscaling:ResumeProcesses",
    "autoscaling:SetDesiredCapacity",
    "autoscaling:SuspendProcesses",
    "autoscaling:TerminateInstanceInAutoScalingGroup",
    "autoscaling:UpdateAutoScalingGroup",
    "dlm:DeleteLifecyclePolicy",
    "dlm:UntagResource",
    "dlm:UpdateLifecyclePolicy",
    "ec2:AssociateRouteTable",
    "ec2:AttachInternetGateway",
    "ec2:CreateLaunchTemplateVersion",
    "ec2:CreateNetworkAclEntry",
    "ec2:CreateRoute",
    "ec2:Delete*",
    "ec2:DetachInternetGateway",
    "ec2:DisassociateRouteTable",
    "ec2:ModifyVolume",
    "ec2:ModifyVpcEndpoint",
    "ec2:ReleaseAddress",
    "ec2:ReplaceNetworkAclEntry",
    "ec2:ReplaceRoute",
    "ec2:ReplaceRouteTableAssociation",
    "ecr:DeleteLifecyclePolicy",
    "ecr:DeleteRepository",
    "ecr:UntagResource",
    "ecs:DeleteCluster",
    "ecs:DeleteService",
    "ecs:PutClusterCapacityProviders",
    "ecs:UntagResource",
    "ecs:UpdateCluster*",
    "ecs:UpdateService",
    "elasticache:DecreaseReplicaCount",
    "elasticache:DeleteCacheParameterGroup",
    "elasticache:DeleteCacheSubnetGroup",
    "elasticache:DeleteReplicationGroup",
    "elasticache:DeleteServerlessCache",
    "elasticache:DeleteUser*",
    "elasticache:IncreaseReplicaCount",
    "elasticache:Modify*",
    "elasticache:RemoveTagsFromResource",
    "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:CreateWebACLAssociation",
    "elasticloadbalancing:Delete*",
    "elasticloadbalancing:DeregisterTargets",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyTargetGroup",
    "elasticloadbalancing:RegisterTargets",
    "elasticloadbalancing:RemoveTags",
    "elasticloadbalancing:Set*",
    "iam:DeleteOpenIDConnectProvider",
    "iam:UntagOpenIDConnectProvider",
    "iam:UpdateOpenIDConnectProviderThumbprint",
    "iam:*ClientID*",
    "lambda:DeleteFunction",
    "rds:CreateDBSnapshot",
    "rds:Delete*",
    "rds:Modify*",
    "rds:RebootDBInstance",
    "rds:RemoveTagsFromResource",
    "rds:ResetDBParameterGroup",
    "secretsmanager:DeleteSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UntagResource",
    "secretsmanager:UpdateSecret",
)
# Actions that CloudFormation also calls before the resource has its tags: tagging, and what a handler sets right after
# the creation. They are never allowed on resources with the tags of another project.
OWN_OR_NEW = (
    "acm:AddTagsToCertificate",
    "application-autoscaling:*Scal*",
    "application-autoscaling:*agResource",
    "autoscaling:CreateOrUpdateTags",
    "cloudwatch:*agResource",
    "cloudwatch:Delete*",
    "cloudwatch:Put*",
    "dlm:TagResource",
    "ec2:AuthorizeSecurityGroup*",
    "ec2:CreateTags",
    "ec2:ModifyNetworkInterfaceAttribute",
    "ec2:ModifySubnetAttribute",
    "ec2:ModifyVpcAttribute",
    # The network ACL that a VPC is created with has no tags.
    "ec2:ReplaceNetworkAclAssociation",
    "ec2:RevokeSecurityGroup*",
    "ec2:UpdateSecurityGroupRuleDescriptions*",
    "ecr:Put*",
    "ecr:TagResource",
    "ecs:StopServiceDeployment",
    "ecs:TagResource",
    "elasticache:AddTagsToResource",
    # A snapshot has no tags yet, and a node has the tags of its group.
    "elasticache:CreateSnapshot",
    "elasticache:DeleteCacheCluster",
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:ModifyListenerAttributes",
    "elasticloadbalancing:ModifyLoadBalancerAttributes",
    "elasticloadbalancing:ModifyTargetGroupAttributes",
    "events:*agResource",
    "events:Delete*",
    "events:Put*",
    "events:RemoveTargets",
    "iam:TagOpenIDConnectProvider",
    "logs:*agResource",
    "logs:*KmsKey",
    "logs:Delete*",
    "logs:Put*",
    "rds:AddTagsToResource",
    "sns:*agResource",
    "sns:DeleteTopic",
    "sns:Set*",
    "sns:Subscribe",
    "sns:Unsubscribe",
    "wafv2:*agResource",
    "wafv2:*LoggingConfiguration",
    "wafv2:DeleteWebACL",
)


def tags(kind: str) -> dict[str, Any]:
    """Condition keys and values: tags of the project and of an environment that the launch role launches.

    ``kind`` is ResourceTag for an existing resource and RequestTag for a new one.
    """
    return {
        f"aws:{kind}/{PROJECT.name}": Ref(PROJECT.name),
        f"aws:{kind}/{ENVIRONMENT.name}": launched_environments(),
    }


def own_tags() -> Condition:
    """The condition that a resource has the tags of the project and of one of its environments."""
    return Condition(StringEquals(tags("ResourceTag")))


def own_or_new() -> StringEqualsIfExists:
    """The same condition for a resource that has these tags; a resource without them also satisfies it."""
    return StringEqualsIfExists(tags("ResourceTag"))
