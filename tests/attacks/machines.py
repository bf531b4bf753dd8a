"""Attempts with the publisher, plan and taskcat roles, which people and workflows have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from pipeline.checks.iam.evaluation import Principal, Resource
from pipeline.checks.iam.policies import policy
from pipeline.template.example_values import ACCOUNT
from templates_src.access.publisher import publisher_role
from templates_src.access.publisher_grants import MANAGED_BY, PUBLISHER
from templates_src.access.taskcat import DEPLOYMENT_ROLE, taskcat_role
from templates_src.security.github import AUDIENCE, ISSUER
from tests.access.templates import IAM, OTHER_ACCOUNT, principal
from tests.attacks.attack import Attack, attack
from tests.attacks.inside import arn, dev, of_account
from tests.attacks.launching import role as launch_role
from tests.attacks.launching import trust as launch_role_trust
from tests.attacks.outside import OUTSIDER, PROVIDER
from tests.launch_role.evaluation import resources_of

PUBLISHING, PLANNING, TESTING = "publisher role", "plan role", "taskcat role"
REPOSITORY = "acme/carbon-connect"
GITHUB = {"GitHubRepository": REPOSITORY, "GitHubOidcProviderArn": PROVIDER}
CATALOG = f"arn:aws:catalog:eu-north-1:{ACCOUNT}:"
LAUNCH_ROLE = f"{IAM}role/carbon-connect-launch-production"
OWN = {f"aws:ResourceTag/{MANAGED_BY}": PUBLISHER}
OTHERS = {f"aws:ResourceTag/{MANAGED_BY}": "payroll"}
TO_SERVICE_CATALOG = {"iam:PassedToService": "servicecatalog.amazonaws.com"}
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@cache
def publisher(bootstrap: str = "true") -> Principal:
    """The publisher role, with or without the bootstrap stacks."""
    return principal(publisher_role(), "PublisherRole", DeployBootstrapStacks=bootstrap)


@cache
def planner() -> Principal:
    """The plan role."""
    return principal(publisher_role(), "PlanRole")


def publishes(
    name: str,
    action: str,
    *guards: str,
    by: Callable[[], Principal] = publisher,
    arn: Callable[[], str] = lambda: "*",
    on: Callable[[], Resource] = of_account,
    context: Mapping[str, Any] | None = None,
) -> Attack:
    """An attempt with the publisher role."""
    return attack(
        PUBLISHING,
        name,
        *guards,
        by=by,
        action=action,
        arn=arn,
        on=on,
        context=lambda: context or {},
    )


def plans(name: str, action: str, *guards: str, arn: Callable[[], str] = lambda: "*") -> Attack:
    """An attempt with the plan role."""
    return attack(PLANNING, name, *guards, by=planner, action=action, arn=arn, on=of_account)


@cache
def taskcat_roles(role: str = "TaskcatRole") -> Principal:
    """The taskcat role, or the deployment role."""
    return principal(taskcat_role(), role)


def deploys(
    name: str,
    action: str,
    guard: str,
    arn: Callable[[], str] = lambda: "*",
    role: str = "TaskcatRole",
    context: Mapping[str, Any] | None = None,
) -> Attack:
    """An attempt with the taskcat role, or with the deployment role that it passes to CloudFormation."""
    return attack(
        TESTING,
        name,
        guard,
        by=partial(taskcat_roles, role),
        action=action,
        arn=arn,
        on=of_account,
        context=lambda: context or {},
    )


def job(name: str, role: str, subject: str) -> Attack:
    """An attempt of a workflow to assume one of the roles."""
    holder = {"PublisherRole": PUBLISHING, "PlanRole": PLANNING}[role]

    def trust() -> Resource:
        found = resources_of(publisher_role(), **GITHUB)[role]["Properties"]
        return Resource(ACCOUNT, policy("trust", found["AssumeRolePolicyDocument"]))

    return attack(
        OUTSIDER,
        name,
        f"trust/Allow: Condition {ISSUER}:sub",
        by=lambda: Principal(federated=PROVIDER),
        action="sts:AssumeRoleWithWebIdentity",
        arn=lambda: f"{IAM}role/{holder}",
        on=trust,
        context=lambda: {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subject},
    )


def portfolio() -> str:
    """The ARN of a portfolio."""
    return f"{CATALOG}portfolio/port-a"


def product() -> str:
    """The ARN of a product."""
    return f"{CATALOG}product/prod-a"


without_bootstrap = partial(publisher, "false")
PUBLICATIONS = (
    publishes("adds a role to the portfolio of another team", "servicecatalog:AssociatePrincipalWithPortfolio", "PublishPolicy/ChangeItsOwn: Condition aws:ResourceTag/carbon-connect:managed-by", arn=portfolio, context=OTHERS),
    publishes("shares the portfolio of another team", "servicecatalog:CreatePortfolioShare", "PublishPolicy/ChangeItsOwn: Condition aws:ResourceTag/carbon-connect:managed-by", arn=portfolio, context=OTHERS),
    publishes("adds a version to the product of another team", "servicecatalog:CreateProvisioningArtifact", "PublishPolicy/ChangeItsOwn: Condition aws:ResourceTag/carbon-connect:managed-by", arn=product, context=OTHERS),
    publishes("deletes a product", "servicecatalog:DeleteProduct", "no statement", arn=product, context=OWN),
    publishes("launches a product", "servicecatalog:ProvisionProduct", "no statement", arn=product, context=OWN),
    publishes("launches with a role that is not a launch role", "iam:PassRole", "PublishPolicy/NameLaunchRoles: Resource", arn=lambda: f"{IAM}role/Administrator", context=TO_SERVICE_CATALOG),
    publishes("passes a launch role to a function", "iam:PassRole", "PublishPolicy/NameLaunchRoles: Condition iam:PassedToService", arn=lambda: LAUNCH_ROLE, context={"iam:PassedToService": "lambda.amazonaws.com"}),
    publishes("assumes a launch role", "sts:AssumeRole", "trust/Allow: Principal", arn=lambda: launch_role().arn, on=launch_role_trust),
    publishes("gives a role of an environment another boundary", "iam:PutRolePermissionsBoundary", "PublishPolicy/BoundRolesOfOlderEnvironments: Condition iam:PermissionsBoundary", arn=lambda: f"{IAM}role/carbon-connect/dev/api", context={"iam:PermissionsBoundary": ADMINISTRATOR}),
    publishes("gives a role of an environment the tag of another environment", "iam:TagRole", "PublishPolicy/MarkRolesOfOlderEnvironments: Condition aws:TagKeys", arn=lambda: f"{IAM}role/carbon-connect/dev/api", context={"aws:TagKeys": ["Environment"]}),
    publishes("changes its own role", "iam:PutRolePolicy", "BootstrapPolicy/RolesOfTheStacks: Resource", arn=lambda: f"{IAM}role/carbon-connect-publisher"),
    publishes("gives a launch role the permissions of an administrator", "iam:AttachRolePolicy", "BootstrapPolicy/AttachPoliciesOfTheStacks: Condition iam:PolicyARN", arn=lambda: LAUNCH_ROLE, context={"iam:PolicyARN": ADMINISTRATOR}),
    publishes("changes a launch role, where an administrator deploys the bootstrap stacks", "iam:PutRolePolicy", "no statement", by=without_bootstrap, arn=lambda: LAUNCH_ROLE),
    publishes("updates the stack of an environment", "cloudformation:CreateChangeSet", "BootstrapPolicy/DeployStacks: Resource", arn=arn("cloudformation", f"stack/SC-{ACCOUNT}-pp-dev/1")),
    publishes("removes a release from its bucket", "s3:DeleteObject", "no statement", arn=lambda: f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-eu-north-1/x"),
    publishes("writes its release into the bucket of another account", "s3:PutObject", "PublishPolicy/WriteReleases: Condition s3:ResourceAccount", arn=lambda: f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-eu-north-1/x", context={"s3:ResourceAccount": OTHER_ACCOUNT}),
    publishes("reads a document of an environment", "s3:GetObject", "PlanPolicy/ReadReleases: Resource", arn=lambda: "arn:aws:s3:::carbon-connect-dev-documents/x", context={"s3:ResourceAccount": ACCOUNT}),
    publishes("reads the master password of an environment's database", "secretsmanager:GetSecretValue", "no statement", arn=lambda: dev().arn("DatabaseSecret")),
    plans("publishes a version", "servicecatalog:CreateProvisioningArtifact", "no statement", arn=product),
    plans("writes a release", "s3:PutObject", "no statement", arn=lambda: f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-eu-north-1/x"),
    plans("changes a launch role", "iam:PutRolePolicy", "no statement", arn=lambda: LAUNCH_ROLE),
    plans("deploys a bootstrap stack", "cloudformation:CreateChangeSet", "no statement", arn=arn("cloudformation", "stack/carbon-connect-launch-role-production/1")),
    plans("reads a secret of an environment", "secretsmanager:GetSecretValue", "no statement", arn=lambda: dev().arn("DatabaseSecret")),
    job("assumes the publisher role with a pull request", "PublisherRole", f"repo:{REPOSITORY}:pull_request"),
    job("assumes the publisher role from a branch, without the GitHub environment", "PublisherRole", f"repo:{REPOSITORY}:ref:refs/heads/main"),
    job("assumes the plan role from another repository", "PlanRole", "repo:evil/fork:pull_request"),
)  # fmt: skip
DEPLOYMENT = "DeploymentRole"
PRODUCTION = {"aws:ResourceTag/Project": "carbon-connect"}
DATABASE = f"arn:aws:rds:eu-north-1:{ACCOUNT}:db:production"
TESTS = (
    deploys("deletes the stack of an environment", "cloudformation:DeleteStack", "TaskcatPolicy/UseStacks: Resource", arn("cloudformation", f"stack/SC-{ACCOUNT}-pp-prod/1")),
    deploys("turns off the deletion protection of production's database", "rds:ModifyDBInstance", "TaskcatPolicy/TurnDeletionProtectionOff: Condition aws:ResourceTag/Project", lambda: DATABASE, context=PRODUCTION),
    deploys("deploys with the role of an administrator", "iam:PassRole", "TaskcatPolicy/PassTheDeploymentRole: Resource", lambda: f"{IAM}role/Administrator", context={"iam:PassedToService": "cloudformation.amazonaws.com"}),
    deploys("passes the deployment role to a function", "iam:PassRole", "TaskcatPolicy/PassTheDeploymentRole: Condition iam:PassedToService", lambda: f"{IAM}role/{DEPLOYMENT_ROLE}", context={"iam:PassedToService": "lambda.amazonaws.com"}),
    deploys("writes a release", "s3:PutObject", "TaskcatPolicy/UseBucketsOfTaskcat: Resource", lambda: f"arn:aws:s3:::carbon-connect-releases-{ACCOUNT}-eu-north-1/x"),
    deploys("deploys a template that deletes production's database", "rds:DeleteDBInstance", "OtherProjectsPolicy/OtherProjects: Effect", lambda: DATABASE, DEPLOYMENT, PRODUCTION),
    deploys("deploys a template that creates a role outside the paths of the tests", "iam:CreateRole", "IdentityPolicy/RolesOfTheTests: Resource", lambda: f"{IAM}role/carbon-connect/prod/x", DEPLOYMENT),
)  # fmt: skip
