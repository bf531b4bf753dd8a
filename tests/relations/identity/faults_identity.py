"""Faults in roles, their trust and their policies."""

from __future__ import annotations

from typing import Any

from tests.relations.identity import checks_identity as identity
from tests.relations.planting import Plant, append, drop, put
from tests.relations.registry import Fault

CLAIMS = "AssumeRolePolicyDocument/Statement/0/Condition/StringEquals"
SUBJECT = "token.actions.githubusercontent.com:sub"
TRUST = "AssumeRolePolicyDocument/Statement/0"


def with_subject(subject: Any) -> Plant:
    """The deploy role trusts another subject."""
    return put("DeployRole", f"{CLAIMS}/{SUBJECT}", subject)


def granting(logical_id: str, **statement: Any) -> Plant:
    """A policy has an additional statement."""
    return append(
        logical_id, "PolicyDocument/Statement", {"Sid": "More", "Effect": "Allow", **statement}
    )


FAULTS = (
    Fault(
        "a bucket policy for all buckets",
        identity.wildcards_have_a_reason,
        "has the wildcard *, without a reason",
        put("ApiBucketAccess", "PolicyDocument/Statement/1/Resource", ["*"]),
    ),
    Fault(
        "every action of a service",
        identity.wildcards_have_a_reason,
        "has the wildcard s3:*",
        put("ApiBucketAccess", "PolicyDocument/Statement/0/Action", ["s3:*"]),
    ),
    Fault(
        "metrics of any namespace",
        identity.wildcards_have_a_reason,
        "not bound by cloudwatch:namespace",
        drop("ApiTaskRole", "Policies/0/PolicyDocument/Statement/0/Condition"),
    ),
    Fault(
        "logs of every account under the key",
        identity.wildcards_have_a_reason,
        "not bound by kms:EncryptionContext",
        drop("Key", "KeyPolicy/Statement/1/Condition"),
    ),
    Fault(
        "everything but one action",
        identity.wildcards_have_a_reason,
        "what it is not about",
        granting("StartPolicy", NotAction=["iam:PassRole"], Resource=[]),
    ),
    Fault(
        "passing roles",
        identity.no_statement_allows_all_of_iam,
        "StartPolicy allows iam:PassRole",
        granting("StartPolicy", Action="iam:PassRole", Resource="role"),
    ),
    Fault(
        "everything",
        identity.no_statement_allows_all_of_iam,
        "allows *:*",
        granting("PushPolicy", Action=["*:*"], Resource=["*"]),
    ),
    Fault(
        "a public bucket",
        identity.no_statement_allows_all_of_iam,
        "MediaBucketPolicy allows everybody",
        granting("MediaBucketPolicy", Principal="*", Action=["s3:GetObject"], Resource=[]),
    ),
    Fault(
        "a policy that AWS manages",
        identity.policies_are_ours_and_used,
        "ExecutionRole has the managed policy",
        put(
            "ExecutionRole",
            "ManagedPolicyArns",
            ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"],
        ),
    ),
    Fault(
        "a policy of nobody",
        identity.policies_are_ours_and_used,
        "WorkerBucketAccess is granted to no role",
        put("WorkerBucketAccess", "Roles", []),
    ),
    Fault(
        "a role of another account",
        identity.policies_are_ours_and_used,
        "StartPolicy is granted to ['ecsTaskExecutionRole']",
        put("StartPolicy", "Roles", ["ecsTaskExecutionRole"]),
    ),
    Fault(
        "a role without a boundary",
        identity.roles_are_bounded,
        "VpcFlowLogRole is not bounded",
        drop("VpcFlowLogRole", "PermissionsBoundary"),
    ),
    Fault(
        "a role without a path",
        identity.roles_are_bounded,
        "BeatTaskRole has the path None",
        drop("BeatTaskRole", "Path"),
    ),
    Fault(
        "a role for an account",
        identity.only_services_and_workflows_assume_roles,
        "ApiTaskRole is taken on by ['AWS']",
        put("ApiTaskRole", f"{TRUST}/Principal", {"AWS": "arn:aws:iam::111122223333:root"}),
    ),
    Fault(
        "a role that every principal can assume",
        identity.only_services_and_workflows_assume_roles,
        "ExecutionRole is taken on by ['*']",
        put("ExecutionRole", f"{TRUST}/Principal", "*"),
    ),
    Fault(
        "a role for a service that is none",
        identity.only_services_and_workflows_assume_roles,
        "example.com",
        put("VpcFlowLogRole", f"{TRUST}/Principal", {"Service": "flow-logs.example.com"}),
    ),
    Fault(
        "trust without a subject",
        identity.workflows_are_named_in_full,
        "it has no subject",
        drop("DeployRole", f"{CLAIMS}/{SUBJECT}"),
    ),
    Fault(
        "trust in every environment of the repository",
        identity.workflows_are_named_in_full,
        "trusts repo:acme/carbon:*",
        with_subject(["repo:acme/carbon:*"]),
    ),
    Fault(
        "trust in another repository",
        identity.workflows_are_named_in_full,
        "trusts repo:acme/other",
        with_subject("repo:acme/other:environment:prod"),
    ),
    Fault(
        "trust in another environment",
        identity.workflows_are_named_in_full,
        "environment:dev, which",
        with_subject("repo:acme/carbon:environment:dev"),
    ),
    Fault(
        "trust with one of the two IDs",
        identity.workflows_are_named_in_full,
        "trusts repo:acme@101/carbon",
        with_subject("repo:acme@101/carbon:environment:prod"),
    ),
    Fault(
        "trust of a pattern",
        identity.workflows_are_named_in_full,
        "not by StringEquals alone",
        put("DeployRole", f"{TRUST}/Condition", {"StringLike": {SUBJECT: "repo:acme/*"}}),
    ),
    Fault(
        "trust in any audience",
        identity.workflows_are_named_in_full,
        "does not hold the audience",
        drop("DeployRole", f"{CLAIMS}/token.actions.githubusercontent.com:aud"),
    ),
)
