"""The desired Service Catalog of a region: catalog.yaml and a release, with all names, ARNs and templates resolved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.aws import partition_of
from pipeline.catalog.desired.launch_roles import LaunchRole, launch_roles
from pipeline.catalog.desired.product_costs import cost_sentence
from pipeline.catalog.desired.product_profiles import project_of
from pipeline.catalog.desired.product_templates import (
    fixed_rules,
    product_key,
    product_templates,
    template_digest,
)
from pipeline.catalog.desired.written_in import WRITTEN_IN_TEXT
from pipeline.catalog.spec.model import Catalog, Portfolio, Product
from pipeline.catalog.spec.nodes import MAX_TEXT
from pipeline.catalog.spec.shares import Share
from pipeline.release.assemble import RELEASE_NAME as PROJECT_NAME
from pipeline.release.assemble import Release
from pipeline.release.upload import object_url, release_bucket_name

# These tags mark what this publisher created; everything else is unmanaged. Portfolios and products have separate
# keys, because Service Catalog puts both sets of tags on provisioned resources.
MANAGED_BY = "carbon-connect:managed-by"
PUBLISHER = "build.py publish"
PORTFOLIO_TAG = "carbon-connect:portfolio"
PRODUCT_TAG = "carbon-connect:product"
LAUNCH, TEMPLATE, RESOURCE_UPDATE = "LAUNCH", "TEMPLATE", "RESOURCE_UPDATE"
CONSTRAINT_TEXT: Mapping[str, str] = {
    LAUNCH: "Launches with the launch role, so that users need no permissions on the resources.",
    TEMPLATE: "Holds parameters to the profile of the environment.",
    RESOURCE_UPDATE: "Users can change tags after the launch.",
}
# https://docs.aws.amazon.com/servicecatalog/latest/adminguide/constraints-resourceupdate.html
TAG_UPDATES = {"Version": "2.0", "Properties": {"TagUpdateOnProvisionedProduct": "ALLOWED"}}


@dataclass(frozen=True)
class DesiredVersion:
    """A version of a product: its name, and its template in bytes, with its key and URL in the release bucket."""

    name: str
    description: str
    digest: str
    body: bytes = field(repr=False)
    bucket: str
    key: str
    url: str


@dataclass(frozen=True)
class DesiredProduct:
    """A product; ``fields`` are the texts of CreateProduct by name, ``tags`` all its desired tags."""

    key: str
    fields: Mapping[str, str]
    tags: Mapping[str, str]
    version: DesiredVersion

    @property
    def name(self) -> str:
        """The name in the console."""
        return self.fields["Name"]


@dataclass(frozen=True)
class DesiredPortfolio:
    """A portfolio; ``principals`` are pairs of ARN and type, ``products`` keys of products."""

    key: str
    fields: Mapping[str, str]
    tags: Mapping[str, str]
    products: tuple[str, ...]
    principals: tuple[tuple[str, str], ...]
    tag_options: tuple[tuple[str, str], ...]
    shares: tuple[Share, ...]

    @property
    def name(self) -> str:
        """The name in the console."""
        return self.fields["DisplayName"]


@dataclass(frozen=True)
class DesiredConstraint:
    """A constraint on a product in a portfolio, both by key; ``parameters`` is JSON."""

    portfolio: str
    product: str
    type: str
    parameters: str

    @property
    def description(self) -> str:
        """The description in the console. It also identifies this publisher's TEMPLATE constraint."""
        return CONSTRAINT_TEXT[self.type]


@dataclass(frozen=True)
class Desired:
    """The desired catalog of one region.

    ``roles`` holds the launch role of each portfolio by its key, ``launchers`` the names of the launcher roles.
    """

    account: str
    region: str
    bucket: str
    project: str
    roles: Mapping[str, LaunchRole]
    versions_kept: int
    portfolios: Mapping[str, DesiredPortfolio]
    products: Mapping[str, DesiredProduct]
    constraints: tuple[DesiredConstraint, ...]
    launchers: tuple[str, ...] = ()

    @property
    def tag_options(self) -> tuple[tuple[str, str], ...]:
        """Key and value of each tag option in any portfolio."""
        pairs = [pair for portfolio in self.portfolios.values() for pair in portfolio.tag_options]
        return tuple(dict.fromkeys(pairs))

    @property
    def boundaries(self) -> dict[str, str]:
        """The ARN of the permissions boundary of each product's roles in this account, by the product's key."""
        return {
            product: self.roles[key].boundary_in(self.account, self.region)
            for key, portfolio in self.portfolios.items()
            for product in portfolio.products
        }

    def portfolio_of(self, product: str) -> str:
        """The key of the portfolio that offers a product; empty if there is none."""
        found = (key for key, each in self.portfolios.items() if product in each.products)
        return next(found, "")

    def is_shared(self, product: str) -> bool:
        """Whether a product is in a shared portfolio; provisioned products of other accounts are not visible."""
        return any(
            portfolio.shares
            for portfolio in self.portfolios.values()
            if product in portfolio.products
        )


