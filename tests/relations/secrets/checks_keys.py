"""The key of the environment: administered by the account, found by its name, and enabled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.checks.iam.policies import Request, allows
from pipeline.checks.render import Rendered
from pipeline.template.example_values import ACCOUNT
from templates_src.environment import ROOT
from tests.relations.identity.iam import plain
from tests.relations.registry import relation
from tests.relations.text import is_true, listed, text_of
from tests.rendering import id_of, resources_of_type

# What it takes to change the policy of a key, to turn it off and on, and to end it.
# https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
ADMINISTRATION = (
    *("kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:DescribeKey", "kms:EnableKey"),
    *("kms:DisableKey", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:TagResource"),
)
# Days in which a deletion can be cancelled, the default and the most; afterwards the data is lost.
# https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-how-it-works.html
LONGEST_WAIT = 30


@relation
def the_account_administers_its_key(rendered: Rendered) -> Iterator[str]:
    """The account, and with it IAM policies, can change and end each key: without this statement only AWS Support can. The key is on, and a month passes before its deletion."""
    root = f"arn:aws:iam::{ACCOUNT}:root"
    for key in resources_of_type(rendered, "AWS::KMS::Key"):
        statements = [
            plain(rendered, key.layer, {**each, "Resource": ["*"]})
            for each in key.properties["KeyPolicy"]["Statement"]
            if _names(each["Principal"], root)
        ]
        if not is_true(key.properties.get("Enabled", True)):
            yield f"{key.logical_id} is off: nothing that it encrypts can be read."
        waits = int(key.properties.get("PendingWindowInDays", LONGEST_WAIT))
        if waits < LONGEST_WAIT:
            yield f"{key.logical_id} can be recovered for {waits} days only."
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
