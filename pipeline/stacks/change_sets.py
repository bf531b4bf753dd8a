"""The changes in a change set and in its nested change sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.aws import Aws, aws_errors
from pipeline.stacks.early_validation import ValidationResult, validation_results
from pipeline.stacks.events import STACK_TYPE

# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
ADD, REMOVE, MODIFY = "Add", "Remove", "Modify"
REPLACED, NOT_REPLACED = "True", "False"


@dataclass(frozen=True)
class AnnouncedChange:
    """A change of one resource; ``stack`` is the logical ID of its nested stack, empty in the root.

    ``action`` is Add, Modify, Remove or another of CloudFormation's; ``replacement`` is True, False, Conditional or empty.
    """

    stack: str
    logical_id: str
    kind: str
    action: str
    replacement: str


@dataclass(frozen=True)
class Announced:
    """The changes of a change set and its nested ones, and the results of its validation.

    ``stacks`` has the action on each nested stack without a change set, such as a removed one, by logical ID.
    """

    changes: tuple[AnnouncedChange, ...]
    validation: tuple[ValidationResult, ...]
    stacks: Mapping[str, str] = field(default_factory=dict)


def announced(aws: Aws, change_set_id: str) -> Announced:
    """Read a change set with its nested ones."""
    with aws_errors("read the change set"):
        cloudformation = aws.client("cloudformation")
        root = list(_described(cloudformation, change_set_id))
        nested = [change for change in root if change["ResourceType"] == STACK_TYPE]
        found = [_read(change, "") for change in root if change not in nested]
        for stack in nested:
            if stack.get("ChangeSetId"):
                found += [
                    _read(change, stack["LogicalResourceId"])
                    for change in _described(cloudformation, stack["ChangeSetId"])
                ]
        validation = [
            result
            for identity in (change_set_id, *_identities(nested))
            for result in validation_results(cloudformation, ChangeSetName=identity)
        ]
    whole = {
        each["LogicalResourceId"]: each["Action"] for each in nested if not each.get("ChangeSetId")
    }
    return Announced(tuple(found), tuple(validation), whole)


def change_sets(cloudformation: Any, change_set_id: str) -> list[str]:
    """The ID of a change set and of those nested in it. Raises what botocore does."""
    return [change_set_id, *_identities(_described(cloudformation, change_set_id))]


def _identities(changes: Iterable[Mapping[str, Any]]) -> list[str]:
    return [change["ChangeSetId"] for change in changes if change.get("ChangeSetId")]


def _read(change: Mapping[str, Any], stack: str) -> AnnouncedChange:
    return AnnouncedChange(
        stack,
        change["LogicalResourceId"],
        change["ResourceType"],
        change["Action"],
        change.get("Replacement", ""),
    )


def _described(cloudformation: Any, change_set_id: str) -> Iterator[Mapping[str, Any]]:
    pages = cloudformation.get_paginator("describe_change_set").paginate(
        ChangeSetName=change_set_id
    )
    for page in pages:
        for change in page.get("Changes", []):
            if "ResourceChange" in change:
                yield change["ResourceChange"]
