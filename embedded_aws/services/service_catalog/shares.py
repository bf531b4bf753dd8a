"""Portfolio shares with accounts, organizational units and the organization."""

import re

from ministack.core.responses import get_account_id, get_region

from embedded_aws.services.records import Refusal, Request
from embedded_aws.services.service_catalog import portfolios, state, visible
from embedded_aws.services.service_catalog.state import Answer, Record

_NODES = {
    "ACCOUNT": re.compile(r"\d{12}"),
    "ORGANIZATION": re.compile(r"o-[a-z0-9]{10,32}"),
    "ORGANIZATIONAL_UNIT": re.compile(r"(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32})"),
}


# The key of the only entry.
_ACCESS = "enabled"


def _with(request: Request) -> tuple[str, str]:
    """Type and identifier of whom a request shares with."""
    state.one_of(request, "AccountId", "OrganizationNode")
    if "AccountId" in request:
        kind, principal = "ACCOUNT", request["AccountId"]
    else:
        node = request["OrganizationNode"]
        kind, principal = node.get("Type", ""), node.get("Value", "")
        # An account of the organization is shared with as a member, without an import.
        if kind == "ACCOUNT":
            return "ORGANIZATION_MEMBER_ACCOUNT", principal
    if kind not in _NODES or not _NODES[kind].fullmatch(principal):
        raise state.invalid(f"{principal!r} is not the identifier of a node of type {kind}.")
    if principal == get_account_id():
        raise state.invalid("A portfolio cannot be shared with the account that owns it.")
    return kind, principal


def _create(request: Request) -> Answer:
    portfolio = state.find(state.portfolios, "Portfolio", request["PortfolioId"])
    kind, principal = _with(request)
    if kind == "ACCOUNT" and request.get("SharePrincipals"):
        raise state.invalid("SharePrincipals is supported for organization nodes only.")
    if kind != "ACCOUNT" and not state.organizations_access.get(_ACCESS):
        raise Refusal(
            "OperationNotSupportedException",
            "AWSOrganizationsAccess must be enabled to share a portfolio with an organization node.",
        )
    share = _share_of(portfolio["Id"], kind, principal)
    # API_CreatePortfolioShare: a share that exists is left as it is, and no error.
    if share is None:
        share = {
            "PortfolioId": portfolio["Id"],
            "PrincipalId": principal,
            "Type": kind,
            "Accepted": kind != "ACCOUNT",
            "ShareTagOptions": bool(request.get("ShareTagOptions")),
            "SharePrincipals": bool(request.get("SharePrincipals")),
            "Token": state.new_id("share"),
        }
        state.shares[_key(portfolio["Id"], kind, principal)] = share
    return {} if kind == "ACCOUNT" else {"PortfolioShareToken": share["Token"]}


def _key(portfolio: str, kind: str, principal: str) -> str:
    return f"{portfolio}/{kind}/{principal}"


def _share_of(portfolio: str, kind: str, principal: str) -> Record | None:
    share: Record | None = state.shares.get(_key(portfolio, kind, principal))
    return share


def _known(request: Request) -> Record:
    state.find(state.portfolios, "Portfolio", request["PortfolioId"])
    kind, principal = _with(request)
    share = _share_of(request["PortfolioId"], kind, principal)
    if share is None:
        raise state.missing("Portfolio share", f"{request['PortfolioId']} with {principal}")
    return share


def _update(request: Request) -> Answer:
    share = _known(request)
    if share["Type"] == "ACCOUNT" and request.get("SharePrincipals"):
        raise state.invalid("SharePrincipals is supported for organization nodes only.")
    share.update(state.chosen(request, "ShareTagOptions", "SharePrincipals"))
    return {"PortfolioShareToken": share["Token"], "Status": "COMPLETED"}


def _delete(request: Request) -> Answer:
    share = _known(request)
    del state.shares[_key(share["PortfolioId"], share["Type"], share["PrincipalId"])]
    return {} if share["Type"] == "ACCOUNT" else {"PortfolioShareToken": share["Token"]}


