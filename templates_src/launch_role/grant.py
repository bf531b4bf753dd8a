"""A grant of the launch role or its boundary: actions on resources, and the reason for every wildcard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from awacs.aws import Action, Allow, Condition, Statement, StringEquals
from troposphere import AccountId, If, Ref, Sub

from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration
from templates_src.launch_role.bindings import ACCOUNT, ARN
from templates_src.launch_role.environments import per_environment
from templates_src.release_bucket.template import RELEASE_BUCKET_PREFIX

RELEASE_BUCKETS = Declaration(
    name="ReleaseBuckets",
    group=groups.LAUNCHING,
    label="Release buckets",
    description="Release bucket that products are launched from, or the beginning of several names and *; empty for this account's.",
    default="",
    pattern=r"([a-z0-9][a-z0-9.-]{1,61}([a-z0-9]|\*))?",
    max_length=63,
    message="ReleaseBuckets must be empty, the name of a bucket, or the beginning of names and an asterisk.",
)
# The placeholder for release_objects(), which depends on a parameter.
RELEASE_OBJECTS = "the release's objects"
PUBLISHER_ACCOUNT = Declaration(
    name="PublisherAccount",
    group=groups.LAUNCHING,
    label="Publisher's account",
    description="Account that publishes the products and owns the release buckets; empty for this account.",
    default="",
    pattern=r"(\d{12})?",
    max_length=12,
    message="PublisherAccount must be empty or the twelve digits of an account.",
)


@dataclass(frozen=True)
class Grant:
    """Actions on resources, with an optional condition.

    ``also`` means that later grants can select the actions too. The Sid states the purpose, and ``reason`` why the
    resources contain a wildcard beyond names that are unknown before the launch.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Condition | None = None
    also: bool = False
    reason: str = ""

    def select(self, actions: Iterable[str]) -> list[str]:
        """The actions that the grant selects."""
        return [
            action
            for action in actions
            if any(fnmatchcase(action, pattern) for pattern in self.actions)
        ]

    def statement(self, actions: Iterable[str]) -> Statement:
        """The statement that allows the actions."""
        extra = {} if self.condition is None else {"Condition": self.condition}
        return Statement(
            Sid=self.sid,
            Effect=Allow,
            Action=[Action(*action.split(":")) for action in actions],
            Resource=[found for text in self.resources for found in _resources(text)],
            **extra,
        )


def _resources(text: str) -> list[object]:
    return [release_objects()] if text == RELEASE_OBJECTS else per_environment(text)


def release_objects() -> If:
    """ARN of every object of the release buckets: those of this account in any region, unless a name is given."""
    return If(
        f"Has{RELEASE_BUCKETS.name}",
        Sub(f"{ARN}s3:::${{{RELEASE_BUCKETS.name}}}/*"),
        Sub(f"{ARN}s3:::{RELEASE_BUCKET_PREFIX}-{ACCOUNT}-*/*"),
    )


def equals(key: str, value: Any) -> Condition:
    """The condition that a key of the request has a value, or one of several."""
    return Condition(StringEquals({key: value}))


def publisher_account() -> If:
    """The account that owns the release buckets: this one, unless the parameter names another."""
    return If(f"Has{PUBLISHER_ACCOUNT.name}", Ref(PUBLISHER_ACCOUNT.name), AccountId)
