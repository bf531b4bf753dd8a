"""Portfolios with their products and principals."""

import re
import time

from ministack.core.responses import get_account_id

from embedded_aws.services.records import Request
from embedded_aws.services.service_catalog import state, visible
from embedded_aws.services.service_catalog.administration.constraints import constraints_of
from embedded_aws.services.service_catalog.administration.tag_options import shown_options
from embedded_aws.services.service_catalog.state import Answer, Record
from embedded_aws.services.service_catalog.visible import own_principals, product_of

# https://docs.aws.amazon.com/servicecatalog/latest/adminguide/limits.html
_MOST_PORTFOLIOS = 100
_MOST_PRODUCTS = 150
_MOST_PRINCIPALS = 100
# API_AssociatePrincipalWithPortfolio.
_MOST_PATTERNS = 10
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:((user|group|role)/.+|root)")
_PATTERN = re.compile(r"arn:aws[a-z-]*:iam:::(user|group|role)/.+")


def _create(request: Request) -> Answer:
    if len(state.portfolios) >= _MOST_PORTFOLIOS:
        raise state.limit_error(_MOST_PORTFOLIOS, "portfolios per region")
    identifier = state.new_id("port")
    portfolio = {
        "Id": identifier,
        "ARN": state.arn("portfolio", identifier),
        "CreatedTime": time.time(),
        **state.present_members(request, "DisplayName", "Description", "ProviderName"),
        "Tags": state.checked_tags(request.get("Tags", [])),
        "Products": [],
        "Principals": [],
        "TagOptions": [],
        "PathId": state.new_id("lpv3"),
        "Owner": get_account_id(),
    }
    state.portfolios[identifier] = portfolio
    return {"PortfolioDetail": detail(portfolio), "Tags": portfolio["Tags"]}


def portfolio_of(identifier: str) -> Record:
    """The portfolio with this ID; refused if it does not exist."""
    return state.find(state.portfolios, "Portfolio", identifier)


def detail(portfolio: Record) -> Record:
    """A portfolio in the form of all operations."""
    return state.present_members(
        portfolio, "Id", "ARN", "DisplayName", "Description", "CreatedTime", "ProviderName"
    )


def _describe(request: Request) -> Answer:
    portfolio = visible.portfolio_of(request["Id"])
    return {
        "PortfolioDetail": detail(portfolio),
        "Tags": portfolio["Tags"],
        "TagOptions": shown_options(portfolio),
        "Budgets": [],
    }


def _update(request: Request) -> Answer:
    portfolio = portfolio_of(request["Id"])
    tags = state.tags_after(portfolio, request)
    portfolio.update(
        state.present_members(request, "DisplayName", "Description", "ProviderName"), Tags=tags
    )
    return {"PortfolioDetail": detail(portfolio), "Tags": tags}


def _delete(request: Request) -> Answer:
    portfolio = portfolio_of(request["Id"])
    shared = any(share["PortfolioId"] == portfolio["Id"] for share in state.shares.values())
    if portfolio["Products"] or portfolio["Principals"] or shared:
        raise state.in_use(
            f"Portfolio {portfolio['Id']} has associated products, principals or shares."
        )
    del state.portfolios[portfolio["Id"]]
    return {}


def _list(request: Request) -> Answer:
    return state.page(request, "PortfolioDetails", map(detail, state.portfolios.values()))


def _list_for_product(request: Request) -> Answer:
    product = product_of({"ProductId": request["ProductId"]})
    having = [p for p in visible.portfolios() if product["Id"] in p["Products"]]
    return state.page(request, "PortfolioDetails", map(detail, having))


def _associate_product(request: Request) -> Answer:
    portfolio = portfolio_of(request["PortfolioId"])
    product = product_of({"ProductId": request["ProductId"]})
    if product["Id"] in portfolio["Products"]:
        return {}
    if len(portfolio["Products"]) >= _MOST_PRODUCTS:
        raise state.limit_error(_MOST_PRODUCTS, "products per portfolio")
    portfolio["Products"].append(product["Id"])
    return {}


def _disassociate_product(request: Request) -> Answer:
    portfolio = portfolio_of(request["PortfolioId"])
    if request["ProductId"] not in portfolio["Products"]:
        raise state.not_found("Product", request["ProductId"])
    if constraints_of(portfolio["Id"], request["ProductId"]):
        raise state.in_use(
            f"Product {request['ProductId']} has constraints in portfolio {portfolio['Id']}."
        )
    portfolio["Products"].remove(request["ProductId"])
    return {}


def _associate_principal(request: Request) -> Answer:
    principal = state.present_members(request, "PrincipalARN", "PrincipalType")
    kind, known = principal["PrincipalType"], own_principals(request["PortfolioId"])
    form = _PATTERN if kind == "IAM_PATTERN" else _PRINCIPAL
    if not form.fullmatch(principal["PrincipalARN"]):
        raise state.invalid(
            f"{principal['PrincipalARN']} is not a valid PrincipalARN of type {kind}."
        )
    if principal in known:
        return {}
    patterns = [one for one in known if one["PrincipalType"] == "IAM_PATTERN"]
    if kind == "IAM_PATTERN" and len(patterns) >= _MOST_PATTERNS:
        raise state.limit_error(_MOST_PATTERNS, "principals of type IAM_PATTERN per portfolio")
    if len(known) >= _MOST_PRINCIPALS:
        raise state.limit_error(_MOST_PRINCIPALS, "principals per portfolio")
    known.append(principal)
    return {}


def _disassociate_principal(request: Request) -> Answer:
    known = own_principals(request["PortfolioId"])
    principal = {
        "PrincipalType": "IAM",
        **state.present_members(request, "PrincipalARN", "PrincipalType"),
    }
    if principal not in known:
        raise state.not_found("Principal", principal["PrincipalARN"])
    known.remove(principal)
    return {}


def _list_principals(request: Request) -> Answer:
    portfolio = visible.portfolio_of(request["PortfolioId"])
    return state.page(request, "Principals", portfolio["Principals"])


OPERATIONS = {
    "CreatePortfolio": _create,
    "DescribePortfolio": _describe,
    "UpdatePortfolio": _update,
    "DeletePortfolio": _delete,
    "ListPortfolios": _list,
    "ListPortfoliosForProduct": _list_for_product,
    "AssociateProductWithPortfolio": _associate_product,
    "DisassociateProductFromPortfolio": _disassociate_product,
    "AssociatePrincipalWithPortfolio": _associate_principal,
    "DisassociatePrincipalFromPortfolio": _disassociate_principal,
    "ListPrincipalsForPortfolio": _list_principals,
}