def _describe(request: Request) -> Answer:
    found = [
        state.chosen(share, "PrincipalId", "Type", "Accepted", "ShareTagOptions", "SharePrincipals")
        for share in _shares_of(request)
        if share["Type"] == request["Type"]
    ]
    return state.page(request, "PortfolioShareDetails", found)


def _shares_of(request: Request) -> list[Record]:
    portfolio = state.find(state.portfolios, "Portfolio", request["PortfolioId"])
    return [s for s in state.shares.values() if s["PortfolioId"] == portfolio["Id"]]


def _describe_status(request: Request) -> Answer:
    token = request["PortfolioShareToken"]
    for share in state.shares.values():
        if share["Token"] == token:
            return {
                "PortfolioShareToken": token,
                "PortfolioId": share["PortfolioId"],
                "OrganizationNodeValue": share["PrincipalId"],
                "Status": "COMPLETED",
                "ShareDetails": {"SuccessfulShares": [], "ShareErrors": []},
            }
    raise state.missing("Portfolio share token", token)


def _list_access(request: Request) -> Answer:
    accounts = [s["PrincipalId"] for s in _shares_of(request) if s["Type"] == "ACCOUNT"]
    return state.page(request, "AccountIds", accounts)


def _list_organization_access(request: Request) -> Answer:
    kind = request["OrganizationNodeType"]
    kept = {"ACCOUNT": "ORGANIZATION_MEMBER_ACCOUNT"}.get(kind, kind)
    nodes = [
        {"Type": kind, "Value": share["PrincipalId"]}
        for share in _shares_of(request)
        if share["Type"] == kept
    ]
    return state.page(request, "OrganizationNodes", nodes)


def _enable_access(_request: Request) -> Answer:
    state.organizations_access[_ACCESS] = True
    return {}


def _disable_access(_request: Request) -> Answer:
    state.organizations_access.pop(_ACCESS, None)
    return {}


def _access_status(_request: Request) -> Answer:
    enabled = state.organizations_access.get(_ACCESS)
    return {"AccessStatus": "ENABLED" if enabled else "DISABLED"}


def _accept(request: Request) -> Answer:
    _set_accepted(_offer(request), accepted=True)
    return {}


def _reject(request: Request) -> Answer:
    share = _offer(request)
    _set_accepted(share, accepted=False)
    state.local_principals.pop(share["PortfolioId"], None)
    return {}


def _offer(request: Request) -> Record:
    """The share that a request accepts or rejects."""
    for share in visible.offered():
        if share["PortfolioId"] == request["PortfolioId"] and _is_of(share, request):
            return share
    raise state.missing("Portfolio share", request["PortfolioId"])


def _is_of(share: Record, request: Request) -> bool:
    """Whether a share is of the PortfolioShareType of the request."""
    kind = request.get("PortfolioShareType", "IMPORTED")
    return bool(kind == ("IMPORTED" if share["Type"] == "ACCOUNT" else "AWS_ORGANIZATIONS"))


def _set_accepted(share: Record, *, accepted: bool) -> None:
    """Accept or reject a share with an account; those of an organization are accepted always."""
    key = _key(share["PortfolioId"], share["Type"], share["PrincipalId"])
    if share["Type"] == "ACCOUNT":
        state.shares.get_scoped(share["Owner"], get_region(), key)["Accepted"] = accepted


def _list_accepted(request: Request) -> Answer:
    accepted = [s for s in visible.offered() if s["Accepted"] and _is_of(s, request)]
    found = [portfolios.detail(visible.here(share)) for share in accepted]
    return state.page(request, "PortfolioDetails", found)


OPERATIONS = {
    "EnableAWSOrganizationsAccess": _enable_access,
    "DisableAWSOrganizationsAccess": _disable_access,
    "GetAWSOrganizationsAccessStatus": _access_status,
    "CreatePortfolioShare": _create,
    "UpdatePortfolioShare": _update,
    "DeletePortfolioShare": _delete,
    "DescribePortfolioShares": _describe,
    "DescribePortfolioShareStatus": _describe_status,
    "ListPortfolioAccess": _list_access,
    "AcceptPortfolioShare": _accept,
    "RejectPortfolioShare": _reject,
    "ListAcceptedPortfolioShares": _list_accepted,
    "ListOrganizationPortfolioAccess": _list_organization_access,
}
