"""Trust between services: who takes a role on, for whom a key is used, and references that lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.checks.render import Rendered
from pipeline.template.example_values import ACCOUNT
from templates_src.environment import ROOT
from tests.relations.identity.checks_identity import ISSUER, ROLE
from tests.relations.registry import relation
from tests.relations.text import is_true, listed, text_of
from tests.rendering import VARIABLE, id_of, resources, resources_of_type

# Lambda and EC2 take a role on for the function or instance that names it, and send no condition keys.
WITHOUT_SOURCE = frozenset({"lambda.amazonaws.com", "ec2.amazonaws.com"})
# The properties that give a role to a service.
GIVEN = (
    ("AWS::Lambda::Function", "Role", "lambda.amazonaws.com"),
    ("AWS::ECS::TaskDefinition", "ExecutionRoleArn", "ecs-tasks.amazonaws.com"),
    ("AWS::ECS::TaskDefinition", "TaskRoleArn", "ecs-tasks.amazonaws.com"),
    ("AWS::IAM::InstanceProfile", "Roles", "ec2.amazonaws.com"),
    ("AWS::EC2::FlowLog", "DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com"),
    ("AWS::DLM::LifecyclePolicy", "ExecutionRoleArn", "dlm.amazonaws.com"),
)
READING = frozenset({"kms:DescribeKey"})
PSEUDO = "AWS::"


@relation
def services_act_for_this_account(rendered: Rendered) -> Iterator[str]:
    """A service that acts for many accounts takes a role on for resources of this account and region only; each trust allows, once."""
    for role in resources_of_type(rendered, ROLE):
        statements = role.properties["AssumeRolePolicyDocument"]["Statement"]
        if [statement["Effect"] for statement in statements] != ["Allow"]:
            yield f"{role.logical_id} has the trust {[each['Effect'] for each in statements]}."
        for statement in statements:
            principal = statement["Principal"]
            services = listed(principal.get("Service")) if isinstance(principal, Mapping) else []
            if not set(map(text_of, services)) - WITHOUT_SOURCE:
                continue
            condition = statement.get("Condition", {})
            if condition.get("StringEquals", {}).get("aws:SourceAccount") != ACCOUNT:
                yield f"{role.logical_id} is taken on by {services} for other accounts."
            source = condition.get("ArnLike", {}).get(
                "aws:SourceArn", f":{rendered.region}:{ACCOUNT}:"
            )
            if f":{rendered.region}:{ACCOUNT}:" not in source:
                yield f"{role.logical_id} is taken on for {source}."
            if (
                "ecs-tasks.amazonaws.com" in services
                and role.logical_id.endswith("TaskRole")
                and "ArnLike" not in condition
            ):
                yield f"{role.logical_id} is taken on for tasks of every region."


@relation
def roles_trust_the_service_that_has_them(rendered: Rendered) -> Iterator[str]:
    """A role trusts exactly the service that a resource gives it to, and no role is without a service or a workflow."""
    given: dict[str, set[str]] = {}
    for kind, key, service in GIVEN:
        for resource in resources_of_type(rendered, kind):
            for value in listed(resource.properties.get(key)):
                given.setdefault(id_of(rendered, resource.layer, value), set()).add(service)
    for role in resources_of_type(rendered, ROLE):
        trusted = {
            text_of(service)
            for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]
            if isinstance(statement.get("Principal"), Mapping)
            and "Federated" not in statement["Principal"]
            for service in listed(statement["Principal"].get("Service"))
        }
        wanted = given.get(role.logical_id, set())
        if trusted != wanted:
            yield f"{role.logical_id} trusts {sorted(trusted)}, and {sorted(wanted) or 'no service'} has it."


@relation
def the_provider_is_that_of_the_workflows(rendered: Rendered) -> Iterator[str]:
    """The OIDC provider is GitHub's, for the audience that the role of the workflows requires."""
    audiences = {
        text_of(value)
        for role in resources_of_type(rendered, ROLE)
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]
        for claim, value in statement.get("Condition", {}).get("StringEquals", {}).items()
        if claim == f"{ISSUER}:aud"
    }
    for provider in resources_of_type(rendered, "AWS::IAM::OIDCProvider"):
        if provider.properties.get("Url") != f"https://{ISSUER}":
            yield f"{provider.logical_id} is of {provider.properties.get('Url')}, not of https://{ISSUER}."
        clients = set(map(text_of, listed(provider.properties.get("ClientIdList"))))
        if clients != audiences:
            yield f"{provider.logical_id} is for {sorted(clients)}, and workflows ask for {sorted(audiences)}."


