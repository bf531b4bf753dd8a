"""The same calls with one condition key that is not that of the environment: another project, service, account or name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from pipeline.checks.iam.conditions import like
from pipeline.checks.iam.policies import Request, allows, matches_action
from pipeline.template.example_values import ACCOUNT
from templates_src.environment import ROOT
from tests.launch_role.calls import Calls
from tests.launch_role.role_calls import allowed_requests, roles
from tests.relations.variants import rendered_variant

PROJECT_TAG, ENVIRONMENT_TAG = "aws:ResourceTag/Project", "aws:ResourceTag/Environment"
RECORD_NAMES = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
RECORD_TYPES = "route53:ChangeResourceRecordSetsRecordTypes"
OTHER_ACCOUNT = "444455556666"
ABSENT = None
# Keys with several values in the calls of one action: each value is used by a call.
SEVERAL = ("iam:AWSServiceName", "iam:PassedToService", "kms:ViaService", RECORD_TYPES)
# An action of a handler that the launch role never has for its own roles, because of the boundary.
NEVER = ("iam:DeleteRolePermissionsBoundary",)
Rules = Mapping[str, Mapping[str, str]]
# Values that no call of dev or prod has, by condition key. ABSENT is a request without the key.
FOREIGN: Mapping[str, tuple[Any, ...]] = {
    PROJECT_TAG: ("payroll",),
    ENVIRONMENT_TAG: ("qa",),
    "aws:RequestTag/Project": ("payroll", ABSENT),
    "aws:RequestTag/Environment": ("qa", ABSENT),
    "cloudwatch:namespace": ("payroll/dev", ABSENT),
    "iam:AWSServiceName": ("organizations.amazonaws.com", ABSENT),
    "iam:PassedToService": ("glue.amazonaws.com", ABSENT),
    "iam:PermissionsBoundary": (f"arn:aws:iam::{OTHER_ACCOUNT}:policy/boundary", ABSENT),
    "kms:GrantIsForAWSResource": ("false", ABSENT),
    "kms:ResourceAliases": (["alias/payroll"],),
    "kms:ViaService": (ABSENT,),
    RECORD_NAMES: (["search.carbon-connect-staging.internal"],),
    RECORD_TYPES: (["NS"], ["AAAA"]),
    "s3:ResourceAccount": (OTHER_ACCOUNT, ABSENT),
    "servicecatalog:roleLevel": ("account", ABSENT),
}
NAMED = "Its resource is known by its name, path or ID."
READS = "It reads no secret."
CREATES = "It creates something, or names what the new resource is created from or in."
GUARDED = "The boundary is for what adds permissions to a role."
SHARED = "Another account may share the VPC and its subnets."
BOUND = ""
CRYPTOGRAPHY = {
    f"kms:{name} *": "A service of AWS uses the key; the key's policy and the denials limit whose key it is."
    for name in ("CreateGrant", "Decrypt", "Encrypt", "GenerateDataKey*", "ReEncrypt*", "RetireGrant")
}  # fmt: skip
# By condition key: action and kind of resource, and why another value of the key is allowed; the first pattern decides.
# What no pattern matches is refused.
BY_TAGS: Mapping[str, str] = {
    "wafv2:DeleteWebACL *": BOUND,
    "iam:CreateServiceLinkedRole *": NAMED,
    "secretsmanager:GetSecretValue *": BOUND,
    "wafv2:GetLoggingConfiguration *": BOUND,
    "*:Describe* *": READS,
    "*:Get* *": READS,
    "*:List* *": READS,
    "iam:CreateOpenIDConnectProvider *": NAMED,
    "iam:*OpenIDConnect* *": BOUND,
    "iam:*Role* *": NAMED,
    "iam:*InstanceProfile *": NAMED,
    "lambda:DeleteFunction *": BOUND,
    "lambda:* *": NAMED,
    "cloudformation:* *": NAMED,
    "s3:* *": NAMED,
    "route53:* *": NAMED,
    "wafv2:*ebACL *": NAMED,
    "kms:CreateKey *": CREATES,
    **CRYPTOGRAPHY,
    "ec2:AllocateAddress *": CREATES,
    "ec2:RunInstances *": CREATES,
    "acm:RequestCertificate *": CREATES,
    "elasticloadbalancing:SetWebACL *": NAMED,
    "ecs:*egisterTaskDefinition *": CREATES,
    "rds:RestoreDBInstanceFromDBSnapshot snapshot": BOUND,
    "rds:RestoreDBInstanceFromDBSnapshot *": CREATES,
    "rds:ModifyDBInstance og": "An option group of AWS has no tags.",
    "rds:CreateDBSnapshot snapshot": CREATES,
    "logs:*LogDelivery *": NAMED,
    "logs:PutResourcePolicy *": NAMED,
    "managed-fleets:* *": "The service authorization reference does not list it.",
    **{
        f"{name} *": BOUND
        for name in (
            "ec2:CreateLaunchTemplateVersion",
            "ec2:CreateNetworkAclEntry",
            "ec2:CreateRoute",
            "ec2:CreateTags",
            "elasticache:CreateSnapshot",
            "elasticloadbalancing:CreateListener",
            "elasticloadbalancing:CreateWebACLAssociation",
            "kms:CreateAlias",
            "rds:CreateDBSnapshot",
            "secretsmanager:CreateSecret",
            "autoscaling:CreateOrUpdateTags",
        )
    },
    "ec2:CreateVolume snapshot": BOUND,
    "*:Create* *": CREATES,
}
OF_LAUNCHES: Rules = {
    PROJECT_TAG: BY_TAGS,
    ENVIRONMENT_TAG: BY_TAGS,
    "aws:RequestTag/*": {"*": "CloudFormation tags; the denials are about other environments of the project."},
    "account": {
        **{
            f"ec2:Create{name} *": BOUND
            for name in ("LaunchTemplateVersion", "NetworkAclEntry", "Route", "Tags", "Volume")
        },
        "ec2:AllocateAddress *": SHARED,
        "ec2:Create* *": SHARED,
        "ec2:Describe*Attribute *": READS,
        "ec2:RunInstances *": SHARED,
    },
    "iam:PermissionsBoundary": {
        "iam:CreateRole *": BOUND,
        "iam:Put*": BOUND,
            "*": GUARDED,
    },
    "kms:ResourceAliases": {
        "kms:*Alias *": "The alias is bound by its name, and the key by its tags.",
        "kms:Describe* *": READS,
        "kms:Get* *": READS,
        "kms:List* *": READS,
        **CRYPTOGRAPHY,
    },
}  # fmt: skip
ROLES_BY_TAGS: Mapping[str, str] = {
    "acm:DescribeCertificate *": READS,
    "cloudformation:UpdateTerminationProtection *": NAMED,
    "ecr:* *": "The images of every environment but production are shared.",
    "iam:CreateServiceLinkedRole *": NAMED,
    "iam:PassRole *": NAMED,
    "kms:DescribeKey *": READS,
    "rds:Describe* *": READS,
    "route53:* *": NAMED,
    "s3:* *": NAMED,
    "servicecatalog:DescribeProvisioningParameters *": READS,
}
OF_ROLES: Rules = {
    PROJECT_TAG: ROLES_BY_TAGS,
    ENVIRONMENT_TAG: ROLES_BY_TAGS,
    "account": {
        "acm:DescribeCertificate *": READS,
        "iam:CreateServiceLinkedRole *": "The service of the role limits it.",
        "kms:DescribeKey *": READS,
        "rds:Describe* *": READS,
    },
    "kms:ViaService": {"kms:DescribeKey *": READS},
}


def subject(request: Request) -> str:
    """The action and the kind of resource of a request."""
    kind = re.split("[:/]", request.arn.split(":", 5)[-1], maxsplit=1)[0]
    return f"{request.action} {kind}"


def rule(rules: Rules, key: str, request: Request) -> tuple[str, str]:
    """The pattern that decides about a request with another value of a condition key, and why it is allowed.

    Both are empty if no pattern matches: the request must be refused.
    """
    patterns = next((found for each, found in rules.items() if like(key, each)), {})
    text = subject(request)
    return next(((each, why) for each, why in patterns.items() if like(text, each)), ("", BOUND))


def expected(rules: Rules, key: str, request: Request) -> bool:
    """Whether a request with another value of a condition key is allowed, for a reason that the rules name."""
    if request.arn == "*" and key.startswith("aws:ResourceTag/"):
        return True  # No resource has the tags.
    return bool(rule(rules, key, request)[1])


def changed(request: Request, key: str, value: Any) -> Request:
    """The request with another value of a condition key, or without it."""
    others = {name: given for name, given in request.context.items() if name != key}
    return replace(request, context=others if value is ABSENT else {**others, key: value})


def variations(request: Request) -> Iterator[tuple[str, Request]]:
    """The request with each foreign value of each of its condition keys, and on a resource of another account."""
    for key, values in FOREIGN.items():
        if key in request.context:
            for value in values:
                yield key, changed(request, key, value)
    parts = request.arn.split(":", 5)
    if parts[4:] and parts[4] == ACCOUNT:
        parts[4] = OTHER_ACCOUNT
        yield "account", replace(request, arn=":".join(parts))


class Question(NamedTuple):
    """A request, the condition key with another value (empty for the call itself), and whether it must be allowed."""

    request: Request
    key: str
    allowed: bool


@cache
def questions_of_launches(variant: str) -> tuple[Question, ...]:
    """The calls of the handlers of an environment, and each with a foreign value."""
    return tuple(questions(of_launches(variant), OF_LAUNCHES))


@cache
def questions_of_roles(variant: str) -> tuple[Question, ...]:
    """The calls of the roles of an environment, and each with a foreign value."""
    return tuple(questions(of_roles(variant), OF_ROLES))


def questions(requests: Iterable[Request], rules: Rules) -> Iterator[Question]:
    """Each request, and each with a foreign value of a condition key."""
    for request in requests:
        yield Question(request, "", True)
        for key, other in variations(request):
            yield Question(other, key, expected(rules, key, other))


def wrong(among: Iterable[Mapping[str, Any]], asked: Iterable[Question]) -> list[str]:
    """What the statements refuse or allow in another way than expected."""
    statements, matching, found = list(among), dict[str, list[Mapping[str, Any]]](), []
    for request, key, wanted in asked:
        if request.action not in matching:
            matching[request.action] = [
                body for body in statements if matches_action(body, request.action)
            ]
        if allows(matching[request.action], request) != wanted:
            verdict = "refused" if wanted else "allowed"
            ending = f" with another {key}" if key else ""
            found.append(f"{subject(request)} is {verdict}{ending}: {dict(request.context)}.")
    return found


def different(requests: Iterable[Request]) -> tuple[Request, ...]:
    """The first request of each action, kind of resource, and set of condition keys."""
    found: dict[Any, Request] = {}
    for one in requests:
        limited = [str(one.context.get(key)) for key in SEVERAL]
        found.setdefault((subject(one), frozenset(one.context), *limited), one)
    return tuple(found.values())


@cache
def of_launches(variant: str) -> tuple[Request, ...]:
    """The calls of the handlers of an environment, on resources that have its tags already."""
    rendered = rendered_variant(variant)
    given = rendered.parameters[ROOT]
    tags = {f"aws:ResourceTag/{key}": given[key] for key in ("Project", "Environment")}
    found = []
    for _, call in Calls(rendered).of_handlers():
        sent = {
            key: value
            for key, value in call.context.items()
            if not key.startswith("route53:") or call.action == "route53:ChangeResourceRecordSets"
        }
        if call.action not in NEVER:
            found.append(replace(call, context={**tags, **sent}))
    return different(found)


@cache
def of_roles(variant: str) -> tuple[Request, ...]:
    """The calls of the roles of an environment."""
    rendered = rendered_variant(variant)
    return different(one for role in roles(rendered) for one in allowed_requests(rendered, role))
