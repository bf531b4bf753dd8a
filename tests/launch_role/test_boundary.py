"""The permissions boundary of the environments' roles: it allows their work, and no privilege escalation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import pytest
from troposphere import encode_to_dict

from pipeline.checks.iam.conditions import listed
from pipeline.checks.iam.evaluation import Decision, Principal, Resource, decide
from pipeline.checks.iam.policies import Policy, Request, allows, policy
from pipeline.checks.permissions import role_actions
from pipeline.template.example_values import ACCOUNT
from templates_src.core.errors import TemplateError
from templates_src.core.parameters.shared import ENVIRONMENTS
from templates_src.core.policy_size import MAX_MANAGED, longest_size, longest_values
from templates_src.launch_role import boundary, boundary_grants
from templates_src.launch_role.environments import LAUNCHED
from templates_src.launch_role.permissions import declared
from templates_src.launch_role.template import BOUNDARY_ADDED, launch_role
from tests.launch_role.evaluation import launch_role_layer, resources_of, role_statements
from tests.launch_role.releases import EVERY, KEPT, environment_of, kept_release
from tests.launch_role.role_calls import allowed_requests, roles

IAM = f"arn:aws:iam::{ACCOUNT}:"
OWN = f"{IAM}policy/carbon-connect-launch-boundary"
ROLE = f"{IAM}role/carbon-connect/dev/x"
REGIONAL = f"eu-north-1:{ACCOUNT}"
EVERYTHING = policy("administrator", [{"Effect": "Allow", "Action": "*", "Resource": "*"}])
PROD = {"aws:ResourceTag/Project": "carbon-connect", "aws:ResourceTag/Environment": "prod"}
DEV = {"aws:ResourceTag/Project": "carbon-connect", "aws:ResourceTag/Environment": "dev"}
THROUGH_SECRETS = {"kms:ViaService": "secretsmanager.eu-north-1.amazonaws.com"}
KEY = f"arn:aws:kms:{REGIONAL}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SECRET = f"arn:aws:secretsmanager:{REGIONAL}:secret:x-a1B2c3"
ZONE = "arn:aws:route53:::hostedzone/Z1"
NAMES = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
TO_TASKS = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
# Privilege escalation by a role with all permissions.
CLIMBING = (
    Request("iam:CreateUser", f"{IAM}user/x"),
    Request("iam:CreateRole", ROLE, {"iam:PermissionsBoundary": OWN}),
    Request("iam:PutRolePolicy", ROLE, {"iam:PermissionsBoundary": OWN}),
    Request("iam:DeleteRolePermissionsBoundary", ROLE),
    Request("iam:CreatePolicyVersion", OWN),
    Request("iam:PassRole", ROLE, {"iam:PassedToService": "lambda.amazonaws.com"}),
    Request("sts:AssumeRole", f"{IAM}role/Administrator"),
    Request("lambda:UpdateFunctionCode", f"arn:aws:lambda:{REGIONAL}:function:SC-x"),
    Request("lambda:InvokeFunction", f"arn:aws:lambda:{REGIONAL}:function:SC-x"),
    Request("cloudformation:CreateStack", f"arn:aws:cloudformation:{REGIONAL}:stack/SC-x/1", DEV),
    Request("servicecatalog:ProvisionProduct"),
    Request("ec2:RunInstances", f"arn:aws:ec2:{REGIONAL}:instance/i-1", DEV),
    Request("rds:DeleteDBInstance", f"arn:aws:rds:{REGIONAL}:db:x", DEV),
    Request("cloudformation:DeleteStack", f"arn:aws:cloudformation:{REGIONAL}:stack/SC-x/1", DEV),
    Request("organizations:LeaveOrganization"),
    Request("cloudtrail:StopLogging", f"arn:aws:cloudtrail:{REGIONAL}:trail/x"),
)
# Attempts of a role of development on production, or on resources of another owner.
REACHING = (
    Request("secretsmanager:GetSecretValue", SECRET, PROD),
    Request("secretsmanager:GetSecretValue", SECRET),
    # The function that turns deletion protection on needs it, for its own environment.
    Request("rds:ModifyDBInstance", f"arn:aws:rds:{REGIONAL}:db:x", PROD),
    Request("rds:ModifyDBInstance", f"arn:aws:rds:{REGIONAL}:db:x"),
    Request(
        "elasticloadbalancing:ModifyLoadBalancerAttributes",
        f"arn:aws:elasticloadbalancing:{REGIONAL}:loadbalancer/app/x/1",
        PROD,
    ),
    # A bootstrap stack, whose name begins with the default project's.
    Request(
        "cloudformation:UpdateTerminationProtection",
        f"arn:aws:cloudformation:{REGIONAL}:stack/carbon-connect-release-bucket/1",
    ),
    Request(
        "cloudformation:UpdateTerminationProtection",
        f"arn:aws:cloudformation:{REGIONAL}:stack/carbon-connect-prod/1",
    ),
    Request("kms:Decrypt", KEY, {**PROD, **THROUGH_SECRETS}),
    Request("kms:Decrypt", KEY, DEV),
    Request("s3:GetObject", "arn:aws:s3:::carbon-connect-prod-documents/x"),
    Request("s3:PutObject", "arn:aws:s3:::carbon-connect-prod-media/x"),
    Request("s3:GetObject", f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-eu-north-1/x"),
    Request("ecr:BatchGetImage", f"arn:aws:ecr:{REGIONAL}:repository/x", PROD),
    Request("ecr:PutImage", f"arn:aws:ecr:{REGIONAL}:repository/x", PROD),
    Request("logs:PutLogEvents", f"arn:aws:logs:{REGIONAL}:log-group:x:log-stream:y", PROD),
    Request("ec2:AttachVolume", f"arn:aws:ec2:{REGIONAL}:volume/vol-1", PROD),
    Request("ec2:CreateSnapshot", f"arn:aws:ec2:{REGIONAL}:volume/vol-1", PROD),
    Request("ec2:DeleteSnapshot", "arn:aws:ec2:eu-north-1::snapshot/snap-1", PROD),
    Request("ec2:CreateTags", "arn:aws:ec2:eu-north-1::snapshot/snap-1", PROD),
    Request("acm:DeleteCertificate", f"arn:aws:acm:{REGIONAL}:certificate/x", PROD),
    Request("acm:ImportCertificate", f"arn:aws:acm:{REGIONAL}:certificate/x"),
    Request("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "carbon-connect/prod"}),
    Request("cloudformation:SignalResource", f"arn:aws:cloudformation:{REGIONAL}:stack/x/1", PROD),
    Request("route53:ChangeResourceRecordSets", ZONE, {NAMES: ["search.carbon-connect-prod.internal"]}),
    Request("route53:ChangeResourceRecordSets", ZONE, {NAMES: ["www.example.com"]}),
    Request("route53:ChangeResourceRecordSets", ZONE),
    Request("servicecatalog:UpdateProvisionedProduct", "*"),
    Request("ecs:RunTask", f"arn:aws:ecs:{REGIONAL}:task-definition/carbon-connect-prod-worker:1", PROD),
    Request("ecs:StopTask", f"arn:aws:ecs:{REGIONAL}:task/x/1", PROD),
    Request("iam:PassRole", f"{IAM}role/carbon-connect/prod/x", TO_TASKS),
    Request("iam:PassRole", f"{IAM}role/carbon-connect-launch", TO_TASKS),
)  # fmt: skip


@cache
def boundary_for(
    launched: str = "dev,staging,prod", region: str = "eu-north-1", **given: str
) -> Policy:
    """The boundary of a launch role for these environments."""
    made = resources_of(launch_role_layer(), region, Environments=launched, **given)
    return policy("boundary", made["EnvironmentBoundary"]["Properties"]["PolicyDocument"])


def as_administrator(request: Request, launched: str) -> Decision:
    """The decision for a role with all permissions, within the boundary."""
    principal = Principal(ROLE, ACCOUNT, (EVERYTHING,), boundary_for(launched))
    # The policies of a key and of a role delegate to the account.
    of_resource = policy(
        "resource",
        [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "*"}],
    )
    return decide(principal, request, Resource(ACCOUNT, of_resource))


@pytest.mark.parametrize(("version", "name"), EVERY)
def test_roles_of_every_release_work_within_the_boundary(version: str, name: str) -> None:
    rendered = environment_of(version, name)
    given = rendered.parameters["environment"]
    bodies = boundary_for(
        given["Environment"], rendered.region, Project=given["Project"]
    ).statements
    refused = [
        f"{role}: {request.action} on {request.arn} with {dict(request.context)}"
        for role in roles(rendered)
        for request in allowed_requests(rendered, role)
        if not allows(bodies, request)
    ]
    assert refused == []


@pytest.mark.parametrize("sid", [grant.sid for grant in boundary_grants.grants()])
def test_every_statement_is_needed(sid: str) -> None:
    """Without a statement, a role of a release cannot do its work."""
    for version, name in EVERY:
        rendered = environment_of(version, name)
        given = rendered.parameters["environment"]
        known = boundary_for(given["Environment"], rendered.region, Project=given["Project"])
        without = [body for body in known.statements if body["Sid"] != sid]
        for role in roles(rendered):
            for request in allowed_requests(rendered, role):
                if not allows(without, request):
                    return
    raise AssertionError(f"No role needs {sid}.")


@pytest.mark.parametrize("version", KEPT)
def test_boundary_has_every_action_of_a_kept_release(version: str) -> None:
    templates = [
        template
        for name, template in kept_release(version).templates.items()
        if name not in {"launch-role", "release-bucket"}
    ]
    assert role_actions(templates) <= set(declared().of_roles)


@pytest.mark.parametrize("request_", CLIMBING, ids=lambda one: one.action)
def test_role_with_all_permissions_cannot_escalate(request_: Request) -> None:
    for launched in LAUNCHED.allowed:
        decision = as_administrator(request_, launched)
        assert not decision.allowed
        assert decision.bounded


@pytest.mark.parametrize("launched", ["dev", "staging", "dev,staging"])
@pytest.mark.parametrize("request_", REACHING, ids=lambda one: f"{one.action} {one.arn}")
def test_a_role_of_development_does_not_reach_production(request_: Request, launched: str) -> None:
    assert as_administrator(request_, launched).bounded


def test_production_can_use_its_resources() -> None:
    own = {"secretsmanager:GetSecretValue", "ec2:DeleteSnapshot", "ecr:PutImage"}
    asked = [one for one in REACHING if one.action in own and one.context == PROD]
    assert [one for one in asked if not as_administrator(one, "prod").allowed] == []
    assert {one.action for one in asked} == own


def test_image_of_development_can_run_in_production() -> None:
    pull = Request("ecr:BatchGetImage", f"arn:aws:ecr:{REGIONAL}:repository/x", DEV)
    assert as_administrator(pull, "prod").allowed


def test_function_code_cannot_create_network_interfaces() -> None:
    interface = Request("ec2:CreateNetworkInterface", f"arn:aws:ec2:{REGIONAL}:subnet/subnet-1")
    function = {"lambda:SourceFunctionArn": f"arn:aws:lambda:{REGIONAL}:function:SC-x"}
    assert as_administrator(interface, "dev").allowed
    assert as_administrator(replace(interface, context=function), "dev").bounded


def test_a_key_is_used_through_a_service_only() -> None:
    through = Request("kms:Decrypt", KEY, {**DEV, **THROUGH_SECRETS})
    assert as_administrator(through, "dev").allowed
    assert as_administrator(replace(through, context=DEV), "dev").bounded


def test_boundary_fits_a_managed_policy() -> None:
    values = longest_values(launch_role().declarations.values())
    size = longest_size(encode_to_dict(boundary.document(declared())), values)
    assert size <= MAX_MANAGED


def test_size_counts_the_longest_values() -> None:
    longest = boundary_for(region="us-gov-west-1", Project="p" * 14)
    values = longest_values(launch_role().declarations.values())
    document = {"Version": "2012-10-17", "Statement": list(longest.statements)}
    counted = longest_size(encode_to_dict(boundary.document(declared())), values)
    # If production is one of the environments, "-" replaces "prod"; the longer one counts.
    assert counted == longest_size(document, {}) + len("prod") - len("-")


def test_an_action_without_a_grant_is_refused() -> None:
    more = replace(declared(), of_roles=(*declared().of_roles, "sqs:SendMessage"))
    with pytest.raises(
        TemplateError, match="may call sqs:SendMessage, but its permissions boundary"
    ):
        launch_role(more)


def test_its_name_follows_the_launch_role() -> None:
    made = resources_of(launch_role_layer(), LaunchRoleName="production-launch")
    properties = made["EnvironmentBoundary"]["Properties"]
    assert properties["ManagedPolicyName"] == "production-launch-boundary"
    assert "Path" not in properties


def test_environments_parameter_has_every_combination() -> None:
    chosen = {",".join(some) for size in (1, 2, 3) for some in combinations(ENVIRONMENTS, size)}
    assert set(LAUNCHED.allowed) == chosen
    assert LAUNCHED.default == "dev,staging,prod"


def launch_statements(**given: str) -> list[Mapping[str, Any]]:
    """The launch role's statements."""
    return role_statements(resources_of(launch_role_layer(), **given))