@relation
def both_forms_of_a_workflow_are_trusted(rendered: Rendered) -> Iterator[str]:
    """With the IDs of a repository, its workflows are trusted with and without the IDs in their subject: GitHub adds them per repository.

    https://docs.github.com/en/actions/reference/security/oidc
    """
    given = rendered.parameters[ROOT]
    wanted = {False, True} if given["GitHubRepositoryId"] else {False}
    for role in resources_of_type(rendered, ROLE):
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
            claims = statement.get("Condition", {}).get("StringEquals", {})
            for claim, subjects in claims.items():
                forms = {"@" in text_of(subject) for subject in listed(subjects)}
                if claim.endswith(":sub") and forms != wanted:
                    yield f"{role.logical_id} trusts {sorted(map(text_of, listed(subjects)))}, not both forms of a subject."


@relation
def the_key_is_used_through_services(rendered: Rendered) -> Iterator[str]:
    """A role uses the key only through the service that holds the data, in the region, and grants it only to services."""
    for _, resource in resources(rendered):
        for statement in role_policies(resource.properties):
            actions = {
                action for action in listed(statement["Action"]) if action.startswith("kms:")
            }
            if statement["Effect"] != "Allow" or not actions - READING:
                continue
            condition = statement.get("Condition", {})
            through = str(condition.get("StringEquals", {}).get("kms:ViaService"))
            if not through.endswith(f".{rendered.region}.amazonaws.com"):
                yield f"{resource.logical_id} uses the key through {through}."
            if "kms:CreateGrant" in actions and not is_true(
                condition.get("Bool", {}).get("kms:GrantIsForAWSResource")
            ):
                yield f"{resource.logical_id} grants the key to anyone."


def role_policies(properties: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The statements of a role's policies, or of a policy."""
    documents = [each["PolicyDocument"] for each in properties.get("Policies", ())]
    if "Roles" in properties and "PolicyDocument" in properties:
        documents.append(properties["PolicyDocument"])
    for document in documents:
        yield from document["Statement"]


@relation
def references_lead_somewhere(rendered: Rendered) -> Iterator[str]:
    """A reference names a resource of its template, and so does a dependency."""
    for layer, template in rendered.layers.items():
        known = template["Resources"].keys()
        for name, body in template["Resources"].items():
            named = {*references(body.get("Properties", {})), *listed(body.get("DependsOn"))}
            for missing in sorted(each for each in named - known if not each.startswith(PSEUDO)):
                yield f"{name} refers to {missing}, which layer {layer} does not have."
        for name, output in template.get("Outputs", {}).items():
            for missing in sorted(references(output["Value"]) - known):
                yield f"Output {name} refers to {missing}, which layer {layer} does not have."


def references(value: Any) -> set[str]:
    """The logical IDs that a value refers to."""
    match value:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [name, _]}:
            return {name}
        case {"Fn::Sub": [str(text), {**values}]}:
            inside = {name for name, _ in VARIABLE.findall(text)} - values.keys()
            return inside | {name for part in values.values() for name in references(part)}
        case {"Fn::Sub": str(text)}:
            return {name for name, _ in VARIABLE.findall(text)}
        case dict():
            return {name for part in value.values() for name in references(part)}
        case list():
            return {name for part in value for name in references(part)}
        case _:
            return set()
