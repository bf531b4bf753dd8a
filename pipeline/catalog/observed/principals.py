"""Launchers of a product that moves to another portfolio: existing principals, and owners of provisioned products."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from pipeline.aws import Aws, code_of
from pipeline.catalog.desired.catalog import Desired
from pipeline.catalog.observed.model import ObservedPortfolio, ObservedProduct
from pipeline.catalog.observed.versions import provisioned_products
from pipeline.errors import listed

WILDCARDS = "*?"


def held_back(
    aws: Aws,
    desired: Desired,
    portfolios: Mapping[str, ObservedPortfolio],
    products: Mapping[str, ObservedProduct],
) -> dict[str, str]:
    """Why a product cannot move to another portfolio yet, by the product's key; reads only about products that move.

    A provisioned product has an owner, a role or user, who updates it through a portfolio that admits the owner.
    """
    found = {}
    for key, product in moving_products(desired, portfolios, products):
        portfolio = desired.portfolios[desired.portfolio_of(key)]
        admitted = [arn for arn, _ in portfolio.principals]
        people = launchers(desired, portfolio.key)
        unmanaged = [
            f"{entry['Name']} ({entry['Id']}, owner {entry['UserArn']})"
            for entry in provisioned_products(aws.client("servicecatalog"), product.id)
            if not any(matches_owner(arn, entry["UserArn"]) for arn in admitted)
        ]
        if is_shared(desired, portfolios, key, product):
            found[key] = (
                "stays: its portfolio is shared, and provisioned products in other accounts are not visible; remove it "
                "as docs/publishing.md describes when those accounts have the new portfolio"
            )
        elif unmanaged:
            found[key] = (
                f"stays until {portfolio.name} admits the owners of provisioned products: {listed(unmanaged)}; make a "
                "principal of that portfolio the owner, as docs/publishing.md describes, then publish again"
            )
        elif not any(principal_exists(aws, arn) for arn in people):
            found[key] = (
                f"stays until a principal of {portfolio.name} exists; catalog.yaml names "
                f"{listed(people) or 'none'}; then publish again"
            )
    return found


def moving_products(
    desired: Desired,
    portfolios: Mapping[str, ObservedPortfolio],
    products: Mapping[str, ObservedProduct],
) -> Iterator[tuple[str, ObservedProduct]]:
    """The products that are in one managed portfolio and that another one offers, by key."""
    for key, product in products.items():
        wanted = desired.portfolio_of(key)
        others = (seen for name, seen in portfolios.items() if wanted and name != wanted)
        if any(product.id in seen.product_ids for seen in others):
            yield key, product


def is_shared(
    desired: Desired,
    portfolios: Mapping[str, ObservedPortfolio],
    key: str,
    product: ObservedProduct,
) -> bool:
    """Whether a portfolio that a product leaves is shared."""
    wanted = desired.portfolio_of(key)
    return any(
        seen.shares and product.id in seen.product_ids
        for name, seen in portfolios.items()
        if name != wanted
    )


def launchers(desired: Desired, portfolio: str) -> list[str]:
    """The principals of a portfolio that users launch as.

    Every environment has roles below the project's path, one of which calls Service Catalog. They count if the
    portfolio has no other principals.
    """
    arns = [arn for arn, _ in desired.portfolios[portfolio].principals]
    return [arn for arn in arns if f":role/{desired.project}/" not in arn] or arns


def matches_owner(principal: str, owner: str) -> bool:
    """Whether a principal, an ARN or a pattern without an account, matches the owner of a provisioned product."""
    if principal == owner:
        return True
    # arn:aws:iam:::role/NAME matches in every account.
    return not account_of(principal) and fnmatchcase(
        resource_in_arn(owner), resource_in_arn(principal)
    )


def account_of(arn: str) -> str:
    """The account in an ARN of IAM; empty for none."""
    return arn.split(":")[4]


def resource_in_arn(arn: str) -> str:
    """Type, path and name in an ARN of IAM, such as ``role/path/name``."""
    return arn.split(":", 5)[5]


def principal_exists(aws: Aws, arn: str) -> bool:
    """Whether a principal, or a match of its pattern, exists in this account; users and groups are not checked."""
    kind, _, name = resource_in_arn(arn).partition("/")
    if kind != "role":
        return True
    if not any(wildcard in name for wildcard in WILDCARDS):
        return role_exists(aws, name.rpartition("/")[2])
    return any(fnmatchcase(each, f"/{name}") for each in role_names(aws, path_before(name)))


def role_exists(aws: Aws, name: str) -> bool:
    """Whether the account has a role with that name."""
    from botocore.exceptions import ClientError

    try:
        aws.client("iam").get_role(RoleName=name)
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return False
        raise
    return True


def role_names(aws: Aws, path: str) -> Iterable[str]:
    """The roles below a path, each as its path and name."""
    for page in aws.client("iam").get_paginator("list_roles").paginate(PathPrefix=path):
        yield from (f"{role['Path']}{role['RoleName']}" for role in page["Roles"])


def path_before(pattern: str) -> str:
    """The path above all matches of a pattern: ``/a/b/`` of ``a/b/c*``."""
    literal = pattern[: min(pattern.index(each) for each in WILDCARDS if each in pattern)]
    return f"/{literal.rpartition('/')[0]}/".replace("//", "/")
