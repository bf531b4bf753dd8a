"""GitHub Actions without long-lived credentials: an OIDC provider, and the role that a repository's workflows assume."""

from __future__ import annotations

from typing import Any

from awacs.aws import Allow, Condition, Principal, Statement, StringEquals
from awacs.sts import AssumeRoleWithWebIdentity
from troposphere import And, Equals, GetAtt, If, Not, NoValue, Or, Ref, Select, Split, Sub
from troposphere import Condition as NamedCondition
from troposphere.iam import OIDCProvider, Role

from templates_src.core import iam
from templates_src.core.layer import Layer, Rule
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration
from templates_src.security.roles import policy, sign_in_to_registry

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
# The end of the subject of a job in the GitHub environment with the name of the launched environment.
OF_ENVIRONMENT = "environment:${Environment}"

GITHUB_REPOSITORY = Declaration(
    name="GitHubRepository",
    group=groups.GITHUB,
    label="GitHub repository",
    description="GitHub repository whose workflows deploy to this environment; empty for none. A change moves the deploy role's trust to the new repository; an empty value deletes the role and the function that deploys, with its log, and GitHub's OIDC provider stays.",
    default="",
    # GitHub's limits: 39 characters for the name of an account and 100 for that of a repository.
    pattern=r"([A-Za-z0-9][A-Za-z0-9-]{0,38}/[\w.-]{1,100})?",
    message="GitHubRepository must be empty or ORGANIZATION/REPOSITORY, in the upper and lower case of GitHub.",
)


def github_id(name: str, label: str, of: str) -> Declaration:
    """A numeric ID of GitHub, which stays when an account or repository is renamed."""
    return Declaration(
        name=name,
        group=groups.GITHUB,
        label=label,
        description=f"Numeric ID of the {of}; needed if the repository was created, renamed or transferred after 2026-07-15.",
        default="",
        pattern=r"([1-9]\d{0,19})?",
        message=f"{name} must be empty or the number that GitHub's API gives as the {of}'s id.",
    )


GITHUB_ORGANIZATION_ID = github_id(
    "GitHubOrganizationId", "GitHub organization's ID", "organization"
)
GITHUB_REPOSITORY_ID = github_id("GitHubRepositoryId", "GitHub repository's ID", "repository")

GITHUB_OIDC_PROVIDER_ARN = Declaration(
    name="GitHubOidcProviderArn",
    group=groups.GITHUB,
    label="GitHub's OIDC provider",
    description="ARN of the account's OIDC provider for GitHub; empty creates it, as an account can have only one. If you set it later, the created provider stays, outside the stack.",
    default="",
    pattern=r"(arn:aws[a-z-]*:iam::\d{12}:oidc-provider/token\.actions\.githubusercontent\.com)?",
    message=f"GitHubOidcProviderArn must be empty or arn:aws:iam::ACCOUNT:oidc-provider/{ISSUER}.",
)


def add_github(layer: Layer) -> None:
    """Provider, deploy role and their outputs, if a repository is given."""
    has_repository = layer.has(GITHUB_REPOSITORY)
    require_both_ids(layer)
    require_repository_of_ids(layer)
    provider_arn = add_provider(layer, has_repository)
    role = add_deploy_role(layer, has_repository, provider_arn)
    layer.output(
        "DeployRoleArn",
        If(has_repository, GetAtt(role, "Arn"), ""),
        "Role that workflows of the GitHub repository assume; empty without a repository",
        public=True,
    )
    layer.output(
        "DeployRoleName", If(has_repository, Ref(role), ""), "Name of the deploy role, or empty"
    )


def require_both_ids(layer: Layer) -> None:
    """Rule: both IDs or none, because GitHub has no subject with one ID."""
    no_organization = Equals(Ref(GITHUB_ORGANIZATION_ID.name), "")
    no_repository = Equals(Ref(GITHUB_REPOSITORY_ID.name), "")
    layer.rule(
        Rule(
            "GitHubIdsComeTogether",
            parameters=(GITHUB_ORGANIZATION_ID, GITHUB_REPOSITORY_ID),
            holds=Or(
                And(no_organization, no_repository),
                And(Not(no_organization), Not(no_repository)),
            ),
            message="GitHubOrganizationId and GitHubRepositoryId must be given together or not at all.",
        )
    )


