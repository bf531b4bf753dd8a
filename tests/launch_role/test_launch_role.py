"""The launch role: it has the permissions that the handlers of every environment need, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
from troposphere.sqs import Queue

from pipeline.checks.iam.conditions import like
from pipeline.checks.iam.policies import Request, allows
from pipeline.checks.permissions import (
    called_actions,
    compute,
    condition_keys,
    handler_actions,
    resource_types,
    text,
)
from pipeline.errors import PipelineError
from pipeline.template.example_values import ACCOUNT
from templates_src.core.errors import TemplateError
from templates_src.core.layer import Layer
from templates_src.core.parameters.shared import PROJECT
from templates_src.environment import ROOT
from templates_src.launch_role import bindings, grants, policies
from templates_src.launch_role.gaps import GAPS, SERVICE_LINKED, gap_actions
from templates_src.launch_role.grant import RELEASE_OBJECTS, Grant
from templates_src.launch_role.permissions import PERMISSIONS, declared
from templates_src.launch_role.template import launch_role
from templates_src.release_bucket.template import RELEASE_BUCKET_PREFIX
from tests.launch_role.calls import Calls, name_of
from tests.launch_role.evaluation import Statement, launch_role_layer, resources_of, role_statements
from tests.launch_role.releases import EVERY, environment_of
from tests.relations.text import listed
from tests.relations.variants import VARIANTS, built, rendered_variant
from tests.rendering import resources

BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
# Actions that a handler declares and that the role lacks, because the template has a boundary for every role.
REFUSED = {"iam:DeleteRolePermissionsBoundary"}
IAM = f"arn:aws:iam::{ACCOUNT}:"
RELEASES = f"arn:aws:s3:::{RELEASE_BUCKET_PREFIX}-{ACCOUNT}-eu-north-1"
KEY = f"arn:aws:kms:eu-north-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"{IAM}role/carbon-connect/dev/x"
SECRET = f"arn:aws:secretsmanager:eu-north-1:{ACCOUNT}:secret:other-a1B2c3"
DANGEROUS = (
    Request("iam:CreateUser", f"{IAM}user/carbon-connect/x"),
    Request("iam:CreateAccessKey", f"{IAM}user/carbon-connect/x"),
    Request("iam:CreatePolicyVersion", f"{IAM}policy/x"),
    Request("iam:CreateRole", f"{IAM}role/x"),
    Request("iam:PutRolePolicy", f"{IAM}role/x"),
    Request("iam:PutRolePolicy", f"{IAM}role/carbon-connect-launch"),
    Request("iam:UpdateAssumeRolePolicy", f"{IAM}role/Administrator"),
    Request("iam:AttachRolePolicy", ROLE, {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    Request("iam:PassRole", f"{IAM}role/Administrator", {"iam:PassedToService": "lambda.amazonaws.com"}),
    Request("iam:PassRole", ROLE, {"iam:PassedToService": "glue.amazonaws.com"}),
    Request("iam:PutUserPolicy", f"{IAM}user/administrator"),
    Request("iam:PutGroupPolicy", f"{IAM}group/administrators"),
    Request("iam:CreateServiceLinkedRole", f"{IAM}role/aws-service-role/x", {"iam:AWSServiceName": "organizations.amazonaws.com"}),
    Request("iam:CreateOpenIDConnectProvider", f"{IAM}oidc-provider/evil.example.com"),
    Request("iam:CreateInstanceProfile", f"{IAM}instance-profile/x"),
    Request("sts:AssumeRole", ROLE),
    Request("organizations:LeaveOrganization"),
    Request("account:CloseAccount"),
    Request("cloudtrail:StopLogging", f"arn:aws:cloudtrail:eu-north-1:{ACCOUNT}:trail/x"),
    Request("s3:DeleteObject", f"{RELEASES}/carbon-connect/1.0.0-0/manifest.json"),
    Request("s3:DeleteObjectVersion", "arn:aws:s3:::carbon-connect-prod-documents/x"),
    Request("s3:PutObject", f"{RELEASES}/x"),
    Request("s3:PutBucketPolicy", RELEASES),
    Request("s3:DeleteBucket", RELEASES),
    Request("s3:PutBucketPolicy", "arn:aws:s3:::another-teams"),
    Request("s3:GetObject", "arn:aws:s3:::carbon-connect-prod-documents/x"),
    Request("s3:GetObject", "arn:aws:s3:::another-teams/x"),
    Request("cloudformation:DeleteStack", f"arn:aws:cloudformation:eu-north-1:{ACCOUNT}:stack/other/1"),
    Request("lambda:InvokeFunction", f"arn:aws:lambda:eu-north-1:{ACCOUNT}:function:other"),
    Request("lambda:UpdateFunctionCode", f"arn:aws:lambda:eu-north-1:{ACCOUNT}:function:other"),
    Request("secretsmanager:GetSecretValue", SECRET),
    Request("secretsmanager:GetSecretValue", SECRET, {"aws:ResourceTag/Project": "other"}),
    Request("kms:Decrypt", KEY),
    Request("kms:CreateGrant", KEY),
    Request("kms:CreateAlias", f"arn:aws:kms:eu-north-1:{ACCOUNT}:alias/other"),
    Request("kms:ScheduleKeyDeletion", KEY.replace(ACCOUNT, "444455556666")),
    Request("rds:DeleteDBInstance", f"arn:aws:rds:eu-north-1:{ACCOUNT}:db:other"),
    Request("ec2:DeleteVpc", f"arn:aws:ec2:eu-north-1:{ACCOUNT}:vpc/vpc-1"),
    Request("ec2:DeleteVolume", f"arn:aws:ec2:eu-north-1:{ACCOUNT}:volume/vol-1", {"aws:ResourceTag/Project": "other"}),
    Request("ec2:TerminateInstances", f"arn:aws:ec2:eu-north-1:{ACCOUNT}:instance/i-1"),
    Request("ssm:GetParameter", f"arn:aws:ssm:eu-north-1:{ACCOUNT}:parameter/password"),
    Request("ssm:GetParameter", "arn:aws:ssm:eu-north-1::parameter/aws/reference/secretsmanager/x"),
    Request("apprunner:DisassociateWebAcl", f"arn:aws:apprunner:eu-north-1:{ACCOUNT}:service/x/1"),
    Request("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z1", {"route53:ChangeResourceRecordSetsRecordTypes": ["NS"]}),
)  # fmt: skip


@cache
def statements_for(version: str, name: str) -> tuple[Statement, ...]:
    """The statements of a launch role for one environment, of a kept release or of a variant of this one."""
    given = environment_of(version, name).parameters[ROOT]
    return statements(
        Project=given["Project"],
        Environments=given["Environment"],
        PermissionsBoundary=given.get("PermissionsBoundary", ""),
        ReleaseBuckets=given["ReleaseBucket"],
    )


@cache
def statements(**given: str) -> tuple[Statement, ...]:
    """The launch role's statements with these parameters; read only."""
    return tuple(role_statements(resources_of(launch_role_layer(), **given)))


