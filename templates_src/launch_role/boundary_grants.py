"""The grants of the permissions boundary: resources and conditions of the roles of every environment."""

from __future__ import annotations

from awacs.aws import (
    ArnNotLike,
    Bool,
    Condition,
    ForAllValuesStringLike,
    Null,
    StringEquals,
    StringLike,
    StringNotEquals,
)
from troposphere import If

from templates_src.core.function import NETWORK_INTERFACE_ACTIONS
from templates_src.core.parameters.shared import PROD
from templates_src.launch_role.bindings import (
    ACCOUNT,
    ARN,
    NAMED,
    PROJECT_TEXT,
    STACK_NAMES,
    own_or_new,
    own_tags,
    tags,
)
from templates_src.launch_role.environments import EACH, NO_ENVIRONMENT, condition, per_environment
from templates_src.launch_role.grant import Grant, equals
from templates_src.launch_role.grants import ROLES

CERTIFICATES = f"{ARN}acm:*:{ACCOUNT}:certificate/*"
SNAPSHOTS = f"{ARN}ec2:*::snapshot/*"
# Every resource of the account, whose type the actions decide, and snapshots, which belong to no account. An ARN for each
# type would exceed the size of the policy.
OF_ACCOUNT = (f"{ARN}*:*:{ACCOUNT}:*", SNAPSHOTS)
# The services that use a key on behalf of a role; EBS works through EC2.
KEY_USERS = ("ec2", "secretsmanager")
# Services whose service-linked role the check of a first launch creates.
LINKED = ("ecs.*", "elasticache.*", "elasticloadbalancing.*", "rds.*")


def grants() -> tuple[Grant, ...]:
    """The grants. The first grant that selects an action gets it, unless the grant is ``also``."""
    return (
        *without_resources(),
        *on_products(),
        *of_functions_in_the_vpc(),
        *on_images(),
        *by_name(),
        *by_tag(),
        *not_of_others(),
        *of_keys(),
    )


def without_resources() -> tuple[Grant, ...]:
    """Actions without a resource type, or on any resource of their type."""
    return (
        Grant(
            "NoResource",
            (
                # The certificate that a launch names may have no tags.
                "acm:DescribeCertificate",
                "ecr:GetAuthorizationToken",
                "ec2:DescribeAvailabilityZones",
                "ec2:DescribeSnapshots",
                "ec2:DescribeVolumes",
                "ecs:ListTasks",
                # The state of the key of a snapshot that a launch restores from: it can be any key, and the policy of a key decides too.
                "kms:DescribeKey",
                "logs:DescribeLogGroups",
                "route53:ListResourceRecordSets",
                "rds:DescribeDBInstances",
                "rds:DescribeDBSnapshots",
                # Its only resource is a product; one that is shared belongs to the account that shares it.
                "servicecatalog:DescribeProvisioningParameters",
                "ssm:UpdateInstanceInformation",
                "ssmmessages:*",
            ),
            ("*",),
            reason="the actions have no resource, or read what can be any resource of its type",
        ),
        Grant(
            "Metrics",
            ("cloudwatch:PutMetricData",),
            ("*",),
            equals("cloudwatch:namespace", per_environment(f"{PROJECT_TEXT}/{EACH}")),
            reason="the action has no resource; bound to the environments' namespaces",
        ),
        Grant(
            "Linked",
            ("iam:CreateServiceLinkedRole",),
            ("*",),
            # Beginnings of names: complete ones would exceed the size of the policy.
            Condition(StringLike({"iam:AWSServiceName": list(LINKED)})),
            reason="only the service can assume such a role; bound to the services that a launch uses",
        ),
    )


def on_products() -> tuple[Grant, ...]:
    """Actions on provisioned products."""
    return (
        Grant(
            "OwnProducts",
            (
                "servicecatalog:DescribeProvisionedProduct",
                "servicecatalog:DescribeRecord",
                "servicecatalog:UpdateProvisionedProduct",
            ),
            ("*",),
            equals("servicecatalog:roleLevel", "self"),
            reason="the actions have no resource; bound to what the role itself owns",
        ),
    )


