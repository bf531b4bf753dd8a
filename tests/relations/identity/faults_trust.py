"""Faults in the trust between services, and references that lead nowhere."""

from __future__ import annotations

from tests.relations.identity.checks_trust import (
    both_forms_of_a_workflow_are_trusted,
    references_lead_somewhere,
    roles_trust_the_service_that_has_them,
    services_act_for_this_account,
    the_key_is_used_through_services,
    the_provider_is_that_of_the_workflows,
)
from tests.relations.planting import drop, put, remove
from tests.relations.registry import Fault

SUBJECT = "token.actions.githubusercontent.com:sub"
TRUST = "AssumeRolePolicyDocument/Statement/0"

FAULTS = (
    Fault(
        "a role that ECS takes on for another account",
        services_act_for_this_account,
        "ApiTaskRole is taken on by ['ecs-tasks.amazonaws.com'] for other accounts",
        drop("ApiTaskRole", f"{TRUST}/Condition/StringEquals"),
    ),
    Fault(
        "a role that ECS takes on for another region",
        services_act_for_this_account,
        "BeatTaskRole is taken on for tasks of every region",
        drop("BeatTaskRole", f"{TRUST}/Condition/ArnLike"),
    ),
    Fault(
        "a trust that denies",
        services_act_for_this_account,
        "QueueDepthRole has the trust ['Deny']",
        put("QueueDepthRole", f"{TRUST}/Effect", "Deny"),
    ),
    Fault(
        "a provider for another audience",
        the_provider_is_that_of_the_workflows,
        "GitHubOidcProvider is for ['sts.example.com'], and workflows ask for ['sts.amazonaws.com']",
        put("GitHubOidcProvider", "ClientIdList", ["sts.example.com"]),
    ),
    Fault(
        "a role that another service can take on",
        roles_trust_the_service_that_has_them,
        "QueueDepthRole trusts ['ec2.amazonaws.com', 'lambda.amazonaws.com'], and ['lambda.amazonaws.com'] has it",
        put(
            "QueueDepthRole",
            f"{TRUST}/Principal/Service",
            ["lambda.amazonaws.com", "ec2.amazonaws.com"],
        ),
    ),
    Fault(
        "workflows of a repository with IDs in its subject are not trusted",
        both_forms_of_a_workflow_are_trusted,
        "DeployRole trusts ['repo:acme/carbon:environment:prod'], not both forms",
        drop("DeployRole", f"{TRUST}/Condition/StringEquals/{SUBJECT}/1"),
        "complete prod",
    ),
    Fault(
        "a key that a role uses directly",
        the_key_is_used_through_services,
        "DatabaseExtensionsRole uses the key through None",
        drop("DatabaseExtensionsRole", "Policies/0/PolicyDocument/Statement/4/Condition"),
    ),
    Fault(
        "a reference to a role that is gone",
        references_lead_somewhere,
        "QueueDepthFunction refers to QueueDepthRole",
        remove("QueueDepthRole"),
    ),
)
