"""The service's requests and answers: checks, callers, and repeated requests."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from embedded_aws.services.records import (
    Operation,
    RecordService,
    Request,
    ServiceError,
    by_target,
)
from embedded_aws.services.service_catalog import callers, model, state
from embedded_aws.services.service_catalog.administration import (
    artifacts,
    constraints,
    permissions,
    portfolios,
    products,
    shares,
    tag_options,
)
from embedded_aws.services.service_catalog.launching import (
    browsing,
    ownership,
    provisioned,
    provisioning,
    work,
)
from embedded_aws.services.service_catalog.state import Answer

_OPERATIONS: dict[str, Operation] = {
    **portfolios.OPERATIONS,
    **products.OPERATIONS,
    **artifacts.OPERATIONS,
    **constraints.OPERATIONS,
    **tag_options.OPERATIONS,
    **shares.OPERATIONS,
    **browsing.OPERATIONS,
    **provisioning.OPERATIONS,
    **provisioned.OPERATIONS,
    **ownership.OPERATIONS,
}
_TOKENS = ("IdempotencyToken", "ProvisionToken", "UpdateToken", "TerminateToken")


class ServiceCatalog(RecordService):
    """The embedded Service Catalog."""

    def __init__(self) -> None:
        wrapped = {name: _checked(name, operation) for name, operation in _OPERATIONS.items()}
        find = by_target(wrapped)

        def find_for_caller(method: str, path: str, headers: Mapping[str, str]) -> Any:
            callers.remember(headers)
            return find(method, path, headers)

        super().__init__("Service Catalog", find_for_caller, state.STORES)

    def reset(self) -> None:
        """Delete every record, and stop the tasks in progress."""
        work.abort_all()
        super().reset()

    def load_persisted_state(self, state: Mapping[str, Any] | None) -> None:
        """Restore the state of `get_state`; operations that were in progress have failed."""
        super().load_persisted_state(state)
        work.fail_restored()


def _checked(name: str, operation: Operation) -> Operation:
    """`operation` with checks of its request and its answer by the API's model."""

    def answer(request: Request) -> Answer:
        shape = model.operation(name)
        found = model.problems(request, shape.input_shape, "")
        if found:
            count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
            raise ServiceError("ValidationException", count + "; ".join(found))
        permissions.require(name, request)
        result = _once(name, operation, request)
        wrong = model.problems(result, shape.output_shape, "")
        if wrong:
            raise RuntimeError(f"The answer of {name} is not that of the API: {'; '.join(wrong)}")
        return result

    return answer


def _once(name: str, operation: Operation, request: Request) -> Answer:
    """The answer; for a repeated idempotency token, the first answer."""
    token = next((request[member] for member in _TOKENS if member in request), None)
    if token is None:
        return operation(request)
    digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
    known = state.tokens.get(f"{name}/{token}")
    if known is None:
        # As JSON, because the records of an answer can change later, and the answer must not.
        text = json.dumps(operation(request))
        known = state.tokens[f"{name}/{token}"] = {"Request": digest, "Answer": text}
    elif known["Request"] != digest:
        raise state.invalid(f"The idempotency token {token} was used for another request.")
    result: Answer = json.loads(known["Answer"])
    return result
