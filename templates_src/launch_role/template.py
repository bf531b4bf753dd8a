"""The launch role: with it Service Catalog makes, updates and deletes what the products hold, whoever launches them."""

from __future__ import annotations

from awacs.aws import Action, Condition, Deny, Policy, Statement, StringNotEquals
from awacs.aws import StringEqualsIfExists as EqualsIfExists
from troposphere import AccountId, GetAtt, If, NoValue, Ref
from troposphere.iam import ManagedPolicy, Role

from templates_src.core import iam
from templates_src.core.declaration import Declaration
from templates_src.core.layer import Layer
from templates_src.core.shared import PERMISSIONS_BOUNDARY, PROJECT
from templates_src.launch_role.grants import PUBLISHER_ACCOUNT
from templates_src.launch_role.permissions import Permissions, declared
from templates_src.launch_role.policies import ELSEWHERE, RELEASE_BUCKETS, documents

NAME = "launch-role"
ROLE_NAME = "carbon-connect-launch"
SERVICE_CATALOG = "servicecatalog.amazonaws.com"

LAUNCH_ROLE_NAME = Declaration(
    name="LaunchRoleName",
    group="Launching",
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
    layer.has(RELEASE_BUCKETS)
    layer.has(PUBLISHER_ACCOUNT)
    policies = add_policies(layer, permissions or declared())
    role = layer.add(
        Role(
            "LaunchRole",
            # In the root path: a launch constraint by local name knows no other.
            RoleName=layer.parameter(LAUNCH_ROLE_NAME),
            Description="Service Catalog launches Carbon Connect with it",
            AssumeRolePolicyDocument=trusted(),
            ManagedPolicyArns=[
                *(Ref(policy) for policy in policies),
                If(layer.has(PERMISSIONS_BOUNDARY), Ref(add_boundary(layer)), NoValue),
            ],
        )
    )
    layer.output("LaunchRoleName", Ref(role), "Name of the launch role", public=True)
    layer.output("LaunchRoleArn", GetAtt(role, "Arn"), "ARN of the launch role", public=True)
    return layer


def trusted() -> Policy:
    """Trust in Service Catalog, for launches of this account.

    Only where the service says whose they are: its documentation promises no aws:SourceAccount, and a role that it
    cannot take on launches nothing.
    """
    return iam.trusted_service(
        SERVICE_CATALOG, condition=Condition(EqualsIfExists({"aws:SourceAccount": AccountId}))
    )


def add_policies(layer: Layer, permissions: Permissions) -> list[ManagedPolicy]:
    """A managed policy an area: the quota of inline policies is too small for all of it."""
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
    """W3037 wants actions that the service authorization reference has; those of Elsewhere it has not."""
    return {
        "Metadata": {
            "cfn-lint": {"config": {"ignore_checks": ["W3037"]}},
            "Reason": "Provider schemas declare actions that the service authorization reference does not list.",
        }
    }


def add_boundary(layer: Layer) -> ManagedPolicy:
    """Where a boundary is given: no role without it, and none from which it is taken.

    A denial, so that no other statement can open it.
    """
    has_boundary = layer.has(PERMISSIONS_BOUNDARY)
    boundary = Condition(
        StringNotEquals({"iam:PermissionsBoundary": Ref(PERMISSIONS_BOUNDARY.name)})
    )
    return layer.add(
        ManagedPolicy(
            "BoundaryPolicy",
            Condition=has_boundary,
            Description="Carbon Connect's launch role: every role within the permissions boundary",
            PolicyDocument=iam.document(
                Statement(
                    Sid="NoRoleWithoutTheBoundary",
                    Effect=Deny,
                    Action=[
                        Action("iam", name)
                        for name in (
                            "AttachRolePolicy",
                            "CreateRole",
                            "PutRolePermissionsBoundary",
                            "PutRolePolicy",
                        )
                    ],
                    # It denies.
                    Resource=["*"],
                    Condition=boundary,
                ),
                Statement(
                    Sid="NoBoundaryTakenAway",
                    Effect=Deny,
                    Action=[Action("iam", "DeleteRolePermissionsBoundary")],
                    Resource=["*"],
                ),
                Statement(
                    Sid="NobodyButRoles",
                    Effect=Deny,
                    # Groups know no boundary, and the templates make neither groups nor users.
                    Action=[Action("iam", "PutGroupPolicy"), Action("iam", "PutUserPolicy")],
                    Resource=["*"],
                ),
            ),
        )
    )
