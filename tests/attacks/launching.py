"""Attempts with the rights of a launch role: what a launcher's values, or a modified template, can make it do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pipeline.template.example_values import ACCOUNT
from templates_src.launch_role.template import launch_role
from tests.attacks.attack import Attack, attack
from tests.attacks.inside import TLS, arn, of_account, prod
from tests.attacks.outside import AWAY, EVERYTHING, OUTSIDER, PUBLISHER, service
from tests.iam.evaluation import Principal, Resource
from tests.iam.policies import policy
from tests.launch_role.evaluation import resources_of
from tests.relations.variants import REGION

DEVELOPER = "development launcher"
IAM = f"arn:aws:iam::{ACCOUNT}:"
ADMINISTRATOR = f"{IAM}role/Administrator"
DEV_ROLE = f"{IAM}role/carbon-connect/dev/x"
BOUNDARY_ARN = f"{IAM}policy/carbon-connect-launch-boundary"
WITHIN = "BoundaryPolicy/NoRoleWithoutTheBoundary: Effect"


@cache
def role(environments: str = "dev,staging,prod") -> Principal:
    """A launch role with its policies, each under the name that it has in the template."""
    resources = resources_of(launch_role(), Environments=environments)
    attached = resources["LaunchRole"]["Properties"]["ManagedPolicyArns"]
    return Principal(
        f"{IAM}role/carbon-connect-launch",
        ACCOUNT,
        tuple(
            policy(each["Ref"], resources[each["Ref"]]["Properties"]["PolicyDocument"])
            for each in attached
        ),
    )


@cache
def trust() -> Resource:
    """The launch role as what Service Catalog takes on."""
    document = resources_of(launch_role())["LaunchRole"]["Properties"]["AssumeRolePolicyDocument"]
    return Resource(ACCOUNT, policy("trust", document))


@cache
def made_administrator(environments: str) -> Principal:
    """A role that a modified template gives every right, within the boundary of these environments."""
    made = resources_of(launch_role(), Environments=environments)
    document = made["EnvironmentBoundary"]["Properties"]["PolicyDocument"]
    boundary = policy("boundary", document)
    return Principal(DEV_ROLE, ACCOUNT, (EVERYTHING,), boundary=boundary)


def launches(
    name: str,
    action: str,
    *guards: str,
    arn: Callable[[], str],
    principal: str = PUBLISHER,
    environments: str = "dev,staging,prod",
    on: Callable[[], Resource] = of_account,
    context: Callable[[], Mapping[str, Any]] = dict,
) -> Attack:
    """An attempt with the launch role of some environments."""
    return attack(
        principal,
        name,
        *guards,
        by=lambda: role(environments),
        action=action,
        arn=arn,
        on=on,
        context=context,
    )


def climbs(
    name: str,
    action: str,
    arn: Callable[[], str],
    *,
    on: Callable[[], Resource] = of_account,
    context: Callable[[], Mapping[str, Any]] = dict,
) -> Attack:
    """An attempt with a role of development that a modified template has given every right."""
    return attack(
        PUBLISHER,
        f"gives a role of development every right, which then {name}",
        "boundary",
        by=lambda: made_administrator("dev"),
        action=action,
        arn=arn,
        on=on,
        context=context,
    )


RECORD_NAMES = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
RECORD_TYPES = "route53:ChangeResourceRecordSetsRecordTypes"
MODIFIED = (
    launches("passes an administrator's role to a function", "iam:PassRole", "IdentityPolicy/PassRolesToTheirServices: Resource", arn=lambda: ADMINISTRATOR, context=lambda: {"iam:PassedToService": "lambda.amazonaws.com"}),
    launches("passes a role of the environment to a service that runs code elsewhere", "iam:PassRole", "IdentityPolicy/PassRolesToTheirServices: Condition iam:PassedToService", arn=lambda: prod().arn("ApiTaskRole"), context=lambda: {"iam:PassedToService": "glue.amazonaws.com"}),
    launches("lets every repository of another provider deploy", "iam:CreateOpenIDConnectProvider", "IdentityPolicy/GitHubsProvider: Resource", arn=lambda: f"{IAM}oidc-provider/evil.example.com"),
    launches("creates a service-linked role of another service", "iam:CreateServiceLinkedRole", "IdentityPolicy/ServiceLinkedRoles: Condition iam:AWSServiceName", arn=lambda: f"{IAM}role/aws-service-role/organizations.amazonaws.com/x", context=lambda: {"iam:AWSServiceName": "organizations.amazonaws.com"}),
    launches("deletes a stack of another application", "cloudformation:DeleteStack", "IdentityPolicy/StacksOfServiceCatalog: Resource", arn=arn("cloudformation", "stack/payroll/1")),
    launches("replaces the code of another application's function", "lambda:UpdateFunctionCode", "ComputePolicy/FunctionsOfTheStacks: Resource", arn=arn("lambda", "function:payroll")),
    launches("reads a secret of another application", "secretsmanager:GetSecretValue", "IdentityPolicy/WhatBearsTheProjectsTag: Condition aws:ResourceTag/Project", arn=arn("secretsmanager", "secret:payroll-a1B2c3"), context=lambda: {"aws:ResourceTag/Project": "payroll"}),
    launches("deletes a database of another application", "rds:DeleteDBInstance", "DataPolicy/WhatBearsTheProjectsTag: Condition aws:ResourceTag/Project", arn=arn("rds", "db:payroll")),
    launches("decrypts with a key by itself", "kms:Decrypt", "IdentityPolicy/UseKeysThroughServicesOnly: Condition kms:ViaService", arn=lambda: prod().arn("Key"), on=lambda: prod().resource("Key")),
    launches("delegates a part of the domain to another server", "route53:ChangeResourceRecordSets", f"NetworkPolicy/RecordsOfAddresses: Condition {RECORD_TYPES}", arn=lambda: "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ", context=lambda: {RECORD_TYPES: ["NS"]}),
    launches("opens a bucket of another application", "s3:PutBucketPolicy", "DataPolicy/BucketsOfTheEnvironments: Resource", arn=lambda: "arn:aws:s3:::payroll"),
    launches("opens the release bucket", "s3:PutBucketPolicy", "DataPolicy/BucketsOfTheEnvironments: Resource", arn=lambda: f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-{REGION}"),
    launches("reads a template in another account's bucket of almost the same name", "s3:GetObject", "DataPolicy/ReadTheRelease: Condition s3:ResourceAccount", arn=lambda: f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-{REGION}-evil/carbon-connect/x", on=lambda: Resource(AWAY, policy("evil", [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]))),
    launches("creates a user", "iam:CreateUser", "BoundaryPolicy/NoUserNoGroup: Effect", "no statement", arn=lambda: f"{IAM}user/carbon-connect/x"),
    launches("leaves the organization", "organizations:LeaveOrganization", "no statement", arn=lambda: "*"),
    attack(OUTSIDER, "launches through Service Catalog of another account with the launch role", "trust/Allow: Condition aws:SourceAccount", by=service("servicecatalog"), action="sts:AssumeRole", arn=lambda: role().arn, on=trust, context=lambda: {"aws:SourceAccount": AWAY}),
)  # fmt: skip
BOUNDED = (
    launches("creates a role without a boundary", "iam:CreateRole", WITHIN, arn=lambda: DEV_ROLE),
    launches("creates a role within a boundary that allows everything", "iam:CreateRole", WITHIN, arn=lambda: DEV_ROLE, context=lambda: {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    launches("gives a role that has no boundary a policy", "iam:PutRolePolicy", WITHIN, arn=lambda: DEV_ROLE),
    launches("replaces the boundary of a role", "iam:PutRolePermissionsBoundary", WITHIN, arn=lambda: DEV_ROLE, context=lambda: {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    launches("removes the boundary of a role", "iam:DeleteRolePermissionsBoundary", "BoundaryPolicy/NoBoundaryRemoved: Effect", arn=lambda: DEV_ROLE),
    launches("marks a role as one whose boundary can be removed", "iam:TagRole", "BoundaryPolicy/NoMark: Effect", arn=lambda: DEV_ROLE, context=lambda: {"aws:TagKeys": ["boundaryadded"]}),
    launches("edits the boundary", "iam:CreatePolicyVersion", "BoundaryPolicy/NoManagedPolicyChanged: Effect", "no statement", arn=lambda: BOUNDARY_ARN),
    climbs("creates a user", "iam:CreateUser", lambda: f"{IAM}user/x"),
    climbs("takes on the role of an administrator", "sts:AssumeRole", lambda: ADMINISTRATOR, on=lambda: Resource(ACCOUNT, policy("trust", [{"Effect": "Allow", "Principal": {"AWS": f"{IAM}root"}, "Action": "sts:AssumeRole"}]))),
    climbs("reads a secret of production", "secretsmanager:GetSecretValue", lambda: prod().arn("DatabaseSecret"), context=lambda: prod().tags()),
    climbs("decrypts with production's key", "kms:Decrypt", lambda: prod().arn("Key"), on=lambda: prod().resource("Key"), context=lambda: {**prod().tags(), "kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}),
    climbs("reads a document of production", "s3:GetObject", lambda: prod().arn("DocumentsBucket", "/reports/1.pdf"), on=lambda: prod().resource("DocumentsBucket"), context=lambda: TLS),
    climbs("pulls an image of production", "ecr:BatchGetImage", lambda: prod().arn("ImageRepositoryOfEnvironment"), context=lambda: prod().tags()),
    climbs("deletes a snapshot of production", "ec2:DeleteSnapshot", lambda: f"arn:aws:ec2:{REGION}::snapshot/snap-1", context=lambda: prod().tags()),
    climbs("changes a record of the domain", "route53:ChangeResourceRecordSets", lambda: "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ", context=lambda: {RECORD_NAMES: ["app.example.com"], RECORD_TYPES: ["A"]}),
)  # fmt: skip
DEV_ONLY = (
    launches("creates a role of production", "iam:CreateRole", "IdentityPolicy/RolesOfTheEnvironments: Resource", principal=DEVELOPER, environments="dev", arn=lambda: prod().arn("ApiTaskRole"), context=lambda: {"iam:PermissionsBoundary": BOUNDARY_ARN}),
    launches("gives a role of production a policy, by a layer that takes the role's name", "iam:PutRolePolicy", "IdentityPolicy/RolesOfTheEnvironments: Resource", principal=DEVELOPER, environments="dev", arn=lambda: prod().arn("ApiTaskRole"), context=lambda: {"iam:PermissionsBoundary": BOUNDARY_ARN}),
    launches("runs tasks with a role of production, by a layer that takes the role's ARN", "iam:PassRole", "IdentityPolicy/PassRolesToTheirServices: Resource", principal=DEVELOPER, environments="dev", arn=lambda: prod().arn("ApiTaskRole"), context=lambda: {"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
    launches("adds a role of production to an instance profile", "iam:AddRoleToInstanceProfile", "IdentityPolicy/InstanceProfiles: Resource", principal=DEVELOPER, environments="dev", arn=lambda: f"{IAM}instance-profile/carbon-connect/prod/x"),
)  # fmt: skip
