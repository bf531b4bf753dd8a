"""Drift is corrected, or reported where a correction could do harm; unmanaged resources stay."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.plan.steps import Action
from pipeline.errors import PipelineError
from tests.publishing.conftest import Publisher
from tests.publishing.faults import Calls
from tests.publishing.minimal_catalog import CATALOG, small_catalog
from tests.publishing.results import (
    guidance,
    launch_product,
    portfolio_and_product,
    step_texts,
    writing_steps,
)

TRIALS = """  trials:
    name: Trials
    description: To try things
    launch_role: launch-trials
    products: [development]
"""
DEVELOPMENT = """  development:
    name: Development
    description: To develop against
    profile: dev
"""
TWO_PRODUCTS = (CATALOG + DEVELOPMENT).replace("[production]", "[production, development]")
TWO_PORTFOLIOS = (CATALOG + DEVELOPMENT).replace("products:\n  prod", f"{TRIALS}products:\n  prod")


def constraint(catalog: Any, portfolio: str, kind: str) -> str:
    """The ID of the constraint of a type."""
    found = catalog.list_constraints_for_portfolio(PortfolioId=portfolio)["ConstraintDetails"]
    [identity] = [each["ConstraintId"] for each in found if each["Type"] == kind]
    return str(identity)


def version(catalog: Any, product: str) -> dict[str, str]:
    """The IDs that name the first version."""
    found = catalog.list_provisioning_artifacts(ProductId=product)["ProvisioningArtifactDetails"]
    return {"ProductId": product, "ProvisioningArtifactId": found[0]["Id"]}


def rename_portfolio(catalog: Any, portfolio: str, _product: str) -> None:
    catalog.update_portfolio(Id=portfolio, DisplayName="Other")


def remove_portfolio_tag(catalog: Any, portfolio: str, _product: str) -> None:
    catalog.update_portfolio(Id=portfolio, RemoveTags=["Team"])


def rename_product(catalog: Any, _portfolio: str, product: str) -> None:
    catalog.update_product(Id=product, Name="Other", SupportEmail="other@example.com")


def add_product_tag(catalog: Any, _portfolio: str, product: str) -> None:
    catalog.update_product(Id=product, AddTags=[{"Key": "Other", "Value": "x"}])


def take_product_out(catalog: Any, portfolio: str, product: str) -> None:
    for kind in ("LAUNCH", "TEMPLATE", "RESOURCE_UPDATE"):
        catalog.delete_constraint(Id=constraint(catalog, portfolio, kind))
    catalog.disassociate_product_from_portfolio(PortfolioId=portfolio, ProductId=product)


def loosen_rules(catalog: Any, portfolio: str, _product: str) -> None:
    rule = {"Assertions": [{"Assert": {"Fn::Equals": ["a", "a"]}, "AssertDescription": "a"}]}
    identity = constraint(catalog, portfolio, "TEMPLATE")
    catalog.update_constraint(Id=identity, Parameters=json.dumps({"Rules": {"Any": rule}}))


def delete_launch_constraint(catalog: Any, portfolio: str, _product: str) -> None:
    catalog.delete_constraint(Id=constraint(catalog, portfolio, "LAUNCH"))


def deprecate_version(catalog: Any, _portfolio: str, product: str) -> None:
    catalog.update_provisioning_artifact(**version(catalog, product), Guidance="DEPRECATED")


def describe_version(catalog: Any, _portfolio: str, product: str) -> None:
    catalog.update_provisioning_artifact(**version(catalog, product), Description="Ours")


def take_principal_away(catalog: Any, portfolio: str, _product: str) -> None:
    catalog.disassociate_principal_from_portfolio(
        PortfolioId=portfolio,
        PrincipalARN="arn:aws:iam:::role/launcher",
        PrincipalType="IAM_PATTERN",
    )


def take_tag_option_away(catalog: Any, portfolio: str, _product: str) -> None:
    [option] = catalog.list_tag_options()["TagOptionDetails"]
    catalog.disassociate_tag_option_from_resource(ResourceId=portfolio, TagOptionId=option["Id"])


MENDED = [
    rename_portfolio,
    remove_portfolio_tag,
    rename_product,
    add_product_tag,
    take_product_out,
    loosen_rules,
    delete_launch_constraint,
    deprecate_version,
    describe_version,
    take_principal_away,
    take_tag_option_away,
]
Change = Callable[[Any, str, str], None]


@pytest.mark.parametrize("change", MENDED, ids=lambda change: change.__name__)
def test_drift_is_found_and_corrected(publisher: Publisher, change: Change) -> None:
    publisher.publish()
    expected = publisher.snapshot()
    change(publisher.catalog, *portfolio_and_product(publisher.catalog))
    assert publisher.snapshot() != expected
    assert writing_steps(publisher.plan())

    publisher.publish()

    assert publisher.snapshot() == expected
    assert not writing_steps(publisher.plan())


def test_new_names_in_the_catalog_rename_the_portfolio_and_the_product(
    publisher: Publisher,
) -> None:
    publisher.publish()
    identities = portfolio_and_product(publisher.catalog)
    text = CATALOG.replace("name: Environments", "name: Carbon Connect - environments")
    text = text.replace("name: Production", "name: Carbon Connect - production")

    plans = publisher.publish(version="1.1.0", catalog=small_catalog(text))

    assert {
        (Action.UPDATE, Kind.PORTFOLIO),
        (Action.UPDATE, Kind.PRODUCT),
        (Action.CREATE, Kind.VERSION),
    } <= set(writing_steps(plans))
    assert {(Action.CREATE, Kind.PORTFOLIO), (Action.CREATE, Kind.PRODUCT)}.isdisjoint(
        writing_steps(plans)
    )
    assert portfolio_and_product(publisher.catalog) == identities
    after = publisher.snapshot()
    assert [each["DisplayName"] for each in after["portfolios"]] == [
        "Carbon Connect - environments"
    ]
    assert [each["Name"] for each in after["products"]] == ["Carbon Connect - production"]
    assert guidance(publisher) == {"1.0.0": "DEPRECATED", "1.1.0": "DEFAULT"}
    assert not writing_steps(publisher.plan(version="1.1.0", catalog=small_catalog(text)))


def test_new_product_name_needs_a_new_version(publisher: Publisher) -> None:
    publisher.publish()
    text = CATALOG.replace("name: Production", "name: Carbon Connect - production")

    # The template contains the name, in the message of a parameter with the wrong value.
    with pytest.raises(PipelineError, match=r"other content .* raise the version"):
        publisher.publish(catalog=small_catalog(text))


def test_launched_product_survives_its_new_name(publisher: Publisher) -> None:
    publisher.publish()
    name = launch_product(publisher)
    [launched] = publisher.catalog.search_provisioned_products(
        AccessLevelFilter={"Key": "Account", "Value": "self"}
    )["ProvisionedProducts"]
    text = CATALOG.replace("name: Production", "name: Carbon Connect - production")

    publisher.publish(version="1.1.0", catalog=small_catalog(text))

    [found] = publisher.catalog.search_provisioned_products(
        AccessLevelFilter={"Key": "Account", "Value": "self"}
    )["ProvisionedProducts"]
    assert (found["Name"], found["Id"]) == (name, launched["Id"])
    assert found["ProductName"] == "Carbon Connect - production"
    assert (
        found["ProductId"] == portfolio_and_product(publisher.catalog)[1] == launched["ProductId"]
    )


def deactivate_version(catalog: Any, _portfolio: str, product: str) -> None:
    catalog.update_provisioning_artifact(**version(catalog, product), Active=False)


def add_principal(catalog: Any, portfolio: str, _product: str) -> None:
    catalog.associate_principal_with_portfolio(
        PortfolioId=portfolio,
        PrincipalARN="arn:aws:iam::123456789012:role/other",
        PrincipalType="IAM",
    )


def share(catalog: Any, portfolio: str, _product: str) -> None:
    catalog.create_portfolio_share(PortfolioId=portfolio, AccountId="210987654321")


def add_rule(catalog: Any, portfolio: str, product: str) -> None:
    rule = {"Assertions": [{"Assert": {"Fn::Equals": ["a", "a"]}, "AssertDescription": "a"}]}
    catalog.create_constraint(
        PortfolioId=portfolio,
        ProductId=product,
        Type="TEMPLATE",
        Parameters=json.dumps({"Rules": {"Theirs": rule}}),
        Description="Theirs",
    )


def add_version(catalog: Any, _portfolio: str, product: str) -> None:
    described = catalog.describe_provisioning_artifact(**version(catalog, product))
    url = described["Info"]["TemplateUrl"]
    catalog.create_provisioning_artifact(
        ProductId=product, Parameters={"Name": "theirs", "Info": {"LoadTemplateFromURL": url}}
    )


def deactivate_tag_option(catalog: Any, _portfolio: str, _product: str) -> None:
    [option] = catalog.list_tag_options()["TagOptionDetails"]
    catalog.update_tag_option(Id=option["Id"], Active=False)


REPORTED = [
    (deactivate_version, "deactivated outside this publisher"),
    (add_principal, "arn:aws:iam::123456789012:role/other of Environments not in catalog.yaml"),
    (share, "Environments with account 210987654321 not in catalog.yaml"),
    (add_rule, "TEMPLATE of Production in Environments (cons-"),
    (add_version, "Production theirs unmanaged"),
    (deactivate_tag_option, "CostCenter=42 deactivated"),
]


@pytest.mark.parametrize(
    ("change", "reason"), REPORTED, ids=[change.__name__ for change, _ in REPORTED]
)
def test_drift_that_is_unsafe_to_correct_is_reported(
    publisher: Publisher, change: Change, reason: str
) -> None:
    publisher.publish()
    change(publisher.catalog, *portfolio_and_product(publisher.catalog))
    expected, calls = publisher.snapshot(), Calls()

    plans = publisher.publish(calls)

    [line] = step_texts(plans, Action.REPORT)
    assert reason in line
    assert calls.writes == []
    assert publisher.snapshot() == expected


def test_unmanaged_resources_with_the_same_names_stay_unchanged(
    publisher: Publisher,
) -> None:
    catalog = publisher.catalog
    theirs = catalog.create_portfolio(DisplayName="Environments", ProviderName="Others")
    publisher.aws.client("s3").create_bucket(
        Bucket="theirs", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"}
    )
    body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    publisher.aws.client("s3").put_object(Bucket="theirs", Key="a.json", Body=body.encode())
    url = "https://theirs.s3.eu-north-1.amazonaws.com/a.json"
    made = catalog.create_product(
        Name="Production",
        Owner="Others",
        ProductType="CLOUD_FORMATION_TEMPLATE",
        # Only one of the two tags, like a copy that a user created.
        Tags=[{"Key": "carbon-connect:product", "Value": "production"}],
        ProvisioningArtifactParameters={"Name": "1.0.0", "Info": {"LoadTemplateFromURL": url}},
    )
    product = made["ProductViewDetail"]["ProductViewSummary"]["ProductId"]
    option = catalog.create_tag_option(Key="CostCenter", Value="42")["TagOptionDetail"]

    def held() -> list[Any]:
        portfolio = theirs["PortfolioDetail"]["Id"]
        answers = [
            catalog.describe_portfolio(Id=portfolio),
            catalog.list_principals_for_portfolio(PortfolioId=portfolio),
            catalog.search_products_as_admin(PortfolioId=portfolio),
            catalog.describe_product_as_admin(Id=product),
            catalog.list_provisioning_artifacts(ProductId=product),
            catalog.describe_tag_option(Id=option["Id"]),
        ]
        return [{**answer, "ResponseMetadata": None} for answer in answers]

    before = held()
    plans = publisher.publish()

    assert held() == before
    assert {line.partition(" (")[0] for line in step_texts(plans, Action.REPORT)} == {
        "Environments",
        "Production",
    }
    # The managed resources exist next to them, and stay.
    assert len(catalog.list_portfolios()["PortfolioDetails"]) == 2
    assert len(catalog.search_products_as_admin()["ProductViewDetails"]) == 2
    assert len(catalog.list_tag_options()["TagOptionDetails"]) == 1
    assert not writing_steps(publisher.plan())


def test_an_inactive_older_version_is_left_inactive(publisher: Publisher) -> None:
    publisher.publish()
    _, product = portfolio_and_product(publisher.catalog)
    deactivate_version(publisher.catalog, "", product)

    plans = publisher.publish(version="1.1.0")

    assert (Action.CREATE, Kind.VERSION) in writing_steps(plans)
    assert (Action.DEPRECATE, Kind.VERSION) not in writing_steps(plans)
    assert guidance(publisher)["1.1.0"] == "DEFAULT"


def test_resources_that_the_catalog_no_longer_names_are_reported(publisher: Publisher) -> None:
    publisher.publish(catalog=small_catalog(TWO_PORTFOLIOS))
    expected, calls = publisher.snapshot(), Calls()

    plans = publisher.publish(calls)

    assert {line.partition(";")[0] for line in step_texts(plans, Action.REPORT)} == {
        "launch-trials (stack carbon-connect-launch-role-trials) not in catalog.yaml",
        "Trials not in catalog.yaml",
        "Development not in catalog.yaml",
    }
    assert calls.writes == []
    assert publisher.snapshot() == expected


def test_rules_of_a_product_stay_while_it_is_in_the_portfolio(publisher: Publisher) -> None:
    publisher.publish(catalog=small_catalog(TWO_PRODUCTS))
    expected = publisher.snapshot()
    text = CATALOG.replace("production:", "development:").replace("production]", "development]")
    text = text.replace("name: Production", "name: Development").replace("For customers", "Dev")
    text = text.replace("profile: prod", "profile: dev").replace("    fixed: [NatGateways]\n", "")
    text = text.replace("launch_role: launch", "launch_role: launch-trials")

    plans = publisher.publish(catalog=small_catalog(text))

    reported = step_texts(plans, Action.REPORT)
    assert any(line.startswith("Production (prod-") for line in reported)
    assert any(
        line.startswith("TEMPLATE of Production in Environments (cons-") for line in reported
    )
    rules = [each for each in expected["portfolios"][0]["constraints"] if each[1] == "TEMPLATE"]
    held = publisher.snapshot()["portfolios"][0]
    assert "Production" in held["products"]
    assert [each for each in held["constraints"] if each[1] == "TEMPLATE"] == rules != []


def test_rules_are_removed_when_the_product_has_no_fixed_parameters(publisher: Publisher) -> None:
    publisher.publish()

    plans = publisher.publish(
        catalog=small_catalog(CATALOG.replace("    fixed: [NatGateways]\n", ""))
    )

    assert writing_steps(plans) == [(Action.RETIRE, Kind.CONSTRAINT)]