@pytest.mark.parametrize("given", ["", f"{IAM}policy/of-the-organization"])
@pytest.mark.parametrize("action", ["CreateRole", "PutRolePolicy", "PutRolePermissionsBoundary"])
def test_no_role_without_the_boundary(action: str, given: str) -> None:
    among = launch_statements(PermissionsBoundary=given)
    required = given or OWN
    request = Request(f"iam:{action}", ROLE)
    assert not allows(among, request)
    assert not allows(among, replace(request, context={"iam:PermissionsBoundary": f"{required}2"}))
    assert allows(among, replace(request, context={"iam:PermissionsBoundary": required}))


def test_an_organizations_boundary_replaces_that_of_the_template() -> None:
    among = launch_statements(PermissionsBoundary=f"{IAM}policy/of-the-organization")
    assert not allows(among, Request("iam:CreateRole", ROLE, {"iam:PermissionsBoundary": OWN}))


@pytest.mark.parametrize(
    ("sid", "action"),
    [
        ("NoRoleWithoutTheBoundary", "CreateRole"),
        ("NoPolicyWithoutTheBoundary", "PutRolePolicy"),
        ("NoBoundaryRemoved", "DeleteRolePermissionsBoundary"),
    ],
)
def test_guards_refuse_the_calls(sid: str, action: str) -> None:
    among = launch_statements()
    without = [body for body in among if body["Sid"] != sid]
    request = Request(f"iam:{action}", ROLE)
    assert not allows(among, request)
    assert allows(without, request)


