"""The four logging actions that ministack's WAF does not have."""

import json
import re
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import waf

from embedded_aws.bridge import tables
from embedded_aws.services.records import Request, ServiceError, new_store

_logs = new_store()
# The key of the logs in the state of WAF that ministack persists.
_STATE = "logging_configurations"
# API_LoggingConfiguration: the destination's name must start with aws-waf-logs-.
_DESTINATION = re.compile(r"(:log-group:|:deliverystream/|:s3:::)aws-waf-logs-")


def install() -> None:
    """Answer the actions before ministack's WAF."""
    answer_others, reset_others = waf.handle_request, waf.reset
    state_of_others, restore_others = waf.get_state, waf.load_persisted_state

    async def handle_request(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any
    ) -> Any:
        operation = _OPERATIONS.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if operation is None:
            return await answer_others(method, path, headers, body, query)
        try:
            return json_response(operation(json.loads(body or b"{}")))
        except ServiceError as error:
            return error_response_json(error.code, str(error), error.status)

    def reset() -> None:
        reset_others()
        _logs.clear()

    def get_state() -> dict[str, Any]:
        return {**state_of_others(), _STATE: _logs}

    def load_persisted_state(state: Mapping[str, Any] | None) -> None:
        restore_others(state)
        _logs.update((state or {}).get(_STATE, {}))

    waf.handle_request, waf.reset = handle_request, reset
    waf.get_state, waf.load_persisted_state = get_state, load_persisted_state


def _put(request: Request) -> dict[str, Any]:
    settings = request["LoggingConfiguration"]
    wrong = [d for d in settings["LogDestinationConfigs"] if not _DESTINATION.search(d)]
    if wrong:
        raise ServiceError(
            "WAFInvalidParameterException",
            "Error reason: The ARN isn't valid. A valid ARN begins with arn: and names a log"
            " group, delivery stream or bucket that starts with aws-waf-logs-, field:"
            f" LOG_DESTINATION, parameter: {wrong[0]}",
        )
    if settings["ResourceArn"] not in {acl["ARN"] for acl in tables.WEB_ACLS.values()}:
        raise ServiceError("WAFNonexistentItemException", _missing(settings["ResourceArn"]))
    _logs[settings["ResourceArn"]] = settings
    return {"LoggingConfiguration": settings}


def _missing(arn: str) -> str:
    return f"AWS WAF couldn't perform the operation because {arn} doesn't exist."


def _get(request: Request) -> dict[str, Any]:
    settings = _logs.get(request["ResourceArn"])
    if settings is None:
        raise ServiceError("WAFNonexistentItemException", _missing(request["ResourceArn"]))
    return {"LoggingConfiguration": settings}


def _list(_request: Request) -> dict[str, Any]:
    return {"LoggingConfigurations": list(_logs.values())}


def _delete(request: Request) -> dict[str, Any]:
    if _logs.pop(request["ResourceArn"], None) is None:
        raise ServiceError("WAFNonexistentItemException", _missing(request["ResourceArn"]))
    return {}


_OPERATIONS = {
    "PutLoggingConfiguration": _put,
    "GetLoggingConfiguration": _get,
    "ListLoggingConfigurations": _list,
    "DeleteLoggingConfiguration": _delete,
}
