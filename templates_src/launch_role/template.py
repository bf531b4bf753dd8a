"""The launch role: Service Catalog uses it to create, update and delete the resources of the products."""

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

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import TRUE, Declaration
from templates_src.core.parameters.shared import PERMISSIONS_BOUNDARY, PROJECT
from templates_src.launch_role import boundary, environments
from templates_src.launch_role.grant import PUBLISHER_ACCOUNT, RELEASE_BUCKETS
from templates_src.launch_role.other_environments import add_denials
from templates_src.launch_role.permissions import Permissions, declared
from templates_src.launch_role.policies import ELSEWHERE, documents

NAME = "launch-role"
ROLE_NAME = "carbon-connect-launch"
SERVICE_CATALOG = "servicecatalog.amazonaws.com"

# Tag of a role that a release without boundaries created.
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
    """The template, deployed once per account, in any region, because IAM is global.

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
            # In the root path, because a launch constraint with a local role name supports no other.
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

    The condition applies only if the request has aws:SourceAccount: the documentation does not promise the key, and a
    role that the service cannot assume launches nothing.
    """
    return iam.trusted_service(
        SERVICE_CATALOG, condition=Condition(EqualsIfExists({"aws:SourceAccount": AccountId}))
    )


def add_policies(layer: Layer, permissions: Permissions) -> list[ManagedPolicy]:
    """One managed policy per area, because the quota of inline policies is too small for all."""
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
    """W3037 checks actions against the service authorization reference, which does not list those of Elsewhere."""
    return {
        "Metadata": {
            "cfn-lint": {"config": {"ignore_checks": ["W3037"]}},
            "Reason": "Provider schemas declare actions that the service authorization reference does not list.",
        }
    }


def required_boundary(layer: Layer, permissions: Permissions) -> If:
    """ARN of the boundary that every role of an environment must have: that of the template, unless one is given.

    The template's boundary exists in both cases, because IAM cannot delete a policy that is still the boundary of a
    role.
    """
    made = boundary.add_boundary(layer, LAUNCH_ROLE_NAME, permissions)
    return If(layer.has(PERMISSIONS_BOUNDARY), layer.parameter(PERMISSIONS_BOUNDARY), Ref(made))


def add_boundary_policy(layer: Layer, boundary_arn: object) -> ManagedPolicy:
    """Denials that keep every role within the boundary, and the boundary unchanged.

    They are denials, so that an additional policy of the role cannot override them.
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
                # Users and groups have no boundary here, and the products create none.
                deny("NoUserNoGroup", "*AccessKey*", "*Group*", "*LoginProfile*", "*User*"),
                deny(
                    "NoManagedPolicyChanged", "CreatePolicy*", "DeletePolicy*", "SetDefaultPolicy*"
                ),
            ),
        )
    )


def boundary_stays() -> Statement:
    """Deny the removal of a boundary, except in the rollback of the update that adds it to a role of an older release.

    `publish` adds the boundary to such a role outside CloudFormation. If the first update to a release with boundaries
    fails, the rollback removes the boundary, because the older template has none. Only `publish` can mark a role, and
    it removes the marks when no environment of an older release is left.
    """
    return deny(
        "NoBoundaryRemoved",
        "DeleteRolePermissionsBoundary",
        condition=Condition(StringNotEquals({f"aws:ResourceTag/{BOUNDARY_ADDED}": TRUE})),
    )


def within_the_boundary(boundary_arn: object) -> Statement:
    """Deny creating a role, and adding a managed policy or a boundary, unless the role has or gets this boundary.

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
    """Deny inline policies for a role without the boundary; a marked role gets back those of the older release.

    A rollback may remove the boundary before it writes the policies; the order is not documented.
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
