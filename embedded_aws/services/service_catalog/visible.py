"""The portfolios and products that an account sees: its own, and those that other accounts share with it.

An account imports a share by accepting it; a share with the organization, or with an organizational unit, needs no import.
"""

from ministack.core.responses import get_account_id, get_region

from embedded_aws.bridge import tables
from embedded_aws.services.records import Request
from embedded_aws.services.service_catalog import organization, share_operations, state
from embedded_aws.services.service_catalog.state import Record


def portfolios() -> list[Record]:
    """Own portfolios and shared ones; a change of a shared one does not affect its owner."""
    return [
        *state.portfolios.values(),
        *(in_this_account(s) for s in incoming_shares() if s["Accepted"]),
    ]


def portfolio_of(identifier: str) -> Record:
    """The portfolio with this ID, own or shared; refused if it does not exist."""
    for portfolio in portfolios():
        if portfolio["Id"] == identifier:
            return portfolio
    raise state.not_found("Portfolio", identifier)


def products() -> list[Record]:
    """Own products, and those of shared portfolios."""
    own = get_account_id()
    shared = {identifier for p in portfolios() if p["Owner"] != own for identifier in p["Products"]}
    others = [p for p in state.records_of_all_accounts(state.products) if p["Id"] in shared]
    return [*state.products.values(), *(p for p in others if p["Id"] not in state.products)]


def product_of(request: Request) -> Record:
    """The product with ProductId or Id, or else with ProductName or Name, own or shared."""
    names = ("Id", "Name") if "Id" in request or "Name" in request else ("ProductId", "ProductName")
    given = state.exactly_one(request, *names)
    member, wanted = ("Id" if given.endswith("Id") else "Name"), request[given]
    return state.record_named("Product", wanted, [p for p in products() if p[member] == wanted])


def incoming_shares() -> list[Record]:
    """The shares of this region with this account, each with the account of its owner."""
    own = get_account_id()
    return [
        {**share, "Owner": account}
        for (account, region, _), share in tables.everywhere(state.shares)
        if region == get_region() and account != own and _reaches(share, account, own)
    ]


def _reaches(share: Record, owner: str, account: str) -> bool:
    if share["Type"] == "ACCOUNT":
        return bool(share["PrincipalId"] == account)
    # The accounts of an organization see it when sharing has ended, if it reached them.
    made = state.share_operations.get_scoped(owner, get_region(), share["Token"])
    return not share_operations.in_progress(made) and any(
        member["Id"] == account and member["Status"] == "ACTIVE"
        for member in organization.members(owner, share["Type"], share["PrincipalId"])
    )


def in_this_account(share: Record) -> Record:
    """A shared portfolio with the principals and tag options that it has in this account."""
    portfolio = state.portfolios.get_scoped(share["Owner"], get_region(), share["PortfolioId"])
    patterns = [
        principal
        for principal in portfolio["Principals"]
        if share["SharePrincipals"] and principal["PrincipalType"] == "IAM_PATTERN"
    ]
    local = state.local_principals.get(portfolio["Id"], [])
    options = portfolio["TagOptions"] if share["ShareTagOptions"] else []
    return {**portfolio, "Principals": [*patterns, *local], "TagOptions": options}


def own_principals(identifier: str) -> list[Record]:
    """The principals that this account has associated with a portfolio; callers change this list."""
    if identifier in state.portfolios:
        principals: list[Record] = state.portfolios[identifier]["Principals"]
        return principals
    portfolio_of(identifier)
    local: list[Record] = state.local_principals.setdefault(identifier, [])
    return local
