"""The launch role, with which Service Catalog creates, updates and deletes the resources of the products."""

from __future__ import annotations

from awacs.aws import (
    Action,
    Condition,
    Deny,
    ForAnyValueStringEqualsIgnoreCase,
    Policy,
    Statement,
    StringNotEquals,
)
from awacs.aws import StringEqualsIfExists as EqualsIfExists
from troposphere import AccountId, GetAtt, If, Ref
from troposphere.iam import ManagedPolicy, Role

from templates_src.core import groups, iam
from templates_src.core.declaration import TRUE, Declaration
from templates_src.core.layer import Layer
from templates_src.core.shared import PERMISSIONS_BOUNDARY, PROJECT
from templates_src.launch_role import boundary, environments
from templates_src.launch_role.grants import PUBLISHER_ACCOUNT, RELEASE_BUCKETS
from templates_src.launch_role.other_environments import add_denials
from templates_src.launch_role.permissions import Permissions, declared
from templates_src.launch_role.policies import ELSEWHERE, documents

NAME = "launch-role"
ROLE_NAME = "carbon-connect-launch"
SERVICE_CATALOG = "servicecatalog.amazonaws.com"

# Tag of a role of an environment that a release without boundaries launched.
BOUNDARY_ADDED = "BoundaryAdded"

LAUNCH_ROLE_NAME = Declaration(
    name="LaunchRoleName",
    group=groups.LAUNCHING,
    label="Launch role",
    description="Name of the role, the same in every account: the products' launch constraints name it.",
    default=ROLE_NAME,
    pattern=r"[\w+=,.@-]{1,64}",
    message="LaunchRoleName must be 1 to 64 letters, digits and characters of +=,.@_-.",
)


def launch_role(permissions: Permissions | None = None) -> Layer:
    """The template, deployed once an account, in whichever region; IAM is global.

    ``permissions`` are those of the templates unless others are given.
    """
    layer = Layer(NAME, "Carbon Connect: the role that launches the products", common=(PROJECT,))
    environments.declare(layer)
    layer.has(RELEASE_BUCKETS)
    layer.has(PUBLISHER_ACCOUNT)
    permissions = permissions or declared()
    policies = [
        *add_policies(layer, permissions),
        add_boundary_policy(layer, required_boundary(layer, permissions)),
        add_denials(layer),
    ]
    role = layer.add(
        Role(
            "LaunchRole",
            # In the root path: a launch constraint by local name knows no other.
            RoleName=layer.parameter(LAUNCH_ROLE_NAME),
            Description="Service Catalog launches Carbon Connect with it",
            AssumeRolePolicyDocument=trust_policy(),
            ManagedPolicyArns=[Ref(policy) for policy in policies],
        )
    )
    layer.output("LaunchRoleName", Ref(role), "Name of the launch role", public=True)
    layer.output("LaunchRoleArn", GetAtt(role, "Arn"), "ARN of the launch role", public=True)
    return layer


def trust_policy() -> Policy:
    """Trust in Service Catalog, for launches of this account.

    Only where the service says whose they are: its documentation promises no aws:SourceAccount, and a role that it
    cannot take on launches nothing.
    """
    return iam.trusted_service(
        SERVICE_CATALOG, condition=Condition(EqualsIfExists({"aws:SourceAccount": AccountId}))
    )


def add_policies(layer: Layer, permissions: Permissions) -> list[ManagedPolicy]:
    """One managed policy per area: the quota of inline policies is too small for all of it."""
    return [
        layer.add(
            ManagedPolicy(
                f"{area}Policy",
                Description=f"Carbon Connect's launch role: {area.lower()}",
                PolicyDocument=document,
                **(unknown_to_the_linter() if area == ELSEWHERE else {}),
            )
        )
        for area, document in documents(permissions).items()
    ]


