"""The calls that the checks of grants require of a function are those of its code."""

from __future__ import annotations

from functools import cache

import pytest

from tests.relations.functions.checks_code import calls_of
from tests.relations.identity.needs_of_functions import CONNECT, OF_CODE, needs_of_functions
from tests.relations.variants import rendered_variant
from tests.rendering import id_of, resources_of_type

# The one function of dev only is in the second variant; the first may empty its buckets.
VARIANTS = ("complete dev", "dev on what exists")
# Actions that AWS asks for with another call, by that call.
WITH_ANOTHER = {
    "iam:PassRole": "ecs:RunTask",
    "ecs:TagResource": "ecs:RunTask",
    "kms:Decrypt": "secretsmanager:GetSecretValue",
    # DeleteObjects of an object without a version, such as a delete marker.
    "s3:DeleteObject": "s3:DeleteObjectVersion",
}
# `invoke` is a word of many programs, so calls_of leaves it out.
ONE_WORD = frozenset({"lambda:InvokeFunction"})
# Lambda makes these calls itself.
OF_LAMBDA = frozenset({"logs:CreateLogStream", "logs:PutLogEvents", *CONNECT})


@cache
def needed() -> dict[str, set[str]]:
    """Each function's package, with the actions that the checks require of its role."""
    found: dict[str, set[str]] = {}
    for variant in VARIANTS:
        rendered = rendered_variant(variant)
        packages = {
            id_of(rendered, each.layer, each.properties["Role"]): each.properties["Handler"].split(
                "."
            )[1]
            for each in resources_of_type(rendered, "AWS::Lambda::Function")
        }
        for need in needs_of_functions(rendered):
            found.setdefault(packages[need.role], set()).add(need.action)
    return found


def test_every_function_has_needs() -> None:
    assert needed().keys() == OF_CODE.keys()


@pytest.mark.parametrize("package", sorted(OF_CODE))
def test_needs_are_the_calls_of_the_code(package: str) -> None:
    actions = needed()[package] - OF_LAMBDA - ONE_WORD
    calls = calls_of(package)

    assert {each for each in actions if WITH_ANOTHER.get(each) not in calls} - calls == set()
    assert calls - actions == set()
