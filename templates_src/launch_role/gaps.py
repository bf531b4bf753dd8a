"""Permissions for a launch that the provider schemas do not declare, each with its reason; maintained manually."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """Actions that a launch needs and that not every handler declares."""

    actions: tuple[str, ...]
    reason: str


GAPS = (
    Gap(
        ("s3:GetObject",),
        "Service Catalog's copy of the root template, the nested templates and the function zips are read with the launch role. "
        "https://docs.aws.amazon.com/servicecatalog/latest/adminguide/constraints-launch.html",
    ),
    Gap(
        (
            "cloudformation:CreateChangeSet",
            "cloudformation:DeleteChangeSet",
            "cloudformation:DescribeChangeSet",
            "cloudformation:DescribeStackEvents",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:GetTemplateSummary",
            "cloudformation:ListChangeSets",
            "cloudformation:ListStackResources",
            "cloudformation:TagResource",
            "cloudformation:UntagResource",
            "cloudformation:ValidateTemplate",
        ),
        "Service Catalog creates, updates and follows the stack with the launch role: those of AWSServiceCatalogEndUserFullAccess. "
        "Changed and removed tags of a stack and of its nested stacks need TagResource and UntagResource. "
        "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSServiceCatalogEndUserFullAccess.html",
    ),
    Gap(
        (
            "autoscaling:ResumeProcesses",
            "autoscaling:SetDesiredCapacity",
            "autoscaling:SuspendProcesses",
            "autoscaling:TerminateInstanceInAutoScalingGroup",
        ),
        "The update policy of the search server's group: CloudFormation itself suspends processes, replaces the instance and "
        "resumes them. AWSElasticBeanstalkManagedUpdatesCustomerRolePolicy has these for rolling updates by CloudFormation. "
        "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSElasticBeanstalkManagedUpdatesCustomerRolePolicy.html",
    ),
    Gap(
        (
            "elasticache:AddTagsToResource",
            "elasticache:CreateSnapshot",
            "rds:AddTagsToResource",
            "rds:CreateDBSnapshot",
        ),
        "DeletionPolicy and UpdateReplacePolicy take a final snapshot of the database and of the cache, which gets their tags.",
    ),
    Gap(
        ("secretsmanager:GetSecretValue",),
        "CloudFormation resolves the dynamic references in the database, the cache users and the connection URLs with it.",
    ),
    Gap(
        ("kms:Decrypt", "kms:GenerateDataKey"),
        "Secrets Manager reads and writes a secret with a customer managed key on behalf of the caller.  "
        "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",
    ),
    Gap(
        ("lambda:InvokeFunction",),
        "CloudFormation calls the functions behind the custom resources with it.",
    ),
    Gap(
        ("ssm:GetParameters",),
        "EC2 looks up the search server's image under its public parameter on behalf of the user of the launch template.",
    ),
    Gap(
        ("route53:ChangeResourceRecordSets", "route53:GetChange"),
        "CloudFormation writes the record by which ACM sees that the domain is ours. "
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-certificatemanager-certificate.html",
    ),
    Gap(
        ("iam:CreateServiceLinkedRole",),
        "The first cluster, load balancer, cache, database or group of an account makes the role of its service; "
        "some of those types do not declare it.",
    ),
)
# The actions of these that concern a template before its stack exists.
UNBOUND = ("cloudformation:GetTemplateSummary", "cloudformation:ValidateTemplate")
# The services of service-linked roles; existing ones are not changed.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
SERVICE_LINKED = (
    "autoscaling.amazonaws.com",
    # Flow logs and WAF's logs.
    "delivery.logs.amazonaws.com",
    # NAT gateways.
    "ec2-nat-gateway.amazonaws.com",
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticache.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "rds.amazonaws.com",
    "wafv2.amazonaws.com",
)


def gap_actions() -> tuple[str, ...]:
    """The actions of all gaps."""
    return tuple(sorted({action for gap in GAPS for action in gap.actions}))
