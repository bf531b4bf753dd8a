"""Portfolios shared with an organization and its units: created, corrected, reported, and failures printed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.plan.steps import Action
from pipeline.catalog.spec.model import Catalog
from pipeline.errors import PipelineError
from tests.organization import Organization
from tests.publishing.conftest import Publisher
from tests.publishing.faults import Calls
from tests.publishing.results import portfolio_and_product, step_texts, writing_steps
from tests.publishing.shared_catalog import Hub, catalog_with


@pytest.fixture
def hub(publisher: Publisher) -> Hub:
    return Hub(publisher)


@pytest.fixture
def organization(publisher: Publisher) -> Organization:
    """An organization with sharing enabled, managed by the publishing account."""
    made = Organization(publisher.embedded)
    made.allow_sharing()
    return made


def within(organization: Organization, *shares: str) -> Catalog:
    """A catalog with shares in an organization that can read the release bucket."""
    return catalog_with(*shares, top=f"organization: {organization.id}\n")


def shares_in(publisher: Publisher) -> list[tuple[str, str, bool, bool]]:
    """Type, node, and whether tag options and principals are shared too."""
    portfolio, _ = portfolio_and_product(publisher.catalog)
    types = ("ACCOUNT", "ORGANIZATION", "ORGANIZATIONAL_UNIT", "ORGANIZATION_MEMBER_ACCOUNT")
    return [
        (kind, each["PrincipalId"], each["ShareTagOptions"], each["SharePrincipals"])
        for kind in types
        for each in publisher.catalog.describe_portfolio_shares(PortfolioId=portfolio, Type=kind)[
            "PortfolioShareDetails"
        ]
    ]


@pytest.mark.parametrize("form", ["Id", "Arn"])
def test_members_get_the_portfolio_and_a_second_publication_writes_nothing(
    hub: Hub, organization: Organization, form: str
) -> None:
    unit = organization.unit("team")
    member = organization.member("inside", unit["Id"])
    whole = organization.id if form == "Id" else organization.arn
    catalog = within(
        organization,
        f"{{organization: '{whole}', principals: true}}",
        f"{{organizational_unit: '{unit[form]}', tag_options: true}}",
        "{account: '210987654321'}",
    )

    plans = hub.publish(catalog)

    assert writing_steps(plans).count((Action.CREATE, Kind.SHARE)) == 3
    assert shares_in(hub.publisher) == [
        ("ACCOUNT", "210987654321", False, False),
        ("ORGANIZATION", organization.id, False, True),
        ("ORGANIZATIONAL_UNIT", unit["Id"], True, False),
    ]
    there = organization.client("servicecatalog", member)
    accepted = there.list_accepted_portfolio_shares(PortfolioShareType="AWS_ORGANIZATIONS")
    portfolio, _ = portfolio_and_product(hub.publisher.catalog)
    assert {each["Id"] for each in accepted["PortfolioDetails"]} == {portfolio}
    principals = there.list_principals_for_portfolio(PortfolioId=portfolio)["Principals"]
    assert [each["PrincipalARN"] for each in principals] == ["arn:aws:iam:::role/launcher"]
    calls = Calls()
    again = hub.publish(catalog, calls)
    assert calls.writes == []
    assert {step.action for plan in again for step in plan.steps} == {Action.UNCHANGED}


@pytest.mark.parametrize("changed", ["ShareTagOptions", "SharePrincipals"])
def test_options_of_a_share_are_corrected(
    hub: Hub, organization: Organization, changed: str
) -> None:
    catalog = within(organization, f"{{organization: {organization.id}, principals: true}}")
    hub.publish(catalog)
    expected = shares_in(hub.publisher)
    portfolio, _ = portfolio_and_product(hub.publisher.catalog)
    by_hand = hub.publisher.catalog.update_portfolio_share(
        PortfolioId=portfolio,
        OrganizationNode={"Type": "ORGANIZATION", "Value": organization.id},
        **{changed: changed == "ShareTagOptions"},
    )
    organization.outcome(by_hand["PortfolioShareToken"])
    assert shares_in(hub.publisher) != expected

    plans = hub.publish(catalog)

    assert writing_steps(plans) == [(Action.UPDATE, Kind.SHARE)]
    assert shares_in(hub.publisher) == expected
    assert not writing_steps(hub.plan(catalog))


def test_account_share_is_corrected_without_an_organization(hub: Hub) -> None:
    top = "organization: o-a1b2c3d4e5\n"
    hub.publish(catalog_with("{account: '210987654321'}", top=top))
    calls = Calls()

    share = "{account: '210987654321', tag_options: true}"
    plans = hub.publish(catalog_with(share, top=top), calls)

    assert writing_steps(plans) == [(Action.UPDATE, Kind.SHARE)]
    assert shares_in(hub.publisher) == [("ACCOUNT", "210987654321", True, False)]
    # Only managers of an organization can read the status of a share.
    assert "DescribePortfolioShareStatus" not in calls.made


def share_by_hand(hub: Hub, organization: Organization, node: dict[str, str]) -> None:
    portfolio, _ = portfolio_and_product(hub.publisher.catalog)
    made = hub.publisher.catalog.create_portfolio_share(
        PortfolioId=portfolio, OrganizationNode=node
    )
    organization.outcome(made["PortfolioShareToken"])


def test_share_with_an_arn_is_recognized(hub: Hub, organization: Organization) -> None:
    hub.publish(within(organization))
    share_by_hand(hub, organization, {"Type": "ORGANIZATION", "Value": organization.arn})

    assert not writing_steps(hub.plan(within(organization, f"{{organization: {organization.id}}}")))


@pytest.mark.parametrize("kind", ["ORGANIZATION", "ORGANIZATIONAL_UNIT", "ACCOUNT"])
def test_share_that_the_catalog_does_not_name_is_reported(
    hub: Hub, organization: Organization, kind: str
) -> None:
    nodes = {
        "ORGANIZATION": ("organization", organization.id),
        "ORGANIZATIONAL_UNIT": ("organizational unit", organization.unit("team")["Id"]),
        "ACCOUNT": ("organization member account", organization.member("inside")),
    }
    words, node = nodes[kind]
    hub.publish(within(organization))
    share_by_hand(hub, organization, {"Type": kind, "Value": node})
    calls = Calls()

    plans = hub.publish(within(organization), calls)

    [line] = step_texts(plans, Action.REPORT)
    assert line.startswith(f"Environments with {words} {node} not in catalog.yaml")
    assert calls.writes == []
    assert len(shares_in(hub.publisher)) == 1


@pytest.mark.parametrize("open_ones", [1, 0], ids=["for some", "for all"])
def test_failed_share_is_reported_with_its_reasons(
    hub: Hub, organization: Organization, open_ones: int
) -> None:
    unit = organization.unit("team")
    for number in range(open_ones):
        organization.member(f"open-{number}", unit["Id"])
    closed = organization.member("closed", unit["Id"])
    organization.api.close_account(AccountId=closed)
    catalog = within(organization, f"{{organizational_unit: {unit['Id']}}}")

    with pytest.raises(PipelineError) as refusal:
        hub.publish(catalog)

    told_so = str(refusal.value)
    assert (
        f"Environments with organizational unit {unit['Id']}: The account is suspended ({closed})."
        in told_so
    )
    # The command in the message creates the share.
    organization.move(closed, unit["Id"], organization.root)
    stop_share(hub, told_so)
    hub.publish(catalog)
    assert shares_in(hub.publisher) == [("ORGANIZATIONAL_UNIT", unit["Id"], False, False)]


def stop_share(hub: Hub, message: str) -> None:
    """Make the API call of the command in a message."""
    found = re.search(
        r"delete-portfolio-share --portfolio-id (\S+) --organization-node Type=(\w+),Value=(\S+) --region",
        message,
    )
    assert found, message
    portfolio, kind, value = found.groups()
    hub.publisher.catalog.delete_portfolio_share(
        PortfolioId=portfolio, OrganizationNode={"Type": kind, "Value": value}
    )


def test_organization_without_sharing_gets_instructions(hub: Hub) -> None:
    organization = Organization(hub.publisher.embedded)
    catalog = within(organization, f"{{organization: {organization.id}}}")

    with pytest.raises(PipelineError, match="aws servicecatalog enable-aws-organizations-access"):
        hub.publish(catalog)

    organization.allow_sharing()
    assert writing_steps(hub.publish(catalog)) == [(Action.CREATE, Kind.SHARE)]
    assert shares_in(hub.publisher) == [("ORGANIZATION", organization.id, False, False)]


def test_share_waits_until_another_one_has_ended(hub: Hub, organization: Organization) -> None:
    unit = organization.unit("team")
    hub.publish(within(organization))
    portfolio, _ = portfolio_and_product(hub.publisher.catalog)
    hub.publisher.catalog.create_portfolio_share(
        PortfolioId=portfolio,
        OrganizationNode={"Type": "ORGANIZATION", "Value": organization.id},
    )
    calls = Calls()

    hub.publish(within(organization, f"{{organizational_unit: {unit['Id']}}}"), calls)

    assert calls.writes.count("CreatePortfolioShare") > 1
    assert len(shares_in(hub.publisher)) == 2


WRONG = [
    ("{organizational_unit: ou-ab12-c3d4e5f6}", "", "needs the key organization"),
    ("{organization: o-a1b2c3d4e5}", "", "needs organization: o-a1b2c3d4e5 at the top"),
    (
        "{organization: o-a1b2c3d4e5}",
        "organization: o-a1b2c3d4e6\n",
        "needs organization: o-a1b2c3d4e5 at the top",
    ),
    ("{account: '210987654321', principals: true}", "", "only with an organization and its units"),
    (
        "{organizational_unit: 'arn:aws:organizations::1:ou/o-a1b2c3d4e5/ou-ab12-c3d4e5f6'}",
        "organization: o-a1b2c3d4e5\n",
        "must be ou-ROOT-ID, or the unit's ARN",
    ),
]


@pytest.mark.parametrize(("wrong", "top", "reason"), WRONG)
def test_unusable_share_is_refused_with_its_line(wrong: str, top: str, reason: str) -> None:
    with pytest.raises(PipelineError, match=r"^catalog\.yaml:18: ") as refusal:
        catalog_with(wrong, top=top)

    assert reason in str(refusal.value)


def test_principals_come_after_the_constraints(hub: Hub, organization: Organization) -> None:
    calls = Calls()

    hub.publish(within(organization, f"{{organization: {organization.id}}}"), calls)

    order = [
        "AssociateProductWithPortfolio",
        "CreateConstraint",
        "AssociatePrincipalWithPortfolio",
        "CreatePortfolioShare",
    ]
    made: list[Any] = [call for call in calls.writes if call in order]
    assert made == sorted(made, key=order.index)
    assert made.count("CreateConstraint") == 3
    assert set(made) == set(order)
