"""The launch role cannot change resources with the tags or names of another project."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache

import pytest

from pipeline.checks.iam.conditions import like, listed
from pipeline.checks.iam.policies import Request, allows
from pipeline.checks.permissions import arn_formats, condition_keys
from pipeline.checks.permissions import resources_of as kinds_of
from pipeline.template.example_values import ACCOUNT
from tests.launch_role.evaluation import (
    REGION,
    Statement,
    launch_role_layer,
    resources_of,
    role_statements,
)
from tests.launch_role.touched import KINDS, UNTAGGED, Place, arn_of

TAG = "aws:ResourceTag/${TagKey}"
READS = ("*:Describe*", "*:Get*", "*:List*")
# Reading a secret counts as a change here.
SECRETS = {
    "secretsmanager:GetSecretValue",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "ssm:GetParameters",
}
# Actions that are allowed on resources of others, and why; docs/launch-role.md lists the same.
ON_ANYTHING = {
    "ec2:Create*": "creates something in a VPC, a subnet or a route table that the launcher of a layer brings",
    "ec2:AllocateAddress": "names the pool that an address comes from",
    "ec2:RunInstances": "names the subnet, the image and the groups of an instance",
    "route53:*": "a zone is known by an ID only, and IAM knows no tags of it",
    "kms:*Alias": "names the key that the alias of the environment leads to",
    "*:CreateCacheCluster": "creates",
    "elasticache:Create*": "creates something from parameter groups, subnet groups and user groups",
    "elasticloadbalancing:Create*": "creates",
    "rds:Create*": "creates something from parameter groups and subnet groups",
    "rds:RestoreDBInstanceFromDBSnapshot": "names the groups of the new database; the snapshot is bound by itself",
    "wafv2:*ssociateWebACL": "names a load balancer, for which WAF knows no tags; the web ACL is bound by its name, "
    "and load balancing's own actions by tags",
}
# Actions on resources without tags: CloudFormation calls them before a new resource has its tags.
ON_UNTAGGED = {
    "acm:AddTagsToCertificate",
    "application-autoscaling:*",
    # A dashboard: CloudFormation does not document how it names one.
    "cloudwatch:*Dashboard*",
    "cloudwatch:*agResource",
    "dlm:TagResource",
    "ec2:AuthorizeSecurityGroup*",
    "ec2:ModifyNetworkInterfaceAttribute",
    "ec2:ModifySubnetAttribute",
    "ec2:ModifyVpcAttribute",
    "ec2:ReplaceNetworkAclAssociation",
    "ec2:RevokeSecurityGroup*",
    "ec2:UpdateSecurityGroupRuleDescriptions*",
    "elasticache:AddTagsToResource",
    "elasticache:CreateSnapshot",
    "elasticache:DeleteCacheCluster",
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:Modify*Attributes",
    "kms:*",
    "rds:AddTagsToResource",
    # On a snapshot, which a request creates.
    "rds:CreateDBSnapshot",
}
PAYROLL = Place("aws", REGION, ACCOUNT, "payroll", "payroll")


@cache
def statements() -> tuple[Statement, ...]:
    """Those of a launch role for every environment, which has the most permissions."""
    return tuple(role_statements(resources_of(launch_role_layer())))


def changes() -> list[str]:
    """The actions of the role that change something or read a secret."""
    allowed = {
        each
        for body in statements()
        if body["Effect"] == "Allow"
        for each in listed(body["Action"])
    }
    return sorted(
        each
        for each in allowed
        if kinds_of(each) and (each in SECRETS or not any(like(each, pattern) for pattern in READS))
    )


def on_others(action: str, tags: dict[str, str]) -> Iterator[Request]:
    """Requests on each resource type of an action, for a resource of another application."""
    has: dict[str, object] = {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
    if action.startswith("kms:"):
        has["kms:ResourceAliases"] = ["alias/payroll"] if tags else []
    service = action.partition(":")[0]
    if service in KINDS:
        for kind in kinds_of(action) or ():
            if kind in KINDS[service] and (service, kind) not in UNTAGGED:
                yield Request(action, arn_of(service, kind, PAYROLL), has)
        return
    tagged = any(TAG in keys for keys in condition_keys(action))
    for form in arn_formats(action):
        filled = form.replace("${Partition}", "aws").replace("${Region}", REGION)
        arn = filled.replace("${Account}", ACCOUNT).replace(".*", "payroll")
        yield Request(action, arn, has if tagged else {})


def allowed_on(tags: dict[str, str]) -> set[str]:
    """The actions that the role can use on resources of another application."""
    return {
        action
        for action in changes()
        if any(allows(statements(), request) for request in on_others(action, tags))
    }


def unexplained(found: set[str], *lists: Collection[str]) -> set[str]:
    """Actions that no pattern of the lists matches."""
    patterns = [pattern for each in lists for pattern in each]
    return {each for each in found if not any(like(each, pattern) for pattern in patterns)}


def test_resources_with_the_tags_of_another_project_cannot_be_changed() -> None:
    assert (
        unexplained(allowed_on({"Project": "payroll", "Environment": "prod"}), ON_ANYTHING) == set()
    )


def test_resources_without_tags_can_be_changed_only_like_new_ones() -> None:
    assert unexplained(allowed_on({}), ON_ANYTHING, ON_UNTAGGED) == set()


@pytest.mark.parametrize("pattern", [*ON_ANYTHING, *sorted(ON_UNTAGGED)])
def test_each_exception_is_still_needed(pattern: str) -> None:
    assert any(like(each, pattern) for each in allowed_on({}))