def unknown_to_the_linter() -> dict[str, object]:
    """W3037 requires actions in the service authorization reference; those of Elsewhere are not in it."""
    return {
        "Metadata": {
            "cfn-lint": {"config": {"ignore_checks": ["W3037"]}},
            "Reason": "Provider schemas declare actions that the service authorization reference does not list.",
        }
    }


def required_boundary(layer: Layer, permissions: Permissions) -> If:
    """ARN of the boundary that every role of an environment must have: the template's, unless one is given.

    The template's boundary exists in both cases: IAM deletes no policy that is still the boundary of a role.
    """
    made = boundary.add_boundary(layer, LAUNCH_ROLE_NAME, permissions)
    return If(layer.has(PERMISSIONS_BOUNDARY), layer.parameter(PERMISSIONS_BOUNDARY), Ref(made))


def add_boundary_policy(layer: Layer, boundary_arn: object) -> ManagedPolicy:
    """Every role within the boundary, and the boundary unchanged.

    Denials, so that no other policy that the role is given can open them.
    """
    return layer.add(
        ManagedPolicy(
            "BoundaryPolicy",
            Description="Carbon Connect's launch role: every role within the permissions boundary",
            PolicyDocument=iam.document(
                within_the_boundary(boundary_arn),
                policies_within_the_boundary(boundary_arn),
                boundary_stays(),
                deny(
                    "NoMark",
                    "CreateRole",
                    "TagRole",
                    # IAM ignores case in the keys of a role's tags.
                    condition=Condition(
                        ForAnyValueStringEqualsIgnoreCase({"aws:TagKeys": BOUNDARY_ADDED})
                    ),
                ),
                # Neither has a boundary here, and the products have neither.
                deny("NoUserNoGroup", "*AccessKey*", "*Group*", "*LoginProfile*", "*User*"),
                deny(
                    "NoManagedPolicyChanged", "CreatePolicy*", "DeletePolicy*", "SetDefaultPolicy*"
                ),
            ),
        )
    )


def boundary_stays() -> Statement:
    """No boundary is removed, except by the rollback of the update that brings it to an older release's role.

    CloudFormation does not know of the boundary that publishing adds to such a role. When the first update to a
    release with boundaries fails, its rollback removes the boundary, as the older template has none. Only publishing
    can mark a role, and it removes the marks when no environment of an older release is left.
    """
    return deny(
        "NoBoundaryRemoved",
        "DeleteRolePermissionsBoundary",
        condition=Condition(StringNotEquals({f"aws:ResourceTag/{BOUNDARY_ADDED}": TRUE})),
    )


def within_the_boundary(boundary_arn: object) -> Statement:
    """No role is created, and none gets a managed policy or a boundary, unless the boundary is or becomes its boundary.

    Removing a policy adds no permission, and a role of an earlier release must be deletable without a boundary.
    IAM knows no boundary in a request to change a trust policy.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
    """
    return deny(
        "NoRoleWithoutTheBoundary",
        "AttachRolePolicy",
        "CreateRole",
        "PutRolePermissionsBoundary",
        condition=Condition(StringNotEquals({"iam:PermissionsBoundary": boundary_arn})),
    )


def policies_within_the_boundary(boundary_arn: object) -> Statement:
    """No role gets an inline policy unless it has the boundary; a marked role gets those of the older release back.

    A rollback may remove the boundary before it writes the policies; no documentation says in which order.
    """
    return deny(
        "NoPolicyWithoutTheBoundary",
        "PutRolePolicy",
        condition=Condition(
            StringNotEquals(
                {
                    "iam:PermissionsBoundary": boundary_arn,
                    f"aws:ResourceTag/{BOUNDARY_ADDED}": TRUE,
                }
            )
        ),
    )


def deny(sid: str, *actions: str, condition: Condition | None = None) -> Statement:
    """Deny actions of IAM on everything."""
    extra = {} if condition is None else {"Condition": condition}
    return Statement(
        Sid=sid,
        Effect=Deny,
        Action=[Action("iam", name) for name in actions],
        Resource=["*"],
        **extra,
    )