def desired(release: Release, catalog: Catalog, account: str, region: str) -> Desired:
    """The desired catalog of a region of an account."""
    bucket = release_bucket_name(account, region)
    templates = product_templates(release, catalog, bucket)
    return Desired(
        account=account,
        region=region,
        bucket=bucket,
        project=project_of(release, catalog),
        roles=launch_roles(release, catalog),
        versions_kept=catalog.versions_kept,
        portfolios={
            portfolio.key: desired_portfolio(catalog, portfolio, region)
            for portfolio in catalog.portfolios
        },
        products={
            product.key: desired_product(
                catalog,
                product,
                desired_version(release, product, templates[product.key], bucket, region),
                cost_sentence(release, product, region),
            )
            for product in catalog.products
        },
        constraints=constraints(release, catalog),
        launchers=tuple(
            dict.fromkeys(each.launcher_role for each in catalog.portfolios if each.launcher_role)
        ),
    )


def desired_portfolio(catalog: Catalog, portfolio: Portfolio, region: str) -> DesiredPortfolio:
    """A portfolio with its principals in Service Catalog's form."""
    return DesiredPortfolio(
        key=portfolio.key,
        fields={
            "DisplayName": portfolio.name,
            "Description": portfolio.description,
            "ProviderName": catalog.owner,
        },
        tags={**portfolio.tags, MANAGED_BY: PUBLISHER, PORTFOLIO_TAG: portfolio.key},
        products=portfolio.products,
        principals=tuple(principal_with_type(name, region) for name in portfolio.principals),
        tag_options=portfolio.tag_options,
        shares=portfolio.shares,
    )


def principal_with_type(name: str, region: str) -> tuple[str, str]:
    """ARN and type: a full ARN is one principal, a bare name is a pattern for every account.

    https://docs.aws.amazon.com/servicecatalog/latest/dg/API_AssociatePrincipalWithPortfolio.html
    """
    if name.startswith("arn:"):
        return name, "IAM"
    return f"arn:{partition_of(region)}:iam:::{name}", "IAM_PATTERN"


def desired_product(
    catalog: Catalog, product: Product, version: DesiredVersion, cost: str
) -> DesiredProduct:
    """A product with the version of this release. ``cost`` ends its description, if both fit."""
    text = f"{product.description} {cost}".rstrip()
    return DesiredProduct(
        key=product.key,
        fields={
            "Name": product.name,
            "Owner": catalog.owner,
            "Description": text if len(text) <= MAX_TEXT else product.description,
            "SupportDescription": catalog.support.description,
            "SupportEmail": catalog.support.email,
            "SupportUrl": catalog.support.link(product.profile),
        },
        tags={**product.tags, MANAGED_BY: PUBLISHER, PRODUCT_TAG: product.key},
        version=version,
    )


def desired_version(
    release: Release, product: Product, body: bytes, bucket: str, region: str
) -> DesiredVersion:
    """The version of a product in this release."""
    digest = template_digest(body)
    content = release.prefix.removeprefix(PROJECT_NAME).strip("/")
    key = product_key(release.version, product.key)
    return DesiredVersion(
        name=release.version,
        description=f"Release {content}, template {digest}, {WRITTEN_IN_TEXT}",
        digest=digest,
        body=body,
        bucket=bucket,
        key=key,
        url=object_url(region, bucket, key),
    )


def constraints(release: Release, catalog: Catalog) -> tuple[DesiredConstraint, ...]:
    """The constraints of every product in every portfolio that contains it."""
    rules = {product.key: fixed_rules(release, product) for product in catalog.products}
    found = []
    for portfolio in catalog.portfolios:
        for product in portfolio.products:
            documents = {
                LAUNCH: {"LocalRoleName": portfolio.launch_role},
                TEMPLATE: rules[product],
                RESOURCE_UPDATE: TAG_UPDATES,
            }
            found += [
                DesiredConstraint(portfolio.key, product, kind, json.dumps(document))
                for kind, document in documents.items()
                if document is not None
            ]
    return tuple(found)
