"""Read a region's Service Catalog: the resources that this publisher manages, and their state.

Tags identify managed resources. No list returns tags: each portfolio and product of the account takes a call. Versions
are found by listing, so that the number of calls, apart from pages, does not grow with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pipeline.aws import Aws, aws_errors, token_pages
from pipeline.catalog.desired.catalog import (
    MANAGED_BY,
    PORTFOLIO_TAG,
    PRODUCT_TAG,
    PUBLISHER,
    Desired,
)
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.model import (
    Observed,
    ObservedConstraint,
    ObservedPortfolio,
    ObservedProduct,
    ObservedShare,
    ObservedTagOption,
    Unmanaged,
)
from pipeline.catalog.observed.principals import held_back
from pipeline.catalog.observed.versions import observed_versions
from pipeline.catalog.spec.shares import SHARE_TYPES

PRODUCT_FIELDS: Mapping[str, str] = {
    "Name": "Name",
    "Owner": "Owner",
    "Description": "ShortDescription",
    "SupportDescription": "SupportDescription",
    "SupportEmail": "SupportEmail",
    "SupportUrl": "SupportUrl",
}
Detail = Mapping[str, Any]


def observe(aws: Aws, desired: Desired, stored: Observed) -> Observed:
    """The region's catalog, added to the bucket and stacks in ``stored``. Raises PipelineError where AWS denies a read."""
    catalog = aws.client("servicecatalog")
    with aws_errors(f"read the Service Catalog of {desired.region}"):
        products, unmanaged_products = our_products(catalog, desired)
        portfolios, unmanaged_portfolios = our_portfolios(catalog, desired)
        observed_portfolios = {
            key: observed_portfolio(catalog, described, key in desired.portfolios)
            for key, described in portfolios.items()
        }
        observed_products = {
            key: observed_product(catalog, desired, stored, key, described)
            for key, described in products.items()
        }
        return replace(
            stored,
            portfolios=observed_portfolios,
            products=observed_products,
            tag_options={
                (option["Key"], option["Value"]): ObservedTagOption(option["Id"], option["Active"])
                for option in paginated(catalog, "list_tag_options")
            }
            if desired.tag_options
            else {},
            unmanaged=(*unmanaged_portfolios, *unmanaged_products),
            held_back=held_back(aws, desired, observed_portfolios, observed_products),
        )


def paginated(catalog: Any, operation: str, **request: Any) -> Iterator[Detail]:
    """Every entry of a paged list."""
    paginator = catalog.get_paginator(operation)
    key = paginator.result_keys[0].expression
    for page in paginator.paginate(**request):
        yield from page.get(key, [])


def tags_of(described: Detail) -> dict[str, str]:
    """Tags by key."""
    return {tag["Key"]: tag["Value"] for tag in described.get("Tags", [])}


def our_portfolios(catalog: Any, desired: Desired) -> tuple[dict[str, Detail], list[Unmanaged]]:
    """Managed portfolios by key, described, and unmanaged ones with the same name."""
    entries = [
        (entry["DisplayName"], entry["Id"]) for entry in paginated(catalog, "list_portfolios")
    ]
    names = {wanted.name: key for key, wanted in desired.portfolios.items()}
    return owned_and_unmanaged(
        entries, names, PORTFOLIO_TAG, Kind.PORTFOLIO, lambda i: catalog.describe_portfolio(Id=i)
    )


def our_products(catalog: Any, desired: Desired) -> tuple[dict[str, Detail], list[Unmanaged]]:
    """Managed products by key, described, and unmanaged ones with the same name."""
    entries = [
        (entry["ProductViewSummary"]["Name"], entry["ProductViewSummary"]["ProductId"])
        for entry in paginated(catalog, "search_products_as_admin")
    ]
    names = {wanted.name: key for key, wanted in desired.products.items()}
    return owned_and_unmanaged(
        entries,
        names,
        PRODUCT_TAG,
        Kind.PRODUCT,
        lambda i: catalog.describe_product_as_admin(Id=i),
    )


