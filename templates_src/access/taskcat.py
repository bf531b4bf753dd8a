"""The taskcat role, which runs taskcat, and the deployment role, which CloudFormation uses to deploy the tests' stacks."""

from __future__ import annotations

from collections.abc import Iterable

from awacs.aws import (
    Action,
    Allow,
    Condition,
    Deny,
    Null,
    PolicyDocument,
    Statement,
    StringEquals,
    StringLike,
    StringNotLike,
)
from troposphere import GetAtt, Ref, Sub
from troposphere.iam import ManagedPolicy, Role

from templates_src.access.trust import role_name, trusted
from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters.shared import PROJECT
from templates_src.launch_role.bindings import ACCOUNT, ARN, in_account
from templates_src.launch_role.gaps import SERVICE_LINKED
from templates_src.launch_role.permissions import Permissions, declared
from templates_src.launch_role.policies import AREAS, ELSEWHERE, allowed_actions, of_services

NAME = "taskcat-role"
TASKCAT_ROLE_NAME = role_name(
    "TaskcatRoleName", label="taskcat role", default="carbon-connect-taskcat"
)
DEPLOYMENT_ROLE = "carbon-connect-taskcat-deployment"
CLOUDFORMATION = "cloudformation.amazonaws.com"
# The prefix of taskcat's stacks and buckets, and of the tests' projects.
STACKS, NAMES = "tCaT-*", "tcat-*"
PARAMETERS = "parameter/carbon-connect/taskcat/*"
PROJECT_TAG = f"aws:ResourceTag/{PROJECT.name}"
BUCKETS = (f"{ARN}s3:::{NAMES}", f"{ARN}s3:::{NAMES}/*")
ROLES = (f"{ARN}iam::{ACCOUNT}:role/{NAMES}",)
PROVIDERS = (f"{ARN}iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",)
OF_STACKS = (
    "CreateStack",
    "DeleteStack",
    "DescribeStackEvents",
    "GetTemplate",
    "ListStackResources",
    "TagResource",
    # The hook turns termination protection of prod off.
    "UpdateTerminationProtection",
)
OF_BUCKETS = (
    "CreateBucket",
    # CloudFormation deletes a bucket whose tags or policy AWS refuses.
    "DeleteBucket",
    "DeleteObject",
    "GetBucketLocation",
    "GetBucketTagging",
    "GetObject",
    "ListBucket",
    "PutBucketPolicy",
    "PutBucketTagging",
    "PutObject",
    "PutObjectAcl",
)
# Read whether the resources in the outputs of a stack exist.
OF_OUTPUTS = (
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVolumes",
    "ec2:DescribeVpcs",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetGroups",
    "iam:GetRole",
    "kms:DescribeKey",
    "lambda:GetFunction",
    "rds:DescribeDBInstances",
    "secretsmanager:DescribeSecret",
    "sns:GetTopicAttributes",
)
# The calls of the hook that turns deletion protection off.
OF_PROTECTION = ("elasticloadbalancing:ModifyLoadBalancerAttributes", "rds:ModifyDBInstance")


def taskcat_role(permissions: Permissions | None = None) -> Layer:
    """The template, deployed once in an account for tests; IAM has no region.

    ``permissions`` default to those of the environment's templates.
    """
    layer = Layer(NAME, "Carbon Connect: the roles that test with taskcat", common=(PROJECT,))
    name = layer.parameter(TASKCAT_ROLE_NAME)
    found = permissions or declared()
    deployment = layer.add(
        Role(
            "DeploymentRole",
            RoleName=DEPLOYMENT_ROLE,
            Description="CloudFormation deploys the stacks of taskcat with it",
            AssumeRolePolicyDocument=iam.trusted_service(CLOUDFORMATION),
            ManagedPolicyArns=[Ref(policy) for policy in add_policies(layer, found)],
        )
    )
    role = add_taskcat_role(layer, name)
    layer.output("TaskcatRoleArn", GetAtt(role, "Arn"), "ARN of the taskcat role", public=True)
    layer.output(
        "DeploymentRoleArn", GetAtt(deployment, "Arn"), "ARN of the deployment role", public=True
    )
    return layer


def add_taskcat_role(layer: Layer, name: Ref) -> Role:
    """The role that runs taskcat, with its policy."""
    policy = layer.add(
        ManagedPolicy(
            "TaskcatPolicy",
            ManagedPolicyName=name,
            Description="Carbon Connect: run taskcat",
            PolicyDocument=run_taskcat(),
        )
    )
    return layer.add(
        Role(
            "TaskcatRole",
            RoleName=name,
            Description="Runs taskcat over the templates of Carbon Connect",
            AssumeRolePolicyDocument=trusted(layer),
            ManagedPolicyArns=[Ref(policy)],
            # A run with its deletions takes up to two hours.
            MaxSessionDuration=4 * 3600,
        )
    )


