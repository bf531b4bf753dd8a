"""Portfolio shares with accounts, organizational units and the organization."""

import re

from ministack.core.responses import get_account_id, get_region

from embedded_aws.services.records import Request, ServiceError
from embedded_aws.services.service_catalog import organization, share_operations, state, visible
from embedded_aws.services.service_catalog.administration import portfolios
from embedded_aws.services.service_catalog.state import Answer, Record

_ACCOUNT = re.compile(r"\d{12}")
# Types of organization nodes: in requests, and in lists of shares.
_NODES = {
    "ORGANIZATION": "ORGANIZATION",
    "ORGANIZATIONAL_UNIT": "ORGANIZATIONAL_UNIT",
    "ACCOUNT": "ORGANIZATION_MEMBER_ACCOUNT",
}
# The key of the only entry.
_ACCESS = "enabled"


def _recipient(request: Request) -> tuple[str, str]:
    """Type and identifier of the recipient in a request; a node can be given by its ARN."""
    if state.exactly_one(request, "AccountId", "OrganizationNode") == "AccountId":
        kind, principal = "ACCOUNT", request["AccountId"]
        if not _ACCOUNT.fullmatch(principal):
            raise state.invalid(f"{principal!r} is not the identifier of an account.")
    else:
        organization.require_manager()
        node = request["OrganizationNode"]
        given = node.get("Type", "")
        kind, principal = _NODES.get(given, ""), node.get("Value", "").rpartition("/")[2]
        if not kind or not organization.has(given, principal):
            raise state.invalid(f"{principal!r} is no node of type {given} of the organization.")
    if principal == get_account_id():
        raise state.invalid("A portfolio cannot be shared with the account that owns it.")
    return kind, principal


def _require_access() -> None:
    if not state.organizations_access.get(_ACCESS):
        raise ServiceError(
            "OperationNotSupportedException",
            "AWSOrganizationsAccess must be enabled to share a portfolio with an organization node.",
        )


def _create(request: Request) -> Answer:
    portfolio = state.find(state.portfolios, "Portfolio", request["PortfolioId"])
    kind, principal = _recipient(request)
    if kind == "ACCOUNT" and request.get("SharePrincipals"):
        raise state.invalid("SharePrincipals is supported for organization nodes only.")
    if kind != "ACCOUNT":
        _require_access()
    share = _share_of(portfolio["Id"], kind, principal)
    # API_CreatePortfolioShare: the call does not change an existing share, and returns no error.
    if share is None:
        operation = share_operations.begin(portfolio["Id"], kind, principal)
        share = {
            "PortfolioId": portfolio["Id"],
            "PrincipalId": principal,
            "Type": kind,
            "Accepted": kind != "ACCOUNT",
            "ShareTagOptions": bool(request.get("ShareTagOptions")),
            "SharePrincipals": bool(request.get("SharePrincipals")),
            "Token": operation["Token"],
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
    kind, principal = _recipient(request)
    share = _share_of(request["PortfolioId"], kind, principal)
    if share is None:
        raise state.not_found("Portfolio share", f"{request['PortfolioId']} with {principal}")
    return share


def _update(request: Request) -> Answer:
    share = _known(request)
    if share["Type"] == "ACCOUNT" and request.get("SharePrincipals"):
        raise state.invalid("SharePrincipals is supported for organization nodes only.")
    operation = share_operations.begin(*_place(share))
    share.update(state.present_members(request, "ShareTagOptions", "SharePrincipals"))
    return {
        "PortfolioShareToken": operation["Token"],
        "Status": share_operations.status_of(operation),
    }


def _delete(request: Request) -> Answer:
    share = _known(request)
    operation = share_operations.begin(*_place(share))
    del state.shares[_key(*_place(share))]
    return {} if share["Type"] == "ACCOUNT" else {"PortfolioShareToken": operation["Token"]}


def _place(share: Record) -> tuple[str, str, str]:
    return share["PortfolioId"], share["Type"], share["PrincipalId"]


def _describe(request: Request) -> Answer:
    found = [
        state.present_members(
            share, "PrincipalId", "Type", "Accepted", "ShareTagOptions", "SharePrincipals"
        )
        for share in _shares_of(request)
        if share["Type"] == request["Type"]
    ]
    return state.page(request, "PortfolioShareDetails", found)


def _shares_of(request: Request) -> list[Record]:
    portfolio = state.find(state.portfolios, "Portfolio", request["PortfolioId"])
    return [s for s in state.shares.values() if s["PortfolioId"] == portfolio["Id"]]


def _describe_status(request: Request) -> Answer:
    organization.require_manager()
    return share_operations.described(request["PortfolioShareToken"])


def _list_access(request: Request) -> Answer:
    accounts = [s["PrincipalId"] for s in _shares_of(request) if s["Type"] == "ACCOUNT"]
    return state.page(request, "AccountIds", accounts)


def _list_organization_access(request: Request) -> Answer:
    organization.require_manager()
    kind = request["OrganizationNodeType"]
    nodes = [
        {"Type": kind, "Value": share["PrincipalId"]}
        for share in _shares_of(request)
        if share["Type"] == _NODES[kind]
    ]
    return state.page(request, "OrganizationNodes", nodes)


def _enable_access(_request: Request) -> Answer:
    organization.require_manager()
    state.organizations_access[_ACCESS] = True
    return {}


def _disable_access(_request: Request) -> Answer:
    organization.require_manager()
    state.organizations_access.pop(_ACCESS, None)
    return {}


def _access_status(_request: Request) -> Answer:
    organization.require_manager()
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
    for share in visible.incoming_shares():
        if share["PortfolioId"] == request["PortfolioId"] and _is_of(share, request):
            return share
    raise state.not_found("Portfolio share", request["PortfolioId"])


def _is_of(share: Record, request: Request) -> bool:
    """Whether a share has the PortfolioShareType of the request."""
    kind = request.get("PortfolioShareType", "IMPORTED")
    return bool(kind == ("IMPORTED" if share["Type"] == "ACCOUNT" else "AWS_ORGANIZATIONS"))


def _set_accepted(share: Record, *, accepted: bool) -> None:
    """Accept or reject a share with an account; shares with an organization are always accepted."""
    key = _key(share["PortfolioId"], share["Type"], share["PrincipalId"])
    if share["Type"] == "ACCOUNT":
        state.shares.get_scoped(share["Owner"], get_region(), key)["Accepted"] = accepted


def _list_accepted(request: Request) -> Answer:
    accepted = [s for s in visible.incoming_shares() if s["Accepted"] and _is_of(s, request)]
    found = [portfolios.detail(visible.in_this_account(share)) for share in accepted]
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