def require_repository_of_ids(layer: Layer) -> None:
    """Rule: IDs need a repository, because they would be ignored without an error."""
    layer.rule(
        Rule(
            "GitHubIdsHaveRepository",
            parameters=(GITHUB_REPOSITORY, GITHUB_ORGANIZATION_ID),
            when=Not(Equals(Ref(GITHUB_ORGANIZATION_ID.name), "")),
            holds=Not(Equals(Ref(GITHUB_REPOSITORY.name), "")),
            message="GitHubRepository must be given when GitHubOrganizationId and GitHubRepositoryId are.",
        )
    )


def add_provider(layer: Layer, has_repository: str) -> If:
    """The account's OIDC provider for GitHub, unless one exists; returns its ARN.

    It is retained, because other repositories and environments of the account use it and could not deploy without it;
    it grants no permissions. A later launch without its ARN fails immediately, because the provider exists. A failed
    first launch removes it, so that the next attempt works. It has no thumbprints: AWS verifies GitHub with its library
    of root certificates.
    """
    has_provider = layer.has(GITHUB_OIDC_PROVIDER_ARN)
    creates = layer.condition(
        "UseOwnGitHubOidcProvider",
        And(NamedCondition(has_repository), Not(NamedCondition(has_provider))),
    )
    provider = layer.add(
        OIDCProvider(
            "GitHubOidcProvider",
            Condition=creates,
            DeletionPolicy="RetainExceptOnCreate",
            UpdateReplacePolicy="Retain",
            Url=f"https://{ISSUER}",
            ClientIdList=[AUDIENCE],
        )
    )
    return If(has_provider, layer.parameter(GITHUB_OIDC_PROVIDER_ARN), GetAtt(provider, "Arn"))


def add_deploy_role(layer: Layer, has_repository: str, provider_arn: If) -> Role:
    """The role of a workflow; the compute layer allows it to push to the image repository and update the image."""
    return layer.add(
        Role(
            "DeployRole",
            Condition=has_repository,
            AssumeRolePolicyDocument=iam.document(trusted_workflows(layer, provider_arn)),
            Policies=[policy("push-images", sign_in_to_registry())],
            **layer.role_properties(),
        )
    )


def trusted_workflows(layer: Layer, provider_arn: If, context: str = OF_ENVIRONMENT) -> Statement:
    """Trust in jobs of the repository that run in the GitHub environment of this environment's name.

    ``context`` is the end of the subject, text for Sub. The whole subject is compared, without a wildcard: the rules of
    the GitHub environment limit branches and who can start a job. A repository emits one of the two subjects, depending
    on its age. A user who takes over an abandoned name cannot get the older subject, because a repository that is
    created today emits the one with the IDs.
    """
    subjects: list[Any] = [
        Sub(f"repo:${{{GITHUB_REPOSITORY.name}}}:{context}"),
        If(layer.has(GITHUB_ORGANIZATION_ID), subject_with_ids(layer, context), NoValue),
    ]
    return Statement(
        Effect=Allow,
        Principal=Principal("Federated", provider_arn),
        Action=[AssumeRoleWithWebIdentity],
        Condition=Condition(StringEquals({f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subjects})),
    )


def subject_with_ids(layer: Layer, context: str) -> Sub:
    """``repo:ORG@ORGID/REPO@REPOID:`` and the context."""
    names = Split("/", layer.parameter(GITHUB_REPOSITORY))
    layer.parameter(GITHUB_REPOSITORY_ID)
    return Sub(
        "repo:${Organization}@${GitHubOrganizationId}/${Repository}@${GitHubRepositoryId}"
        f":{context}",
        Organization=Select(0, names),
        Repository=Select(1, names),
    )
