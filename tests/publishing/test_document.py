"""Errors in catalog.yaml name file and line."""

from __future__ import annotations

import re

import pytest

from pipeline.catalog.desired.catalog import desired
from pipeline.catalog.desired.product_templates import product_templates
from pipeline.catalog.spec.document import load_catalog
from pipeline.errors import PipelineError
from pipeline.parameters.profiles import profile_names
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.publishing.minimal_catalog import CATALOG, ORGANIZATION, small_catalog

WRONG = [
    ("regions: [eu-north-1]", "regions: [eu-nroth-1]", 2, "eu-nroth-1"),
    ("regions: [eu-north-1]", "regions: []", 2, "at least one region"),
    ("regions: [eu-north-1]", "regions: eu-north-1", 2, "regions must be a list"),
    ("regions: [eu-north-1]", "regoins: [eu-north-1]", 2, "did you mean regions"),
    ("versions_kept: 2", "versions_kept: many", 3, "a whole number from 1 to 99"),
    ("versions_kept: 2", "versions_kept: 100", 3, "from 1 to 99, not 100"),
    ("launch_role: launch", "launch_role: arn:aws:iam::1:role/x", 4, "the name of a role"),
    ("owner: Platform", f"owner: {'x' * 51}", 5, "51 characters, but Service Catalog allows 50"),
    ("email: help@example.com", "email: nobody", 8, "support.email must be an e-mail address"),
    (
        "email: help@example.com",
        "pages: https://example.com/?page=1",
        8,
        "support.pages must be a URL of a folder",
    ),
    ("tags: {Team: platform}", "tags: {'aws:x': y}", 9, "reserved"),
    ("tags: {Team: platform}", "tags: {'carbon-connect:x': y}", 9, "reserved"),
    ("tags: {Team: platform}", "tags: {Team: platform, Team: b}", 9, "exists twice"),
    ("name: Environments", f"name: {'x' * 101}", 12, "101 characters"),
    ("    name: Environments\n", "", 12, "portfolios.environments has no key name"),
    (
        "products: [production]",
        "products: [prodution]",
        14,
        "not a product; the products are production",
    ),
    ("principals: [role/launcher]", "principals: [launcher]", 15, "the ARN of a role"),
    (
        "principals: [role/launcher]",
        "principals: [role/a, role/a]",
        15,
        "'role/a' again",
    ),
    (
        "principals: [role/launcher]",
        "launcher_role: a/launcher",
        15,
        "the name of a role, of letters, digits and hyphens",
    ),
    (
        "principals: [role/launcher]",
        "trusted_principals: ['arn:aws:iam::123456789012:role/Developer']",
        15,
        "needs the key launcher_role",
    ),
    (
        "principals: [role/launcher]",
        "launcher_role: launcher\n    trusted_principals: [role/Developer]",
        16,
        "the ARN of a role or user",
    ),
    ("principals: [role/launcher]", "launcher_role: launch", 15, "which is a launch_role"),
    (
        "principals: [role/launcher]",
        f"launcher_role: launcher\n    principals: [{', '.join(f'role/a{n}' for n in range(10))}]",
        16,
        "principals[9] is the 11th principal without an account",
    ),
    ('CostCenter: ["42"]', "CostCenter: 42", 16, "must be a list"),
    ("    profile: prod\n", "", 19, "either a profile, for a whole environment, or a layer"),
    ("profile: prod", "layer: network", 22, "needs a profile"),
    (
        "principals: [role/launcher]",
        f"principals: [{', '.join(f'role/a{number}' for number in range(11))}]",
        15,
        "principals[10] is the 11th principal without an account; Service Catalog allows 10",
    ),
    (
        'CostCenter: ["42"]',
        f"CostCenter: [{', '.join(f'a{number}' for number in range(26))}]",
        16,
        "makes 26 values of CostCenter; Service Catalog allows 25",
    ),
    ('CostCenter: ["42"]', 'Team: ["42"]', 16, "tag_options.Team has the key of a tag"),
    (
        "    profile: prod\n",
        "    profile: prod\n    tags: {CostCenter: a}\n",
        16,
        "tag_options.CostCenter has the key of a tag",
    ),
    (
        "    profile: prod\n",
        "    profile: prod\n  other:\n    name: O\n    description: A\n    profile: prod\n",
        25,
        "is 'prod', which is the profile of production",
    ),
    ("  production:\n    name", "  Production:\n    name", 19, "lower-case letters"),
]
SHARES = [
    ("[{account: 12}]", "twelve digits"),
    ("[{tag_options: true}]", "account, organizational_unit and organization"),
    ("[{organization: o-1, account: '1'}]", "must name one of"),
    ("[{account: '210987654321'}, {account: '210987654321'}]", "names 210987654321 again"),
    ("[{account: '210987654321', principals: maybe}]", "true or false"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "reason"), WRONG)
def test_error_names_its_line(right: str, wrong: str, line: int, reason: str) -> None:
    assert right in CATALOG
    with pytest.raises(PipelineError) as refusal:
        small_catalog(CATALOG.replace(right, wrong, 1))

    assert str(refusal.value).startswith(f"catalog.yaml:{line}: ")
    assert reason in str(refusal.value)


