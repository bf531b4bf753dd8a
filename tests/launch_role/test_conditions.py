"""Every value of a condition is used by a call, and another value is refused; so is every other caller of the launch role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from pipeline.checks.iam.conditions import clauses_of, like, listed
from pipeline.checks.iam.evaluation import Principal, Resource, decide
from pipeline.checks.iam.policies import Request, allows, policy
from pipeline.template.example_values import ACCOUNT
from templates_src.environment import ROOT
from tests.launch_role import foreign
from tests.launch_role.evaluation import (
    REGION,
    Statement,
    launch_role_layer,
    resources_of,
    role_statements,
)
from tests.launch_role.foreign import (
    OF_LAUNCHES,
    OF_ROLES,
    OTHER_ACCOUNT,
    RECORD_NAMES,
    Rules,
    changed,
    of_launches,
    of_roles,
    questions_of_launches,
    questions_of_roles,
    rule,
    variations,
    wrong,
)
from tests.relations.variants import rendered_variant

ENVIRONMENTS = ("dev", "staging", "prod")
COMBINATIONS = [",".join(some) for size in (1, 2, 3) for some in combinations(ENVIRONMENTS, size)]
LAUNCHES = ("complete prod", "dev on what exists")
WITH_ROLES = ("complete dev", "complete prod")
IAM = f"arn:aws:iam::{ACCOUNT}:"
REGIONAL = f"{REGION}:{ACCOUNT}"
KEY = f"arn:aws:kms:{REGIONAL}:key/1"
VPC = f"arn:aws:ec2:{REGIONAL}:vpc/1"
BOUNDARY = f"{IAM}policy/carbon-connect-launch-boundary"
LAUNCH_ROLE = f"{IAM}role/carbon-connect-launch"
SERVICE_CATALOG = Principal(service="servicecatalog.amazonaws.com")


@cache
def launch_role_for(environments: str, **given: str) -> tuple[Statement, ...]:
    """The statements of a launch role of these environments; read only."""
    made = resources_of(launch_role_layer(), Environments=environments, **given)
    return tuple(role_statements(made))


def launch_role_of(variant: str) -> tuple[Statement, ...]:
    """The statements of a launch role for one environment."""
    given = rendered_variant(variant).parameters[ROOT]
    return launch_role_for(
        given["Environment"],
        PermissionsBoundary=given.get("PermissionsBoundary", ""),
        ReleaseBuckets=given["ReleaseBucket"],
    )


@cache
def boundary_for(environments: str) -> tuple[Statement, ...]:
    """The statements of the boundary of a launch role of these environments; read only."""
    made = resources_of(launch_role_layer(), Environments=environments)
    document = made["EnvironmentBoundary"]["Properties"].get("PolicyDocument", {})
    return tuple(document.get("Statement", ()))


@pytest.mark.parametrize("variant", LAUNCHES)
def test_a_launch_works_with_its_own_values_only(variant: str) -> None:
    """Also on resources that exist, with the tags of the environment."""
    assert wrong(launch_role_of(variant), questions_of_launches(variant)) == []


@pytest.mark.parametrize("variant", WITH_ROLES)
def test_roles_work_with_their_own_values_only(variant: str) -> None:
    among = boundary_for(rendered_variant(variant).parameters[ROOT]["Environment"])
    assert wrong(among, questions_of_roles(variant)) == []


@pytest.mark.parametrize("sid", ["Keys", "PassRolesToTheirServices", "ServiceLinkedRoles"])
def test_a_missing_condition_is_found(sid: str) -> None:
    among = [
        {**body, "Condition": {}} if body["Sid"] == sid else body
        for body in launch_role_of("complete prod")
    ]
    assert wrong(among, questions_of_launches("complete prod"))


def test_a_missing_value_is_found() -> None:
    """A statement that no longer names the last of several values refuses a call."""
    for body in launch_role_for("prod"):
        for clause in clauses_of(body.get("Condition", {})):
            if clause.key in foreign.SEVERAL and len(clause.values) > 1:
                less = {**body, "Condition": {clause.operator: {clause.key: clause.values[:-1]}}}
                others = [each for each in launch_role_for("prod") if each is not body]
                calls = (*of_launches("complete prod"), *of_launches("dev on what exists"))
                asked = [one for one in calls if clause.key in one.context]
                assert [one for one in asked if not allows([*others, less], one)], clause.key


def patterns() -> Iterator[tuple[Rules, str, str]]:
    for rules in (OF_LAUNCHES, OF_ROLES):
        for key, known in rules.items():
            for pattern in known:
                yield rules, key, pattern


def test_every_rule_decides_about_a_call() -> None:
    used = {
        (id(rules), key, rule(rules, key, other)[0])
        for rules, requests in (
            (OF_LAUNCHES, [one for name in LAUNCHES for one in of_launches(name)]),
            (OF_ROLES, [one for name in WITH_ROLES for one in of_roles(name)]),
        )
        for request in requests
        for sent, other in variations(request)
        for key in rules
        if like(sent, key)
    }
    idle = [(key, each) for rules, key, each in patterns() if (id(rules), key, each) not in used]
    assert idle == []


def tagged(environment: str, kind: str = "ResourceTag", project: str = "carbon-connect") -> Any:
    """The tags of an environment as condition keys."""
    return {f"aws:{kind}/Project": project, f"aws:{kind}/Environment": environment}


def for_launches(name: str) -> Iterator[Request]:
    """Calls for an environment that only a launch role of it may make."""
    role = f"{IAM}role/carbon-connect/{name}/x"
    bucket = f"arn:aws:s3:::carbon-connect-{name}-documents"
    alias = f"alias/carbon-connect-{name}"
    group = f"arn:aws:ec2:{REGIONAL}:security-group/1"
    yield Request("iam:CreateRole", role, {"iam:PermissionsBoundary": BOUNDARY})
    yield Request("iam:PassRole", role, {"iam:PassedToService": "lambda.amazonaws.com"})
    yield Request("iam:CreateInstanceProfile", f"{IAM}instance-profile/carbon-connect/{name}/x")
    yield Request("kms:CreateAlias", f"arn:aws:kms:{REGIONAL}:{alias}")
    yield Request("kms:PutKeyPolicy", KEY, {"kms:ResourceAliases": [alias]})
    yield Request("kms:PutKeyPolicy", KEY, tagged(name))
    yield Request("s3:CreateBucket", bucket)
    yield Request("s3:DeleteBucketCors", bucket)
    yield Request("ec2:DeleteVolume", f"arn:aws:ec2:{REGIONAL}:volume/1", tagged(name))
    yield Request("ec2:CreateSecurityGroup", VPC, tagged(name))
    yield Request("ec2:CreateSecurityGroup", group, tagged(name, "RequestTag"))
    yield Request(
        "route53:ChangeResourceRecordSets",
        "arn:aws:route53:::hostedzone/Z1",
        {RECORD_NAMES: [f"search.carbon-connect-{name}.internal"]},
    )


def for_roles(name: str) -> Iterator[Request]:
    """Calls for an environment that only the roles of an environment of the launch role may make."""
    stack = f"arn:aws:cloudformation:{REGIONAL}:stack/carbon-connect-{name}/1"
    secret = f"arn:aws:secretsmanager:{REGIONAL}:secret:x-a1B2c3"
    names = {RECORD_NAMES: [f"search.carbon-connect-{name}.internal"]}
    tasks = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    yield Request(
        "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": f"carbon-connect/{name}"}
    )
    yield Request("cloudformation:UpdateTerminationProtection", stack)
    yield Request("s3:GetObject", f"arn:aws:s3:::carbon-connect-{name}-documents/x")
    yield Request("iam:PassRole", f"{IAM}role/carbon-connect/{name}/x", tasks)
    yield Request("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z1", names)
    yield Request("secretsmanager:GetSecretValue", secret, tagged(name))
    # A new certificate has no tags yet.
    new = f"arn:aws:acm:{REGIONAL}:certificate/1"
    yield Request("acm:ImportCertificate", new, tagged(name, "RequestTag"))


@pytest.mark.parametrize("chosen", COMBINATIONS)
def test_a_launch_role_reaches_its_environments_only(chosen: str) -> None:
    """Every combination of environments, for the launch role and for the boundary of the roles."""
    found = []
    for name in ENVIRONMENTS:
        wanted = name in chosen.split(",")
        for among, requests in (
            (launch_role_for(chosen), for_launches(name)),
            (boundary_for(chosen), for_roles(name)),
        ):
            found += [one for one in requests if allows(among, one) != wanted]
    assert found == []


@pytest.mark.parametrize("key", ["aws:RequestTag/Project", "aws:RequestTag/Environment"])
def test_a_role_imports_a_certificate_with_its_tags_only(key: str) -> None:
    (own,) = (one for one in for_roles("dev") if one.action == "acm:ImportCertificate")
    assert not allows(boundary_for("dev"), changed(own, key, "payroll"))
    assert not allows(boundary_for("dev"), changed(own, key, None))


@pytest.mark.parametrize("key", [foreign.PROJECT_TAG, foreign.ENVIRONMENT_TAG])
def test_a_role_does_not_import_over_a_certificate_of_others(key: str) -> None:
    """Even if the request names the tags of the role's environment."""
    (new,) = (one for one in for_roles("dev") if one.action == "acm:ImportCertificate")
    own = replace(new, context={**new.context, **tagged("dev")})
    assert allows(boundary_for("dev"), own)
    assert not allows(boundary_for("dev"), changed(own, key, "payroll"))