def test_a_boundary_is_not_removed() -> None:
    """Only from a role of an older release that `publish` added it to, because the rollback must remove it."""
    among = launch_statements()
    request = Request("iam:DeleteRolePermissionsBoundary", ROLE, {"iam:PermissionsBoundary": OWN})
    assert not allows(among, request)
    marked = {f"aws:ResourceTag/{BOUNDARY_ADDED}": "true"}
    assert allows(among, replace(request, context={**request.context, **marked}))
    # The rollback may remove it before it writes the policies of the older release.
    assert allows(among, Request("iam:PutRolePolicy", ROLE, marked))
    for action in ("AttachRolePolicy", "PutRolePermissionsBoundary"):
        assert not allows(among, Request(f"iam:{action}", ROLE, marked))


@pytest.mark.parametrize("key", [BOUNDARY_ADDED, BOUNDARY_ADDED.lower()])
@pytest.mark.parametrize("action", ["CreateRole", "TagRole"])
def test_only_publishing_marks_a_role(action: str, key: str) -> None:
    among = launch_statements()
    context = {"iam:PermissionsBoundary": OWN, "aws:TagKeys": ["Project", "Environment"]}
    request = Request(f"iam:{action}", ROLE, context)
    assert allows(among, request)
    marked = {**context, "aws:TagKeys": ["Project", key]}
    assert not allows(among, replace(request, context=marked))