def run_taskcat() -> PolicyDocument:
    """The calls of taskcat and of `python -m tests.taskcat --account`."""
    return iam.document(
        allow("UseStacks", names("cloudformation", OF_STACKS), in_account("cloudformation", f"stack/{STACKS}")),
        allow(
            "ReadTheAccount",
            (
                # taskcat reads all stacks to find its nested ones.
                "cloudformation:DescribeStacks",
                "cloudformation:ValidateTemplate",
                "ec2:DescribeAvailabilityZones",
                "ec2:DescribeRegions",
            ),
            # The other actions have no resource.
            ("*",),
        ),
        allow(
            "PassTheDeploymentRole",
            ("iam:PassRole",),
            (f"{ARN}iam::{ACCOUNT}:role/{DEPLOYMENT_ROLE}",),
            Condition(StringEquals({"iam:PassedToService": CLOUDFORMATION})),
        ),
        allow("UseBucketsOfTaskcat", names("s3", OF_BUCKETS), BUCKETS),
        allow("ReadPrerequisites", ("ssm:GetParameter",), in_account("ssm", PARAMETERS)),
        # Outputs name resources by IDs that are not known before the launch; the actions change nothing.
        allow("CheckOutputs", OF_OUTPUTS, ("*",)),
        allow(
            "TurnDeletionProtectionOff",
            OF_PROTECTION,
            (*in_account("rds", "*"), *in_account("elasticloadbalancing", "loadbalancer/*")),
            Condition(StringLike({PROJECT_TAG: NAMES})),
        ),
    )  # fmt: skip


def add_policies(layer: Layer, permissions: Permissions) -> list[ManagedPolicy]:
    """A managed policy per area, and the denial for resources with another project's tag."""
    bound, unbound = allowed_actions(permissions)
    actions = sorted({*bound, *unbound, *permissions.undocumented})
    by_area = {area: of_services(actions, services) for area, services in AREAS.items()}
    # Those of services that only provider schemas name.
    by_area[ELSEWHERE] = sorted({*actions}.difference(*by_area.values()))
    made = [
        layer.add(
            ManagedPolicy(
                f"{area}Policy",
                Description=f"Carbon Connect's taskcat deployments: {area.lower()}",
                PolicyDocument=iam.document(*deploy(selected, permissions)),
                Metadata={
                    "cfn-lint": {"config": {"ignore_checks": ["W3037"]}},
                    "Reason": "Provider schemas declare actions that the service authorization reference does not list.",
                },
            )
        )
        for area, selected in by_area.items()
    ]
    return [
        *made,
        layer.add(
            ManagedPolicy(
                "OtherProjectsPolicy",
                Description="Carbon Connect's taskcat deployments: nothing of other projects",
                PolicyDocument=iam.document(no_other_project()),
            )
        ),
    ]


def deploy(actions: list[str], permissions: Permissions) -> Iterable[Statement]:
    """The statements of an area: roles and buckets with the names of the tests, other resources in the account."""
    rest = [each for each in actions if not each.startswith(("iam:", "s3:"))]
    if buckets := [each for each in actions if each.startswith("s3:")]:
        yield allow("BucketsOfTheTests", buckets, BUCKETS)
    if identity := [each for each in actions if each.startswith("iam:")]:
        passed = ("iam:PassRole",)
        providers = [each for each in identity if "OpenID" in each]
        linked = [each for each in identity if "ServiceLinkedRole" in each]
        roles = [each for each in identity if each not in (*passed, *providers, *linked)]
        services = Condition(StringEquals({"iam:PassedToService": list(permissions.passed_to)}))
        yield allow("PassRolesOfTheTests", passed, ROLES, services)
        yield allow("RolesOfTheTests", roles, ROLES)
        yield allow("GitHubsProvider", providers, PROVIDERS)
        yield allow(
            "CreateServiceLinkedRoles",
            linked,
            (f"{ARN}iam::{ACCOUNT}:role/aws-service-role/*",),
            Condition(StringEquals({"iam:AWSServiceName": list(SERVICE_LINKED)})),
        )
    if rest:
        # An account for tests has few other resources, and OtherProjects denies those with the tag of another project.
        yield allow("DeployTheTests", rest, ("*",))


def no_other_project() -> Statement:
    """Deny everything on resources with the Project tag of another project."""
    return Statement(
        Sid="OtherProjects",
        Effect=Deny,
        Action=[Action("*")],
        Resource=["*"],
        Condition=Condition([Null({PROJECT_TAG: "false"}), StringNotLike({PROJECT_TAG: NAMES})]),
    )


def names(service: str, operations: Iterable[str]) -> tuple[str, ...]:
    """The actions of a service."""
    return tuple(f"{service}:{name}" for name in operations)


def allow(
    sid: str, actions: Iterable[str], resources: Iterable[str], condition: Condition | None = None
) -> Statement:
    """A statement that allows actions on resources, text for Sub."""
    return Statement(
        Sid=sid,
        Effect=Allow,
        Action=[Action(*each.split(":")) for each in actions],
        Resource=[Sub(text) if "${" in text else text for text in resources],
        **({} if condition is None else {"Condition": condition}),
    )
