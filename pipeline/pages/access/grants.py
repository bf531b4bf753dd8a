"""Who may read and write each secret, bucket, key, queue, topic, log group and repository.

Each grant is decided by the evaluator of IAM policies: the request is one that the statement is about and that meets its conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.aws import partition_of
from pipeline.checks.iam.conditions import clauses_of, like, listed, parsed
from pipeline.checks.iam.evaluation import Principal, Resource, decide
from pipeline.checks.iam.policies import Policy, Request, Statement, matches_action, policy
from pipeline.checks.rendered_resources import RenderedResource
from pipeline.pages.access.principals import Role
from pipeline.pages.access.words import condition_words, resource_words
from pipeline.template.example_values import ACCOUNT
from pipeline.template.references import Name, token, tokens

# The properties that give a resource a physical name.
_NAMES = ("BucketName", "LogGroupName", "RepositoryName", "TopicName", "QueueName")
READ, WRITE, MANAGE = "read", "write", "manage"
Actions = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Kind:
    """A resource type whose access is shown: a title, and the actions that read, write and manage it.

    ``form`` is the last part of its ARN. ``policy`` is the type of its resource policy, and ``key`` the property there that names
    the resource.
    """

    title: str
    service: str
    form: str
    actions: Actions
    policy: str = ""
    key: str = ""


def _actions(service: str, read: str, write: str, manage: str) -> Actions:
    names = {READ: read, WRITE: write, MANAGE: manage}
    return {use: tuple(f"{service}:{name}" for name in text.split()) for use, text in names.items()}


KINDS: Mapping[str, Kind] = {
    "AWS::SecretsManager::Secret": Kind(
        "Secrets",
        "secretsmanager",
        "secret:{name}",
        _actions(
            "secretsmanager",
            "GetSecretValue BatchGetSecretValue",
            "PutSecretValue UpdateSecret UpdateSecretVersionStage RotateSecret",
            "DeleteSecret PutResourcePolicy DeleteResourcePolicy TagResource",
        ),
        "AWS::SecretsManager::ResourcePolicy",
        "SecretId",
    ),
    "AWS::S3::Bucket": Kind(
        "Buckets",
        "s3",
        "{name}",
        _actions(
            "s3",
            "GetObject GetObjectVersion ListBucket ListBucketVersions",
            "PutObject DeleteObject DeleteObjectVersion AbortMultipartUpload RestoreObject",
            "DeleteBucket PutBucketPolicy PutLifecycleConfiguration PutBucketPublicAccessBlock GetBucketPolicy "
            "GetBucketLocation",
        ),
        "AWS::S3::BucketPolicy",
        "Bucket",
    ),
    "AWS::KMS::Key": Kind(
        "Keys",
        "kms",
        "key/{name}",
        _actions(
            "kms",
            "Decrypt",
            "Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo CreateGrant",
            "PutKeyPolicy ScheduleKeyDeletion DisableKey DescribeKey",
        ),
    ),
    "AWS::SQS::Queue": Kind(
        "Queues",
        "sqs",
        "{name}",
        _actions(
            "sqs", "ReceiveMessage", "SendMessage DeleteMessage", "PurgeQueue SetQueueAttributes"
        ),
        "AWS::SQS::QueuePolicy",
        "Queues",
    ),
    "AWS::SNS::Topic": Kind(
        "Topics",
        "sns",
        "{name}",
        _actions("sns", "Subscribe", "Publish", "SetTopicAttributes DeleteTopic"),
        "AWS::SNS::TopicPolicy",
        "Topics",
    ),
    "AWS::Logs::LogGroup": Kind(
        "Log groups",
        "logs",
        "log-group:{name}:*",
        _actions(
            "logs",
            "FilterLogEvents GetLogEvents StartQuery DescribeLogStreams",
            "PutLogEvents CreateLogStream",
            "DeleteLogGroup PutRetentionPolicy",
        ),
    ),
    "AWS::ECR::Repository": Kind(
        "Image repositories",
        "ecr",
        "repository/{name}",
        _actions(
            "ecr",
            "BatchGetImage GetDownloadUrlForLayer DescribeImages",
            "PutImage UploadLayerPart BatchDeleteImage",
            "DeleteRepository SetRepositoryPolicy",
        ),
    ),
}


@dataclass(frozen=True)
class Grant:
    """A statement that allows actions of a use. ``but`` are statements that deny a part of it."""

    who: str
    statement: Statement
    actions: tuple[str, ...]
    scope: tuple[str, ...]
    conditions: tuple[str, ...]
    but: tuple[str, ...] = ()


@dataclass(frozen=True)
class Access:
    """The grants of one resource by use: read, write and manage."""

    name: Name
    kind: str
    grants: Mapping[str, tuple[Grant, ...]] = field(hash=False)


@dataclass(frozen=True)
class _Target:
    """A resource, its policy, and the ARNs that patterns match."""

    resource: RenderedResource
    own: Policy | None
    arns: tuple[str, ...]

    @property
    def evaluated(self) -> Resource:
        return Resource(ACCOUNT, self.own)


def accesses(
    resources: Iterable[RenderedResource], roles: Iterable[Role], region: str
) -> list[Access]:
    """The access of each resource of the types in KINDS, by name."""
    every, known = list(resources), list(roles)
    return [
        Access(each.name, each.kind, _grants(_target(each, every, region), KINDS[each.kind], known))
        for each in sorted(every, key=lambda each: each.name)
        if each.kind in KINDS
    ]


def _target(resource: RenderedResource, every: list[RenderedResource], region: str) -> _Target:
    kind, own = KINDS[resource.kind], resource.properties.get("KeyPolicy")
    names = [str(resource.name)] if own else []
    statements = list(listed(own["Statement"])) if own else []
    for each in every:
        if each.kind == kind.policy and resource.name in named_in(each.properties.get(kind.key)):
            names.append(str(each.name))
            document = each.properties.get("PolicyDocument") or each.properties["ResourcePolicy"]
            statements += listed(document["Statement"])
    found = policy("+".join(names), statements) if names else None
    return _Target(resource, found, tuple(_arns(resource, region)))


def named_in(value: Any) -> set[Name]:
    """The resources that a value refers to."""
    return {name for name, _ in tokens(value)}


def _arns(resource: RenderedResource, region: str) -> Iterator[str]:
    """The ARNs of a resource in the forms in which a pattern can match it."""
    own = token(resource.name)
    yield token(resource.name, "Arn")
    yield own
    kind = KINDS[resource.kind]
    where = ":" if kind.service == "s3" else f"{region}:{ACCOUNT}"
    names = (own, *(resource.properties[key] for key in _NAMES if key in resource.properties))
    for name in names:
        yield f"arn:{partition_of(region)}:{kind.service}:{where}:{kind.form.format(name=name)}"


def _grants(target: _Target, kind: Kind, roles: list[Role]) -> dict[str, tuple[Grant, ...]]:
    everyone = [
        (statement, str(role.name), role.principal)
        for role in roles
        for each in role.policies
        for statement in each
        if is_of_service(statement, kind.service)
    ]
    everyone += [
        (statement, who, principal)
        for statement in target.own or ()
        for who, principal in _principals(statement.body.get("Principal"))
    ]
    return {
        use: tuple(
            grant
            for statement, who, principal in everyone
            for grant in _of(statement, who, principal, target, actions)
        )
        for use, actions in kind.actions.items()
    }


def is_of_service(statement: Statement, service: str) -> bool:
    """Whether a statement can be about an action of a service."""
    if "NotAction" in statement.body:
        return True
    prefixes = {str(each).partition(":")[0] for each in listed(statement.body.get("Action"))}
    return bool(prefixes & {service, "*"})


def _principals(element: Any) -> Iterator[tuple[str, Principal]]:
    """The principals of a statement of a resource policy; those that are roles have their own grants."""
    if element == "*":
        yield "anyone", Principal(arn="anyone", account=ACCOUNT)
        return
    for kind, values in (element or {}).items():
        for value in map(str, listed(values)):
            if kind == "Service":
                yield value, Principal(service=value)
            elif value.endswith(":root") or value == ACCOUNT:
                yield (
                    "the account, as its IAM policies allow",
                    Principal(arn=value, account=ACCOUNT),
                )
            else:
                yield resource_words(value), Principal(arn=value, account=ACCOUNT)


def _of(
    statement: Statement, who: str, principal: Principal, target: _Target, actions: tuple[str, ...]
) -> Iterator[Grant]:
    """The grant of a statement on a target; none if it does not allow one of the actions there."""
    if not statement.allows:
        return
    scope: list[str] = []
    allowed: list[str] = []
    for pattern in map(str, listed(statement.body.get("Resource", "*"))):
        requested = _requested(pattern, target)
        if not requested:
            continue
        context = _context(statement.body)
        for action in actions:
            if not matches_action(statement.body, action):
                continue
            request = Request(action, requested, context)
            if decide(principal, request, target.evaluated).allowed:
                allowed.append(action)
                scope.append(pattern)
    if allowed:
        yield Grant(
            who,
            statement,
            tuple(dict.fromkeys(allowed)),
            tuple(dict.fromkeys(map(resource_words, scope))),
            tuple(condition_words(statement.body)),
            tuple(_denials(principal, target, allowed)),
        )


def _requested(pattern: str, target: _Target) -> str:
    """The ARN of a request that a pattern is about; empty if the pattern is about another resource."""
    if target.resource.name in named_in(pattern):
        return pattern.replace("*", "example")
    return next((arn for arn in target.arns if like(arn, pattern)), "")


def _context(body: Mapping[str, Any]) -> dict[str, Any]:
    """Condition keys of a request over TLS that meets the conditions of a statement."""
    found: dict[str, Any] = {"aws:SecureTransport": "true"}
    for clause in clauses_of(body.get("Condition", {})):
        if clause.operator.lower() == "null":
            if str(clause.values[0]).lower() == "false":
                found[clause.key] = "present"
            continue
        quantifier, operator, if_exists = parsed(clause.operator)
        if if_exists or "not" in operator:
            continue
        value = str(clause.values[0]).replace("*", "example")
        found[clause.key] = [value] if quantifier else value
    return found


def _denials(principal: Principal, target: _Target, actions: list[str]) -> Iterator[str]:
    """The statements that deny a part of a grant: other objects of the resource, or requests with other keys."""
    every = [*principal.policies, *([target.own] if target.own else [])]
    for statement in (each for one in every for each in one):
        if statement.allows or not any(matches_action(statement.body, each) for each in actions):
            continue
        patterns = [str(each) for each in listed(statement.body.get("Resource", "*"))]
        if any(_requested(each, target) for each in patterns):
            scope = ", ".join(resource_words(each) for each in patterns)
            when = " and ".join(condition_words(statement.body))
            yield f"{statement}: {scope}{' if ' + when if when else ''}"
