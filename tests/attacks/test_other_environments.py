"""A launch role of development cannot change production: all its actions, on all resources of production."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.checks.iam.conditions import listed
from pipeline.checks.iam.policies import Body, Request, allows
from pipeline.checks.permissions import arn_formats, condition_keys, resources_of
from pipeline.template.example_values import ACCOUNT
from tests.attacks.inside import prod
from tests.attacks.launching import BOUNDARY_ARN, role
from tests.relations.variants import REGION

TAG = "aws:ResourceTag/${TagKey}"
# The prefixes of reading actions, and the reading actions that reveal data of production.
READS = ("Describe", "Get", "List", "BatchGet")
SECRETS = {"secretsmanager:GetSecretValue", "s3:GetObject", "s3:GetObjectVersion"}
# Names of production's resources whose actions are not limited by tags, by service and resource type.
NAMES = {
    "s3:::": "carbon-connect-prod-documents",
    ":role/": "carbon-connect/prod/x",
    ":instance-profile/": "carbon-connect/prod/x",
    ":alias/": "carbon-connect-prod",
}
OTHERWISE = f"SC-{ACCOUNT}-pp-prod-x"
# Condition keys that a service sends with every request.
CONTEXT = {
    "kms:ViaService": f"rds.{REGION}.amazonaws.com",
    "iam:PermissionsBoundary": BOUNDARY_ARN,
    "iam:PassedToService": "ecs-tasks.amazonaws.com",
    "s3:ResourceAccount": ACCOUNT,
}
# Actions that tags cannot limit, and why they cannot change production.
ALLOWED = {
    "route53": "a zone is known by an ID only; CloudFormation creates a zone, and a record only where none exists",
    "wafv2:DisassociateWebACL": "a web ACL is denied by its tag; the action about a load balancer knows no tag",
}


def changes() -> Iterator[str]:
    """The actions of the role that change a resource, or read data."""
    for action in sorted({each for body in bodies("dev") for each in listed(body["Action"])}):
        if not action.partition(":")[2].startswith(READS) or action in SECRETS:
            yield action


def bodies(environments: str) -> list[Body]:
    """The statements of a launch role."""
    return [body for each in role(environments).policies for body in each.statements]


def on_production(action: str) -> Iterator[Request]:
    """Requests on each resource type of an action, for a resource of production."""
    tagged = any(TAG in keys for keys in condition_keys(action))
    context = {**CONTEXT, **(prod().tags() if tagged else {})}
    for form in arn_formats(action):
        name = next((name for kind, name in NAMES.items() if kind in form), OTHERWISE)
        filled = form.replace("${Partition}", "aws").replace("${Region}", REGION)
        yield Request(action, filled.replace("${Account}", ACCOUNT).replace(".*", name), context)


def reached(environments: str) -> set[str]:
    """The actions that such a role can use on production, and that have a resource type."""
    among = bodies(environments)
    return {
        action
        for action in changes()
        if resources_of(action) and any(allows(among, each) for each in on_production(action))
    }


def unexplained(found: set[str]) -> set[str]:
    """Actions without an entry in ``ALLOWED``."""
    return {each for each in found if not {each, each.partition(":")[0]} & ALLOWED.keys()}


@pytest.mark.parametrize("environments", ["dev", "staging", "dev,staging"])
def test_role_without_production_cannot_reach_production(environments: str) -> None:
    found = reached(environments)
    assert unexplained(found) == set()
    # Each entry of the list is still true.
    assert {key for key in ALLOWED if not any(each.startswith(key) for each in found)} == set()


def test_role_of_production_can_reach_production() -> None:
    """The requests are valid: a role with production's name in its policies can make them."""
    found = reached("dev,staging,prod")
    assert len(unexplained(found)) > 250
    assert {
        "rds:RestoreDBInstanceFromDBSnapshot",
        "s3:PutBucketPolicy",
        "iam:PassRole",
        "kms:CreateAlias",
    } <= found
