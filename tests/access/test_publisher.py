"""The publisher and plan roles: permissions, attempts of an attacker, and trusted principals."""

from __future__ import annotations

import ast
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from pipeline.paths import PROJECT_FOLDER
from pipeline.template.example_values import ACCOUNT
from templates_src.access import publisher_grants as grants
from templates_src.access.publisher import publisher_role
from templates_src.access.publisher_calls import Calls, recorded
from templates_src.core.errors import TemplateError
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
from tools.publisher_calls import ACTIONS

LAYER = publisher_role()
PUBLISHER = principal(LAYER, "PublisherRole", DeployBootstrapStacks="true")
WITHOUT_BOOTSTRAP = principal(LAYER, "PublisherRole", DeployBootstrapStacks="false")
PLANNER = principal(LAYER, "PlanRole")
CATALOG = f"arn:aws:catalog:{REGION}:{ACCOUNT}:"
PORTFOLIO, PRODUCT = f"{CATALOG}portfolio/port-x", f"{CATALOG}product/prod-x"
BUCKET = f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-{REGION}"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/"
LAUNCH_ROLE = f"{IAM}role/carbon-connect-launch"
OWN = {f"aws:ResourceTag/{grants.MANAGED_BY}": grants.PUBLISHER}
NEW = {f"aws:RequestTag/{grants.MANAGED_BY}": grants.PUBLISHER}
TO_SERVICE_CATALOG = {"iam:PassedToService": "servicecatalog.amazonaws.com"}
OF_STACK = {"iam:PolicyARN": f"{IAM}policy/carbon-connect-launch-role-IdentityPolicy-1A2B"}
READS: Cases = (
    ("servicecatalog:DescribePortfolio", PORTFOLIO, {}),
    ("servicecatalog:ListProvisioningArtifacts", PRODUCT, {}),
    ("servicecatalog:SearchProductsAsAdmin", "*", {}),
    ("cloudformation:DescribeStacks", f"{STACK}carbon-connect-launch-role/1", {}),
    ("cloudformation:DescribeStacks", f"{STACK}carbon-connect-release-bucket/1", {}),
    ("iam:GetRole", LAUNCH_ROLE, {}),
    ("s3:ListBucket", BUCKET, {}),
    ("s3:GetObject", f"{BUCKET}/carbon-connect/1.2.0-0/manifest.json", {}),
)
WRITES: Cases = (
    ("servicecatalog:CreatePortfolio", f"{CATALOG}portfolio/*", NEW),
    ("servicecatalog:TagResource", f"{CATALOG}product/*", NEW),
    ("servicecatalog:CreateProvisioningArtifact", PRODUCT, OWN),
    ("servicecatalog:AssociatePrincipalWithPortfolio", PORTFOLIO, OWN),
    ("servicecatalog:CreateConstraint", PRODUCT, OWN),
    ("iam:PassRole", LAUNCH_ROLE, TO_SERVICE_CATALOG),
    ("s3:PutObject", f"{BUCKET}/carbon-connect/1.2.0-0/manifest.json", {}),
)
BOOTSTRAP: Cases = (
    ("cloudformation:CreateChangeSet", f"{STACK}carbon-connect-launch-role/1", {}),
    ("cloudformation:ExecuteChangeSet", f"{STACK}carbon-connect-release-bucket/1", {}),
    ("iam:CreateRole", LAUNCH_ROLE, {}),
    ("iam:UpdateAssumeRolePolicy", f"{IAM}role/carbon-connect-launcher", {}),
    ("iam:AttachRolePolicy", LAUNCH_ROLE, OF_STACK),
    ("iam:CreatePolicyVersion", OF_STACK["iam:PolicyARN"], {}),
    ("s3:CreateBucket", BUCKET, {}),
    ("s3:PutBucketPolicy", BUCKET, {}),
)
# Attempts of an attacker with the publisher role.
ATTACKS: Cases = (
    ("servicecatalog:UpdatePortfolio", PORTFOLIO, {}),
    ("servicecatalog:AssociatePrincipalWithPortfolio", PORTFOLIO, {}),
    ("servicecatalog:CreatePortfolioShare", PORTFOLIO, {}),
    ("servicecatalog:CreateProvisioningArtifact", PRODUCT, {}),
    ("servicecatalog:CreateConstraint", PRODUCT, {}),
    ("servicecatalog:CreateProduct", f"{CATALOG}product/*", {}),
    ("servicecatalog:DeletePortfolio", PORTFOLIO, OWN),
    ("servicecatalog:DeleteProduct", PRODUCT, OWN),
    ("servicecatalog:ProvisionProduct", PRODUCT, OWN),
    ("servicecatalog:UpdateProvisionedProductProperties", "*", {}),
    ("servicecatalog:EnableAWSOrganizationsAccess", "*", {}),
    ("iam:PassRole", f"{IAM}role/Administrator", TO_SERVICE_CATALOG),
    ("iam:PassRole", LAUNCH_ROLE, {"iam:PassedToService": "lambda.amazonaws.com"}),
    ("sts:AssumeRole", LAUNCH_ROLE, {}),
    ("sts:AssumeRole", f"{IAM}role/carbon-connect-launcher", {}),
    ("iam:CreateRole", f"{IAM}role/Other", {}),
    ("iam:CreateRole", f"{IAM}role/carbon-connect/dev/x", {}),
    ("iam:PutRolePolicy", f"{IAM}role/carbon-connect-publisher", {}),
    ("iam:UpdateAssumeRolePolicy", f"{IAM}role/carbon-connect-publisher", {}),
    ("iam:CreatePolicyVersion", f"{IAM}policy/carbon-connect-publisher-role-PlanPolicy-1A2B", {}),
    ("iam:AttachRolePolicy", LAUNCH_ROLE, {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    ("iam:CreateUser", f"{IAM}user/x", {}),
    ("iam:CreateAccessKey", f"{IAM}user/x", {}),
    ("cloudformation:CreateChangeSet", f"{STACK}other/1", {}),
    ("cloudformation:CreateChangeSet", f"{STACK}SC-{ACCOUNT}-pp-x/1", {}),
    ("cloudformation:DeleteStack", f"{STACK}carbon-connect-prod/1", {}),
    ("s3:DeleteObject", f"{BUCKET}/carbon-connect/1.2.0-0/manifest.json", {}),
    ("s3:PutObject", "arn:aws:s3:::carbon-connect-prod-documents/x", {}),
    ("s3:GetObject", "arn:aws:s3:::carbon-connect-prod-documents/x", {}),
    ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:x-a1B2c3", {}),
    ("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1", {}),
)  # fmt: skip


@each([*READS, *WRITES, *BOOTSTRAP])
def test_publisher_is_allowed(call: Call) -> None:
    assert_allowed(PUBLISHER, call)


@each(ATTACKS)
def test_publisher_is_denied(call: Call) -> None:
    assert_denied(PUBLISHER, call)


@each(READS)
def test_planner_reads(call: Call) -> None:
    assert_allowed(PLANNER, call)


@each([*WRITES, *BOOTSTRAP, *ATTACKS])
def test_planner_writes_nothing(call: Call) -> None:
    assert_denied(PLANNER, call)


@each(BOOTSTRAP)
def test_publisher_without_bootstrap_stacks_changes_no_role_and_no_bucket(call: Call) -> None:
    assert_denied(WITHOUT_BOOTSTRAP, call)


@each([*READS, *WRITES])
def test_publisher_without_bootstrap_stacks_publishes(call: Call) -> None:
    assert_allowed(WITHOUT_BOOTSTRAP, call)


def test_action_without_a_grant_is_refused() -> None:
    calls = recorded()
    more = Calls(calls.plan, (*calls.publish, "servicecatalog:CopyProduct"), calls.bootstrap)

    with pytest.raises(
        TemplateError, match=r"calls servicecatalog:CopyProduct, and no grant covers"
    ):
        publisher_role(more)


def test_planning_is_recorded_as_reading() -> None:
    reading = ("Describe", "Get", "List", "Search")

    assert all(action.partition(":")[2].startswith(reading) for action in recorded().plan)


# Calls of deployments without Service Catalog, in the same modules.
NOT_PUBLISHING = {
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DescribeChangeSet",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:ListStackResources",
    "iam:CreateServiceLinkedRole",
    "s3:PutPublicAccessBlock",
}
MODULES = (
    *sorted((PROJECT_FOLDER / "pipeline/catalog").rglob("*.py")),
    *(PROJECT_FOLDER / "pipeline" / name for name in ("aws.py", "release/upload.py")),
    *sorted((PROJECT_FOLDER / "pipeline/stacks").glob("*.py")),
)
SERVICES = ("cloudformation", "iam", "s3", "servicecatalog", "sts")


def operations() -> dict[str, set[str]]:
    """The operations of the services that publishing uses, by the names of their methods in boto3."""
    session = botocore.session.get_session()
    found: dict[str, set[str]] = {}
    for service in SERVICES:
        for name in session.get_service_model(service).operation_names:
            found.setdefault(xform_name(name), set()).add(f"{service}:{name}")
    return found


def named_in(module: Path) -> set[str]:
    """Attributes and texts of a module, which include its operations."""
    names = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        match node:
            case ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                names.add(name)
    return names


def unrecorded(modules: tuple[Path, ...], known: set[str]) -> list[str]:
    """The operations that modules name and that are not recorded."""
    named = {name for module in modules for name in named_in(module)}
    return sorted(
        "/".join(sorted(found))
        for name, found in operations().items()
        if name in named and not any(set(ACTIONS.get(each, (each,))) <= known for each in found)
    )


def test_every_call_of_planning_and_publishing_is_recorded() -> None:
    calls = recorded()
    known = {*calls.plan, *calls.publish, *calls.bootstrap, *NOT_PUBLISHING}

    assert unrecorded(MODULES, known) == []


def test_call_that_is_not_recorded_is_found(tmp_path: Path) -> None:
    module = tmp_path / "later.py"
    module.write_text("def remove(client, name):\n    client.delete_portfolio(Id=name)\n")

    assert unrecorded((module,), set()) == ["servicecatalog:DeletePortfolio"]
