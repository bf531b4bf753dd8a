"""Portfolios shared with an organization and its units: permissions, recipients, and results."""

from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from tests.embedded_aws.conftest import Account
from tests.embedded_aws.service_catalog import Shelf, code
from tests.organization import Organization

UNSUPPORTED = "OperationNotSupportedException"


@pytest.fixture
def shelf(account: Account) -> Shelf:
    return Shelf(account)


@pytest.fixture
def organization(embedded: EmbeddedAws) -> Organization:
    """An organization that may be shared with."""
    made = Organization(embedded)
    made.allow_sharing()
    return made


def whole(organization: Organization) -> dict[str, str]:
    return {"Type": "ORGANIZATION", "Value": organization.id}


def unit_node(unit: dict[str, str]) -> dict[str, str]:
    return {"Type": "ORGANIZATIONAL_UNIT", "Value": unit["Id"]}


def share(shelf: Shelf, organization: Organization, node: dict[str, str], **more: Any) -> Any:
    """Share and wait: how it ended."""
    made = shelf.api.create_portfolio_share(
        PortfolioId=shelf.portfolio, OrganizationNode=node, **more
    )
    return organization.outcome(made["PortfolioShareToken"])


def seen_by(organization: Organization, member: str, kind: str = "AWS_ORGANIZATIONS") -> list[str]:
    """The IDs of the portfolios that an account has from others, without having imported any."""
    catalog = organization.client("servicecatalog", member)
    found = catalog.list_accepted_portfolio_shares(PortfolioShareType=kind)["PortfolioDetails"]
    return [portfolio["Id"] for portfolio in found]


def test_access_is_enabled_first_and_by_the_manager_of_an_organization(
    embedded: EmbeddedAws, shelf: Shelf
) -> None:
    assert code(shelf.api.enable_aws_organizations_access) == UNSUPPORTED
    organization = Organization(embedded)
    node = {"PortfolioId": shelf.portfolio, "OrganizationNode": whole(organization)}
    assert code(shelf.api.create_portfolio_share, **node) == UNSUPPORTED

    organization.allow_sharing()

    assert shelf.api.get_aws_organizations_access_status()["AccessStatus"] == "ENABLED"
    token = shelf.api.create_portfolio_share(**node)["PortfolioShareToken"]
    member = organization.client("servicecatalog", organization.member("a"))
    assert code(member.enable_aws_organizations_access) == UNSUPPORTED
    asked = code(member.describe_portfolio_share_status, PortfolioShareToken=token)
    assert asked == UNSUPPORTED
    portfolio = member.create_portfolio(DisplayName="Mine", ProviderName="Me")
    mine = portfolio["PortfolioDetail"]["Id"]
    refused = code(
        member.create_portfolio_share, PortfolioId=mine, OrganizationNode=whole(organization)
    )
    assert refused == UNSUPPORTED
    organization.outcome(token)
    shelf.api.disable_aws_organizations_access()
    # What is shared stays shared; nothing more is.
    assert len(shares(shelf, "ORGANIZATION")) == 1
    unit = {"PortfolioId": shelf.portfolio, "OrganizationNode": unit_node(organization.unit("b"))}
    assert code(shelf.api.create_portfolio_share, **unit) == UNSUPPORTED


def shares(shelf: Shelf, kind: str) -> list[dict[str, Any]]:
    found = shelf.api.describe_portfolio_shares(PortfolioId=shelf.portfolio, Type=kind)
    details: list[dict[str, Any]] = found["PortfolioShareDetails"]
    return details


def test_members_have_it_without_an_import_and_others_do_not(
    shelf: Shelf, organization: Organization
) -> None:
    member = organization.member("a")
    shelf.api.associate_principal_with_portfolio(
        PortfolioId=shelf.portfolio,
        PrincipalARN="arn:aws:iam:::role/launch*",
        PrincipalType="IAM_PATTERN",
    )

    ended = share(shelf, organization, whole(organization), SharePrincipals=True)

    assert (ended["Status"], ended["OrganizationNodeValue"]) == ("COMPLETED", organization.id)
    assert ended["ShareDetails"] == {"SuccessfulShares": [member], "ShareErrors": []}
    assert seen_by(organization, member) == [shelf.portfolio]
    # It is not one that was imported, nor can it be.
    assert seen_by(organization, member, "IMPORTED") == []
    catalog = organization.client("servicecatalog", member)
    here = {"PortfolioId": shelf.portfolio}
    assert code(catalog.accept_portfolio_share, **here) == "ResourceNotFoundException"
    principals = catalog.list_principals_for_portfolio(**here)["Principals"]
    assert [p["PrincipalARN"] for p in principals] == ["arn:aws:iam:::role/launch*"]
    assert seen_by(organization, "111122223333") == []


