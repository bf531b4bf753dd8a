"""Environments of another product or version than the current one."""

from __future__ import annotations

import pytest

from pipeline.catalog.desired.product_templates import product_key
from pipeline.environments.provisioning import environments
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.provisioning.catalog import DEVELOPMENT, Catalog
from tests.provisioning.users import User


@pytest.fixture
def user(catalog: Catalog) -> User:
    return User(catalog.user)


def offer_another(catalog: Catalog, release: Release, name: str) -> None:
    """Offer the release's template as another product."""
    url = f"https://{catalog.bucket}.s3.{REGION}.amazonaws.com/{product_key(release.version, DEVELOPMENT.key)}"
    other = catalog.catalog.create_product(
        Name=name,
        Owner="Another team",
        ProductType="CLOUD_FORMATION_TEMPLATE",
        ProvisioningArtifactParameters={
            "Name": "1",
            "Type": "CLOUD_FORMATION_TEMPLATE",
            "Info": {"LoadTemplateFromURL": url},
        },
    )
    catalog.catalog.associate_product_with_portfolio(
        ProductId=other["ProductViewDetail"]["ProductViewSummary"]["ProductId"],
        PortfolioId=catalog.portfolio,
    )


def test_environment_of_another_product_is_refused(catalog: Catalog, release: Release) -> None:
    user = User(catalog.user, "other-dev")
    assert user.launch(Project="other").succeeded
    offer_another(catalog, release, "Other")

    with pytest.raises(
        PipelineError, match=r"other-dev was launched from another product than Other"
    ):
        user.update(product="Other", ImageTag="1")
    with pytest.raises(
        PipelineError,
        match=rf"other-dev exists already, from another product \({DEVELOPMENT.name}\);.*--name",
    ):
        user.launch(product="Other")

    assert user.terminate().succeeded


def test_failed_launch_of_another_product_is_not_removed(
    catalog: Catalog, release: Release
) -> None:
    user = User(catalog.user, "theirs-dev")
    bucket = {"Bucket": "theirs-dev-media"}
    s3 = catalog.aws.client("s3")
    s3.create_bucket(**bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    assert not user.launch(Project="theirs").succeeded
    offer_another(catalog, release, "Another")
    failed = user.environment()

    with pytest.raises(PipelineError, match=r"theirs-dev exists already, from another product"):
        user.launch(product="Another", Project="theirs")

    assert user.environment() == failed
    assert user.terminate().succeeded
    s3.delete_bucket(**bucket)


def test_status_without_permission_to_launch_the_product(catalog: Catalog) -> None:
    user = User(catalog.user, "seen-dev")
    assert user.launch(Project="seen").succeeded

    summary = environments.summary(
        catalog.aws, environments.existing_environment(catalog.aws, "seen-dev")
    )

    assert (summary["Status"], summary["Product"]) == ("AVAILABLE", catalog.product)
    assert user.terminate().succeeded


def test_retired_version_of_an_environment_is_refused(
    catalog: Catalog, release: Release, later: Release
) -> None:
    user = User(catalog.user, "retired-dev")
    version = catalog.publish(later)
    assert user.launch(later.version, Project="retired").succeeded
    catalog.change(version, Active=False)

    with pytest.raises(
        PipelineError, match=rf"retired.*a version of {DEVELOPMENT.name}; name another with --prod"
    ):
        user.update(ImageTag="1")
    assert (
        environments.summary(user.aws, user.environment())["Version"] == f"{version}, not offered"
    )

    assert user.update(release.version, ImageTag="1").succeeded
    assert user.terminate().succeeded
