"""Condition operators: each rule of the IAM user guide, and the same results as a second implementation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ministack.core import iam_evaluator

from pipeline.checks.iam.conditions import (
    Clause,
    MissingVariableError,
    SeveralValuesError,
    UnknownOperatorError,
    arn_like,
    clauses_of,
    holds,
    like,
    pattern_of,
)

ROLE = "arn:aws:iam::111122223333:role/carbon-connect/dev/x"


def result(operator: str, key: str, values: Any, context: dict[str, Any]) -> bool:
    """Whether a condition of one clause holds."""
    (clause,) = clauses_of({operator: {key: values}})
    return holds(clause, {name.lower(): value for name, value in context.items()})


@pytest.mark.parametrize(
    ("operator", "values", "found", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", ["b", "a"], "a", True),
        ("StringEquals", "A", "a", False),
        ("StringEquals", "a*", "ab", False),
        ("StringEqualsIgnoreCase", "A", "a", True),
        ("StringNotEquals", ["b", "a"], "a", False),
        ("StringNotEquals", ["b", "c"], "a", True),
        ("StringLike", "a*", "ab", True),
        ("StringLike", "a?", "a", False),
        ("StringNotLike", "a*", "ab", False),
        ("Bool", "true", True, True),
        ("Bool", "true", "True", True),
        ("Bool", False, "true", False),
        ("ArnLike", "arn:aws:iam::111122223333:role/carbon-connect/*", ROLE, True),
        ("ArnEquals", "arn:aws:iam::111122223333:role/carbon-connect/prod/*", ROLE, False),
        ("ArnNotLike", "arn:aws:iam::*:role/carbon-connect/*", ROLE, False),
        ("NumericLessThan", "10", 9, True),
        ("NumericGreaterThanEquals", "10", 9, False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("NotIpAddress", "10.0.0.0/8", "10.1.2.3", False),
    ],
)
def test_operator(operator: str, values: Any, found: Any, expected: bool) -> None:
    assert result(operator, "aws:Key", values, {"AWS:key": found}) is expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringLike", False),
        ("StringNotLike", True),
        ("ArnLike", False),
        ("Bool", False),
        ("StringEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
    ],
)
def test_missing_key(operator: str, expected: bool) -> None:
    assert result(operator, "aws:Key", "a", {}) is expected


@pytest.mark.parametrize(("values", "present"), [("true", False), ("false", True), (False, True)])
def test_null_tests_the_existence_of_the_key(values: Any, present: bool) -> None:
    assert result("Null", "aws:Key", values, {"aws:Key": "x"} if present else {})
    assert not result("Null", "aws:Key", values, {} if present else {"aws:Key": "x"})


@pytest.mark.parametrize(
    ("operator", "found", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "c"], False),
        ("ForAllValues:StringEquals", [], True),
        ("ForAnyValue:StringEquals", ["c", "b"], True),
        ("ForAnyValue:StringEquals", ["c"], False),
        ("ForAnyValue:StringNotEquals", ["a", "c"], True),
        ("ForAllValues:StringNotEquals", ["a", "c"], False),
        ("ForAllValues:StringLike", ["a", "b"], True),
    ],
)
def test_several_values(operator: str, found: list[str], expected: bool) -> None:
    assert result(operator, "aws:TagKeys", ["a", "b"], {"aws:TagKeys": found}) is expected


def test_several_values_need_a_quantifier() -> None:
    with pytest.raises(SeveralValuesError, match="aws:TagKeys has the values"):
        result("StringEquals", "aws:TagKeys", "a", {"aws:TagKeys": ["a", "b"]})


@pytest.mark.parametrize("operator", ["StringEqual", "ForSome:StringEquals", "DateLessThan"])
def test_unknown_operator_is_an_error(operator: str) -> None:
    with pytest.raises(UnknownOperatorError, match=operator):
        result(operator, "aws:Key", "a", {"aws:Key": "a"})


def test_variables() -> None:
    context = {"aws:principaltag/project": "x*", "aws:username": "u"}
    assert pattern_of("a/${aws:username}/*", context, literal=False) == "a/u/*"
    assert pattern_of("${aws:none, 'd'}", context, literal=False) == "d"
    assert pattern_of("${aws:username}", context, literal=True) == "${aws:username}"
    with pytest.raises(MissingVariableError):
        pattern_of("${aws:none}", context, literal=False)
    # Wildcards in a value are literal; ${*} is an asterisk.
    of_project = pattern_of("${aws:PrincipalTag/Project}/*", context, literal=False)
    assert like("x*/y", of_project)
    assert not like("xz/y", of_project)
    assert like("*", pattern_of("${*}", context, literal=False))
    assert not like("a", pattern_of("${*}", context, literal=False))


def test_a_condition_with_a_missing_variable_does_not_hold() -> None:
    assert not result("StringEquals", "aws:Key", "${aws:none}", {"aws:Key": "${aws:none}"})


def test_wildcards_of_an_arn_stay_within_its_segments() -> None:
    assert like(ROLE, "arn:aws:iam:*")
    assert not arn_like(ROLE, "arn:aws:iam:*")
    assert arn_like(ROLE, "arn:*:iam::*:role/*")
    assert not arn_like(ROLE, "arn:aws:*:role/*")
    assert arn_like("no arn", "*")


OPERATORS = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "Bool",
    "StringEqualsIfExists",
    "StringNotLikeIfExists",
    "ForAllValues:StringEquals",
    "ForAllValues:StringNotLike",
    "ForAnyValue:StringLike",
    "ForAnyValue:StringNotEquals",
    "Null",
]
WORDS = st.text("abAB*?", max_size=3)


@settings(max_examples=400, deadline=None)
@given(
    operator=st.sampled_from(OPERATORS),
    values=st.lists(WORDS, min_size=1, max_size=3),
    found=st.none() | WORDS | st.lists(WORDS, min_size=1, max_size=3),
)
def test_evaluation_agrees_with_the_embedded_aws(
    operator: str, values: list[str], found: str | list[str] | None
) -> None:
    """Compare two independent implementations of one specification."""
    if isinstance(found, list) and not operator.startswith("For"):
        found = found[0]
    if operator == "Null":
        values = ["true"]
    context = {} if found is None else {"aws:key": found}

    mine = holds(Clause(operator, "aws:Key", values), context)

    assert mine == iam_evaluator._evaluate_single_condition(operator, found, values)


@settings(max_examples=300, deadline=None)
@given(text=st.text("ab:/", max_size=6), pattern=st.text("ab:/*?", max_size=6))
def test_patterns_agree_with_the_embedded_aws(text: str, pattern: str) -> None:
    assert like(text, pattern) == iam_evaluator.fnmatch_iam_cs(text, pattern)
