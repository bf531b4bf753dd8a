"""The resources and conditions of the publisher's actions, and the reason for every wildcard."""

from __future__ import annotations

from collections.abc import Iterable

from awacs.aws import (
    ArnLike,
    Condition,
    ForAllValuesStringEquals,
    PolicyDocument,
    Statement,
)
from troposphere import AccountId, If, Sub

from templates_src.core import iam
from templates_src.core.errors import TemplateError
from templates_src.core.layer import Layer
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import PERMISSIONS_BOUNDARY, PROJECT
from templates_src.launch_role.bindings import ACCOUNT, ARN, STACK_NAMES, in_account
from templates_src.launch_role.boundary import SUFFIX
from templates_src.launch_role.grant import Grant, equals
from templates_src.launch_role.template import BOUNDARY_ADDED
from templates_src.release_bucket.template import RELEASE_BUCKET_PREFIX

# The tag that identifies managed portfolios and products.
MANAGED_BY, PUBLISHER = "carbon-connect:managed-by", "build.py publish"
SERVICE_CATALOG = "servicecatalog.amazonaws.com"
ROLE_PREFIX = Declaration(
    name="BootstrapRolePrefix",
    group="Publishing",
    label="Names of launch and launcher roles",
    description="Prefix of the names of all launch roles and launcher roles in catalog.yaml. The publisher cannot change other roles.",
    default="carbon-connect-launch",
    pattern=r"[\w+=.@-]{4,40}",
    max_length=40,
    message="BootstrapRolePrefix must be 4 to 40 letters, digits and characters of +=.@_-.",
)
# The names of the stacks of roles, and of their resources without an explicit name, begin like this.
ROLE_STACKS = "carbon-connect-launch*"
BUCKET_STACKS = "carbon-connect-release-bucket*"

PORTFOLIOS = f"{ARN}catalog:*:{ACCOUNT}:portfolio/*"
PRODUCTS = f"{ARN}catalog:*:{ACCOUNT}:product/*"
BUCKETS = f"{ARN}s3:::{RELEASE_BUCKET_PREFIX}-{ACCOUNT}-*"
# Bucket names are global: another account can have one of these.
OF_ACCOUNT = equals("s3:ResourceAccount", AccountId)
IAM = f"{ARN}iam::{ACCOUNT}:"
ROLES = f"{IAM}role/${{{ROLE_PREFIX.name}}}*"
ENVIRONMENT_ROLES = f"{IAM}role/${{{PROJECT.name}}}/*"
POLICIES = (f"{IAM}policy/${{{ROLE_PREFIX.name}}}*", f"{IAM}policy/{ROLE_STACKS}")
STACKS = tuple(
    f"{ARN}cloudformation:*:{ACCOUNT}:stack/{name}/*" for name in (ROLE_STACKS, BUCKET_STACKS)
)
# The prefix of the change sets of a deployment.
CHANGE_SETS = in_account("cloudformation", "changeSet/deploy-*")


def reading() -> tuple[Grant, ...]:
    """The actions of a plan."""
    return (*reading_catalog(), *reading_stacks_and_releases())


def reading_catalog() -> tuple[Grant, ...]:
    """Read the catalog: a plan finds managed portfolios and products by their tags, so it reads all of the account."""
    return (
        Grant(
            "ReadPortfoliosAndProducts",
            (
                "servicecatalog:DescribePortfolio",
                "servicecatalog:DescribePortfolioShares",
                "servicecatalog:DescribeProductAsAdmin",
                "servicecatalog:DescribeProvisioningArtifact",
                "servicecatalog:ListPrincipalsForPortfolio",
                "servicecatalog:ListProvisioningArtifacts",
            ),
            (PORTFOLIOS, PRODUCTS),
        ),
        Grant(
            "ReadTheCatalog",
            (
                "servicecatalog:DescribeConstraint",
                "servicecatalog:DescribePortfolioShareStatus",
                "servicecatalog:DescribeProvisionedProduct",
                "servicecatalog:List*",
                "servicecatalog:Search*",
            ),
            ("*",),
            reason="the actions have no resource",
        ),
    )


def reading_stacks_and_releases() -> tuple[Grant, ...]:
    """Read stacks, roles and release buckets."""
    return (
        Grant(
            "ReadStacks",
            (
                "cloudformation:DescribeEvents",
                "cloudformation:DescribeStackEvents",
                "cloudformation:DescribeStacks",
            ),
            # Versions in use are compared with the values that their environments have.
            (*STACKS, *CHANGE_SETS, *in_account("cloudformation", f"stack/{STACK_NAMES}")),
        ),
        Grant(
            "ListStacksAndRoles",
            ("cloudformation:ListStacks", "iam:ListRoles"),
            ("*",),
            reason="the actions have no resource",
        ),
        # A plan compares the products and portfolios that it creates with the quotas of the account.
        Grant(
            "ReadQuotas",
            (
                "servicequotas:ListAWSDefaultServiceQuotas",
                "servicequotas:ListServiceQuotas",
            ),
            ("*",),
            reason="the actions have no resource",
        ),
        # A principal of catalog.yaml can be any role of the account.
        Grant("ReadRoles", ("iam:GetRole",), (f"{IAM}role/*",)),
        Grant("ReadBuckets", ("s3:GetBucketLocation", "s3:ListBucket"), (BUCKETS,)),
        Grant("ReadReleases", ("s3:GetObject",), (f"{BUCKETS}/*",), OF_ACCOUNT),
    )