@pytest.mark.parametrize(("shares", "reason"), SHARES)
def test_wrong_shares_are_refused(shares: str, reason: str) -> None:
    text = CATALOG.replace("products:\n  prod", f"    shares: {shares}\nproducts:\n  prod")

    with pytest.raises(PipelineError, match=r"^catalog.yaml:17: ") as refusal:
        small_catalog(text + ORGANIZATION)

    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("a: [1", r"catalog.yaml:1: invalid YAML"),
        ("a: b\n\tc: d", r"catalog.yaml:2: invalid YAML"),
        ("- a", "must be a mapping"),
    ],
)
def test_document_that_is_not_a_catalog_is_refused(text: str, reason: str) -> None:
    with pytest.raises(PipelineError, match=reason):
        small_catalog(text)


def test_longest_values_of_service_catalog_are_accepted() -> None:
    arn = "arn:aws:iam::123456789012:role/b"
    principals = [*(f"role/a{number}" for number in range(10)), arn]
    text = CATALOG.replace("[role/launcher]", f"[{', '.join(principals)}]")
    values = [f"a{number}" for number in range(25)]

    [portfolio] = small_catalog(text.replace('["42"]', f"[{', '.join(values)}]")).portfolios

    assert portfolio.principals == tuple(principals)
    assert portfolio.tag_options == tuple(("CostCenter", value) for value in values)


def test_launcher_role_is_the_first_principal_and_is_named_once() -> None:
    line = "launcher_role: launcher\n    principals: [role/b, role/launcher]"

    [portfolio] = small_catalog(CATALOG.replace("principals: [role/launcher]", line)).portfolios

    assert portfolio.launcher_role == "launcher"
    assert portfolio.principals == ("role/launcher", "role/b")


def test_launcher_role_of_two_portfolios_needs_one_trust() -> None:
    developer = "['arn:aws:iam::123456789012:role/Developer']"
    second = """  others:
    name: Others
    description: A layer
    products: [network]
    launch_role: launch-others
    environments: [dev]
    launcher_role: launcher
products:
"""
    layer = "  network: {name: Network, description: A VPC, layer: network}\n"
    text = CATALOG.replace("principals: [role/launcher]", "launcher_role: launcher") + layer
    both = text.replace("products:\n  prod", f"{second}  prod")

    assert [each.launcher_role for each in small_catalog(both).portfolios] == ["launcher"] * 2
    with pytest.raises(
        PipelineError, match=r"^catalog\.yaml:23: .*portfolio environments has with other trusted"
    ):
        small_catalog(
            both.replace(
                "    launcher_role: launcher\nproducts",
                f"    launcher_role: launcher\n    trusted_principals: {developer}\nproducts",
            )
        )


def test_two_products_with_one_name_are_refused() -> None:
    second = "  other:\n    name: Production\n    description: A\n    layer: network\n"

    with pytest.raises(PipelineError, match="has the name 'Production' of another entry"):
        small_catalog(CATALOG + second)


def test_names_in_the_catalog_can_be_typed_on_any_keyboard() -> None:
    catalog = load_catalog()
    names = [portfolio.name for portfolio in catalog.portfolios]
    names += [product.name for product in catalog.products]
    assert [name for name in names if not re.fullmatch(r"[A-Za-z0-9 -]+", name)] == []


def test_catalog_names_a_product_for_each_profile_and_each_layer(release: Release) -> None:
    catalog = load_catalog()

    assert sorted(p.profile for p in catalog.products if p.profile) == profile_names()
    assert [p.layer for p in catalog.products if p.layer] == [each.name for each in release.layers]
    assert product_templates(release, catalog, "a-bucket").keys() == {
        product for portfolio in catalog.portfolios for product in portfolio.products
    }


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (
            "profile: test",
            r"catalog\.yaml:21: .*is 'test', .*; the profiles are dev, prod and staging",
        ),
        (
            "layer: test",
            r"catalog\.yaml:22: .*is 'test', but the release has no such layer; the layers are network",
        ),
        (
            "profile: prod\n    fixed:\n    - NatGateways\n    - Nat",
            r"catalog\.yaml:24: .*fixed\[1\] is 'Nat', which is not a parameter",
        ),
    ],
)
def test_catalog_that_does_not_fit_the_release_is_refused(
    release: Release, wrong: str, reason: str
) -> None:
    from pipeline.catalog.desired.catalog import desired

    text = CATALOG.replace("    profile: prod\n    fixed: [NatGateways]", f"    {wrong}")
    if "layer" in wrong:
        text = text.replace("    principals", "    environments: [dev]\n    principals")

    with pytest.raises(PipelineError, match=reason):
        desired(release, small_catalog(text), "1" * 12, "eu-north-1")


@pytest.mark.parametrize(
    ("support", "link"),
    [
        ("email: help@example.com", ""),
        ("pages: https://example.com/pages", "https://example.com/pages/?environment=prod"),
        ("pages: https://example.com/pages/", "https://example.com/pages/?environment=prod"),
        (
            "url: https://example.com/help\n  pages: https://example.com/pages",
            "https://example.com/help",
        ),
    ],
)
def test_the_support_link_leads_to_the_pages_of_the_profile(
    release: Release, support: str, link: str
) -> None:
    text = CATALOG.replace("email: help@example.com", support)
    wanted = desired(release, small_catalog(text), "111122223333", REGION)
    assert wanted.products["production"].fields["SupportUrl"] == link
