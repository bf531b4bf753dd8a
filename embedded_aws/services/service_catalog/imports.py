"""Portfolios that other accounts share with this one.

A share with an account is imported by accepting it; a share with the organization, or with an
organizational unit, is there for its accounts without that.
"""

from ministack.core.responses import get_account_id, get_region
from ministack.services import organizations

from embedded_aws.services.records import Request
from embedded_aws.services.service_catalog import state
from embedded_aws.services.service_catalog.portfolios import detail
from embedded_aws.services.service_catalog.state import Answer, Record


def imported() -> list[Record]:
    """The portfolios shared with this account, each with the principals that it has here.

    Changing them changes nothing in the account that owns them.
    """
    return [_here(share) for share in _offered() if share["Accepted"]]


def _offered() -> list[Record]:
    """The shares of this region that reach this account."""
    own = get_account_id()
    return [
        {**share, "Owner": account}
        for (account, region, _), share in list(state.shares._data.items())
        if region == get_region() and account != own and _reaches(share, account, own)
    ]


def _reaches(share: Record, owner: str, account: str) -> bool:
    if share["Type"] in ("ACCOUNT", "ORGANIZATION_MEMBER_ACCOUNT"):
        return bool(share["PrincipalId"] == account)
    member = organizations._accounts.get_scoped(owner, None, account)
    if member is None:
        return False
    if share["Type"] == "ORGANIZATION":
        organization = organizations._orgs.get_scoped(owner, None, "self") or {}
        return bool(organization.get("Id") == share["PrincipalId"])
    node = member
    while node is not None:
        parent = node.get("_ParentId")
        if parent == share["PrincipalId"]:
            return True
        node = organizations._ous.get_scoped(owner, None, parent)
    return False


def _here(share: Record) -> Record:
    portfolio = state.portfolios.get_scoped(share["Owner"], get_region(), share["PortfolioId"])
    patterns = [
        principal
        for principal in portfolio["Principals"]
        if share["SharePrincipals"] and principal["PrincipalType"] == "IAM_PATTERN"
    ]
    local = state.local_principals.get(portfolio["Id"], [])
    options = portfolio["TagOptions"] if share["ShareTagOptions"] else []
    return {**portfolio, "Principals": [*patterns, *local], "TagOptions": options}


def _accept(request: Request) -> Answer:
    share = _offer(request)
    _set_accepted(share, accepted=True)
    return {}


def _reject(request: Request) -> Answer:
    share = _offer(request)
    _set_accepted(share, accepted=False)
    state.local_principals.pop(share["PortfolioId"], None)
    return {}


def _offer(request: Request) -> Record:
    """The share that a request accepts or rejects."""
    for share in _offered():
        if share["PortfolioId"] == request["PortfolioId"] and _is_of(share, request):
            return share
    raise state.missing("Portfolio share", request["PortfolioId"])


def _is_of(share: Record, request: Request) -> bool:
    """Whether a share is of the PortfolioShareType of the request."""
    kind = request.get("PortfolioShareType", "IMPORTED")
    return bool(kind == ("IMPORTED" if share["Type"] == "ACCOUNT" else "AWS_ORGANIZATIONS"))


def _set_accepted(share: Record, *, accepted: bool) -> None:
    key = f"{share['PortfolioId']}/{share['Type']}/{share['PrincipalId']}"
    if share["Type"] == "ACCOUNT":
        state.shares.get_scoped(share["Owner"], get_region(), key)["Accepted"] = accepted


def _list(request: Request) -> Answer:
    shares = [share for share in _offered() if share["Accepted"] and _is_of(share, request)]
    return state.page(request, "PortfolioDetails", [detail(_here(share)) for share in shares])


OPERATIONS = {
    "AcceptPortfolioShare": _accept,
    "RejectPortfolioShare": _reject,
    "ListAcceptedPortfolioShares": _list,
}