def refused(version: str, name: str, among: tuple[Statement, ...]) -> Iterator[str]:
    """The calls of an environment's handlers that the statements do not allow."""
    for logical_id, request in Calls(environment_of(version, name)).of_handlers():
        if not allows(among, request) and request.action not in REFUSED:
            yield f"{logical_id}: {request.action} on {request.arn} with {dict(request.context)}"


@pytest.mark.parametrize(("version", "name"), EVERY)
def test_what_the_handlers_need_is_allowed(version: str, name: str) -> None:
    """To launch, update and delete an environment, with a launch role for that environment only."""
    assert list(refused(version, name, statements_for(version, name))) == []


def test_every_action_of_the_handlers_is_evaluated() -> None:
    evaluated = {
        request.action
        for variant in VARIANTS
        for _, request in Calls(rendered_variant(variant)).of_handlers()
    }
    kinds = resource_types(built())
    assert {
        kind for variant in VARIANTS for kind, _ in resources(rendered_variant(variant))
    } >= set(kinds)
    needed = {action for kind in kinds for action in called_actions(kind)}
    assert needed - evaluated == set()


@pytest.mark.parametrize(
    "action", ["ecs:CreateService", "iam:PassRole", "s3:PutBucketPolicy", "ec2:DeleteVpc"]
)
def test_omitted_action_is_found(action: str) -> None:
    among = tuple(
        {**statement, "Action": [one for one in listed(statement["Action"]) if one != action]}
        for statement in statements_for("", "dev")
    )
    found = list(refused("", "dev", among))
    assert found
    assert all(f": {action} on" in line for line in found)


def test_actions_that_no_handler_needs_are_not_allowed() -> None:
    assert superfluous(statements()) == set()


def test_a_superfluous_action_is_found() -> None:
    planted = {"Effect": "Allow", "Action": ["ecs:RunTask", "s3:*"], "Resource": ["*"]}
    assert superfluous((*statements(), planted)) == {"ecs:RunTask", "s3:*"}