def owned_and_unmanaged(
    entries: list[tuple[str, str]],
    names: Mapping[str, str],
    tag: str,
    kind: Kind,
    describe: Callable[[str], Detail],
) -> tuple[dict[str, Detail], list[Unmanaged]]:
    """The managed resources by key, and unmanaged ones with a desired name.

    ``entries`` are names and IDs. Entries with a desired name come first, and take precedence over another one with the
    same tags. Any other entry can be managed too: it was renamed, or is not in catalog.yaml.
    """
    ours: dict[str, Detail] = {}
    unmanaged: list[Unmanaged] = []
    candidates = sorted(entries, key=lambda entry: (entry[0] not in names, entry))
    for name, identity in candidates:
        described = describe(identity)
        tags = tags_of(described)
        key = tags.get(tag, "") if tags.get(MANAGED_BY) == PUBLISHER else ""
        if key and key not in ours:
            ours[key] = described
        elif key or name in names:
            problem = "a second one with this publisher's tags" if key else "unmanaged"
            reason = f"{problem}; left unchanged: rename one of the two"
            unmanaged.append(Unmanaged(kind, name, identity, reason))
    return ours, unmanaged


def observed_portfolio(catalog: Any, described: Detail, is_wanted: bool) -> ObservedPortfolio:
    """A portfolio, with everything connected to it if it is desired."""
    detail = described["PortfolioDetail"]
    identity = detail["Id"]
    portfolio = ObservedPortfolio(
        id=identity,
        fields={
            name: detail.get(name, "") for name in ("DisplayName", "Description", "ProviderName")
        },
        tags=tags_of(described),
    )
    if not is_wanted:
        return portfolio
    return replace(
        portfolio,
        product_ids=tuple(
            entry["ProductViewSummary"]["ProductId"]
            for entry in paginated(catalog, "search_products_as_admin", PortfolioId=identity)
        ),
        principals=tuple(
            (entry["PrincipalARN"], entry.get("PrincipalType", "IAM"))
            for entry in paginated(catalog, "list_principals_for_portfolio", PortfolioId=identity)
        ),
        tag_options=tuple(
            (option["Key"], option["Value"]) for option in described.get("TagOptions", [])
        ),
        shares=tuple(observed_shares(catalog, identity)),
        constraints=tuple(observed_constraints(catalog, PortfolioId=identity)),
    )


def observed_shares(catalog: Any, portfolio: str) -> Iterator[ObservedShare]:
    """The shares of a portfolio."""
    for type_, kind in SHARE_TYPES.items():
        for entry in token_pages(
            catalog.describe_portfolio_shares,
            "PortfolioShareDetails",
            PortfolioId=portfolio,
            Type=type_,
        ):
            yield ObservedShare(
                kind,
                # Organizational units and organizations can appear as ARNs, which end in their ID.
                entry["PrincipalId"].rpartition("/")[2],
                entry.get("ShareTagOptions", False),
                entry.get("SharePrincipals", False),
            )


def observed_constraints(catalog: Any, **place: str) -> list[ObservedConstraint]:
    """The constraints in a portfolio, or on one product in it."""
    return [
        ObservedConstraint(
            id=entry["ConstraintId"],
            product_id=entry["ProductId"],
            type=entry["Type"],
            description=entry.get("Description", ""),
            parameters=catalog.describe_constraint(Id=entry["ConstraintId"])[
                "ConstraintParameters"
            ],
        )
        for entry in paginated(catalog, "list_constraints_for_portfolio", **place)
    ]


def observed_product(
    catalog: Any, desired: Desired, stored: Observed, key: str, described: Detail
) -> ObservedProduct:
    """A product; if it is desired, with its versions and the users of versions to retire."""
    is_wanted = key in desired.products
    summary = described["ProductViewDetail"]["ProductViewSummary"]
    identity = summary["ProductId"]
    return ObservedProduct(
        id=identity,
        fields={name: summary.get(member, "") for name, member in PRODUCT_FIELDS.items()},
        tags=tags_of(described),
        versions=observed_versions(catalog, desired, stored, key, identity) if is_wanted else (),
    )
