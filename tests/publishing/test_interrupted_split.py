"""Production moves to a portfolio with its own launch role: after every interruption, a launched environment can be updated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.publishing.conftest import Publisher
from tests.publishing.interruptions import Trials, split_portfolio
from tests.publishing.states import StatefulAws

WRITES = {
    "CreateChangeSet",
    "ExecuteChangeSet",
    "UpdateTerminationProtection",
    "TagRole",
    "PutRolePermissionsBoundary",
    "CreatePortfolio",
    "UpdateProvisioningArtifact",
    "AssociateProductWithPortfolio",
    "CreateConstraint",
    "UpdateConstraint",
    "AssociatePrincipalWithPortfolio",
    "DeleteConstraint",
    "DisassociateProductFromPortfolio",
}
LAST = ["DeleteConstraint"] * 3 + ["DisassociateProductFromPortfolio"]


def ways(publisher: Publisher, name: str) -> list[dict[str, Any]]:
    """The portfolios by which a product is launched and updated: with a launch role that exists, and principals."""
    catalog, iam = publisher.catalog, publisher.aws.client("iam")
    product = catalog.describe_product_as_admin(Name=name)["ProductViewDetail"]
    place = {"ProductId": product["ProductViewSummary"]["ProductId"]}
    found = []
    for portfolio in catalog.list_portfolios_for_product(**place)["PortfolioDetails"]:
        constraints = catalog.list_constraints_for_portfolio(PortfolioId=portfolio["Id"], **place)
        roles = [
            json.loads(catalog.describe_constraint(Id=each["ConstraintId"])["ConstraintParameters"])
            for each in constraints["ConstraintDetails"]
            if each["Type"] == "LAUNCH"
        ]
        admitted = catalog.list_principals_for_portfolio(PortfolioId=portfolio["Id"])["Principals"]
        if roles and admitted and exists(iam, roles[0]["LocalRoleName"]):
            found.append(portfolio)
    return found


def exists(iam: Any, role: str) -> bool:
    try:
        iam.get_role(RoleName=role)
    except ClientError:
        return False
    return True


def every_product_has_a_way(publisher: Publisher) -> None:
    for name in ("Production", "Development"):
        assert ways(publisher, name), name


def test_every_call_meets_every_fault(
    stateful_publisher: Publisher, stateful_aws: StatefulAws, subtests: pytest.Subtests
) -> None:
    trials = Trials.of(split_portfolio, stateful_publisher, stateful_aws, every_product_has_a_way)
    assert trials.writes == WRITES
    writes = [name for name in trials.made if name.split()[0] in WRITES]
    stack = ["CreateChangeSet", "ExecuteChangeSet", "UpdateTerminationProtection"]
    assert writes[:6] == stack * 2
    assert writes[6:8] == ["TagRole", "PutRolePermissionsBoundary"]
    assert writes[-len(LAST) :] == LAST
    [portfolio] = ways(stateful_publisher, "Production")
    assert portfolio["DisplayName"] == "For customers"

    trials.meet_every_fault(subtests)
