"""Whether the policies of a role or a user allow an action that ECS does for it."""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region

from embedded_aws.bridge import functions, tables


def allows(principal: str, action: str, resource: str, keys: dict[str, Any] | None = None) -> bool:
    """Evaluate the policies and the boundary of a principal: the ARN of a user, of a role or of a session of one.

    `keys` are the condition keys of the request, in lower case. The account itself has every permission.
    """
    kind, _, name = principal.rpartition(":")[2].partition("/")
    if kind == "root":
        return True
    account = get_account_id()
    if kind == "user":
        name, store, policies = name.rpartition("/")[2], tables.USERS.store, functions.user_policies
    else:
        name = name.split("/")[0] if kind == "assumed-role" else name.rpartition("/")[2]
        store, policies = tables.ROLES.store, functions.role_policies
    context = iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="User" if kind == "user" else "AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context=keys or {},
    )
    limits = functions.permissions_boundary(store, name, account)
    return bool(
        iam_evaluator.evaluate(context, policies(name, account), *limits).decision == "Allow"
    )
