"""A service that stores records, added to ministack's dispatch.

botocore on the client's side validates each request, and a resource handler uses botocore too, so an operation can rely on its
required members.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import (
    AccountRegionScopedDict,
    error_response_json,
    json_response,
)

from embedded_aws.bridge.services import add_service

Request = dict[str, Any]
Operation = Callable[[Request], dict[str, Any]]


class ServiceError(Exception):
    """An operation's error answer: its code and its message."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class RecordService:
    """The interface of a service module of ministack: handle_request, reset, and state to persist.

    `find(method, path, headers)` returns the operation for a request and the parameters that its
    path carries, or None.
    """

    def __init__(
        self,
        name: str,
        find: Callable[[str, str, Mapping[str, str]], tuple[Operation, Request] | None],
        stores: Mapping[str, Any],
    ) -> None:
        self._name = name
        self._find = find
        self._stores = stores

    async def handle_request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        _query_parameters: Mapping[str, list[str]],
    ) -> Any:
        """Answer one request, like every service module of ministack."""
        found = self._find(method, path, headers)
        if found is None:
            message = f"The embedded {self._name} has no such operation"
            return error_response_json("UnknownOperationException", message, 400)
        operation, from_path = found
        try:
            return json_response(operation({**json.loads(body or b"{}"), **from_path}))
        except ServiceError as error:
            return error_response_json(error.code, str(error), error.status)

    def reset(self) -> None:
        """Delete every record."""
        for store in self._stores.values():
            store.clear()

    def get_state(self) -> dict[str, Any]:
        """The state to keep between runs."""
        return dict(self._stores)

    def load_persisted_state(self, state: Mapping[str, Any] | None) -> None:
        """Restore what `get_state` returned."""
        for name, store in self._stores.items():
            store.update((state or {}).get(name, {}))


def new_store() -> Any:
    """A dictionary that is separate for every account and region."""
    return AccountRegionScopedDict()


def plug_in(name: str, service: RecordService, *, target: str | None = None) -> None:
    """Route requests signed for `name` (and, for JSON services, with `target`) to `service`."""
    add_service(name, service, target=target)


def by_target(operations: Mapping[str, Operation]) -> Any:
    """Find the operation of a JSON service by its X-Amz-Target header."""

    def find(
        _method: str, _path: str, headers: Mapping[str, str]
    ) -> tuple[Operation, Request] | None:
        operation = operations.get(headers.get("x-amz-target", "").rpartition(".")[2])
        return (operation, {}) if operation else None

    return find