def test_a_role_protects_the_stack_of_a_product() -> None:
    stack = f"arn:aws:cloudformation:{REGIONAL}:stack/SC-{ACCOUNT}-pp-abcdefghijklm/1"
    protect = Request("cloudformation:UpdateTerminationProtection", stack)
    assert allows(boundary_for("dev"), protect)


@pytest.mark.parametrize("chosen", COMBINATIONS)
def test_every_condition_and_resource_has_a_value(chosen: str) -> None:
    """An empty list is no valid policy: each combination of environments leaves a value."""
    empty = [
        body["Sid"]
        for body in (*launch_role_for(chosen), *boundary_for(chosen))
        if not listed(body.get("Resource"))
        or not all(clause.values for clause in clauses_of(body.get("Condition", {})))
    ]
    assert empty == []


@pytest.mark.parametrize("kind", ["ResourceTag", "RequestTag"])
def test_denials_are_about_this_project(kind: str) -> None:
    """A team can bring a VPC with the team's tags."""
    request = Request("ec2:CreateSecurityGroup", VPC, tagged("prod", kind, project="payroll"))
    assert allows(launch_role_for("dev"), request)


def trust() -> Resource:
    """The launch role as a resource with its trust policy."""
    made = resources_of(launch_role_layer())["LaunchRole"]["Properties"]
    return Resource(ACCOUNT, policy("trust", made.get("AssumeRolePolicyDocument", [])))


