"""Check a value against a provider schema like CloudFormation.

The check is strict on names and lenient on scalars, because a template can spell 80 as "80" and true as "true".
"""

import functools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from embedded_aws.schemas.provider_schemas import Schema

# At most this many problems of one resource are reported.
REPORTED = 8


def problems(properties: dict[str, Any], schema: Schema) -> list[str]:
    """The problems of `properties`, each as "#/Path: sentence"; empty if there are none."""
    found: list[str] = []
    for problem in _check(properties, schema, schema, "#"):
        found.append(problem)
        if len(found) == REPORTED:
            break
    return found


def _check(value: Any, schema: Any, root: Schema, path: str) -> Iterator[str]:
    if schema is True or not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield from _check(value, _resolve(root, schema["$ref"]), root, path)
        return
    mismatch = _type_problem(value, schema.get("type"))
    if mismatch:
        yield f"{path}: {mismatch}"
        return
    if isinstance(value, dict):
        yield from _check_object(value, schema, root, path)
    elif isinstance(value, list):
        yield from _check_list(value, schema, root, path)
    else:
        yield from _check_scalar(value, schema, path)
    yield from _check_alternatives(value, schema, root, path)


def _resolve(root: Schema, pointer: str) -> Any:
    target: Any = root
    for part in pointer.removeprefix("#/").split("/"):
        target = target[int(part)] if isinstance(target, list) else target[part]
    return target


def _type_problem(value: Any, expected: str | list[str] | None) -> str | None:
    if expected is None:
        return None
    names = [expected] if isinstance(expected, str) else expected
    if any(_TYPES[name](value) for name in names):
        return None
    return f"expected type: {' or '.join(names)}, found: {_shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else repr(value)[:80]


def _is_integer(value: Any) -> bool:
    return not isinstance(value, bool) and re.fullmatch(r"[+-]?\d+(\.0+)?", str(value)) is not None


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and _number(value) is not None


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or str(value).lower() in ("true", "false")


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str | int | float | bool),
    "integer": _is_integer,
    "number": _is_number,
    "boolean": _is_boolean,
    "null": lambda value: value is None,
}


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _check_object(value: dict[str, Any], schema: Schema, root: Schema, path: str) -> Iterator[str]:
    for name in schema.get("required", []):
        if name not in value:
            yield f"{path}: required key [{name}] not found"
    yield from _check_combinations(value, schema, path)
    known = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for name, item in value.items():
        inner = f"{path}/{name}"
        matching = [rule for pattern, rule in patterns.items() if _matches(pattern, name)]
        if name in known:
            yield from _check(item, known[name], root, inner)
        elif matching:
            yield from _check(item, matching[0], root, inner)
        elif schema.get("additionalProperties") is False:
            yield f"{path}: extraneous key [{name}] is not permitted"
        else:
            yield from _check(item, schema.get("additionalProperties"), root, inner)


def _check_combinations(value: dict[str, Any], schema: Schema, path: str) -> Iterator[str]:
    for name, needed in schema.get("dependentRequired", {}).items():
        missing = [other for other in needed if name in value and other not in value]
        if missing:
            yield f"{path}: [{name}] needs [{', '.join(missing)}]"
    for name, refused in schema.get("dependentExcluded", {}).items():
        present = [other for other in refused if name in value and other in value]
        if present:
            yield f"{path}: [{name}] excludes [{', '.join(present)}]"
    either = schema.get("requiredXor", [])
    if either and sum(name in value for name in either) != 1:
        yield f"{path}: exactly one of [{', '.join(either)}] is required"
    some = schema.get("requiredOr", [])
    if some and not any(name in value for name in some):
        yield f"{path}: one of [{', '.join(some)}] is required"


def _check_list(value: list[Any], schema: Schema, root: Schema, path: str) -> Iterator[str]:
    low, high = schema.get("minItems", 0), schema.get("maxItems")
    if len(value) < low:
        yield f"{path}: expected minimum item count: {low}, found: {len(value)}"
    if high is not None and len(value) > high:
        yield f"{path}: expected maximum item count: {high}, found: {len(value)}"
    if schema.get("uniqueItems"):
        seen = [json.dumps(item, sort_keys=True, default=str) for item in value]
        if len(set(seen)) != len(seen):
            yield f"{path}: array items are not unique"
    for index, item in enumerate(value):
        yield from _check(item, schema.get("items"), root, f"{path}/{index}")


def _check_scalar(value: Any, schema: Schema, path: str) -> Iterator[str]:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "const" in schema and text != _as_text(schema["const"]):
        yield f"{path}: #: {text} is not {schema['const']}"
    if "enum" in schema and text not in [_as_text(item) for item in schema["enum"]]:
        allowed = ", ".join(_as_text(item) for item in schema["enum"])
        yield f"{path}: {text} is not a valid enum value, one of [{allowed}] is"
    folded = [_as_text(item).lower() for item in schema.get("enumCaseInsensitive", [])]
    if folded and text.lower() not in folded:
        yield f"{path}: {text} is not a valid enum value, one of [{', '.join(folded)}] is"
    if isinstance(value, str):
        yield from _check_text(value, schema, path)
    if (number := _number(value)) is not None and not isinstance(value, bool):
        low, high = schema.get("minimum"), schema.get("maximum")
        if low is not None and number < low:
            yield f"{path}: {text} is not greater or equal to {low}"
        if high is not None and number > high:
            yield f"{path}: {text} is not less or equal to {high}"


def _check_text(value: str, schema: Schema, path: str) -> Iterator[str]:
    low, high = schema.get("minLength", 0), schema.get("maxLength")
    if len(value) < low:
        yield f"{path}: expected minLength: {low}, actual: {len(value)}"
    if high is not None and len(value) > high:
        yield f"{path}: expected maxLength: {high}, actual: {len(value)}"
    pattern = schema.get("pattern")
    if pattern and not _matches(pattern, value):
        yield f"{path}: failed validation constraint for keyword [pattern]: {pattern}"


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _matches(pattern: str, text: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.search(text) is not None


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """None for the Java expressions that Python cannot read (\\p{L}): they are not checked."""
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _check_alternatives(value: Any, schema: Schema, root: Schema, path: str) -> Iterator[str]:
    for part in schema.get("allOf", []):
        yield from _check(value, part, root, path)
    for keyword in ("anyOf", "oneOf"):
        choices = schema.get(keyword)
        if not choices:
            continue
        reports = [list(_check(value, choice, root, path)) for choice in choices]
        fitting = sum(not report for report in reports)
        if fitting == 0:
            nearest = min(reports, key=len)[0].removeprefix(f"{path}: ")
            yield f"{path}: matches no allowed form; the nearest one says: {nearest}"
        elif keyword == "oneOf" and fitting > 1:
            yield f"{path}: {fitting} subschemas matched instead of one"
