"""The publisher: a role that publishes the release, and one that only plans it."""

from __future__ import annotations

from troposphere import GetAtt, If, NoValue, Ref
from troposphere.iam import ManagedPolicy, Role

from templates_src.access import publisher_grants as grants
from templates_src.access.publisher_calls import Calls, recorded
from templates_src.access.trust import role_name, trusted
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration, boolean
from templates_src.core.parameters.shared import PROJECT
from templates_src.security import github

NAME = "publisher-role"

PUBLISHER_ROLE_NAME = role_name(
    "PublisherRoleName", label="Publisher role", default="carbon-connect-publisher"
)
PLAN_ROLE_NAME = role_name("PlanRoleName", label="Plan role", default="carbon-connect-plan")
DEPLOY_BOOTSTRAP_STACKS = boolean(
    "DeployBootstrapStacks",
    group="Publishing",
    label="Deploy the bootstrap stacks",
    description="Whether the publisher creates and changes the stacks of launch roles, launcher roles and release buckets. It can then give these roles any right.",
    default="true",
)
PUBLISH_ENVIRONMENT = Declaration(
    name="GitHubEnvironment",
    group=groups.GITHUB,
    label="GitHub environment",
    description="GitHub environment whose jobs may assume the publisher role.",
    default="publish",
    # GitHub takes 255 characters; a trust policy has room for fewer.
    pattern=r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}",
    max_length=64,
    message="GitHubEnvironment must be 1 to 64 letters, digits, hyphens, periods and underscores, beginning with a letter or digit.",
)
# The end of the subject of a job that a pull request starts.
OF_PULL_REQUESTS = "pull_request"


def publisher_role(calls: Calls | None = None) -> Layer:
    """The template, deployed once per account by an administrator; IAM has no region.

    ``calls`` are the recorded ones unless others are given.
    """
    layer = Layer(NAME, "Carbon Connect: the roles that publish", common=(PROJECT,))
    for declaration in (PUBLISHER_ROLE_NAME, PLAN_ROLE_NAME, grants.ROLE_PREFIX):
        layer.parameter(declaration)
    plan, publish, bootstrap = add_policies(layer, calls or recorded())
    has_repository = layer.has(github.GITHUB_REPOSITORY)
    github.require_both_ids(layer)
    github.require_repository_of_ids(layer)
    provider = github.add_provider(layer, has_repository)
    layer.parameter(PUBLISH_ENVIRONMENT)
    publisher = layer.add(
        Role(
            "PublisherRole",
            RoleName=Ref(PUBLISHER_ROLE_NAME.name),
            Description="Publishes Carbon Connect to Service Catalog",
            AssumeRolePolicyDocument=trust(
                layer, provider, has_repository, f"environment:${{{PUBLISH_ENVIRONMENT.name}}}"
            ),
            ManagedPolicyArns=[
                Ref(plan),
                Ref(publish),
                If(layer.use(DEPLOY_BOOTSTRAP_STACKS), Ref(bootstrap), NoValue),
            ],
        )
    )
    planner = layer.add(
        Role(
            "PlanRole",
            RoleName=Ref(PLAN_ROLE_NAME.name),
            Description="Plans the publication of Carbon Connect; reads only",
            AssumeRolePolicyDocument=trust(layer, provider, has_repository, OF_PULL_REQUESTS),
            ManagedPolicyArns=[Ref(plan)],
        )
    )
    add_outputs(layer, publisher, planner)
    return layer


def trust(layer: Layer, provider: If, has_repository: str, context: str) -> If:
    """Trust in people of the account, and in the jobs of the repository whose subject ends in ``context``."""
    return trusted(
        layer,
        workflows=github.trusted_workflows(layer, provider, context),
        has_workflows=has_repository,
    )


def add_outputs(layer: Layer, publisher: Role, planner: Role) -> None:
    """The ARNs of the two roles."""
    layer.output(
        "PublisherRoleArn", GetAtt(publisher, "Arn"), "ARN of the publisher role", public=True
    )
    layer.output("PlanRoleArn", GetAtt(planner, "Arn"), "ARN of the plan role", public=True)


def add_policies(layer: Layer, calls: Calls) -> tuple[ManagedPolicy, ManagedPolicy, ManagedPolicy]:
    """The policies of planning, publishing, and of the bootstrap stacks."""
    plan = layer.add(
        ManagedPolicy(
            "PlanPolicy",
            Description="Carbon Connect: read what a publication compares",
            PolicyDocument=grants.document(calls.plan, grants.reading()),
        )
    )
    publish = layer.add(
        ManagedPolicy(
            "PublishPolicy",
            Description="Carbon Connect: publish products and releases",
            PolicyDocument=grants.document(
                calls.publish, (*grants.publishing(layer), *grants.reading())
            ),
        )
    )
    bootstrap = layer.add(
        ManagedPolicy(
            "BootstrapPolicy",
            Condition=layer.use(DEPLOY_BOOTSTRAP_STACKS),
            Description="Carbon Connect: deploy the stacks of roles and release buckets",
            PolicyDocument=grants.document(
                calls.bootstrap, (*grants.reading(), *grants.bootstrapping())
            ),
        )
    )
    return plan, publish, bootstrap
