"""What a portfolio carries: constraints, principals, tag options and shares."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import Account
from tests.embedded_aws.service_catalog import ROOT, RULES, TAGS_ALLOWED, Shelf, code, make_role


@pytest.fixture
def shelf(account: Account) -> Shelf:
    return Shelf(account)


def test_deletions_go_from_the_outside_in(shelf: Shelf) -> None:
    constraint = shelf.constrain("TEMPLATE", RULES)
    pair = {"ProductId": shelf.product, "PortfolioId": shelf.portfolio}
    api = shelf.api
    assert code(api.delete_product, Id=shelf.product) == "ResourceInUseException"
    assert code(api.delete_portfolio, Id=shelf.portfolio) == "ResourceInUseException"
    refused = code(api.disassociate_product_from_portfolio, **pair)
    assert refused == "ResourceInUseException"
    api.delete_constraint(Id=constraint)
    api.disassociate_product_from_portfolio(**pair)
    assert code(api.delete_portfolio, Id=shelf.portfolio) == "ResourceInUseException"
    api.disassociate_principal_from_portfolio(
        PortfolioId=shelf.portfolio, PrincipalARN=ROOT, PrincipalType="IAM"
    )
    api.delete_portfolio(Id=shelf.portfolio)
    api.delete_product(Id=shelf.product)
    assert api.search_products_as_admin()["ProductViewDetails"] == []


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("LAUNCH", {}),
        ("LAUNCH", {"RoleArn": "carbon"}),
        ("LAUNCH", {"RoleArn": "arn:aws:iam::123456789012:role/a", "LocalRoleName": "a"}),
        ("LAUNCH", {"LocalRoleName": "nobody"}),
        ("TEMPLATE", {"Rules": {}}),
        ("TEMPLATE", {"Rules": {"A": {"Assertions": []}}}),
        ("TEMPLATE", {"Rules": {"A": {"Assertions": [{"Assert": {"Fn::If": []}}]}}}),
        ("NOTIFICATION", {"NotificationArns": ["topic"]}),
        ("NOTIFICATION", {"NotificationArns": []}),
        ("RESOURCE_UPDATE", {"Version": "2.0", "Properties": {}}),
        ("STACKSET", {"Version": "1"}),
        ("LUNCH", {}),
        ("TEMPLATE", []),
    ],
)
def test_constraint_that_means_nothing_is_refused(shelf: Shelf, kind: str, parameters: Any) -> None:
    with pytest.raises(ClientError, match="InvalidParametersException"):
        shelf.constrain(kind, parameters)
    listed = shelf.api.list_constraints_for_portfolio(PortfolioId=shelf.portfolio)
    assert listed["ConstraintDetails"] == []


def test_constraints_come_once(shelf: Shelf) -> None:
    role = make_role(shelf.account)
    shelf.constrain("LAUNCH", {"LocalRoleName": "launch-role"})
    shelf.constrain("TEMPLATE", RULES)
    shelf.constrain("RESOURCE_UPDATE", TAGS_ALLOWED)
    for kind, parameters in (
        ("LAUNCH", {"RoleArn": role}),
        ("TEMPLATE", RULES),
        ("RESOURCE_UPDATE", TAGS_ALLOWED),
    ):
        with pytest.raises(ClientError, match="DuplicateResourceException"):
            shelf.constrain(kind, parameters)
    stack_set = {
        "Version": "2.0",
        "Properties": {
            "AccountList": ["123456789012"],
            "RegionList": ["eu-north-1"],
            "AdminRole": role,
            "ExecutionRole": "execution",
        },
    }
    with pytest.raises(ClientError, match="both a STACKSET and a LAUNCH"):
        shelf.constrain("STACKSET", stack_set)


def test_constraint_is_changed_in_place(shelf: Shelf) -> None:
    identifier = shelf.constrain("TEMPLATE", RULES)
    other = json.loads(json.dumps(RULES).replace("OnlyProd", "OnlyThis"))
    shelf.api.update_constraint(Id=identifier, Description="d", Parameters=json.dumps(other))
    described = shelf.api.describe_constraint(Id=identifier)
    assert json.loads(described["ConstraintParameters"]) == other
    assert described["ConstraintDetail"]["Description"] == "d"
    refused = code(shelf.api.update_constraint, Id=identifier, Parameters="{}")
    assert refused == "InvalidParametersException"


def test_tag_options_are_unique_and_associated_once(shelf: Shelf) -> None:
    api = shelf.api
    option = api.create_tag_option(Key="Team", Value="a")["TagOptionDetail"]["Id"]
    other = api.create_tag_option(Key="Team", Value="b")["TagOptionDetail"]["Id"]
    duplicate = "DuplicateResourceException"
    assert code(api.create_tag_option, Key="Team", Value="a") == duplicate
    assert code(api.update_tag_option, Id=other, Value="a") == duplicate
    pair = {"ResourceId": shelf.portfolio, "TagOptionId": option}
    api.associate_tag_option_with_resource(**pair)
    assert code(api.associate_tag_option_with_resource, **pair) == duplicate
    assert code(api.delete_tag_option, Id=option) == "ResourceInUseException"
    options = api.describe_portfolio(Id=shelf.portfolio)["TagOptions"]
    assert [o["Id"] for o in options] == [option]
    listed = api.list_tag_options(Filters={"Value": "b"})["TagOptionDetails"]
    assert [o["Id"] for o in listed] == [other]
    users = api.list_resources_for_tag_option(TagOptionId=option)["ResourceDetails"]
    assert [u["Id"] for u in users] == [shelf.portfolio]
    api.disassociate_tag_option_from_resource(**pair)
    api.delete_tag_option(Id=option)


def test_principals_have_the_form_of_their_type(shelf: Shelf) -> None:
    def refused(arn: str, kind: str) -> bool:
        request = {"PortfolioId": shelf.portfolio, "PrincipalARN": arn, "PrincipalType": kind}
        try:
            shelf.api.associate_principal_with_portfolio(**request)
        except ClientError as problem:
            return bool(problem.response["Error"]["Code"] == "InvalidParametersException")
        return False

    assert refused("arn:aws:iam:::role/a", "IAM")
    assert refused("arn:aws:iam::123456789012:role/a", "IAM_PATTERN")
    assert refused("arn:aws:iam:::*/a", "IAM_PATTERN")
    assert not refused("arn:aws:iam:::role/a*", "IAM_PATTERN")
    assert not refused("arn:aws:iam::123456789012:role/path/a", "IAM")
    assert not refused("arn:aws:iam::123456789012:role/path/a", "IAM")
    listed = shelf.api.list_principals_for_portfolio(PortfolioId=shelf.portfolio)["Principals"]
    assert [p["PrincipalARN"].rpartition(":")[2] for p in listed] == [
        "root",
        "role/a*",
        "role/path/a",
    ]


def test_ten_patterns_are_the_most(shelf: Shelf) -> None:
    def associate(number: int) -> None:
        shelf.api.associate_principal_with_portfolio(
            PortfolioId=shelf.portfolio,
            PrincipalARN=f"arn:aws:iam:::role/a{number}*",
            PrincipalType="IAM_PATTERN",
        )

    for number in range(10):
        associate(number)
    with pytest.raises(ClientError, match="LimitExceededException"):
        associate(10)


def test_share_with_an_account(shelf: Shelf) -> None:
    api, here = shelf.api, {"PortfolioId": shelf.portfolio}
    other = {**here, "AccountId": "111122223333"}
    assert "PortfolioShareToken" not in api.create_portfolio_share(**other)

    def shares() -> list[dict[str, Any]]:
        found = api.describe_portfolio_shares(**here, Type="ACCOUNT")
        details: list[dict[str, Any]] = found["PortfolioShareDetails"]
        return details

    assert [(s["PrincipalId"], s["Accepted"]) for s in shares()] == [("111122223333", False)]
    assert api.list_portfolio_access(**here)["AccountIds"] == ["111122223333"]
    assert api.update_portfolio_share(**other, ShareTagOptions=True)["Status"] == "COMPLETED"
    assert shares()[0]["ShareTagOptions"] is True
    api.delete_portfolio_share(**other)
    assert shares() == []
    assert code(api.delete_portfolio_share, **other) == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "target",
    [
        {"AccountId": "123456789012"},
        {},
        {"AccountId": "111122223333", "SharePrincipals": True},
    ],
)
def test_share_with_nobody_is_refused(shelf: Shelf, target: dict[str, Any]) -> None:
    refused = code(shelf.api.create_portfolio_share, PortfolioId=shelf.portfolio, **target)
    assert refused in ("InvalidParametersException", "ValidationException")
