"""What the launch role's actions are bound to: resources and conditions, and the reason where that is everything.

A grant *selects* actions with its patterns among those that are needed; what a policy then allows is these actions by
name. The first grant that selects an action has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from awacs.aws import (
    Action,
    Allow,
    Condition,
    ForAllValuesStringEquals,
    Statement,
    StringEquals,
    StringLike,
)
from troposphere import AccountId, If, Ref, Sub

from templates_src.core.declaration import Declaration
from templates_src.core.shared import PROJECT
from templates_src.launch_role.environments import EACH, each
from templates_src.launch_role.gaps import SERVICE_LINKED
from templates_src.release_bucket.template import RELEASE_BUCKET_PREFIX

# Text for Sub. Stacks of Service Catalog are named SC-ACCOUNT-pp-ID, the nested ones after them, and what has no name
# of its own after its stack.
ACCOUNT = "${AWS::AccountId}"
ARN = "arn:${AWS::Partition}:"
STACK_NAMES = f"SC-{ACCOUNT}-*"
PATH = f"${{{PROJECT.name}}}/{EACH}/*"
ROLES = f"{ARN}iam::{ACCOUNT}:role/{PATH}"
KEYS = f"{ARN}kms:*:{ACCOUNT}:key/*"
# Never ${Project}-*: the release bucket's name begins with the default project's.
BUCKETS = (
    f"{ARN}s3:::${{{PROJECT.name}}}-{EACH}-*",
    f"{ARN}s3:::{STACK_NAMES.lower().replace('aws::accountid', 'AWS::AccountId')}",
)
RELEASE_BUCKETS = Declaration(
    name="ReleaseBuckets",
    group="Launching",
    label="Release buckets",
    description="Release bucket that products are launched from, or the beginning of several names and *; empty for this account's.",
    default="",
    pattern=r"([a-z0-9][a-z0-9.-]{1,61}([a-z0-9]|\*))?",
    max_length=63,
    message="ReleaseBuckets must be empty, the name of a bucket, or the beginning of names and an asterisk.",
)
# Stands for release_objects(), which depends on a parameter.
RELEASE_OBJECTS = "the release's objects"
PUBLISHER_ACCOUNT = Declaration(
    name="PublisherAccount",
    group="Launching",
    label="Publisher's account",
    description="Account that publishes the products and owns the release buckets; empty for this account.",
    default="",
    pattern=r"(\d{12})?",
    max_length=12,
    message="PublisherAccount must be empty or the twelve digits of an account.",
)
TAGGED = f"aws:ResourceTag/{PROJECT.name}"


@dataclass(frozen=True)
class Grant:
    """Actions on resources, under a condition where there is one.

    ``also`` leaves the actions to later grants too. The Sid says what for; ``reason`` why the resources hold a
    wildcard beyond names that are not known before the launch.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Condition | None = None
    also: bool = False
    reason: str = ""

    def select(self, actions: Iterable[str]) -> list[str]:
        """Those of the actions that the grant is for."""
        return [
            action
            for action in actions
            if any(fnmatchcase(action, pattern) for pattern in self.actions)
        ]

    def statement(self, actions: Iterable[str]) -> Statement:
        """The statement that allows the actions."""
        extra = {} if self.condition is None else {"Condition": self.condition}
        return Statement(
            Sid=self.sid,
            Effect=Allow,
            Action=[Action(*action.split(":")) for action in actions],
            Resource=[found for text in self.resources for found in _resources(text)],
            **extra,
        )


def _resources(text: str) -> list[object]:
    return [release_objects()] if text == RELEASE_OBJECTS else each(text)


def release_objects() -> If:
    """ARN of every object of the release buckets: this account's, in any region, unless a name is given."""
    return If(
        f"Has{RELEASE_BUCKETS.name}",
        Sub(f"{ARN}s3:::${{{RELEASE_BUCKETS.name}}}/*"),
        Sub(f"{ARN}s3:::{RELEASE_BUCKET_PREFIX}-{ACCOUNT}-*/*"),
    )


def of_account(*services: str) -> tuple[str, ...]:
    """Everything of services in this account."""
    return tuple(f"{ARN}{service}:*:{ACCOUNT}:*" for service in services)


def equals(key: str, value: Any) -> Condition:
    """The condition that a key of the request has a value, or one of several."""
    return Condition(StringEquals({key: value}))


def publisher_account() -> If:
    """The account whose buckets releases are read from: this one, unless the parameter names another."""
    return If(f"Has{PUBLISHER_ACCOUNT.name}", Ref(PUBLISHER_ACCOUNT.name), AccountId)


def of_project() -> Condition:
    """The condition that a resource bears the project's tag."""
    return equals(TAGGED, Ref(PROJECT.name))


def through_a_service() -> Condition:
    """The condition that a key is used by a service on behalf of the role, whichever service; never by the role itself."""
    return Condition(StringLike({"kms:ViaService": "*"}))


