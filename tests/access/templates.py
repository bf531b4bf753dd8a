"""The role templates, rendered, as principals of the policy evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pipeline.checks.iam.evaluation import Decision, Principal, Resource, decide
from pipeline.checks.iam.policies import Policy, Request, policy
from pipeline.template.example_values import ACCOUNT
from templates_src.core.layer import Layer
from tests.launch_role.evaluation import resources_of

REGION = "eu-north-1"
IAM = f"arn:aws:iam::{ACCOUNT}:"
OTHER_ACCOUNT = "999988887777"
# Action, ARN of the resource, and condition keys of the request.
Call = tuple[str, str, dict[str, str]]
Cases = tuple[Call, ...]


def policies_of(layer: Layer, role: str, **given: str) -> tuple[Policy, ...]:
    """The managed policies of a role of a template, by its logical ID."""
    resources = resources_of(layer, **given)
    attached = [entry["Ref"] for entry in resources[role]["Properties"]["ManagedPolicyArns"]]
    return tuple(policy(name, resources[name]["Properties"]["PolicyDocument"]) for name in attached)


def principal(layer: Layer, role: str, **given: str) -> Principal:
    """The role of a template, with its policies."""
    name = resources_of(layer, **given)[role]["Properties"]["RoleName"]
    return Principal(f"{IAM}role/{name}", ACCOUNT, policies_of(layer, role, **given))


def answer(
    caller: Principal, action: str, arn: str = "*", context: Mapping[str, Any] | None = None
) -> Decision:
    """The decision on the caller's request for a resource of the same account."""
    return decide(caller, Request(action, arn, context or {}), Resource(ACCOUNT))


def each(calls: Sequence[Call]) -> pytest.MarkDecorator:
    """Run a test with each call."""
    return pytest.mark.parametrize("call", calls, ids=[action for action, _, _ in calls])


def assert_allowed(caller: Principal, call: Call) -> None:
    """Fail with the reasons if the call is denied."""
    decision = answer(caller, *call)
    assert decision.allowed, decision.reasons()


def assert_denied(caller: Principal, call: Call) -> None:
    """Fail if the call is allowed."""
    assert not answer(caller, *call).allowed