def test_unit_is_its_accounts_and_those_of_the_units_in_it(
    shelf: Shelf, organization: Organization
) -> None:
    outer = organization.unit("outer")
    inner = organization.unit("inner", outer["Id"])
    within = {organization.member("a", outer["Id"]), organization.member("b", inner["Id"])}
    beside = organization.member("c")

    ended = share(shelf, organization, unit_node(outer), ShareTagOptions=True)

    assert set(ended["ShareDetails"]["SuccessfulShares"]) == within
    assert {member for member in (*within, beside) if seen_by(organization, member)} == within
    [made] = shares(shelf, "ORGANIZATIONAL_UNIT")
    assert made == {
        "PrincipalId": outer["Id"],
        "Type": "ORGANIZATIONAL_UNIT",
        "Accepted": True,
        "ShareTagOptions": True,
        "SharePrincipals": False,
    }
    # Who moves in has it from then on.
    organization.move(beside, organization.root, inner["Id"])
    assert seen_by(organization, beside) == [shelf.portfolio]


def test_share_is_in_progress_before_members_have_it(
    shelf: Shelf, organization: Organization
) -> None:
    member = organization.member("a")
    unit = organization.unit("b")
    node = {"PortfolioId": shelf.portfolio, "OrganizationNode": whole(organization)}

    token = shelf.api.create_portfolio_share(**node)["PortfolioShareToken"]

    begun = shelf.api.describe_portfolio_share_status(PortfolioShareToken=token)
    assert (begun["Status"], begun["ShareDetails"]["SuccessfulShares"]) == ("IN_PROGRESS", [])
    assert seen_by(organization, member) == []
    # One thing is shared at a time; what is shared already is left as it is.
    second = {"PortfolioId": shelf.portfolio, "OrganizationNode": unit_node(unit)}
    assert code(shelf.api.create_portfolio_share, **second) == "InvalidStateException"
    again = shelf.api.create_portfolio_share(**node, ShareTagOptions=True)
    assert again["PortfolioShareToken"] == token
    assert organization.outcome(token)["Status"] == "COMPLETED"
    assert seen_by(organization, member) == [shelf.portfolio]
    assert shares(shelf, "ORGANIZATION")[0]["ShareTagOptions"] is False


@pytest.mark.parametrize(
    ("open_ones", "status"), [(1, "COMPLETED_WITH_ERRORS"), (0, "ERROR")], ids=["some", "none"]
)
def test_closed_account_is_not_reached(
    shelf: Shelf, organization: Organization, open_ones: int, status: str
) -> None:
    reached = [organization.member(f"open-{number}") for number in range(open_ones)]
    closed = organization.member("closed")
    organization.api.close_account(AccountId=closed)

    ended = share(shelf, organization, whole(organization))

    assert ended["Status"] == status
    details = ended["ShareDetails"]
    assert details["SuccessfulShares"] == reached
    [error] = details["ShareErrors"]
    assert (error["Accounts"], error["Message"]) == ([closed], "The account is suspended.")
    assert seen_by(organization, closed) == []


def test_nodes_are_listed_updated_and_removed(shelf: Shelf, organization: Organization) -> None:
    unit, member = organization.unit("a"), organization.member("b")
    here = {"PortfolioId": shelf.portfolio}
    # As an ARN it is the same node.
    as_arn = {"Type": "ORGANIZATIONAL_UNIT", "Value": unit["Arn"]}
    account = {"Type": "ACCOUNT", "Value": member}
    for node in (as_arn, account):
        share(shelf, organization, node)

    def listed(kind: str) -> list[dict[str, str]]:
        found = shelf.api.list_organization_portfolio_access(**here, OrganizationNodeType=kind)
        nodes: list[dict[str, str]] = found["OrganizationNodes"]
        return nodes

    assert listed("ORGANIZATIONAL_UNIT") == [unit_node(unit)]
    assert listed("ACCOUNT") == [account]
    assert listed("ORGANIZATION") == []
    assert seen_by(organization, member) == [shelf.portfolio]
    changed = shelf.api.update_portfolio_share(
        **here, OrganizationNode=unit_node(unit), SharePrincipals=True
    )
    organization.outcome(changed["PortfolioShareToken"])
    assert shares(shelf, "ORGANIZATIONAL_UNIT")[0]["SharePrincipals"] is True
    removed = shelf.api.delete_portfolio_share(**here, OrganizationNode=account)
    assert organization.outcome(removed["PortfolioShareToken"])["Status"] == "COMPLETED"
    assert listed("ACCOUNT") == []
    assert seen_by(organization, member) == []
    gone = code(shelf.api.delete_portfolio_share, **here, OrganizationNode=account)
    assert gone == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "node",
    [
        {"Type": "ORGANIZATION", "Value": "o-a1b2c3d4e5"},
        {"Type": "ORGANIZATION", "Value": "ou-abcd-12345678"},
        {"Type": "ORGANIZATIONAL_UNIT", "Value": "ou-abcd-12345678"},
        {"Type": "ACCOUNT", "Value": "111122223333"},
        {},
    ],
    ids=str,
)
def test_node_of_no_organization_is_refused(
    shelf: Shelf, organization: Organization, node: dict[str, str]
) -> None:
    assert organization.id
    refused = code(
        shelf.api.create_portfolio_share, PortfolioId=shelf.portfolio, OrganizationNode=node
    )
    assert refused == "InvalidParametersException"