def superfluous(among: tuple[Statement, ...]) -> set[str]:
    """Actions that the statements allow, and neither a handler nor a gap needs; wildcards are not expanded."""
    needed = {action for kind in resource_types(built()) for action in called_actions(kind)}
    allowed = {
        action
        for statement in among
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
    }
    return allowed - needed - set(gap_actions())


@pytest.mark.parametrize("request_", DANGEROUS, ids=lambda one: f"{one.action} {one.arn}")
def test_dangerous_calls_are_refused(request_: Request) -> None:
    assert not allows(statements(), request_)


@pytest.mark.parametrize(
    "granted",
    [
        Request("s3:GetObject", f"{RELEASES}/carbon-connect/1.0.0-0/templates/data.template.json", {"s3:ResourceAccount": ACCOUNT}),
        Request("s3:GetObject", "arn:aws:s3:::x/y", {"s3:ExistingObjectTag/servicecatalog:provisioning": "true"}),
        Request("cloudformation:CreateStack", f"arn:aws:cloudformation:eu-north-1:{ACCOUNT}:stack/{name_of('X')}/1"),
        Request("cloudformation:ExecuteChangeSet", f"arn:aws:cloudformation:eu-north-1:{ACCOUNT}:stack/{name_of('X')}/1"),
        Request("cloudformation:ValidateTemplate"),
        Request("cloudwatch:GetMetricData"),
        Request("secretsmanager:GetSecretValue", SECRET, {"aws:ResourceTag/Project": "carbon-connect", "aws:ResourceTag/Environment": "dev"}),
        Request("kms:GenerateDataKey", KEY, {"kms:ViaService": "secretsmanager.eu-north-1.amazonaws.com"}),
        Request("kms:Decrypt", KEY, {"kms:ViaService": "secretsmanager.eu-north-1.amazonaws.com"}),
        Request("ssm:GetParameters", "arn:aws:ssm:eu-north-1::parameter/aws/service/ami-amazon-linux-latest/x"),
        Request("lambda:InvokeFunction", f"arn:aws:lambda:eu-north-1:{ACCOUNT}:function:{name_of('DatabaseExtensionsFunction')}"),
        Request("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z1", {"route53:ChangeResourceRecordSetsRecordTypes": ["CNAME"]}),
        *(
            Request("iam:CreateServiceLinkedRole", f"{IAM}role/aws-service-role/{service}/x", {"iam:AWSServiceName": service})
            for service in SERVICE_LINKED
        ),
    ],
    ids=lambda one: f"{one.action} {dict(one.context)}",
)  # fmt: skip
def test_gaps_are_granted(granted: Request) -> None:
    assert allows(statements(), granted)


def test_only_releases_of_a_named_bucket_are_read() -> None:
    given = statements(ReleaseBuckets="carbon-connect-releases-444455556666-*")
    theirs = "arn:aws:s3:::carbon-connect-releases-444455556666-eu-west-1/x"
    ours = {"s3:ResourceAccount": ACCOUNT}
    assert allows(given, Request("s3:GetObject", theirs, ours))
    assert not allows(given, Request("s3:GetObject", f"{RELEASES}/x", ours))
    assert not allows(statements(), Request("s3:GetObject", theirs, ours))


def test_only_buckets_of_the_publisher_account_are_read() -> None:
    """The name of a bucket does not identify its account."""
    other = {"s3:ResourceAccount": "444455556666"}
    for arn in (f"{RELEASES}/x", f"{RELEASES}-evil/x"):
        assert allows(statements(), Request("s3:GetObject", arn, {"s3:ResourceAccount": ACCOUNT}))
        assert not allows(statements(), Request("s3:GetObject", arn, other))
        assert not allows(statements(), Request("s3:GetObject", arn))
        assert allows(
            statements(PublisherAccount="444455556666"), Request("s3:GetObject", arn, other)
        )


def test_committed_permissions_are_those_of_the_templates() -> None:
    assert PERMISSIONS.read_bytes() == text(compute(built())), (
        "run `python -m pipeline.checks.permissions`"
    )
    assert declared() == compute(built())


def test_another_resource_type_changes_the_permissions() -> None:
    layer = Layer("queue", "A layer with a type that no other has")
    layer.add(Queue("Queue"))
    changed = compute(replace(built(), layers=(*built().layers, layer)))
    assert "sqs:CreateQueue" in set(changed.bound) - set(declared().bound)


def test_a_service_without_an_area_is_refused() -> None:
    with pytest.raises(TemplateError, match=r"calls sqs:CreateQueue; name its service in AREAS"):
        launch_role(replace(declared(), bound=(*declared().bound, "sqs:CreateQueue")))


