"""Call an emulated service from within the emulator, as a client does, without a socket.

botocore's models check and serialise the input and parse the answer, so resource handlers use the documented API and
not the emulator's internals.
"""

import asyncio
import contextvars
import functools
import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

import ministack.app
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

from embedded_aws.errors import ServiceCallError
from embedded_aws.settings import ACCESS_KEY

# The emulator's module for a service whose module has another name.
_MODULES = {
    "elbv2": "alb",
    "logs": "cloudwatch_logs",
    "wafv2": "waf",
    "application-autoscaling": "application_autoscaling",
}
_loader = Loader()
_validator = ParamValidator()


def call(service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
    """Call `operation` (as the API names it, CreateVolume) in the request's account and region.

    Parameters that are None are left out. The others are converted to the types and member names of the API, because
    CloudFormation passes "true" and "80" where an API expects a boolean and an integer, and spells some names in another
    case.

    Returns the parsed answer. Raises ServiceCallError when the service refuses, and ValueError for a parameter that the API
    does not have.
    """
    model = _operation(service, operation)
    given = {name: value for name, value in parameters.items() if value is not None}
    shape = model.input_shape
    converted = to_shape(given, shape, operation) if shape is not None else {}
    if shape is not None and (report := _validator.validate(converted, shape)).has_errors():
        raise ServiceCallError(service, "ValidationException", report.generate_report())
    status, headers, body = _exchange(service, _serialise(model, converted))
    answer = {"status_code": status, "headers": headers, "body": body}
    parsed: dict[str, Any] = _parser(service).parse(answer, model.output_shape)
    if status >= 400:
        error = parsed.get("Error", {})
        raise ServiceCallError(service, error.get("Code", "?"), error.get("Message", "no message"))
    return parsed


def to_shape(value: Any, shape: Shape, where: str) -> Any:
    """Return `value` with the member names and scalar types of a botocore shape; errors name `where`."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return _to_structure(value, shape, where)
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [to_shape(item, shape.member, where) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {str(key): to_shape(item, shape.value, where) for key, item in value.items()}
    return _to_scalar(value, shape)


def _to_structure(value: Mapping[str, Any], shape: StructureShape, where: str) -> Any:
    if getattr(shape, "is_document_type", False):
        return value
    names = {name.lower(): name for name in shape.members}
    converted = {}
    for key, item in value.items():
        name = names.get(key.lower())
        if name is None:
            raise ValueError(f"{where} has no parameter {key}: the embedded AWS cannot apply it")
        converted[name] = to_shape(item, shape.members[name], f"{where}.{name}")
    return converted


def _to_scalar(value: Any, shape: Shape) -> Any:
    if shape.type_name == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if shape.type_name in ("integer", "long") and isinstance(value, str | float):
        return int(value)
    if shape.type_name in ("float", "double") and isinstance(value, str):
        return float(value)
    if shape.type_name == "string" and isinstance(value, bool):
        return str(value).lower()
    if shape.type_name == "string" and isinstance(value, int | float):
        return str(value)
    return value


@functools.cache
def _service(service: str) -> ServiceModel:
    return ServiceModel(_loader.load_service_model(service, "service-2"), service)


def _operation(service: str, operation: str) -> OperationModel:
    return _service(service).operation_model(operation)


@functools.cache
def _parser(service: str) -> Any:
    return create_parser(_service(service).resolved_protocol)


def _serialise(model: OperationModel, parameters: dict[str, Any]) -> dict[str, Any]:
    serializer = create_serializer(model.service_model.resolved_protocol, False)
    request: dict[str, Any] = serializer.serialize_to_request(parameters, model)
    return request


def _exchange(service: str, request: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    body = request["body"]
    if isinstance(body, Mapping):
        body = urlencode(body, doseq=True)
    payload = body.encode() if isinstance(body, str) else bytes(body or b"")
    headers = {name.lower(): str(value) for name, value in request["headers"].items()}
    # A service that checks the caller, such as S3, must not treat the call as anonymous.
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/internal"
    path, _, query = request["url_path"].partition("?")
    query_parameters = {**request["query_string"]} if request["query_string"] else parse_qs(query)
    module = ministack.app._get_module(_MODULES.get(service, service))
    handling = module.handle_request(request["method"], path, headers, payload, query_parameters)
    status, answered, content = _run(handling)
    content = content.encode() if isinstance(content, str) else content
    return status, {name.lower(): value for name, value in answered.items()}, content or b"{}"


def _run(handling: Any) -> tuple[int, dict[str, str], Any]:
    """Run a handler to its end on a separate loop.

    Resource handlers run inside the server's loop, which cannot wait for itself. The context is copied because it carries
    the account and the region.
    """
    result: list[Any] = []
    context = contextvars.copy_context()

    def run() -> None:
        try:
            result.append(context.run(asyncio.run, handling))
        except Exception as problem:  # raised again below, in the calling thread
            result.append(problem)

    thread = threading.Thread(target=run, name="embedded-aws-call")
    thread.start()
    thread.join()
    if isinstance(result[0], Exception):
        raise result[0]
    status, headers, body = result[0]
    return status, headers, body


def as_json(value: Any) -> str:
    """Return a policy document as the APIs expect it: text is unchanged, an object becomes JSON."""
    return value if isinstance(value, str) else json.dumps(value)