@pytest.mark.parametrize(
    "action",
    ["CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion", "SetDefaultPolicyVersion"],
)
def test_boundary_cannot_be_changed(action: str) -> None:
    """Also with all permissions in addition to the launch role's policies."""
    more = [*launch_statements(), *EVERYTHING.statements]
    assert not allows(more, Request(f"iam:{action}", OWN))


@pytest.mark.parametrize(
    "action", ["PutUserPolicy", "PutGroupPolicy", "AttachUserPolicy", "CreateUser"]
)
def test_users_and_groups_cannot_be_created(action: str) -> None:
    more = [*launch_statements(), *EVERYTHING.statements]
    assert not allows(more, Request(f"iam:{action}", f"{IAM}user/carbon-connect/dev/x"))


@pytest.mark.parametrize(
    "action", ["CreateRole", "PassRole", "UpdateAssumeRolePolicy", "DeleteRole"]
)
@pytest.mark.parametrize("path", ["carbon-connect/prod", "carbon-connect", "other/dev"])
def test_only_roles_under_the_path_of_a_launched_environment(action: str, path: str) -> None:
    among = launch_statements(Environments="dev,staging")
    context = {"iam:PermissionsBoundary": OWN, "iam:PassedToService": "ec2.amazonaws.com"}
    assert allows(among, Request(f"iam:{action}", ROLE, context))
    assert not allows(among, Request(f"iam:{action}", f"{IAM}role/{path}/x", context))


def test_statements_name_their_actions() -> None:
    """No statement of the boundary has a wildcard, except for two actions of EBS."""
    wild = {
        action
        for body in boundary_for().statements
        for action in listed(body["Action"])
        if "*" in action
    }
    assert wild == {"kms:ReEncrypt*"}


@pytest.mark.parametrize("grant", boundary_grants.grants(), ids=lambda grant: grant.sid)
def test_a_grant_beyond_the_account_has_a_reason(grant: Any) -> None:
    """The ARN of a snapshot has no account; tags limit it."""
    known = ("${AWS::AccountId}", "${Project}", boundary_grants.SNAPSHOTS)
    assert all(any(one in text for one in known) for text in grant.resources) or grant.reason