def test_a_type_without_a_schema_is_refused() -> None:
    with pytest.raises(PipelineError, match="AWS::Nothing::AtAll has no provider schema"):
        handler_actions("AWS::Nothing::AtAll")


def all_grants() -> tuple[Grant, ...]:
    return (
        *grants.identity(declared().passed_to),
        *grants.UNTAGGED,
        *grants.KEYS_AND_STACKS,
        *grants.STORES,
        *grants.NETWORKS,
        grants.new_secrets(declared().secrets),
    )


def test_every_grant_selects_something() -> None:
    sids = {statement["Sid"] for statement in statements()}
    assert {grant.sid for grant in all_grants()} - sids == set()


@pytest.mark.parametrize("grant", all_grants(), ids=lambda grant: grant.sid)
def test_a_grant_beyond_the_account_has_a_reason(grant: Grant) -> None:
    bounded = [
        one
        for one in grant.resources
        if bindings.ACCOUNT in one or PROJECT.name in one or one == RELEASE_OBJECTS
    ]
    assert bounded == list(grant.resources) or grant.reason


def test_every_gap_has_a_reason() -> None:
    assert all(gap.reason.endswith(".") or "https://" in gap.reason for gap in GAPS)


@pytest.mark.parametrize("pattern", [*bindings.OWN, *bindings.OWN_OR_NEW])
def test_actions_limited_by_tags_support_tags(pattern: str) -> None:
    """Each pattern selects an action, and its service has the condition key for one of its resources."""
    selected = [action for action in (*declared().bound, *gap_actions()) if like(action, pattern)]
    assert selected
    for action in selected:
        assert any("aws:ResourceTag/${TagKey}" in keys for keys in condition_keys(action)), action


def test_every_taggable_resource_has_the_tags_of_its_environment() -> None:
    """In every release, so that statements with tags match them."""
    for version, name in EVERY:
        rendered = environment_of(version, name)
        given = rendered.parameters[ROOT]
        wanted = {"Project": given["Project"], "Environment": given["Environment"]}
        for kind, resource in resources(rendered):
            if tag_property(kind):
                assert wanted.items() <= Calls(rendered).own_tags(resource).items(), resource


def tag_property(kind: str) -> bool:
    """Whether resources of a type can have tags, by its provider schema; a launch template is an exception."""
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

    if kind.startswith("Custom::"):
        return False
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-north-1", kind).schema
    return bool(schema.get("tagging", {}).get("taggable")) or kind == "AWS::EC2::LaunchTemplate"


# Services with another prefix in IAM.
SERVICES = {
    "applicationautoscaling": "application-autoscaling",
    "certificatemanager": "acm",
    "elasticloadbalancingv2": "elasticloadbalancing",
}


@pytest.mark.parametrize("kind", resource_types(built()))
def test_the_service_of_a_resource_type_has_an_area(kind: str) -> None:
    service = kind.split("::")[1].lower()
    areas = [
        services
        for services in policies.AREAS.values()
        if SERVICES.get(service, service) in services
    ]
    assert len(areas) == 1


def test_only_service_catalog_can_assume_it() -> None:
    (statement,) = resources_of(launch_role_layer())["LaunchRole"]["Properties"][
        "AssumeRolePolicyDocument"
    ]["Statement"]
    assert statement["Principal"] == {"Service": "servicecatalog.amazonaws.com"}
    assert listed(statement["Action"]) == ["sts:AssumeRole"]
    assert statement["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}


def test_it_has_the_name_that_launch_constraints_use() -> None:
    properties = resources_of(launch_role_layer())["LaunchRole"]["Properties"]
    assert properties["RoleName"] == "carbon-connect-launch"
    assert "Path" not in properties


def test_launch_role_template_is_not_in_the_release() -> None:
    names = [path for path in built().files if "launch-role" in path or "release-bucket" in path]
    assert names == []
    assert len(built().bootstrap_stacks) == 5


@pytest.mark.parametrize(("version", "name"), EVERY)
def test_a_deletion_waits_for_the_interfaces_of_functions(version: str, name: str) -> None:
    """CloudFormation waits for the interfaces of a function in a VPC only if the role can see them.

    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/392
    """
    rendered = environment_of(version, name)
    inside = [
        resource.logical_id
        for kind, resource in resources(rendered)
        if kind == "AWS::Lambda::Function" and "VpcConfig" in resource.properties
    ]
    assert inside
    statements = role_statements(resources_of(launch_role_layer()))
    assert allows(statements, Request("ec2:DescribeNetworkInterfaces"))
