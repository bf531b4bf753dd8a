"""Manually deleted resources are created again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.publishing.conftest import Publisher
from tests.publishing.minimal_catalog import (
    CATALOG,
    small_catalog,
)
from tests.publishing.results import (
    portfolio_and_product,
    writing_steps,
)


def delete_product(publisher: Publisher) -> None:
    catalog = publisher.catalog
    portfolio, product = portfolio_and_product(catalog)
    for each in catalog.list_constraints_for_portfolio(PortfolioId=portfolio)["ConstraintDetails"]:
        catalog.delete_constraint(Id=each["ConstraintId"])
    catalog.disassociate_product_from_portfolio(PortfolioId=portfolio, ProductId=product)
    catalog.delete_product(Id=product)


def delete_constraints(publisher: Publisher) -> None:
    portfolio, _ = portfolio_and_product(publisher.catalog)
    found = publisher.catalog.list_constraints_for_portfolio(PortfolioId=portfolio)
    for each in found["ConstraintDetails"]:
        publisher.catalog.delete_constraint(Id=each["ConstraintId"])


def delete_portfolio(publisher: Publisher) -> None:
    catalog = publisher.catalog
    delete_product(publisher)
    portfolio = catalog.list_portfolios()["PortfolioDetails"][0]["Id"]
    catalog.disassociate_principal_from_portfolio(
        PortfolioId=portfolio,
        PrincipalARN="arn:aws:iam:::role/launcher",
        PrincipalType="IAM_PATTERN",
    )
    for option in catalog.describe_portfolio(Id=portfolio)["TagOptions"]:
        catalog.disassociate_tag_option_from_resource(
            ResourceId=portfolio, TagOptionId=option["Id"]
        )
    catalog.delete_portfolio(Id=portfolio)


@pytest.mark.parametrize("deleted", [delete_constraints, delete_product, delete_portfolio])
@pytest.mark.parametrize("change", ["", "changed"])
def test_manually_deleted_resources_are_created_again(
    publisher: Publisher, deleted: Callable[[Publisher], None], change: str
) -> None:
    # Service Catalog still accepts the tokens of deleted resources, and refuses them for other content.
    publisher.publish()
    for _ in range(2):
        deleted(publisher)
        text = CATALOG.replace("Whole environments", f"Whole environments {change}")
        text = text.replace("For customers", f"For customers {change}")
        if change:
            text = text.replace("fixed: [NatGateways]", "fixed: [NatGateways, Environment]")
        publisher.publish(catalog=small_catalog(text))

        held = publisher.snapshot()
        assert len(held["portfolios"]) == len(held["products"]) == 1
        assert len(held["portfolios"][0]["constraints"]) == 3
        assert not writing_steps(publisher.plan(catalog=small_catalog(text)))