def assumes(
    principal: Principal, action: str = "sts:AssumeRole", **context: Mapping[str, Any] | str
) -> bool:
    """Whether a principal that has every permission can assume the launch role."""
    sent = {key.replace("_", ":"): value for key, value in context.items()}
    return decide(principal, Request(action, LAUNCH_ROLE, sent), trust()).allowed


def test_service_catalog_assumes_the_role_for_this_account() -> None:
    assert assumes(SERVICE_CATALOG, aws_SourceAccount=ACCOUNT)
    # AWS does not document that Service Catalog sends the key.
    assert assumes(SERVICE_CATALOG)
    assert not assumes(SERVICE_CATALOG, aws_SourceAccount=OTHER_ACCOUNT)


@pytest.mark.parametrize("service", ["cloudformation", "codebuild", "ec2", "ecs-tasks", "lambda"])
def test_no_other_service_assumes_the_role(service: str) -> None:
    assert not assumes(Principal(service=f"{service}.amazonaws.com"), aws_SourceAccount=ACCOUNT)


@pytest.mark.parametrize("account", [ACCOUNT, OTHER_ACCOUNT])
@pytest.mark.parametrize("name", ["role/Administrator", "user/administrator", "root"])
def test_no_identity_assumes_the_role(name: str, account: str) -> None:
    """Not even one that may assume every role."""
    everything = policy("administrator", [{"Effect": "Allow", "Action": "*", "Resource": "*"}])
    identity = Principal(f"arn:aws:iam::{account}:{name}", account, (everything,))
    assert not assumes(identity)


@pytest.mark.parametrize(
    "action",
    ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "SetSourceIdentity", "TagSession"],
)
def test_service_catalog_only_assumes_the_role(action: str) -> None:
    """A session with tags of the caller's choice would match conditions on aws:PrincipalTag."""
    assert not assumes(SERVICE_CATALOG, f"sts:{action}", aws_SourceAccount=ACCOUNT)


def test_trust_has_one_statement() -> None:
    assert trust().policy is not None
    assert len(listed(list(trust().policy or ()))) == 1