# What ends or opens something that holds data or serves others, where CloudFormation tags it as it makes it. Not keys:
# KMS takes up to five minutes to see a tag, and a launch that fails before that could not be rolled back. A key that
# is to be deleted can be kept for as long as it waits. https://docs.aws.amazon.com/kms/latest/developerguide/abac.html
OWN = (
    "autoscaling:DeleteAutoScalingGroup",
    "ec2:DeleteFlowLogs",
    "ec2:DeleteInternetGateway",
    "ec2:DeleteNatGateway",
    "ec2:DeleteNetworkAcl",
    "ec2:DeleteRouteTable",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteSubnet",
    "ec2:DeleteVolume",
    "ec2:DeleteVpc",
    "ec2:DeleteVpcEndpoints",
    "ec2:ReleaseAddress",
    "ecr:DeleteRepository",
    "ecs:DeleteCluster",
    "ecs:DeleteService",
    "elasticloadbalancing:DeleteLoadBalancer",
    "elasticloadbalancing:DeleteTargetGroup",
    "lambda:DeleteFunction",
    "rds:DeleteDBInstance",
    "secretsmanager:DeleteSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecret",
)


def identity(passed_to: tuple[str, ...]) -> tuple[Grant, ...]:
    """Roles only under the paths of the environments, passed only to the services that these roles trust."""
    iam = f"{ARN}iam::{ACCOUNT}:"
    return (
        Grant(
            "PassRolesToTheirServices",
            ("iam:PassRole",),
            (ROLES,),
            equals("iam:PassedToService", list(passed_to)),
        ),
        Grant(
            "ServiceLinkedRoles",
            ("iam:CreateServiceLinkedRole",),
            (f"{iam}role/aws-service-role/*",),
            equals("iam:AWSServiceName", list(SERVICE_LINKED)),
        ),
        Grant("InstanceProfiles", ("iam:*InstanceProfile",), (f"{iam}instance-profile/{PATH}",)),
        Grant(
            "GitHubsProvider",
            ("iam:*OpenIDConnectProvider*",),
            (f"{iam}oidc-provider/token.actions.githubusercontent.com",),
        ),
        Grant(
            "RolesOfTheEnvironments",
            ("iam:*Role", "iam:*RolePolicy", "iam:*RolePolicies", "iam:*RoleP*", "iam:*RoleD*"),
            (ROLES,),
        ),
    )


KEYS_AND_STACKS = (
    Grant(
        "StacksOfServiceCatalog",
        ("cloudformation:*",),
        (
            f"{ARN}cloudformation:*:{ACCOUNT}:stack/{STACK_NAMES}",
            f"{ARN}cloudformation:*:{ACCOUNT}:changeSet/{STACK_NAMES}",
        ),
    ),
    Grant(
        "UseKeysThroughServicesOnly",
        (
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
            "kms:RetireGrant",
        ),
        (KEYS,),
        through_a_service(),
    ),
    Grant(
        "Aliases", ("kms:*Alias",), (f"{ARN}kms:*:{ACCOUNT}:alias/${{{PROJECT.name}}}-{EACH}", KEYS)
    ),
    Grant(
        "PublicParameters",
        ("ssm:*",),
        (f"{ARN}ssm:*::parameter/aws/service/*",),
        reason="parameters that AWS publishes, under the path of its own",
    ),
)
STORES = (
    Grant(
        "ReadTheProductsTemplate",
        ("s3:GetObject",),
        ("*",),
        equals("s3:ExistingObjectTag/servicecatalog:provisioning", "true"),
        also=True,
        reason="Service Catalog copies it to a bucket of its own, of a name that it does not tell; bound to its tag",
    ),
    # Bucket names are global, so a name alone does not say whose a bucket is.
    Grant(
        "ReadTheRelease",
        ("s3:GetObject", "s3:GetObjectVersion"),
        (RELEASE_OBJECTS,),
        equals("s3:ResourceAccount", publisher_account()),
    ),
    Grant("BucketsOfTheEnvironments", ("s3:*",), BUCKETS),
    Grant(
        "RestoreAlsoASharedSnapshot",
        ("rds:RestoreDBInstanceFromDBSnapshot",),
        (*of_account("rds"), f"{ARN}rds:*:*:snapshot:*"),
        reason="the snapshot may be one that another account shares",
    ),
)
NETWORKS = (
    Grant(
        "RecordsOfAddresses",
        ("route53:ChangeResourceRecordSets",),
        (f"{ARN}route53:::hostedzone/*",),
        # A zone is known by an ID only. CNAME: how ACM sees that a domain is ours.
        Condition(
            ForAllValuesStringEquals(
                {"route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA", "CNAME"]}
            )
        ),
        reason="the domain's zone is somebody else's, the search server's has an ID of Route 53's; bound to types of record",
    ),
    Grant(
        "Zones",
        ("route53:*",),
        (f"{ARN}route53:::*",),
        reason="an ARN of Route 53 names no account, and a zone's ID is not known before the launch",
    ),
    Grant(
        "WebAclsOfManagedRules",
        ("wafv2:CreateWebACL", "wafv2:UpdateWebACL"),
        (*of_account("wafv2"), f"{ARN}wafv2:*:*:*/managedruleset/*"),
        reason="managed rule groups are AWS's",
    ),
    Grant(
        "NetworkWhoeverOwnsIt",
        ("ec2:*",),
        ("*",),
        reason="subnets may be shared by another account, images are Amazon's; what ends something is bound to its tag",
    ),
)
FUNCTIONS = (
    Grant(
        "FunctionsOfTheStacks",
        (
            "lambda:*Function*",
            "lambda:*Permission",
            "lambda:*Policy",
            "lambda:*RuntimeManagementConfig",
            "lambda:*ProvisionedConcurrencyConfig",
            "lambda:PublishVersion",
        ),
        (f"{ARN}lambda:*:{ACCOUNT}:function:{STACK_NAMES}",),
    ),
)
