"""Launches that need a choice: of a portfolio, or of a value for a tag option."""

from __future__ import annotations

import pytest

from pipeline.environments.provisioning import environments
from pipeline.errors import PipelineError
from tests.provisioning.catalog import Catalog
from tests.provisioning.users import User


@pytest.fixture
def user(catalog: Catalog) -> User:
    return User(catalog.user)


def test_several_portfolios_need_a_choice(catalog: Catalog) -> None:
    user = User(catalog.user, "chosen-dev")
    second = catalog.portfolio_named("Second portfolio")
    catalog.offer(second)
    try:
        with pytest.raises(
            PipelineError,
            match=r"Carbon Connect environments and Second portfolio offer .*--portfolio",
        ):
            user.launch(Project="chosen")
        with pytest.raises(
            PipelineError, match=r"no launch path 'Third'; these portfolios offer it: Carbon"
        ):
            user.launch(portfolio="Third", Project="chosen")

        assert user.launch(portfolio="Second portfolio", Project="chosen").succeeded
        # An update uses the path of the launch.
        assert user.update(ImageTag="1").succeeded
        record = environments.last_record(user.aws, user.environment())
        (path,) = (
            each["Id"]
            for each in user.aws.client("servicecatalog").list_launch_paths(
                ProductId=catalog.product
            )["LaunchPathSummaries"]
            if each["Name"] == "Second portfolio"
        )
        assert record["PathId"] == path
    finally:
        assert user.terminate().succeeded
        catalog.catalog.disassociate_principal_from_portfolio(
            PortfolioId=second,
            PrincipalARN=f"arn:aws:iam::{catalog.aws.account()}:role/carbon-connect-launcher",
        )


def test_tag_option_with_several_values_needs_a_choice(catalog: Catalog) -> None:
    user = User(catalog.user, "tagged-dev")
    options = [
        catalog.catalog.create_tag_option(Key="CostCenter", Value=value)["TagOptionDetail"]["Id"]
        for value in ("red", "blue")
    ]
    for option in options:
        catalog.catalog.associate_tag_option_with_resource(
            ResourceId=catalog.portfolio, TagOptionId=option
        )
    try:
        with pytest.raises(
            PipelineError, match=r"CostCenter must be one of red, blue; .*--tag CostC"
        ):
            user.launch(Project="tagged")
        with pytest.raises(PipelineError, match=r"CostCenter must be one of red, blue"):
            User(catalog.user, "tagged-dev", {"CostCenter": "green"}).launch(Project="tagged")

        user = User(catalog.user, "tagged-dev", {"CostCenter": "blue"})
        assert user.launch(Project="tagged").succeeded
        assert user.terminate().succeeded
    finally:
        for option in options:
            catalog.catalog.disassociate_tag_option_from_resource(
                ResourceId=catalog.portfolio, TagOptionId=option
            )


def test_tag_option_with_one_value_accepts_no_other(catalog: Catalog) -> None:
    option = catalog.catalog.create_tag_option(Key="CostCenter", Value="carbon-connect")
    names = {
        "ResourceId": catalog.portfolio,
        "TagOptionId": option["TagOptionDetail"]["Id"],
    }
    catalog.catalog.associate_tag_option_with_resource(**names)
    try:
        with pytest.raises(
            PipelineError,
            match=r"CostCenter is 'zzz'\. CostCenter must be carbon-connect, which is also added",
        ):
            User(catalog.user, "single-dev", {"CostCenter": "zzz"}).launch(Project="single")
        assert environments.find_environment(catalog.user, "single-dev") is None

        user = User(catalog.user, "single-dev", {"CostCenter": "carbon-connect"})
        assert user.launch(Project="single").succeeded
        assert user.terminate().succeeded
    finally:
        catalog.catalog.disassociate_tag_option_from_resource(**names)