def publishing(layer: Layer) -> tuple[Grant, ...]:
    """The actions of a publication."""
    return (*changing_catalog(), *changing_roles_and_releases(layer))


def changing_catalog() -> tuple[Grant, ...]:
    """Create and change the portfolios and products that have the tag of the publisher."""
    return (
        Grant(
            "CreateItsOwn",
            (
                "servicecatalog:CreatePortfolio",
                "servicecatalog:CreateProduct",
                "servicecatalog:TagResource",
            ),
            (PORTFOLIOS, PRODUCTS),
            equals(f"aws:RequestTag/{MANAGED_BY}", PUBLISHER),
        ),
        Grant(
            "ChangeItsOwn",
            (
                "servicecatalog:AssociatePrincipalWithPortfolio",
                "servicecatalog:AssociateTagOptionWithResource",
                "servicecatalog:CreateConstraint",
                "servicecatalog:*PortfolioShare",
                "servicecatalog:*ProvisioningArtifact",
                "servicecatalog:UpdatePortfolio",
                "servicecatalog:UpdateProduct",
            ),
            (PORTFOLIOS, PRODUCTS),
            equals(f"aws:ResourceTag/{MANAGED_BY}", PUBLISHER),
        ),
        Grant(
            "ChangeWhatHasNoResource",
            (
                "servicecatalog:AssociateProductWithPortfolio",
                "servicecatalog:CreateTagOption",
                "servicecatalog:DeleteConstraint",
                "servicecatalog:DisassociateProductFromPortfolio",
                "servicecatalog:UpdateConstraint",
            ),
            ("*",),
            reason="the actions have no resource and no condition key",
        ),
    )


def changing_roles_and_releases(layer: Layer) -> tuple[Grant, ...]:
    """Name launch roles in constraints, change the boundaries of older roles, and write releases."""
    return (
        Grant(
            "NameLaunchRoles",
            ("iam:PassRole",),
            (ROLES,),
            equals("iam:PassedToService", SERVICE_CATALOG),
        ),
        Grant(
            "ValidateTemplates",
            ("cloudformation:ValidateTemplate",),
            ("*",),
            reason="a template is not a resource",
        ),
        Grant(
            "BoundRolesOfOlderEnvironments",
            ("iam:PutRolePermissionsBoundary",),
            (ENVIRONMENT_ROLES,),
            Condition(ArnLike({"iam:PermissionsBoundary": boundary(layer)})),
        ),
        Grant(
            "MarkRolesOfOlderEnvironments",
            ("iam:TagRole", "iam:UntagRole"),
            (ENVIRONMENT_ROLES,),
            Condition(ForAllValuesStringEquals({"aws:TagKeys": [BOUNDARY_ADDED]})),
        ),
        Grant("WriteReleases", ("s3:PutObject",), (f"{BUCKETS}/*",), OF_ACCOUNT),
    )


def boundary(layer: Layer) -> If:
    """The boundaries that `publish` adds: those of launch roles, or that of the organization."""
    own = Sub(f"{IAM}policy/${{{ROLE_PREFIX.name}}}*{SUFFIX}")
    return If(layer.has(PERMISSIONS_BOUNDARY), layer.parameter(PERMISSIONS_BOUNDARY), own)


def bootstrapping() -> tuple[Grant, ...]:
    """The actions for the stacks of roles and release bucket, which CloudFormation calls with the publisher's permissions."""
    return (
        # A request names a change set by its ARN, which does not contain the stack.
        Grant(
            "UseChangeSets",
            (
                "cloudformation:DeleteChangeSet",
                "cloudformation:DescribeChangeSet",
                "cloudformation:ExecuteChangeSet",
            ),
            (*STACKS, *CHANGE_SETS),
        ),
        Grant("DeployStacks", ("cloudformation:*",), STACKS),
        Grant(
            "AttachPoliciesOfTheStacks",
            ("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
            (ROLES,),
            Condition(ArnLike({"iam:PolicyARN": list(map(Sub, POLICIES))})),
        ),
        Grant("RolesOfTheStacks", ("iam:*Role", "iam:*RoleP*", "iam:*RoleD*"), (ROLES,)),
        Grant("AttachedPoliciesOfTheStacks", ("iam:ListAttachedRolePolicies",), (ROLES,)),
        Grant("PoliciesOfTheStacks", ("iam:*Policy", "iam:*Policy*"), POLICIES),
        Grant("ReleaseBuckets", ("s3:*",), (BUCKETS,)),
    )


def document(actions: Iterable[str], grants: tuple[Grant, ...]) -> PolicyDocument:
    """A policy document of actions; each goes to the first grant that selects it unless that is ``also``.

    Raises TemplateError for an action that no grant covers.
    """
    rest, covered = list(actions), set[str]()
    made: list[Statement] = []
    wanted = set(rest)
    for grant in grants:
        if selected := grant.select(rest):
            made.append(grant.statement(selected))
            covered.update(selected)
            rest = rest if grant.also else [each for each in rest if each not in selected]
    if missing := sorted(wanted - covered):
        raise TemplateError(
            f"The publisher calls {missing[0]}, and no grant covers it; add one in "
            "templates_src/access/publisher_grants.py."
        )
    return iam.document(*made)
