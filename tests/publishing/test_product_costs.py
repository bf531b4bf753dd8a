"""The descriptions of products include the monthly cost, the same in every publication of a release."""

from __future__ import annotations

from dataclasses import replace

from pipeline.catalog.desired.catalog import desired
from pipeline.catalog.spec.document import load_catalog
from pipeline.catalog.spec.nodes import MAX_TEXT
from pipeline.release.assemble import Release
from tests.conftest import REGION

ACCOUNT = "111122223333"


def descriptions(release: Release, region: str = REGION) -> dict[str, str]:
    products = desired(release, load_catalog(), ACCOUNT, region).products
    return {key: product.fields["Description"] for key, product in products.items()}


def test_a_product_with_a_profile_names_its_monthly_cost(release: Release) -> None:
    found = descriptions(release)
    assert "About 304 USD a month in eu-north-1" in found["development"]
    assert "About 519 USD a month in eu-north-1" in found["production"]
    assert "USD" not in found["network"]
    assert max(map(len, found.values())) <= MAX_TEXT
    assert descriptions(release) == found


def test_a_region_without_prices_says_so(release: Release) -> None:
    found = descriptions(release, "eu-west-1")
    assert found["production"].endswith(
        "The monthly cost in eu-west-1 is not known: the prices are those of eu-north-1."
    )


def test_a_description_without_room_stays_as_it_is(release: Release) -> None:
    known = load_catalog()
    full = "x" * MAX_TEXT
    products = tuple(replace(each, description=full) for each in known.products)
    found = desired(release, replace(known, products=products), ACCOUNT, REGION)
    assert {each.fields["Description"] for each in found.products.values()} == {full}
