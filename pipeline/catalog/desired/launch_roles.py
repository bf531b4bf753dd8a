"""The launch role of each portfolio: the environments that it launches, and the boundary of the roles that it creates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.aws import partition_of
from pipeline.catalog.desired.product_profiles import profile_values
from pipeline.catalog.spec.document import CATALOG
from pipeline.catalog.spec.model import Catalog, Portfolio
from pipeline.errors import PipelineError, listed
from pipeline.parameters.profiles import display_path
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release
from templates_src.core.parameters.shared import ENVIRONMENT, ENVIRONMENTS, PERMISSIONS_BOUNDARY
from templates_src.launch_role.boundary import SUFFIX

_OWN_POLICY = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):policy/(.+)")


@dataclass(frozen=True)
class LaunchRole:
    """A portfolio's launch role.

    ``environments`` are the environments that it launches, in the order of ``ENVIRONMENTS``. ``boundary`` is the ARN of the
    boundary of the roles that it creates, as text for Fn::Sub: the same in every account that launches products.
    """

    name: str
    portfolio: str
    environments: tuple[str, ...]
    boundary: str

    def boundary_in(self, account: str, region: str) -> str:
        """The ARN of the boundary in an account."""
        text = self.boundary.replace("${AWS::Partition}", partition_of(region))
        return text.replace("${AWS::AccountId}", account)


def launch_roles(
    release: Release, catalog: Catalog, profiles: Path = PARAMETERS
) -> dict[str, LaunchRole]:
    """The launch role of each portfolio, by the portfolio's key.

    Raises PipelineError with the line of catalog.yaml for a role that would reach an environment that its portfolio does not
    offer, and for a profile whose boundary differs from that of catalog.yaml.
    """
    require_boundary(release, catalog, profiles)
    return {
        portfolio.key: LaunchRole(
            name=portfolio.launch_role,
            portfolio=portfolio.key,
            environments=environments_of(release, catalog, portfolio, profiles),
            boundary=boundary_of(catalog, portfolio.launch_role),
        )
        for portfolio in catalog.portfolios
    }


def environments_of(
    release: Release, catalog: Catalog, portfolio: Portfolio, profiles: Path = PARAMETERS
) -> tuple[str, ...]:
    """The environments that a portfolio offers: those of its profiles, and those of its single layers."""
    products = [catalog.product(key) for key in portfolio.products]
    offered = {
        profile_values(release, product, profiles)[ENVIRONMENT.name]: product.key
        for product in products
        if product.profile
    }
    stated = portfolio.environments
    layers = [product.key for product in products if product.layer]
    if layers and not stated:
        raise portfolio.refuse(
            "",
            f"offers single layers ({listed(layers)}) and needs the key environments: which of "
            f"{listed(list(ENVIRONMENTS))} they can be launched as.",
        )
    for environment, product in offered.items():
        if stated and environment not in stated:
            raise portfolio.refuse(
                stated[0],
                f"and the other environments of the portfolio lack {environment}, the environment of product {product}; add it.",
            )
    for environment in stated:
        if environment not in offered and not layers:
            raise portfolio.refuse(
                environment,
                f"is {environment!r}, but no product of the portfolio has this environment, and its launch role would reach an "
                "environment that the portfolio does not offer; remove it.",
            )
    return tuple(each for each in ENVIRONMENTS if each in {*offered, *stated})


def boundary_of(catalog: Catalog, role: str) -> str:
    """The ARN of the boundary of a launch role's environments, as text for Fn::Sub.

    An organization's own policy has the same name in every account that launches products.
    """
    given = catalog.permissions_boundary
    own = _OWN_POLICY.fullmatch(given)
    if given and not own:
        return given
    name = own[2] if own else f"{role}{SUFFIX}"
    return f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy/{name}"


def require_boundary(release: Release, catalog: Catalog, profiles: Path = PARAMETERS) -> None:
    """Raise PipelineError for a profile with another boundary than its product: products use the one of catalog.yaml."""
    wanted = catalog.permissions_boundary
    for product in catalog.products:
        if not product.profile:
            continue
        given = profile_values(release, product, profiles)[PERMISSIONS_BOUNDARY.name]
        if given not in {"", wanted}:
            raise PipelineError(
                f"{display_path(profiles / f'{product.profile}.json')} has {PERMISSIONS_BOUNDARY.name} {given!r}, but "
                f"products have permissions_boundary of {display_path(CATALOG)}; set {given!r} there too."
            )


def check_account(catalog: Catalog, account: str) -> None:
    """Raise PipelineError, with the line of catalog.yaml, for a boundary or principal of an account that does not publish."""
    own = _OWN_POLICY.fullmatch(catalog.permissions_boundary)
    if own and own[1] != account:
        raise catalog.places["permissions_boundary"].refuse(
            f"is a policy of account {own[1]}, but a boundary must be a policy of the account that launches; "
            f"name the policy of account {account}, and create one of the same name in every account that launches products."
        )
    for portfolio in catalog.portfolios:
        for principal in portfolio.principals:
            other = account_in(principal)
            if other not in {"", account}:
                raise portfolio.refuse(
                    principal,
                    f"is a principal of account {other}, which cannot launch from the portfolio of account {account}; "
                    "share the portfolio with that account.",
                )
        for principal in portfolio.trusted_principals:
            other = account_in(principal)
            if other != account:
                raise portfolio.refuse(
                    principal,
                    f"is a principal of account {other}, which cannot assume a launcher role of account {account}; "
                    f"name a principal of account {account}.",
                )


def account_in(principal: str) -> str:
    """The account in a principal's ARN; empty for a principal without an account."""
    return principal.split(":")[4] if principal.startswith("arn:") else ""


def by_product(catalog: Catalog, roles: Mapping[str, LaunchRole]) -> dict[str, LaunchRole]:
    """The launch role of each product, by the product's key."""
    return {
        product: roles[portfolio.key]
        for portfolio in catalog.portfolios
        for product in portfolio.products
    }
