"""The principals that can assume a role: people of the account, also through IAM Identity Center."""

from __future__ import annotations

from awacs.aws import Allow, ArnLike, AWSPrincipal, Condition, PolicyDocument, Statement
from awacs.sts import AssumeRole
from troposphere import If, Sub

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters.declaration import Declaration

GROUP = "Trust"

TRUSTED_PRINCIPALS = Declaration(
    name="TrustedPrincipals",
    group=GROUP,
    label="Trusted principals",
    description="ARNs of the roles and users of this account that may assume the role, with * and ?; empty for any that its own policies allow to.",
    type="CommaDelimitedList",
    default="",
    pattern=r"(arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=.@/*?-]+)?",
    message="TrustedPrincipals must be empty or ARNs such as arn:aws:iam::ACCOUNT:role/NAME, separated by commas without spaces.",
)


def role_name(name: str, *, label: str, default: str) -> Declaration:
    """The name of a role."""
    return Declaration(
        name=name,
        group="Role",
        label=label,
        description=f"Name of the {label.lower()}, and of its managed policies at their beginning.",
        default=default,
        pattern=r"[\w+=.@-]{1,64}",
        max_length=64,
        message=f"{name} must be 1 to 64 letters, digits and characters of +=.@_-.",
    )


def trusted(layer: Layer, *, workflows: Statement | None = None, has_workflows: str = "") -> If:
    """Trust in people of the account: those in TrustedPrincipals, or all principals whose policies allow it.

    ``workflows`` is also trusted if the condition ``has_workflows`` is true.
    """

    def document(*, named: bool) -> PolicyDocument | If:
        alone = iam.document(people(layer, named=named))
        if workflows is None:
            return alone
        return If(has_workflows, iam.document(people(layer, named=named), workflows), alone)

    return If(layer.has(TRUSTED_PRINCIPALS), document(named=True), document(named=False))


def people(layer: Layer, *, named: bool) -> Statement:
    """The account is the principal, so the policies of a principal must allow sts:AssumeRole too.

    A condition names the principals, because a principal element supports no wildcard within an ARN, and IAM Identity
    Center adds a suffix to the names of its roles.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """
    only = Condition(ArnLike({"aws:PrincipalArn": layer.parameter(TRUSTED_PRINCIPALS)}))
    return Statement(
        Sid="People",
        Effect=Allow,
        Principal=AWSPrincipal(Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")),
        Action=[AssumeRole],
        **({"Condition": only} if named else {}),
    )
