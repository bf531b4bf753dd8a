"""The resources and conditions of the launch role's actions, and the reason for every wildcard.

A grant selects actions with patterns from the needed ones; the policy then allows these actions by name. The first
grant that selects an action gets it.
"""

from __future__ import annotations

from awacs.aws import (
    Condition,
    ForAllValuesStringEquals,
    ForAllValuesStringLike,
    ForAllValuesStringNotLike,
    StringLike,
)

from templates_src.launch_role.bindings import (
    ACCOUNT,
    ARN,
    NAMED,
    NAMES,
    PROJECT_TEXT,
    SMALL_NAMES,
    STACK_NAMES,
    in_account,
    own_or_new,
    own_tags,
)
from templates_src.launch_role.environments import EACH, other_environments, per_environment
from templates_src.launch_role.gaps import SERVICE_LINKED
from templates_src.launch_role.grant import RELEASE_OBJECTS, Grant, equals, publisher_account

PATH = f"{PROJECT_TEXT}/{EACH}/*"
ROLES = f"{ARN}iam::{ACCOUNT}:role/{PATH}"
KEYS = f"{ARN}kms:*:{ACCOUNT}:key/*"
# Not ${Project}-*: the name of the release bucket begins with the default project.
BUCKETS = (f"{ARN}s3:::{NAMED}-*", f"{ARN}s3:::{SMALL_NAMES}")


def through_a_service() -> Condition:
    """The condition that any service uses a key on behalf of the role; the role itself cannot use the key."""
    return Condition(StringLike({"kms:ViaService": "*"}))


def identity(passed_to: tuple[str, ...]) -> tuple[Grant, ...]:
    """Roles under the paths of the environments, which are passed only to the services that they trust."""
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
            "RolesOfTheEnvironments",
            ("iam:*Role", "iam:*RolePolicy", "iam:*RolePolicies", "iam:*RoleP*", "iam:*RoleD*"),
            (ROLES,),
        ),
    )


def new_secrets(names: tuple[str, ...]) -> Grant:
    """The names of secrets contain their logical ID, and secrets are created with their tags. IAM cannot distinguish a
    request that tags a new secret, so the role can tag only secrets with these names: no other secret gets the tags
    that give access. https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
    """
    return Grant(
        "NewSecrets",
        ("secretsmanager:CreateSecret", "secretsmanager:TagResource"),
        in_account("secretsmanager", *(f"secret:{name}-*" for name in names)),
        Condition(own_or_new()),
    )


