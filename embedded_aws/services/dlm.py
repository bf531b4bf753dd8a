"""Data Lifecycle Manager: snapshot policies, which are stored and never run."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ministack.core.responses import get_account_id, get_region, new_uuid

from embedded_aws.services.records import (
    Operation,
    RecordService,
    Request,
    ServiceError,
    new_store,
    plug_in,
)

_policies = new_store()
_SETTINGS = ("Description", "ExecutionRoleArn", "PolicyDetails", "State")


def install() -> None:
    """Add the service to ministack."""
    plug_in("dlm", RecordService("Data Lifecycle Manager", _find, {"policies": _policies}))


def _find(method: str, path: str, _headers: Mapping[str, str]) -> tuple[Operation, Request] | None:
    kind, _, rest = unquote(path).strip("/").partition("/")
    operations: dict[tuple[str, str, bool], Operation] = {
        ("POST", "policies", False): _create,
        ("GET", "policies", False): _list,
        ("GET", "policies", True): _get,
        ("PATCH", "policies", True): _update,
        ("DELETE", "policies", True): _delete,
    }
    operation = operations.get((method, kind, bool(rest)))
    return (operation, {"PolicyId": rest} if rest else {}) if operation else None


def _create(request: Request) -> dict[str, Any]:
    policy = f"policy-{new_uuid().replace('-', '')[:17]}"
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    _policies[policy] = {
        "PolicyId": policy,
        "PolicyArn": f"arn:aws:dlm:{get_region()}:{get_account_id()}:policy/{policy}",
        "DateCreated": now,
        "DateModified": now,
        "Tags": request.get("Tags", {}),
        "DefaultPolicy": bool(request.get("DefaultPolicy")),
        **{name: request[name] for name in _SETTINGS if name in request},
    }
    return {"PolicyId": policy}


def _known(request: Request) -> dict[str, Any]:
    policy = _policies.get(request["PolicyId"])
    if policy is None:
        raise ServiceError(
            "ResourceNotFoundException", f"Policy {request['PolicyId']} does not exist", 404
        )
    return dict(policy)


def _get(request: Request) -> dict[str, Any]:
    return {"Policy": _known(request)}


def _list(_request: Request) -> dict[str, Any]:
    shown = ("PolicyId", "Description", "State", "Tags", "DefaultPolicy")
    summaries = [{k: p[k] for k in shown if k in p} for p in _policies.values()]
    return {"Policies": summaries}


def _update(request: Request) -> dict[str, Any]:
    changed = {name: request[name] for name in _SETTINGS if name in request}
    _policies[request["PolicyId"]] = {**_known(request), **changed}
    return {}


def _delete(request: Request) -> dict[str, Any]:
    _known(request)
    del _policies[request["PolicyId"]]
    return {}
