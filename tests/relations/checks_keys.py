"""The key of the environment: administered by the account, found by its name, and enabled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.checks.iam.policies import Request, allows
from pipeline.checks.render import Rendered
from pipeline.template.example_values import ACCOUNT
from templates_src.environment import ROOT
from tests.relations.iam import plain
from tests.relations.registry import relation
from tests.relations.text import listed, text_of
from tests.rendering import id_of, resources_of_type

# What it takes to change the policy of a key, to turn it off and on, and to end it.
# https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
ADMINISTRATION = (
    *("kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:DescribeKey", "kms:EnableKey"),
    *("kms:DisableKey", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:TagResource"),
)


@relation
def the_account_administers_its_key(rendered: Rendered) -> Iterator[str]:
    """The account, and with it IAM policies, can change and end each key: without this statement only AWS Support can."""
    root = f"arn:aws:iam::{ACCOUNT}:root"
    for key in resources_of_type(rendered, "AWS::KMS::Key"):
        statements = [
            plain(rendered, key.layer, {**each, "Resource": ["*"]})
            for each in key.properties["KeyPolicy"]["Statement"]
            if _names(each["Principal"], root)
        ]
        for action in ADMINISTRATION:
            if not allows(statements, Request(action, "*", {})):
                yield f"The account may not {action} {key.logical_id}."


def _names(principal: Any, root: str) -> bool:
    """Whether a principal is the account, or everyone."""
    named = listed(principal.get("AWS")) if isinstance(principal, dict) else [principal]
    return bool({root, "*"} & {text_of(each) for each in named})


@relation
def keys_are_found_by_their_name(rendered: Rendered) -> Iterator[str]:
    """Each key has one alias with the name of the environment, because its ID says nothing to the person who restores a snapshot."""
    given = rendered.parameters[ROOT]
    wanted = f"alias/{given['Project']}-{given['Environment']}"
    named = [
        (id_of(rendered, alias.layer, alias.properties["TargetKeyId"]), alias)
        for alias in resources_of_type(rendered, "AWS::KMS::Alias")
    ]
    for key in resources_of_type(rendered, "AWS::KMS::Key"):
        names = [
            text_of(alias.properties["AliasName"])
            for target, alias in named
            if target == key.logical_id
        ]
        if names != [wanted]:
            yield f"{key.logical_id} has the aliases {names}, not {wanted}."
