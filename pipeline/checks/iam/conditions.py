"""Condition operators of IAM policies, and the patterns that they and the other elements compare with.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

Context = Mapping[str, Any]
Comparison = Callable[[str, str], bool]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
# Characters that a policy escapes as variables: ${*}, ${?} and ${$}.
_ESCAPED = frozenset("*?$")
_ARN_SEGMENTS = 6


class UnknownOperatorError(Exception):
    """A policy uses an unknown condition operator; add it here."""


class SeveralValuesError(Exception):
    """A request has several values of a key that a condition compares as one; AWS leaves the result undefined."""


class MissingVariableError(Exception):
    """A policy variable has no value in the request; the statement does not match."""


class Clause(NamedTuple):
    """One key of a condition: operator, key and the values of the policy."""

    operator: str
    key: str
    values: list[Any]


def clauses_of(condition: Mapping[str, Any]) -> Iterator[Clause]:
    """The tests of a Condition element; all must hold."""
    for operator, keys in condition.items():
        for key, values in keys.items():
            yield Clause(operator, key, listed(values))


def holds(clause: Clause, context: Context) -> bool:
    """Whether one test holds for a request.

    ``context`` has the condition keys of the request in lower case; a list is a key with several values. Raises
    UnknownOperatorError and SeveralValuesError.
    """
    found = context.get(clause.key.lower())
    if clause.operator.lower() == "null":
        return as_text(found is None) in [as_text(value).lower() for value in clause.values]
    quantifier, operator, if_exists = parsed(clause.operator)
    negated, compare = _OPERATORS[operator]
    try:
        values = [pattern_of(as_text(value), context, literal=False) for value in clause.values]
    except MissingVariableError:
        return False
    if found is None:
        # An empty set satisfies ForAllValues and no ForAnyValue; a missing key satisfies negated operators.
        return if_exists or quantifier == "forallvalues" or (negated and not quantifier)
    have = [as_text(value) for value in listed(found)]
    if not quantifier and len(have) != 1:
        raise SeveralValuesError(
            f"{clause.key} has the values {have} and {clause.operator} takes one."
        )
    matched = (any(compare(one, value) for value in values) != negated for one in have)
    return all(matched) if quantifier == "forallvalues" else any(matched)


def parsed(operator: str) -> tuple[str, str, bool]:
    """Quantifier (or empty), operator and IfExists of an operator's name, in lower case."""
    name = operator.lower()
    quantifier, colon, rest = name.partition(":")
    if not colon:
        quantifier, rest = "", name
    if_exists = rest.endswith("ifexists")
    rest = rest.removesuffix("ifexists")
    if rest not in _OPERATORS or quantifier not in ("", "forallvalues", "foranyvalue"):
        raise UnknownOperatorError(operator)
    return quantifier, rest, if_exists


def pattern_of(text: str, context: Context, *, literal: bool) -> str:
    """A policy's text with its variables replaced; wildcards in a replaced value are literal.

    ``literal`` leaves ``${…}`` as it is, for elements where IAM knows no variables. Raises MissingVariableError.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    if literal or "${" not in text:
        return text

    def value(found: re.Match[str]) -> str:
        name, comma, default = (part.strip() for part in found.group(1).partition(","))
        if name in _ESCAPED:
            return escaped(name)
        known = context.get(name.lower())
        if known is None or isinstance(known, list):
            if not comma:
                raise MissingVariableError(name)
            known = default.strip("'")
        return escaped(as_text(known))

    return _VARIABLE.sub(value, text)


def escaped(text: str) -> str:
    """Text with literal wildcards; the private marks never occur in policies."""
    return text.replace("*", "\ue000").replace("?", "\ue001").replace("$", "\ue002")


def plain(text: str) -> str:
    """A pattern's text without the marks."""
    return text.replace("\ue000", "*").replace("\ue001", "?").replace("\ue002", "$")


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts = (
        ".*" if one == "*" else "." if one == "?" else re.escape(plain(one)) for one in pattern
    )
    return re.compile("".join(parts), re.DOTALL)


def like(text: str, pattern: str) -> bool:
    """Whether text matches a pattern with ``*`` and ``?``; case-sensitive."""
    return _expression(pattern).fullmatch(text) is not None


def arn_like(text: str, pattern: str) -> bool:
    """Whether an ARN matches a pattern, segment by segment."""
    have, wanted = text.split(":", _ARN_SEGMENTS - 1), pattern.split(":", _ARN_SEGMENTS - 1)
    if len(have) != _ARN_SEGMENTS or len(wanted) != _ARN_SEGMENTS:
        return wanted == ["*"]
    return all(like(one, each) for one, each in zip(have, wanted, strict=True))


def listed(value: Any) -> list[Any]:
    """A value as a list; a single value becomes a list of one."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def as_text(value: Any) -> str:
    """A value in the text form of policies and requests."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _equal(one: str, value: str) -> bool:
    return one == plain(value)


def _equal_ignoring_case(one: str, value: str) -> bool:
    return one.lower() == plain(value).lower()


def _in_network(one: str, value: str) -> bool:
    return ipaddress.ip_address(one) in ipaddress.ip_network(value, strict=False)


def _number(compare: Callable[[float, float], bool]) -> Comparison:
    return lambda one, value: compare(float(one), float(value))


# Whether an operator is a negation, and the comparison of one value of the request with one of the policy.
_OPERATORS: Mapping[str, tuple[bool, Comparison]] = {
    "stringequals": (False, _equal),
    "stringnotequals": (True, _equal),
    "stringequalsignorecase": (False, _equal_ignoring_case),
    "stringnotequalsignorecase": (True, _equal_ignoring_case),
    "stringlike": (False, like),
    "stringnotlike": (True, like),
    "arnequals": (False, arn_like),
    "arnlike": (False, arn_like),
    "arnnotequals": (True, arn_like),
    "arnnotlike": (True, arn_like),
    "bool": (False, _equal_ignoring_case),
    "numericequals": (False, _number(lambda one, value: one == value)),
    "numericnotequals": (True, _number(lambda one, value: one == value)),
    "numericlessthan": (False, _number(lambda one, value: one < value)),
    "numericlessthanequals": (False, _number(lambda one, value: one <= value)),
    "numericgreaterthan": (False, _number(lambda one, value: one > value)),
    "numericgreaterthanequals": (False, _number(lambda one, value: one >= value)),
    "ipaddress": (False, _in_network),
    "notipaddress": (True, _in_network),
}
