"""Operations on portfolio shares, which take time if the accounts of an organization must follow."""

from ministack.core.responses import get_account_id

from embedded_aws.services.records import ServiceError
from embedded_aws.services.service_catalog import organization, state
from embedded_aws.services.service_catalog.state import Answer, Record

# The number of reads that show an operation on a share with an organization in progress. It is a count and not a
# time, so that every caller sees both the progress and the end, even on a busy machine.
_LOOKS = 3


def begin(portfolio: str, kind: str, principal: str) -> Record:
    """A new operation on a share, refused while another one is in progress.

    The outcome is known immediately and reported at the end: a closed account is not reached.
    """
    if any(in_progress(operation) for operation in state.share_operations.values()):
        raise ServiceError(
            "InvalidStateException",
            "Cannot process more than one portfolio share action at the same time. Try again later.",
        )
    members = organization.members(get_account_id(), kind, principal)
    outside = kind == "ACCOUNT"
    operation = {
        "Token": state.new_id("share"),
        "PortfolioId": portfolio,
        "Node": principal,
        "Looks": 0 if outside else _LOOKS,
        "Reached": [principal] if outside else [a["Id"] for a in members if _is_open(a)],
        "Missed": [] if outside else [a["Id"] for a in members if not _is_open(a)],
    }
    state.share_operations[operation["Token"]] = operation
    return operation


def in_progress(operation: Record) -> bool:
    """Whether an operation is in progress; each call counts as one read."""
    looks: int = operation["Looks"]
    operation["Looks"] = max(0, looks - 1)
    return looks > 0


def _is_open(account: Record) -> bool:
    return bool(account["Status"] == "ACTIVE")


def status_of(operation: Record) -> str:
    """The progress or the result of an operation."""
    if in_progress(operation):
        return "IN_PROGRESS"
    if not operation["Missed"]:
        return "COMPLETED"
    return "COMPLETED_WITH_ERRORS" if operation["Reached"] else "ERROR"


def described(token: str) -> Answer:
    """The operation with this token, with the accounts that it reached and missed once it has ended."""
    operation = state.find(state.share_operations, "Portfolio share token", token)
    status = status_of(operation)
    has_ended = status != "IN_PROGRESS"
    missed = {
        "Accounts": operation["Missed"],
        "Message": "The account is suspended.",
        "Error": "InvalidStateException",
    }
    return {
        "PortfolioShareToken": token,
        "PortfolioId": operation["PortfolioId"],
        "OrganizationNodeValue": operation["Node"],
        "Status": status,
        "ShareDetails": {
            "SuccessfulShares": operation["Reached"] if has_ended else [],
            "ShareErrors": [missed] if has_ended and operation["Missed"] else [],
        },
    }
