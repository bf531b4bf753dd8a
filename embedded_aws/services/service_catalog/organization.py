"""The organization of an account, as the embedded Organizations stores it.

ministack treats each account as the management account of an organization. Here an account that another account created or invited
belongs to the organization of that account.
"""

from ministack.core.responses import get_account_id

from embedded_aws.bridge import tables
from embedded_aws.services.records import ServiceError
from embedded_aws.services.service_catalog.state import Record


def manager_of(account: str) -> str:
    """The management account of the organization that an account belongs to."""
    for (owner, member), _ in tables.ORGANIZATION_ACCOUNTS.everywhere():
        if member == account != owner:
            return str(owner)
    return account


def identifier_of(account: str) -> str:
    """The identifier of the organization that an account belongs to; empty for none."""
    found = tables.ORGANIZATIONS.scoped(manager_of(account), None, "self") or {}
    return str(found.get("Id", ""))


def require_manager() -> None:
    """Refuse the management account's calls to other accounts; delegated administrators are not supported."""
    account = get_account_id()
    if manager_of(account) != account or not identifier_of(account):
        raise ServiceError(
            "OperationNotSupportedException",
            "Only the management account of the organization, or a delegated administrator, may call this.",
        )


def has(kind: str, node: str) -> bool:
    """Whether a node of this type is in the organization that the caller manages."""
    if kind == "ORGANIZATION":
        return node == identifier_of(get_account_id())
    known = (
        tables.ORGANIZATIONAL_UNITS
        if kind == "ORGANIZATIONAL_UNIT"
        else tables.ORGANIZATION_ACCOUNTS
    )
    return known.get(node) is not None


def members(owner: str, kind: str, node: str) -> list[Record]:
    """The accounts below a node of the organization that `owner` manages, without `owner`."""
    accounts = [
        account
        for (manager, _), account in tables.ORGANIZATION_ACCOUNTS.everywhere()
        if manager == owner != account["Id"]
    ]
    if kind == "ORGANIZATION":
        return accounts if node == identifier_of(owner) else []
    return [account for account in accounts if node in _above(owner, account)]


def _above(owner: str, account: Record) -> list[str]:
    """An account and the units that it is in, innermost first."""
    found = [str(account["Id"])]
    above: Record | None = account
    while above is not None:
        found.append(str(above["_ParentId"]))
        above = tables.ORGANIZATIONAL_UNITS.scoped(owner, None, above["_ParentId"])
    return found
