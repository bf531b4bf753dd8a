"""Launch paths: the portfolios through which a caller may launch a product."""

import re

from embedded_aws.services.records import Request, ServiceError
from embedded_aws.services.service_catalog import callers, state, visible
from embedded_aws.services.service_catalog.callers import Caller
from embedded_aws.services.service_catalog.state import Record


def paths_to(product: Record) -> list[Record]:
    """The portfolios that have the product and admit the caller."""
    caller = callers.current()
    return [
        portfolio
        for portfolio in visible.portfolios()
        if product["Id"] in portfolio["Products"] and admits(portfolio, caller)
    ]


def path_of(product: Record, request: Request) -> Record:
    """The portfolio of PathId or PathName, or else the only one.

    Refused when there is none, and when there are several and the request names none.
    """
    named = [name for name in ("PathId", "PathName") if request.get(name)]
    if len(named) > 1:
        raise state.invalid("Only one of PathId and PathName can be given.")
    found = paths_to(product)
    if named:
        member = {"PathId": "PathId", "PathName": "DisplayName"}[named[0]]
        found = [path for path in found if path[member] == request[named[0]]]
    if not found:
        raise _unreachable(product)
    if len(found) > 1:
        raise state.invalid(
            f"Multiple launch paths found for resource: {product['Id']}. PathId is required."
        )
    return found[0]


def require_path(product: Record) -> list[Record]:
    """The launch paths of the caller; a product without any is as good as not there."""
    found = paths_to(product)
    if not found:
        raise _unreachable(product)
    return found


def _unreachable(product: Record) -> ServiceError:
    return ServiceError(
        "ResourceNotFoundException", f"No launch paths found for resource: {product['Id']}"
    )


def admits(portfolio: Record, caller: Caller) -> bool:
    """Whether a principal of the portfolio is the caller or one of the caller's groups."""
    return any(
        _is(principal, arn) for principal in portfolio["Principals"] for arn in caller.principals()
    )


def _is(principal: Record, arn: str) -> bool:
    if principal["PrincipalType"] == "IAM":
        return bool(principal["PrincipalARN"] == arn)
    # The ARN of an IAM_PATTERN has no account; * stands for any characters, ? for one or none.
    expression = re.escape(principal["PrincipalARN"]).replace(r"\*", ".*").replace(r"\?", ".?")
    without_account = re.sub(r":iam::\d{12}:", ":iam:::", arn)
    return re.fullmatch(expression, without_account) is not None
