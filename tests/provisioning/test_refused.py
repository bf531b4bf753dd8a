"""Launches and updates that are refused, with one sentence and no change."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from commands.common.embedded_sessions import launcher
from pipeline.catalog.desired.product_templates import fixed_rules, product_key
from pipeline.environments.provisioning import environments
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.provisioning.catalog import DEVELOPMENT, Catalog
from tests.provisioning.users import User

NAME = "carbon-connect-dev"


@pytest.fixture
def user(catalog: Catalog) -> User:
    return User(catalog.user)


@pytest.fixture(scope="module")
def retired(catalog: Catalog, release: Release) -> Release:
    """A version that is inactive."""
    old = replace(release, version="0.8.0")
    catalog.change(catalog.publish(old), Active=False)
    return old


@pytest.fixture(scope="module")
def deprecated(catalog: Catalog, release: Release) -> Release:
    """A version that is deprecated, and newer than the one that is not."""
    old = replace(release, version="0.9.0")
    catalog.change(catalog.publish(old), Guidance="DEPRECATED")
    return old


def assert_nothing_is_there(catalog: Catalog, user: User) -> None:
    assert environments.find_environment(user.aws, user.name) is None
    # The launcher can read only the stacks of products.
    stacks = catalog.aws.client("cloudformation").describe_stacks()["Stacks"]
    assert not [stack for stack in stacks if stack["StackName"].startswith("SC-")]


def test_unpublished_product_is_refused(catalog: Catalog, user: User) -> None:
    with pytest.raises(
        PipelineError, match=r"no product 'Nothing' in eu-north-1.*publish.*--direct\."
    ):
        user.launch(product="Nothing")

    assert_nothing_is_there(catalog, user)


def test_credentials_without_a_launch_path_are_refused(catalog: Catalog, release: Release) -> None:
    unmanaged_thing = User(launcher(catalog.aws, release, "stranger"))

    with pytest.raises(
        PipelineError, match=r"These credentials can launch no product.*role to catalog"
    ):
        unmanaged_thing.launch()


def test_two_products_with_one_name_are_refused(
    catalog: Catalog, user: User, release: Release
) -> None:
    key = product_key(release.version, DEVELOPMENT.key)
    url = f"https://{catalog.bucket}.s3.{REGION}.amazonaws.com/{key}"
    made_twice = [
        catalog.catalog.create_product(
            Name="Twice",
            Owner="Another team",
            ProductType="CLOUD_FORMATION_TEMPLATE",
            ProvisioningArtifactParameters={
                "Name": "1",
                "Type": "CLOUD_FORMATION_TEMPLATE",
                "Info": {"LoadTemplateFromURL": url},
            },
        )
        for _ in range(2)
    ]
    ids = sorted(
        made["ProductViewDetail"]["ProductViewSummary"]["ProductId"] for made in made_twice
    )
    for identifier in ids:
        catalog.catalog.associate_product_with_portfolio(
            ProductId=identifier, PortfolioId=catalog.portfolio
        )

    with pytest.raises(
        PipelineError, match=rf"2 products are named 'Twice' \({ids[0]} and {ids[1]}\)"
    ):
        user.launch(product="Twice")


@pytest.mark.usefixtures("retired", "deprecated")
def test_unknown_or_retired_version_is_refused(
    catalog: Catalog, user: User, release: Release
) -> None:
    for version in ("7.7.7", "0.8.0"):
        with pytest.raises(
            PipelineError,
            match=rf"no active version '{version}'; its active versions are: {re.escape(release.version)} and 0\.9\.0",
        ):
            user.launch(version)

    assert_nothing_is_there(catalog, user)


@pytest.mark.usefixtures("deprecated")
def test_deprecated_version_is_refused(catalog: Catalog, user: User, release: Release) -> None:
    newest = re.escape(release.version)
    with pytest.raises(PipelineError, match=rf"0\.9\.0 of .* is deprecated.*launch {newest}\."):
        user.launch("0.9.0")

    assert_nothing_is_there(catalog, user)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {"ImageTga": "1"},
            r"names ImageTga, which is not a parameter of .* did you mean ImageTag\?",
        ),
        ({"Environment": "prod"}, r"Environment is 'prod'\. Environment must be dev in Carbon"),
        ({"ApiMaxTasks": "many"}, r"ApiMaxTasks is 'many'\. ApiMaxTasks must be a whole number"),
        ({"ImageTag": "no tag"}, r"ImageTag is 'no tag'\. ImageTag must be empty or a tag"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_invalid_value_is_refused(
    catalog: Catalog, user: User, settings: dict[str, str], reason: str
) -> None:
    with pytest.raises(PipelineError, match=reason):
        user.launch(**settings)

    assert_nothing_is_there(catalog, user)


def test_fixed_value_is_refused(catalog: Catalog, user: User, release: Release) -> None:
    rules = fixed_rules(release, replace(DEVELOPMENT, fixed=("NatGateways",)))
    made = catalog.catalog.create_constraint(
        PortfolioId=catalog.portfolio,
        ProductId=catalog.product,
        Type="TEMPLATE",
        Parameters=json.dumps(rules),
    )
    try:
        with pytest.raises(
            PipelineError,
            match=rf"NatGateways is 'per-zone'\. NatGateways must be single in {DEVELOPMENT.name}\.$",
        ):
            user.launch(NatGateways="per-zone")
    finally:
        catalog.catalog.delete_constraint(Id=made["ConstraintDetail"]["ConstraintId"])

    # Without the constraint, both values of the template are allowed.
    with pytest.raises(
        PipelineError, match=r"NatGateways must be one of single, per-zone in Carbon"
    ):
        user.launch(NatGateways="one")
    assert_nothing_is_there(catalog, user)
