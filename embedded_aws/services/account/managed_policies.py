"""Managed policies: a policy that does not exist cannot be attached, and the policies of AWS that this project uses
exist. ministack attaches every ARN.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html (NoSuchEntity)
https://github.com/aws/aws-cdk/issues/17278 quotes the message.
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSServiceCatalogEndUserFullAccess.html
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Properties
from embedded_aws.cloudformation.properties import hook

# Policies that ministack lacks; each is a file in the form of the reference.
_ADDED = ("AWSServiceCatalogEndUserFullAccess",)
_PRINCIPALS = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")
_ACTIONS = ("AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy")
_UNKNOWN = "Policy {} does not exist or is not attachable."


def install() -> None:
    """Add policies, and check that a policy exists before it is attached."""
    seed = functions.seed_aws_managed_policies.current

    def seed_all() -> None:
        seed()
        _add()

    # ministack calls it again when its state is reset.
    functions.seed_aws_managed_policies.replace(seed_all)
    _add()
    hook.add(_check)
    for action in _ACTIONS:
        tables.IAM_ACTIONS[action] = _checked(tables.IAM_ACTIONS[action])


def _add() -> None:
    for name in _ADDED:
        policy = json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
        tables.AWS_MANAGED_POLICIES[f"arn:aws:iam::aws:policy/{name}"] = (
            functions.aws_managed_policy(name, json.dumps(policy["Document"]))
        )


def _check(operation: hook.Operation) -> Properties | None:
    if operation.resource_type in _PRINCIPALS and operation.changes("ManagedPolicyArns"):
        for arn in operation.properties.get("ManagedPolicyArns") or []:
            if not functions.policy_exists(arn):
                raise ValueError(f"{_UNKNOWN.format(arn)} (Service: Iam, Code: NoSuchEntity)")
    return None


def _checked(attach: Callable[..., Any]) -> Callable[..., Any]:
    def checked(parameters: Any) -> Any:
        arn = functions.request_field(parameters, "PolicyArn")
        if not functions.policy_exists(arn):
            return functions.iam_error(404, "NoSuchEntity", _UNKNOWN.format(arn), ns="iam")
        return attach(parameters)

    return checked
