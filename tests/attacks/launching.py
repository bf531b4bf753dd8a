"""Attempts with the permissions of a launch role, with a launcher's values or a modified template."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pipeline.checks.iam.evaluation import Principal, Resource
from pipeline.checks.iam.policies import policy
from pipeline.template.example_values import ACCOUNT
from tests.attacks.attack import Attack, attack
from tests.attacks.inside import TLS, arn, dev, of_account, prod
from tests.attacks.outside import AWAY, EVERYTHING, OUTSIDER, PUBLISHER, service
from tests.launch_role.evaluation import launch_role_layer, resources_of
from tests.relations.variants import REGION

DEVELOPER, OPERATOR = "development launcher", "production launcher"
IAM = f"arn:aws:iam::{ACCOUNT}:"
ADMINISTRATOR = f"{IAM}role/Administrator"
DEV_ROLE = f"{IAM}role/carbon-connect/dev/x"
BOUNDARY_ARN = f"{IAM}policy/carbon-connect-launch-boundary"
OF_OTHERS = "OtherEnvironmentsPolicy/NothingOfAnotherEnvironment: Effect"
WITHIN = "BoundaryPolicy/NoRoleWithoutTheBoundary: Effect"


@cache
def role(environments: str = "dev,staging,prod") -> Principal:
    """A launch role with its policies, by their names in the template."""
    resources = resources_of(launch_role_layer(), Environments=environments)
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
    """The launch role as the resource of Service Catalog's ``sts:AssumeRole``."""
    document = resources_of(launch_role_layer())["LaunchRole"]["Properties"][
        "AssumeRolePolicyDocument"
    ]
    return Resource(ACCOUNT, policy("trust", document))


@cache
def made_administrator(environments: str) -> Principal:
    """A role with all permissions from a modified template, within the boundary of these environments."""
    made = resources_of(launch_role_layer(), Environments=environments)
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
    """An attempt with a role of development that has all permissions from a modified template."""
    return attack(
        PUBLISHER,
        f"gives a role of development all permissions, which then {name}",
        "boundary",
        by=lambda: made_administrator("dev"),
        action=action,
        arn=arn,
        on=on,
        context=context,
    )


def by_tags(area: str, sid: str = "OwnByTags") -> tuple[str, str]:
    """The guards of a statement that needs the tags of an environment."""
    holder = f"{area}Policy/{sid}: Condition aws:ResourceTag"
    return f"{holder}/Project", f"{holder}/Environment"


