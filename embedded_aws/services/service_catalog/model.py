"""The requirements of botocore's API model for requests and answers.

botocore checks only types, required members and minimum lengths; this module also checks maximum lengths, enumerations and
patterns, as the service does.
"""

import functools
import re
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

# Unicode classes of the model that Python's re does not have, each replaced with a slightly wider class.
_CLASSES = {r"\p{L}": r"\w", r"\p{Z}": r"\s", r"\p{N}": r"\d"}


@functools.cache
def operation(name: str) -> OperationModel:
    """The model of an operation; loaded at the first call, because loading takes about 20 ms."""
    return _service().operation_model(name)


@functools.cache
def _service() -> ServiceModel:
    return ServiceModel(
        Loader().load_service_model("servicecatalog", "service-2"), "servicecatalog"
    )


def problems(value: Any, shape: Shape, where: str) -> list[str]:
    """The violations of `shape` by `value` (JSON types), one sentence each; `where` names the value."""
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        return [str(report.generate_report())]
    return _beyond_botocore(value, shape, where)


def _beyond_botocore(value: Any, shape: Shape, where: str) -> list[str]:
    found = _of_one(value, shape, where)
    if isinstance(shape, StructureShape):
        members = [
            (item, shape.members[name], f"{where}.{name}" if where else name)
            for name, item in value.items()
        ]
    elif isinstance(shape, ListShape):
        members = [(item, shape.member, f"{where}[{index}]") for index, item in enumerate(value)]
    elif isinstance(shape, MapShape):
        members = [(item, shape.value, f"{where}.{key}") for key, item in value.items()]
    else:
        members = []
    for item, inner, path in members:
        found += _beyond_botocore(item, inner, path)
    return found


def _of_one(value: Any, shape: Shape, where: str) -> list[str]:
    """The limits of one value, without its members."""
    limits = shape.metadata
    found = []
    if shape.type_name in ("list", "map", "string") and len(value) > limits.get("max", len(value)):
        found.append(f"{where} must have length less than or equal to {limits['max']}")
    if shape.type_name == "integer" and value > limits.get("max", value):
        found.append(f"{where} must have value less than or equal to {limits['max']}")
    if shape.type_name != "string":
        return found
    if limits.get("enum") and value not in limits["enum"]:
        found.append(f"{where} must be one of [{', '.join(limits['enum'])}], not {value!r}")
    if "pattern" in limits and not pattern(limits["pattern"]).fullmatch(value):
        found.append(f"{where} must satisfy the regular expression pattern {limits['pattern']}")
    return found


@functools.cache
def pattern(text: str) -> re.Pattern[str]:
    """A pattern of the model, compiled."""
    for unicode_class, ours in _CLASSES.items():
        text = text.replace(unicode_class, ours)
    return re.compile(text)
