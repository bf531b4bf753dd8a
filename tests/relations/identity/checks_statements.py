"""Statements of policies: complete, as IAM accepts them, and each with an effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.checks.iam.conditions import like
from pipeline.checks.render import Rendered
from tests.relations.identity.checks_identity import ROLE, statements
from tests.relations.registry import relation
from tests.relations.text import listed
from tests.rendering import resources_of_type, role_statements

EFFECTS = ("Allow", "Deny")
# A bucket or topic policy, and the policy of a key, belong to a resource and name principals.
OF_RESOURCES = frozenset({"AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::KMS::Key"})


@relation
def statements_have_every_element(rendered: Rendered) -> Iterator[str]:
    """IAM refuses a statement without an action, resource or principal, and a condition without a key limits nothing.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    """
    for holder, wanted, statement in _every_statement(rendered):
        for element in wanted:
            if _is_empty(statement.get(element)):
                yield f"Statement {statement.get('Sid', '')} of {holder} has no {element}."
        if statement.get("Effect") not in EFFECTS:
            yield f"Statement {statement.get('Sid', '')} of {holder} has the effect {statement.get('Effect')}."
        if "Condition" not in statement:
            continue
        condition = statement["Condition"]
        operators = listed(list(condition.values()))
        if not operators or any(
            _is_empty(operator) or any(value in ([], None) for value in operator.values())
            for operator in operators
        ):
            yield f"A condition of statement {statement.get('Sid', '')} of {holder} is empty."


def _every_statement(
    rendered: Rendered,
) -> Iterator[tuple[str, tuple[str, ...], Mapping[str, Any]]]:
    """The statements of policies and of trust, with their holder and the elements that each must have."""
    for kind, holder, statement in statements(rendered):
        principal = ("Principal",) if kind in OF_RESOURCES else ()
        yield holder, ("Action", "Resource", *principal), statement
    for role in resources_of_type(rendered, ROLE):
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
            yield role.logical_id, ("Action", "Principal"), statement


def _is_empty(value: Any) -> bool:
    """Whether a value is missing or contains nothing."""
    return value is None or (isinstance(value, list | dict | str) and not value)


@relation
def denials_limit_what_is_allowed(rendered: Rendered) -> Iterator[str]:
    """A role is denied only what another statement allows it: everything else is denied anyway."""
    for role in resources_of_type(rendered, ROLE):
        granted = [statement for _, statement in role_statements(rendered, role.logical_id)]
        allowed = [
            action
            for statement in granted
            if statement["Effect"] == "Allow"
            for action in listed(statement.get("Action"))
        ]
        for statement in granted:
            if statement["Effect"] != "Deny":
                continue
            for action in listed(statement.get("Action")):
                if not any(like(each, action) or like(action, each) for each in allowed):
                    yield f"{role.logical_id} is denied {action}, which nothing allows."
