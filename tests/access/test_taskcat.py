"""The taskcat role and the deployment role: permissions, and attempts of an attacker."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.template.example_values import ACCOUNT
from templates_src.access.taskcat import DEPLOYMENT_ROLE, OF_OUTPUTS, taskcat_role
from tests.access.templates import (
    IAM,
    REGION,
    Call,
    Cases,
    assert_allowed,
    assert_denied,
    each,
    principal,
)
from tests.launch_role.evaluation import Statement, launch_role_layer, resources_of, role_statements
from tests.relations.text import listed
from tests.taskcat.contract import PROMISES, Exists

TASKCAT = principal(taskcat_role(), "TaskcatRole")
DEPLOYMENT = principal(taskcat_role(), "DeploymentRole")
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/"
DATABASE = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:one"
TEST, OTHER = {"aws:ResourceTag/Project": "tcat-dev"}, {"aws:ResourceTag/Project": "carbon-connect"}
TO_CLOUDFORMATION = {"iam:PassedToService": "cloudformation.amazonaws.com"}
ALLOWED: Cases = (
    ("cloudformation:CreateStack", f"{STACK}tCaT-dev-1a2b3c/1", {}),
    ("cloudformation:DescribeStackEvents", f"{STACK}tCaT-dev-1a2b3c/1", {}),
    ("cloudformation:DeleteStack", f"{STACK}tCaT-dev-1a2b3c/1", {}),
    ("cloudformation:UpdateTerminationProtection", f"{STACK}tCaT-prod-1a2b3c/1", {}),
    ("iam:PassRole", f"{IAM}role/{DEPLOYMENT_ROLE}", TO_CLOUDFORMATION),
    ("s3:DeleteBucket", "arn:aws:s3:::tcat-0123-eu-north-1", {}),
    ("elasticloadbalancing:ModifyLoadBalancerAttributes", f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/x/1", TEST),
    ("s3:PutObject", "arn:aws:s3:::tcat-0123-eu-north-1/carbon-connect/x", {}),
    ("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/carbon-connect/taskcat/domain-name", {}),
    ("rds:ModifyDBInstance", DATABASE, TEST),
)  # fmt: skip
DENIED: Cases = (
    ("cloudformation:CreateStack", f"{STACK}carbon-connect-prod/1", {}),
    ("cloudformation:UpdateTerminationProtection", f"{STACK}carbon-connect-prod/1", {}),
    ("ec2:CreateVpc", f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/*", {}),
    ("rds:CreateDBInstance", DATABASE, TEST),
    ("cloudformation:DeleteStack", f"{STACK}SC-{ACCOUNT}-pp-x/1", {}),
    ("iam:PassRole", f"{IAM}role/Administrator", TO_CLOUDFORMATION),
    ("iam:PassRole", f"{IAM}role/{DEPLOYMENT_ROLE}", {"iam:PassedToService": "lambda.amazonaws.com"}),
    ("iam:CreateRole", f"{IAM}role/tcat-dev/dev/x", {}),
    ("s3:PutObject", f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-{REGION}/x", {}),
    ("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/other", {}),
    ("rds:ModifyDBInstance", DATABASE, OTHER),
    ("rds:ModifyDBInstance", DATABASE, {}),
    ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:x-a1B2c3", {}),
)  # fmt: skip
DEPLOYS: Cases = (
    ("rds:CreateDBInstance", DATABASE, {}),
    ("rds:DeleteDBInstance", DATABASE, TEST),
    ("ec2:CreateVpc", f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/*", {}),
    ("iam:CreateRole", f"{IAM}role/tcat-dev/dev/x", {}),
    ("iam:PassRole", f"{IAM}role/tcat-dev/dev/x", {"iam:PassedToService": "lambda.amazonaws.com"}),
    ("s3:CreateBucket", "arn:aws:s3:::tcat-dev-dev-documents", {}),
)
DEPLOYS_NOT: Cases = (
    ("rds:DeleteDBInstance", DATABASE, OTHER),
    ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:x-a1B2c3", OTHER),
    ("iam:CreateRole", f"{IAM}role/carbon-connect/prod/x", {}),
    ("iam:PutRolePolicy", f"{IAM}role/{DEPLOYMENT_ROLE}", {}),
    ("iam:PassRole", f"{IAM}role/Administrator", {"iam:PassedToService": "lambda.amazonaws.com"}),
    ("iam:CreateUser", f"{IAM}user/x", {}),
    ("s3:GetObject", "arn:aws:s3:::carbon-connect-prod-documents/x", {}),
)  # fmt: skip


@each(ALLOWED)
def test_taskcat_is_allowed(call: Call) -> None:
    assert_allowed(TASKCAT, call)


@each(DENIED)
def test_taskcat_is_denied(call: Call) -> None:
    assert_denied(TASKCAT, call)


@each(DEPLOYS)
def test_deployment_role_deploys(call: Call) -> None:
    assert_allowed(DEPLOYMENT, call)


def test_deployment_role_has_the_actions_of_the_launch_role() -> None:
    launch = role_statements(resources_of(launch_role_layer()))
    deployment = [each for policy in DEPLOYMENT.policies for each in policy.statements]

    assert allowed(deployment) == allowed(launch)


def allowed(statements: Iterable[Statement]) -> set[str]:
    """The actions that statements allow on some resource."""
    return {
        action
        for each in statements
        if each["Effect"] == "Allow"
        for action in listed(each["Action"])
    }


@each(DEPLOYS_NOT)
def test_deployment_role_is_denied(call: Call) -> None:
    assert_denied(DEPLOYMENT, call)


def test_taskcat_checks_every_output_that_a_service_describes() -> None:
    services = {"elbv2": "elasticloadbalancing"}
    asked = {
        f"{services.get(each.service, each.service)}:{each.operation.replace('_', '').lower()}"
        for each in PROMISES.values()
        if isinstance(each, Exists)
    }

    assert asked - {action.lower() for action in OF_OUTPUTS} == set()