RECORD_NAMES = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
RECORD_TYPES = "route53:ChangeResourceRecordSetsRecordTypes"
MODIFIED = (
    launches("passes an administrator's role to a function", "iam:PassRole", "IdentityPolicy/PassRolesToTheirServices: Resource", arn=lambda: ADMINISTRATOR, context=lambda: {"iam:PassedToService": "lambda.amazonaws.com"}),
    launches("passes a role of the environment to a service that runs code elsewhere", "iam:PassRole", "IdentityPolicy/PassRolesToTheirServices: Condition iam:PassedToService", arn=lambda: prod().arn("ApiTaskRole"), context=lambda: {"iam:PassedToService": "glue.amazonaws.com"}),
    launches("lets every repository of another provider deploy", "iam:CreateOpenIDConnectProvider", "IdentityPolicy/ByName: Resource", arn=lambda: f"{IAM}oidc-provider/evil.example.com"),
    launches("creates a service-linked role of another service", "iam:CreateServiceLinkedRole", "IdentityPolicy/ServiceLinkedRoles: Condition iam:AWSServiceName", arn=lambda: f"{IAM}role/aws-service-role/organizations.amazonaws.com/x", context=lambda: {"iam:AWSServiceName": "organizations.amazonaws.com"}),
    launches("deletes a stack of another application", "cloudformation:DeleteStack", "IdentityPolicy/StacksOfServiceCatalog: Resource", arn=arn("cloudformation", "stack/payroll/1")),
    launches("replaces the code of another application's function", "lambda:UpdateFunctionCode", "ComputePolicy/ByName: Resource", arn=arn("lambda", "function:payroll")),
    launches("reads a secret of another application", "secretsmanager:GetSecretValue", *by_tags("Operations"), arn=arn("secretsmanager", "secret:payroll-a1B2c3"), context=lambda: {"aws:ResourceTag/Project": "payroll"}),
    launches("deletes a database of another application", "rds:DeleteDBInstance", *by_tags("Data"), arn=arn("rds", "db:payroll")),
    launches("decrypts with a key directly", "kms:Decrypt", "IdentityPolicy/UseKeysThroughServicesOnly: Condition kms:ViaService", arn=lambda: prod().arn("Key"), on=lambda: prod().resource("Key")),
    launches("delegates a part of the domain to another server", "route53:ChangeResourceRecordSets", f"NetworkPolicy/RecordsOfAddresses: Condition {RECORD_TYPES}", arn=lambda: "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ", context=lambda: {RECORD_TYPES: ["NS"]}),
    launches("opens a bucket of another application", "s3:PutBucketPolicy", "DataPolicy/BucketsOfTheEnvironments: Resource", arn=lambda: "arn:aws:s3:::payroll"),
    launches("opens the release bucket", "s3:PutBucketPolicy", "DataPolicy/BucketsOfTheEnvironments: Resource", arn=lambda: f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-{REGION}"),
    launches("reads a template in another account's bucket with almost the same name", "s3:GetObject", "DataPolicy/ReadTheRelease: Condition s3:ResourceAccount", arn=lambda: f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-{REGION}-evil/carbon-connect/x", on=lambda: Resource(AWAY, policy("evil", [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]))),
    launches("creates a user", "iam:CreateUser", "BoundaryPolicy/NoUserNoGroup: Effect", "no statement", arn=lambda: f"{IAM}user/carbon-connect/x"),
    launches("leaves the organization", "organizations:LeaveOrganization", "no statement", arn=lambda: "*"),
    attack(OUTSIDER, "launches through Service Catalog of another account with the launch role", "trust/Allow: Condition aws:SourceAccount", by=service("servicecatalog"), action="sts:AssumeRole", arn=lambda: role().arn, on=trust, context=lambda: {"aws:SourceAccount": AWAY}),
)  # fmt: skip
BOUNDED = (
    launches("creates a role without a boundary", "iam:CreateRole", WITHIN, arn=lambda: DEV_ROLE),
    launches("creates a role within a boundary that allows everything", "iam:CreateRole", WITHIN, arn=lambda: DEV_ROLE, context=lambda: {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    launches("adds a policy to a role without a boundary", "iam:PutRolePolicy", "BoundaryPolicy/NoPolicyWithoutTheBoundary: Effect", arn=lambda: DEV_ROLE),
    launches("replaces the boundary of a role", "iam:PutRolePermissionsBoundary", WITHIN, arn=lambda: DEV_ROLE, context=lambda: {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    launches("removes the boundary of a role", "iam:DeleteRolePermissionsBoundary", "BoundaryPolicy/NoBoundaryRemoved: Effect", arn=lambda: DEV_ROLE),
    launches("marks a role so that its boundary can be removed", "iam:TagRole", "BoundaryPolicy/NoMark: Effect", arn=lambda: DEV_ROLE, context=lambda: {"aws:TagKeys": ["boundaryadded"]}),
    launches("edits the boundary", "iam:CreatePolicyVersion", "BoundaryPolicy/NoManagedPolicyChanged: Effect", "no statement", arn=lambda: BOUNDARY_ARN),
    climbs("creates a user", "iam:CreateUser", lambda: f"{IAM}user/x"),
    climbs("assumes the role of an administrator", "sts:AssumeRole", lambda: ADMINISTRATOR, on=lambda: Resource(ACCOUNT, policy("trust", [{"Effect": "Allow", "Principal": {"AWS": f"{IAM}root"}, "Action": "sts:AssumeRole"}]))),
    climbs("reads a secret of production", "secretsmanager:GetSecretValue", lambda: prod().arn("DatabaseSecret"), context=lambda: prod().tags()),
    climbs("decrypts with production's key", "kms:Decrypt", lambda: prod().arn("Key"), on=lambda: prod().resource("Key"), context=lambda: {**prod().tags(), "kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}),
    climbs("reads a document of production", "s3:GetObject", lambda: prod().arn("DocumentsBucket", "/reports/1.pdf"), on=lambda: prod().resource("DocumentsBucket"), context=lambda: TLS),
    climbs("pulls an image of production", "ecr:BatchGetImage", lambda: prod().arn("ImageRepositoryOfEnvironment"), context=lambda: prod().tags()),
    climbs("deletes a snapshot of production", "ec2:DeleteSnapshot", lambda: f"arn:aws:ec2:{REGION}::snapshot/snap-1", context=lambda: prod().tags()),
    climbs("changes a record of the domain", "route53:ChangeResourceRecordSets", lambda: "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ", context=lambda: {RECORD_NAMES: ["app.example.com"], RECORD_TYPES: ["A"]}),
)  # fmt: skip


def reaches(
    name: str,
    action: str,
    what: Callable[[], str],
    on: Callable[[], Resource] = of_account,
    principal: str = DEVELOPER,
    environments: str = "dev",
    also: str = "",
    **context: str,
) -> Attack:
    """An attempt with the launch role of development on a resource with the tags of production, or vice versa.

    ``also`` is the statement that would allow it on an environment of the role, or ``no statement``.
    """
    owner = prod if environments == "dev" else dev
    keys = {key.replace("_", ":"): value for key, value in context.items()}
    return launches(
        name,
        action,
        OF_OTHERS,
        *(
            [f"{also}: Condition aws:ResourceTag/Environment" if "/" in also else also]
            if also
            else ()
        ),
        principal=principal,
        environments=environments,
        arn=what,
        on=on,
        context=lambda: {**owner().tags(), **keys},
    )


def by_id(service: str, kind: str, logical_id: str) -> Callable[[], str]:
    """ARN of a resource of production that has an ID."""
    return lambda: f"arn:aws:{service}:{REGION}:{ACCOUNT}:{kind}/{prod().value(logical_id)}"


def named_arn(logical_id: str, suffix: str = "") -> Callable[[], str]:
    """ARN of a resource of production."""
    return lambda: prod().arn(logical_id, suffix)


DEV_ONLY = (
    launches("creates a role of production", "iam:CreateRole", "IdentityPolicy/RolesOfTheEnvironments: Resource", principal=DEVELOPER, environments="dev", arn=lambda: prod().arn("ApiTaskRole"), context=lambda: {"iam:PermissionsBoundary": BOUNDARY_ARN}),
    launches("gives a role of production a policy, with a layer that receives the role's name", "iam:PutRolePolicy", "IdentityPolicy/RolesOfTheEnvironments: Resource", principal=DEVELOPER, environments="dev", arn=lambda: prod().arn("ApiTaskRole"), context=lambda: {"iam:PermissionsBoundary": BOUNDARY_ARN}),
    launches("runs tasks with a role of production, with a layer that receives the role's ARN", "iam:PassRole", "IdentityPolicy/PassRolesToTheirServices: Resource", principal=DEVELOPER, environments="dev", arn=lambda: prod().arn("ApiTaskRole"), context=lambda: {"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
    launches("adds a role of production to an instance profile", "iam:AddRoleToInstanceProfile", "IdentityPolicy/InstanceProfiles: Resource", principal=DEVELOPER, environments="dev", arn=lambda: f"{IAM}instance-profile/carbon-connect/prod/x"),
    reaches("restores a snapshot of production's database", "rds:RestoreDBInstanceFromDBSnapshot", arn("rds", "snapshot:rds:prod-2026-11-28"), also="DataPolicy/RestoreOwnSnapshots"),
    reaches("creates a volume from a snapshot of production's search index", "ec2:CreateVolume", lambda: f"arn:aws:ec2:{REGION}::snapshot/snap-1", also="NetworkPolicy/RestoreOwnSnapshots"),
    reaches("reads a secret of production into a template", "secretsmanager:GetSecretValue", named_arn("DatabaseSecret"), also="OperationsPolicy/OwnByTags"),
    reaches("uses production's key for its own database", "kms:CreateGrant", named_arn("Key"), lambda: prod().resource("Key"), kms_ViaService=f"rds.{REGION}.amazonaws.com"),
    reaches("changes the master password of production's database", "rds:ModifyDBInstance", named_arn("Database"), also="DataPolicy/OwnByTags"),
    reaches("opens a security group of production", "ec2:AuthorizeSecurityGroupIngress", by_id("ec2", "security-group", "DatabaseSecurityGroup"), also="NetworkPolicy/OwnOrNew"),
    reaches("runs a layer in the VPC of production", "ec2:CreateSecurityGroup", by_id("ec2", "vpc", "Vpc")),
    reaches("sends requests of production to a service of development", "elasticloadbalancing:ModifyListener", named_arn("HttpsListener"), also="EdgePolicy/OwnByTags"),
    reaches("runs a service in the cluster of production", "ecs:CreateService", arn("ecs", f"service/SC-{ACCOUNT}-pp-prod/x")),
    reaches("lets others invoke a function of production", "lambda:AddPermission", named_arn("DatabaseExtensionsFunction")),
    reaches("subscribes to the alarms of production", "sns:Subscribe", arn("sns", f"SC-{ACCOUNT}-pp-prod-AlarmTopic-1"), also="OperationsPolicy/OwnOrNew"),
    reaches("lets images of production be replaced", "ecr:PutImageTagMutability", arn("ecr", f"repository/sc-{ACCOUNT}-pp-prod-images-1"), also="ComputePolicy/OwnOrNew"),
    reaches("deletes the logs of production", "logs:DeleteLogGroup", arn("logs", "log-group:aws-waf-logs-carbon-connect-prod"), also="OperationsPolicy/OwnOrNew"),
    reaches("removes the tags of production from a resource", "ec2:DeleteTags", by_id("ec2", "volume", "SearchVolume"), also="NetworkPolicy/OwnByTags"),
    reaches("opens the bucket of production's access logs, which has the name of its stack", "s3:PutBucketPolicy", lambda: f"arn:aws:s3:::sc-{ACCOUNT}-pp-prod-edge-1-accesslogbucket-1"),
    launches("opens a bucket of production", "s3:PutBucketPolicy", "DataPolicy/BucketsOfTheEnvironments: Resource", principal=DEVELOPER, environments="dev", arn=named_arn("DocumentsBucket")),
    launches("points the alias of production's key to another key", "kms:UpdateAlias", "IdentityPolicy/Aliases: Resource", principal=DEVELOPER, environments="dev", arn=arn("kms", "alias/carbon-connect-prod"), on=lambda: prod().resource("Key")),
    launches("creates an instance with the tags of production, which the search role of production trusts", "ec2:RunInstances", "OtherEnvironmentsPolicy/NothingTaggedAsAnotherEnvironment: Effect", principal=DEVELOPER, environments="dev", arn=arn("ec2", "instance/*"), context=lambda: {"aws:RequestTag/Project": prod().project, "aws:RequestTag/Environment": "prod"}),
    reaches("deletes a database of development", "rds:DeleteDBInstance", lambda: dev().arn("Database"), principal=OPERATOR, environments="prod", also="DataPolicy/OwnByTags"),
)  # fmt: skip