KEYS_AND_STACKS = (
    Grant(
        "StacksOfServiceCatalog",
        ("cloudformation:*",),
        in_account("cloudformation", f"stack/{STACK_NAMES}", f"changeSet/{STACK_NAMES}"),
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
    # Handlers of other services read a key that the launch of a single layer names.
    Grant("SeeKeys", ("kms:Describe*", "kms:Get*", "kms:List*"), (KEYS,)),
    Grant(
        "Aliases",
        ("kms:*Alias",),
        (f"{ARN}kms:*:{ACCOUNT}:alias/{NAMED}", KEYS),
        Condition(own_or_new()),
    ),
    # KMS takes up to five minutes to see a tag or an alias, and a launch that fails before must be able to delete its
    # key. So a key without tags is allowed, and a key with the tags of another environment is not.
    # https://docs.aws.amazon.com/kms/latest/developerguide/abac.html
    Grant(
        "Keys",
        ("kms:*",),
        (KEYS,),
        Condition(
            [
                own_or_new(),
                ForAllValuesStringLike({"kms:ResourceAliases": per_environment(f"alias/{NAMED}")}),
            ]
        ),
    ),
    Grant(
        "PublicParameters",
        ("ssm:*",),
        (f"{ARN}ssm:*::parameter/aws/service/*",),
        reason="public parameters of AWS, under their path",
    ),
)
# The resources of a request that have no tags; tags limit the others.
UNTAGGED = (
    # The option group belongs to RDS, and a snapshot gets its tags after its creation.
    Grant("OptionGroups", ("rds:ModifyDBInstance",), in_account("rds", "og:*"), also=True),
    Grant("NewSnapshots", ("rds:CreateDBSnapshot",), in_account("rds", "snapshot:*"), also=True),
)
SNAPSHOTS = (f"{ARN}ec2:*::snapshot/*", *in_account("rds", "snapshot:*"))
STORES = (
    Grant(
        "ReadTheProductsTemplate",
        ("s3:GetObject",),
        ("*",),
        equals("s3:ExistingObjectTag/servicecatalog:provisioning", "true"),
        also=True,
        reason="Service Catalog copies it to its own bucket, whose name it does not document; bound to its tag",
    ),
    # Bucket names are global, so a name does not identify the account of a bucket.
    Grant(
        "ReadTheRelease",
        ("s3:GetObject", "s3:GetObjectVersion"),
        (RELEASE_OBJECTS,),
        equals("s3:ResourceAccount", publisher_account()),
    ),
    Grant("BucketsOfTheEnvironments", ("s3:*",), BUCKETS),
    # Not a snapshot that another account shares, because IAM does not see its tags; a copy of it can have the tags.
    Grant(
        "RestoreOwnSnapshots",
        ("ec2:CreateVolume", "rds:RestoreDBInstanceFromDBSnapshot"),
        SNAPSHOTS,
        own_tags(),
        also=True,
        reason="the ARN of a snapshot of EC2 has no account; bound to its tags",
    ),
    Grant(
        "RestoreInto",
        ("ec2:CreateVolume", "rds:RestoreDBInstanceFromDBSnapshot"),
        (
            *in_account("ec2", "volume/*"),
            *in_account("rds", "db:*", "og:*", "pg:*", "subgrp:*"),
        ),
    ),
)
NETWORKS = (
    Grant(
        "RecordsOfAddresses",
        ("route53:ChangeResourceRecordSets",),
        (f"{ARN}route53:::hostedzone/*",),
        # A zone is identified by an ID only. CNAME: the record with which ACM validates the domain.
        Condition(
            [
                ForAllValuesStringEquals(
                    {"route53:ChangeResourceRecordSetsRecordTypes": ["A", "CNAME"]}
                ),
                ForAllValuesStringNotLike(
                    {
                        "route53:ChangeResourceRecordSetsNormalizedRecordNames": other_environments(
                            f"*{PROJECT_TEXT}-{EACH}.internal"
                        )
                    }
                ),
            ]
        ),
        reason="the domain's zone is outside the stack, the search server's has a generated ID; bound to types of record",
    ),
    Grant(
        "Zones",
        ("route53:*",),
        (f"{ARN}route53:::*",),
        reason="an ARN of Route 53 names no account, and a zone's ID is not known before the launch",
    ),
    # Listing all alarms is allowed, to find one.
    Grant("SeeAlarms", ("cloudwatch:DescribeAlarms",), in_account("cloudwatch", "alarm:*")),
    # The web ACL by its name, and the load balancer by its shortened name.
    Grant(
        "WebAclsOfLoadBalancers",
        ("wafv2:*ssociateWebACL", "wafv2:GetWebACLForResource"),
        (*NAMES["wafv2"], *in_account("elasticloadbalancing", "loadbalancer/app/*")),
    ),
    Grant(
        "ManagedRules",
        ("wafv2:CreateWebACL", "wafv2:UpdateWebACL"),
        (*NAMES["wafv2"], f"{ARN}wafv2:*:*:*/managedruleset/*"),
        reason="managed rule groups are AWS's",
    ),
    Grant(
        "NetworkWhoeverOwnsIt",
        ("ec2:*",),
        ("*",),
        reason="subnets may be shared by another account, images are Amazon's; what exists already is bound to tags",
    ),
)
