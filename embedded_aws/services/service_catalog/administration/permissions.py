"""Whether a role or user may call an operation, with the resources and condition keys that Service Catalog documents.

The account itself may call everything.
"""

import json
from collections.abc import Iterator
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region

from embedded_aws.bridge import functions, tables
from embedded_aws.services.records import Request, ServiceError
from embedded_aws.services.service_catalog import callers, state, visible
from embedded_aws.services.service_catalog.callers import Caller
from embedded_aws.services.service_catalog.state import Record

Policies = list[list[iam_evaluator.ParsedStatement]]

# The actions on portfolios and products; all others, including those on provisioned products, have no resource.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsservicecatalog.html
_OF_PORTFOLIOS = frozenset(
    [
        "AcceptPortfolioShare",
        "AssociatePrincipalWithPortfolio",
        "CreatePortfolio",
        "CreatePortfolioShare",
        "DeletePortfolio",
        "DeletePortfolioShare",
        "DescribePortfolio",
        "DescribePortfolioShares",
        "DisassociatePrincipalFromPortfolio",
        "ListPortfolioAccess",
        "ListPrincipalsForPortfolio",
        "RejectPortfolioShare",
        "UpdatePortfolio",
        "UpdatePortfolioShare",
    ]
)
_OF_PRODUCTS = frozenset(
    [
        "CreateConstraint",
        "CreateProduct",
        "CreateProvisioningArtifact",
        "DeleteProduct",
        "DeleteProvisioningArtifact",
        "DescribeProduct",
        "DescribeProductAsAdmin",
        "DescribeProvisioningArtifact",
        "DescribeProvisioningParameters",
        "ImportAsProvisionedProduct",
        "ListLaunchPaths",
        "ListPortfoliosForProduct",
        "ListProvisioningArtifacts",
        "ProvisionProduct",
        "UpdateProduct",
        "UpdateProvisioningArtifact",
    ]
)
_OF_EITHER = ("AssociateTagOptionWithResource", "DisassociateTagOptionFromResource")
_TAGGED_AT_CREATION = ("CreatePortfolio", "CreateProduct")
_PASSED = {"iam:passedtoservice": "servicecatalog.amazonaws.com"}


def require(action: str, request: Request) -> None:
    """Refuse a call that no policy of the caller allows, with the error of AWS."""
    caller = callers.current()
    granted = _policies_of(caller)
    if granted is None:
        return
    policies, limits = granted
    for name, resource, context in _required_permissions(action, request):
        keys = {**_levels(caller, request), **context}
        if not is_allowed(caller.session_arn, name, resource, policies, *limits, context=keys):
            raise ServiceError(
                "AccessDeniedException",
                f"User: {caller.session_arn} is not authorized to perform: {name}"
                f" on resource: {resource} because no identity-based policy allows the"
                f" {name} action",
            )


def _required_permissions(action: str, request: Request) -> Iterator[tuple[str, str, Record]]:
    """The actions that a call requires: each with the ARN of its resource, and condition keys by their names in lower case."""
    tags = _request_tags(request)
    for arn, record in _resources(action, request):
        keys = {f"aws:resourcetag/{tag['Key'].lower()}": tag["Value"] for tag in record["Tags"]}
        yield f"servicecatalog:{action}", arn, {**keys, **tags}
        if action in _TAGGED_AT_CREATION and request.get("Tags"):
            yield "servicecatalog:TagResource", arn, tags
    if action == "CreateConstraint" and request.get("Type") == "LAUNCH":
        yield "iam:PassRole", _launch_role(request), _PASSED


def _request_tags(request: Request) -> Record:
    """The condition keys of the tags that a request sets or removes."""
    tags = [*request.get("Tags", ()), *request.get("AddTags", ())]
    names = [*(tag["Key"] for tag in tags), *request.get("RemoveTags", ())]
    keys: Record = {f"aws:requesttag/{tag['Key'].lower()}": tag["Value"] for tag in tags}
    return {**keys, "aws:tagkeys": names} if names else keys


def _launch_role(request: Request) -> str:
    """The ARN of the role of a launch constraint; a role that is given by name is in the caller's account."""
    try:
        parameters = json.loads(request["Parameters"])
    except ValueError:
        return "*"
    role = tables.ROLES.get(parameters.get("LocalRoleName", "")) or {}
    local = f"arn:aws:iam::{get_account_id()}:role/{parameters.get('LocalRoleName', '')}"
    return str(parameters.get("RoleArn") or role.get("Arn") or local)


def is_allowed(
    principal: str,
    action: str,
    resource: str,
    policies: Policies,
    *limits: Policies,
    context: Record | None = None,
) -> bool:
    """Whether the policies allow `action` on `resource` within all of `limits`.

    `context` has the values of condition keys, by key in lower case.
    """
    decision = iam_evaluator.evaluate(
        evaluation(principal, action, resource, context), policies, *limits
    )
    return bool(decision.decision == "Allow")


def evaluation(
    principal: str, action: str, resource: str, context: Record | None = None
) -> iam_evaluator.EvalContext:
    """The request context that policies are evaluated with."""
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
    """The policies of a role, and its permissions boundary."""
    return (
        functions.role_policies(name, account),
        functions.permissions_boundary(tables.ROLES.store, name, account),
    )


def _policies_of(caller: Caller) -> tuple[Policies, list[Policies]] | None:
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


def _resources(action: str, request: Request) -> list[tuple[str, Record]]:
    """The resources of an action: ARNs with records; * if it has no resource, any ARN of the kind if the resource does not exist yet."""
    nothing: Record = {"Tags": []}
    if action in _OF_EITHER:
        kind = "portfolio" if request["ResourceId"].startswith("port-") else "product"
        return [_found(kind, request["ResourceId"])]
    if action in _OF_PORTFOLIOS:
        kind, ids = "portfolio", [request.get("PortfolioId") or request.get("Id")]
    elif action in _OF_PRODUCTS:
        kind, ids = "product", _products(action, request)
    else:
        return [("*", nothing)]
    found = [_found(kind, identifier) for identifier in ids if identifier]
    return found or [(state.arn(kind, "*"), nothing)]


def _products(action: str, request: Request) -> list[str | None]:
    """The IDs of the products that a request names."""
    name = request.get("ProductName") or request.get("Name")
    if action not in ("ProvisionProduct", "DescribeProduct", "DescribeProvisioningParameters"):
        name = None
    named = [product["Id"] for product in visible.products() if name and product["Name"] == name]
    return [request.get("ProductId") or request.get("Id"), *named]


def _found(kind: str, identifier: str) -> tuple[str, Record]:
    """ARN and record of an existing resource, in the account that has it, or the ARN that it would have in this account."""
    store = {"portfolio": state.portfolios, "product": state.products}[kind]
    found = state.find_in_any_account(store, identifier)
    return (str(found["ARN"]), found) if found else (state.arn(kind, identifier), {"Tags": []})


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
    """The provisioned product that a request names, directly or by one of its records."""
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
    # For a terminated provisioned product, the record itself contains the owner.
    return record or None
