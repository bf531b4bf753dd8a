"""The launcher role: it uses products and follows their stacks, and has no other permissions."""

from __future__ import annotations

import pytest
from troposphere.ec2 import VPC

from pipeline.catalog.desired.product_templates import product_key
from pipeline.release.assemble import template_path
from pipeline.template.example_values import ACCOUNT
from templates_src.access.launcher import FORM_CALLS, launcher_role, parameter_types
from templates_src.core.errors import TemplateError
from templates_src.core.layer import Layer
from templates_src.core.parameters.declaration import Declaration
from tests.access.templates import (
    IAM,
    REGION,
    Call,
    Cases,
    answer,
    assert_allowed,
    assert_denied,
    each,
    principal,
)
from tests.relations.variants import built

LAUNCHER = principal(launcher_role(), "LauncherRole")
PRODUCT_ARN = f"arn:aws:catalog:{REGION}:{ACCOUNT}:product/prod-abcdefghijklm"
SHARED = f"arn:aws:catalog:{REGION}:999988887777:product/prod-abcdefghijklm"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/SC-{ACCOUNT}-pp-abc/1234"
OWN = {"servicecatalog:roleLevel": "self"}
NAMED = f"SC-{ACCOUNT}-pp-abc-Compute-1X"
ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}:"
STAGING = {"aws:ResourceTag/Project": "carbon-connect", "aws:ResourceTag/Environment": "staging"}
PROD = {**STAGING, "aws:ResourceTag/Environment": "prod"}
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"
SERVICE, TASK = (
    f"{ECS}service/{NAMED}-Cluster-a/{NAMED}-ApiService-b",
    f"{ECS}task/{NAMED}-Cluster-a/1234",
)
ALLOWED: Cases = (
    ("servicecatalog:SearchProducts", "*", {}),
    ("servicecatalog:DescribeProvisioningParameters", PRODUCT_ARN, {}),
    ("servicecatalog:ProvisionProduct", PRODUCT_ARN, {}),
    ("servicecatalog:ProvisionProduct", SHARED, {}),
    ("servicecatalog:DescribeProvisionedProduct", "*", OWN),
    ("servicecatalog:DescribeRecord", "*", OWN),
    ("servicecatalog:UpdateProvisionedProduct", "*", OWN),
    ("servicecatalog:TerminateProvisionedProduct", "*", OWN),
    ("cloudformation:DescribeStacks", STACK, {}),
    ("cloudformation:DescribeEvents", STACK, {}),
    ("cloudformation:DescribeStackEvents", STACK, {}),
    ("cloudformation:ListStackResources", STACK, {}),
    ("cloudformation:GetTemplate", STACK, {}),
    ("cloudformation:GetTemplateSummary", "*", {}),
    ("s3:GetObject", f"arn:aws:s3:::releases/{product_key('1.2.0', 'dev')}", {}),
    ("s3:GetObject", f"arn:aws:s3:::releases/{built().prefix}{template_path('network')}", {}),
    ("ec2:DescribeVpcs", "*", {}),
    ("ecs:DescribeServices", SERVICE, {}),
    ("ecs:ListServiceDeployments", SERVICE, {}),
    ("ecs:DescribeServiceDeployments", f"{SERVICE.replace(':service/', ':service-deployment/')}/1", {}),
    ("ecs:DescribeTasks", TASK, {}),
    ("ecs:ListTasks", f"{ECS}container-instance/x/*", {"ecs:cluster": f"{ECS}cluster/{NAMED}-Cluster-a"}),
    ("elasticloadbalancing:DescribeTargetHealth", "*", {}),
    ("logs:FilterLogEvents", f"{LOGS}{NAMED}-ApiLogGroup-c:*", STAGING),
)  # fmt: skip
OTHERS = {"servicecatalog:accountLevel": "self"}
DENIED: Cases = (
    ("servicecatalog:UpdateProvisionedProduct", "*", OTHERS),
    ("servicecatalog:TerminateProvisionedProduct", "*", OTHERS),
    ("servicecatalog:DescribeRecord", "*", OTHERS),
    ("servicecatalog:UpdateProvisionedProductProperties", "*", OWN),
    ("servicecatalog:CreateProvisioningArtifact", PRODUCT_ARN, {}),
    ("servicecatalog:AssociatePrincipalWithPortfolio", f"arn:aws:catalog:{REGION}:{ACCOUNT}:portfolio/port-x", {}),
    ("servicecatalog:DeleteConstraint", "*", {}),
    ("cloudformation:CreateStack", STACK, {}),
    ("cloudformation:UpdateStack", STACK, {}),
    ("cloudformation:DeleteStack", STACK, {}),
    ("cloudformation:GetTemplate", STACK.replace("/SC-", "/other-"), {}),
    ("s3:GetObject", f"arn:aws:s3:::releases/{built().prefix}functions/image_update.zip", {}),
    ("s3:GetObject", "arn:aws:s3:::carbon-connect-dev-documents/report.pdf", {}),
    ("s3:PutObject", "arn:aws:s3:::carbon-connect-dev-media/settings/1.env", {}),
    ("cloudformation:SetStackPolicy", STACK, {}),
    ("cloudformation:DescribeStacks", STACK.replace("/SC-", "/other-"), {}),
    ("cloudformation:DescribeStackEvents", STACK.replace(f"SC-{ACCOUNT}", "SC-999988887777"), {}),
    ("iam:PassRole", f"{IAM}role/carbon-connect-launch", {"iam:PassedToService": "servicecatalog.amazonaws.com"}),
    ("sts:AssumeRole", f"{IAM}role/carbon-connect-launch", {}),
    ("iam:CreateRole", f"{IAM}role/carbon-connect/dev/x", {}),
    ("iam:PutRolePolicy", f"{IAM}role/carbon-connect-launcher", {}),
    ("iam:CreatePolicyVersion", f"{IAM}policy/carbon-connect-launcher", {}),
    ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:x-a1B2c3", {}),
    ("s3:GetObject", f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-{REGION}/x", {}),
    ("ec2:DescribeInstances", "*", {}),
    ("ecs:RunTask", f"{ECS}task-definition/carbon-connect-dev-api:1", {}),
    ("ecs:StopTask", TASK, {}),
    ("ecs:ExecuteCommand", TASK, {}),
    ("ecs:UpdateService", SERVICE, {}),
    ("ecs:DescribeServices", f"{ECS}service/other/api", {}),
    ("ecs:DescribeTasks", f"{ECS}task/other/1234", {}),
    ("ecs:ListTasks", f"{ECS}container-instance/other/*", {"ecs:cluster": f"{ECS}cluster/other"}),
    ("logs:GetLogEvents", f"{LOGS}{NAMED}-ApiLogGroup-c:log-stream:api/api/1", STAGING),
    ("logs:FilterLogEvents", f"{LOGS}{NAMED}-ApiLogGroup-c:*", PROD),
    ("logs:FilterLogEvents", f"{LOGS}{NAMED}-ApiLogGroup-c:*", {}),
    ("logs:FilterLogEvents", f"{LOGS}other:*", STAGING),
    ("ec2:TerminateInstances", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1", {}),
)  # fmt: skip


@each(ALLOWED)
def test_launcher_is_allowed(call: Call) -> None:
    assert_allowed(LAUNCHER, call)


@each(DENIED)
def test_launcher_is_denied(call: Call) -> None:
    assert_denied(LAUNCHER, call)


def test_wildcard_resources_have_a_condition_or_no_resource_type() -> None:
    from pipeline.checks.permissions import resources_of

    for policy in LAUNCHER.policies:
        for statement in policy.statements:
            if statement["Resource"] == ["*"] and "Condition" not in statement:
                bindable = {a for a in statement["Action"] if resources_of(a)}
                # GetTemplateSummary also reads a template that has no stack.
                assert bindable <= {"cloudformation:GetTemplateSummary"}


def test_launch_form_reads_the_choices_of_every_parameter_of_the_products() -> None:
    types = parameter_types([built().root, *built().layers])

    assert types
    for kind in types:
        call = FORM_CALLS[kind]
        assert answer(LAUNCHER, f"{call.prefix}:{call.action}").allowed


def test_parameter_type_without_a_call_is_refused() -> None:
    layer = Layer("strange", "A layer")
    layer.parameter(
        Declaration(
            name="Bus",
            group="Events",
            label="Bus",
            description="A bus.",
            type="List<AWS::Events::EventBus::Name>",
        )
    )
    layer.add(VPC("Vpc", CidrBlock="10.0.0.0/16"))

    with pytest.raises(
        TemplateError, match=r"has the type AWS::Events::EventBus::Name, and no call"
    ):
        launcher_role([layer])