def of_functions_in_the_vpc() -> tuple[Grant, ...]:
    """The network interfaces of functions, whose IDs are unknown before the launch."""
    return (
        Grant(
            "Interfaces",
            tuple(f"ec2:{action.action}" for action in NETWORK_INTERFACE_ACTIONS),
            ("*",),
            # Lambda makes these calls with the function's role. The code of the function, whose calls have this key,
            # must not make them.
            Condition(ArnNotLike({"lambda:SourceFunctionArn": "arn:*:lambda:*:*:function:*"})),
            reason="IDs of interfaces are not known before, and subnets may be another account's",
        ),
    )


def on_images() -> tuple[Grant, ...]:
    """Actions on images."""
    return (
        # Production may run an image that another environment built and tested; no other may use production's.
        Grant(
            "Images",
            ("ecr:*",),
            (f"{ARN}ecr:*:{ACCOUNT}:repository/*",),
            Condition(
                StringNotEquals(
                    {"aws:ResourceTag/Environment": If(condition(PROD), NO_ENVIRONMENT, PROD)}
                )
            ),
        ),
    )


def by_tag() -> tuple[Grant, ...]:
    """Actions that the tags of the project and the environment limit."""
    return (
        # A certificate has no tags before it is imported, and a snapshot none before it is created.
        Grant(
            "Imports",
            ("acm:AddTagsToCertificate", "acm:ImportCertificate"),
            (CERTIFICATES,),
            Condition([StringEquals(tags("RequestTag")), own_or_new()]),
            also=True,
        ),
        Grant(
            "Own",
            (
                "acm:*",
                "ec2:AttachNetworkInterface",
                "ec2:AttachVolume",
                "ec2:CreateSnapshot",
                "ec2:DeleteSnapshot",
                "elasticloadbalancing:ModifyLoadBalancerAttributes",
                "lambda:InvokeFunction",
                "rds:*DBInstance*",
                "secretsmanager:GetSecretValue",
            ),
            OF_ACCOUNT,
            own_tags(),
            also=True,
        ),
    )


def not_of_others() -> tuple[Grant, ...]:
    """Actions on resources that may have no tags, but not those of another environment."""
    return (
        Grant(
            "NotOthers",
            (
                "cloudformation:*",
                "ec2:CreateSnapshot",
                "ec2:CreateTags",
                "ecs:*",
                "logs:*LogStream*",
                "logs:*LogEvents",
            ),
            OF_ACCOUNT,
            Condition(own_or_new()),
        ),
    )


def by_name() -> tuple[Grant, ...]:
    """Actions on buckets, and on the records of the private zones."""
    bucket = f"{ARN}s3:::{PROJECT_TEXT}-{EACH}-*"
    stack = f"{ARN}cloudformation:*:{ACCOUNT}:stack/"
    names = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
    return (
        # Not the stacks of the launch role and of the release bucket, whose names begin with the default project's.
        Grant(
            "Stacks",
            ("cloudformation:UpdateTerminationProtection",),
            (f"{stack}{NAMED}/*", f"{stack}{STACK_NAMES}"),
        ),
        # The asterisk also covers the objects in the buckets.
        Grant("Buckets", ("s3:*",), (bucket,)),
        Grant(
            "PassRolesToTasks",
            ("iam:PassRole",),
            (ROLES,),
            equals("iam:PassedToService", "ecs-tasks.amazonaws.com"),
        ),
        Grant(
            "PrivateRecords",
            ("route53:ChangeResourceRecordSets",),
            (f"{ARN}route53:::hostedzone/*",),
            Condition(
                [
                    ForAllValuesStringLike(
                        {names: per_environment(f"*.{PROJECT_TEXT}-{EACH}.internal")}
                    ),
                    Null({names: "false"}),
                ]
            ),
            reason="the ID of a zone is not known before; bound to names within the environments' private zones",
        ),
    )


def of_keys() -> tuple[Grant, ...]:
    """The environment's key, for secrets and volumes, only through a service that uses it for the role."""
    key = f"{ARN}kms:*:{ACCOUNT}:key/*"
    return (
        Grant(
            "GrantKeysToEbs",
            ("kms:CreateGrant",),
            (key,),
            Condition(
                [
                    Bool({"kms:GrantIsForAWSResource": "true"}),
                    StringLike({"kms:ViaService": "ec2.*"}),
                    own_or_new(),
                ]
            ),
        ),
        Grant(
            "UseKeys",
            ("kms:*",),
            (key,),
            Condition(
                [
                    StringLike({"kms:ViaService": [f"{service}.*" for service in KEY_USERS]}),
                    own_or_new(),
                ]
            ),
        ),
    )
