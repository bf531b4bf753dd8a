"""Whether a role or user may call: the one service of the embedded AWS that asks its callers.

Who deploys by updating a provisioned product, and who launches one, does so with a role that allows
little else; what such a role lacks shows here and not only on AWS. The account itself may all.
"""

from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region

from embedded_aws.bridge import functions, tables
from embedded_aws.services.records import Refusal, Request
from embedded_aws.services.service_catalog import callers, state, visible
from embedded_aws.services.service_catalog.callers import Caller
from embedded_aws.services.service_catalog.state import Record

Policies = list[list[iam_evaluator.ParsedStatement]]

# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsservicecatalog.html
# Actions on one portfolio or product by its Id alone; provisioned products are no resource there.
_OF_PORTFOLIOS = ("DescribePortfolio", "UpdatePortfolio", "DeletePortfolio")
_OF_PRODUCTS = ("DescribeProduct", "DescribeProductAsAdmin", "UpdateProduct", "DeleteProduct")
_WITHOUT_RESOURCE = ("ProvisionedProduct", "Record", "TagOption", "Constraint")


def require(action: str, request: Request) -> None:
    """Refuse as AWS does what no policy of the caller allows."""
    caller = callers.current()
    granted = _granted(caller)
    if granted is None:
        return
    policies, limits = granted
    for resource in _resources(action, request):
        if not may(
            caller.session_arn,
            f"servicecatalog:{action}",
            resource,
            policies,
            *limits,
            context=_levels(caller, request),
        ):
            raise Refusal(
                "AccessDeniedException",
                f"User: {caller.session_arn} is not authorized to perform: servicecatalog:{action}"
                f" on resource: {resource} because no identity-based policy allows the"
                f" servicecatalog:{action} action",
            )


def may(
    principal: str,
    action: str,
    resource: str,
    policies: Policies,
    *limits: Policies,
    context: Record | None = None,
) -> bool:
    """Whether the policies allow `action` on `resource` within all of `limits`.

    `context` is what conditions are evaluated against, by condition key in lower case.
    """
    decision = iam_evaluator.evaluate(
        evaluation(principal, action, resource, context), policies, *limits
    )
    return bool(decision.decision == "Allow")


def evaluation(
    principal: str, action: str, resource: str, context: Record | None = None
) -> iam_evaluator.EvalContext:
    """What a policy is evaluated against."""
    return iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole" if ":assumed-role/" in principal else "User",
        principal_account=get_account_id(),
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context=context or {},
    )


def role_policies(name: str, account: str) -> tuple[Policies, list[Policies]]:
    """What a role's policies grant, and the boundary within which they do."""
    return (
        functions.role_policies(name, account),
        functions.permissions_boundary(tables.ROLES.store, name, account),
    )


def _granted(caller: Caller) -> tuple[Policies, list[Policies]] | None:
    """Policies and limits of a role or user; None for the account itself."""
    account, name = get_account_id(), caller.arn.rpartition("/")[2]
    if ":role/" in caller.arn:
        return role_policies(name, account)
    if ":user/" in caller.arn:
        return (
            functions.user_policies(name, account),
            functions.permissions_boundary(tables.USERS.store, name, account),
        )
    return None


def _resources(action: str, request: Request) -> list[str]:
    """The ARNs of the portfolio and the product that a request names; * for neither."""
    if any(word in action for word in _WITHOUT_RESOURCE):
        return ["*"]
    products = [request[name] for name in ("ProductId",) if name in request]
    portfolios = [request[name] for name in ("PortfolioId",) if name in request]
    if action in _OF_PORTFOLIOS:
        portfolios.append(request["Id"])
    if action in _OF_PRODUCTS and "Id" in request:
        products.append(request["Id"])
    name = request.get("ProductName") or request.get("Name")
    if action in ("ProvisionProduct", "DescribeProduct", "DescribeProvisioningParameters"):
        products += [p["Id"] for p in visible.products() if p["Name"] == name]
    arns = [_arn("portfolio", identifier) for identifier in portfolios]
    return [*arns, *(_arn("product", identifier) for identifier in products)] or ["*"]


def _arn(kind: str, identifier: str) -> str:
    """The ARN of what is there, in the account that has it, or that it would have here."""
    store = {"portfolio": state.portfolios, "product": state.products}[kind]
    found = state.anywhere(store, identifier)
    return str(found["ARN"]) if found else state.arn(kind, identifier)


def _levels(caller: Caller, request: Request) -> dict[str, Any]:
    """The level at which the caller acts: of the account, of its role or of its session."""
    everything = {
        "Account": {"servicecatalog:accountlevel": "self"},
        "Role": {"servicecatalog:rolelevel": "self"},
        "User": {"servicecatalog:userlevel": "self"},
    }
    asked = request.get("AccessLevelFilter")
    if asked:
        return everything.get(asked.get("Key", ""), {})
    provisioned = _owned(request)
    found = dict(everything["Account"])
    if provisioned is None or provisioned["UserArn"] == caller.arn:
        found |= everything["Role"]
    if provisioned is None or provisioned["UserArnSession"] == caller.session_arn:
        found |= everything["User"]
    return found


def _owned(request: Request) -> Record | None:
    """The provisioned product that a request names, directly or by a record of it."""
    record = state.records.get(request.get("Id", "")) or {}
    wanted = {
        request.get("ProvisionedProductId"),
        request.get("ProvisionedProductName"),
        request.get("Id"),
        request.get("Name"),
        record.get("ProvisionedProductId"),
    } - {None}
    for provisioned in state.provisioned_products.values():
        if wanted & {provisioned["Id"], provisioned["Name"], provisioned["Arn"]}:
            found: Record = provisioned
            return found
    # Of a provisioned product that is gone, the record itself knows the owner.
    return record or None
