"""What handlers declare and never call for the package's templates, each with the property that would lead to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unused:
    """Actions that the handlers of a resource type call only for properties that no template sets."""

    kind: str
    properties: tuple[str, ...]
    actions: tuple[str, ...]


UNUSED = (
    Unused(
        "AWS::IAM::Policy",
        ("Groups", "Users"),
        tuple(
            f"iam:{verb}{of}Policy" for verb in ("Delete", "Get", "Put") for of in ("Group", "User")
        ),
    ),
    # Detaching stays: a role can be deleted only without the policies that somebody attached to it.
    Unused("AWS::IAM::Role", ("ManagedPolicyArns",), ("iam:AttachRolePolicy",)),
)


def unused(kind: str) -> frozenset[str]:
    """The actions that the handlers of a resource type declare in vain."""
    return frozenset(action for one in UNUSED if one.kind == kind for action in one.actions)
