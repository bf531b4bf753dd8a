"""The resources of an environment's stack and of its nested stacks, with their deletion policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.changes.updates.facts import DATABASE, REPLICATION_GROUP
from pipeline.environments.deletion.account import Account, UnreadableError
from pipeline.environments.preview.deployed import template_of
from pipeline.errors import PipelineError
from pipeline.stacks.events import STACK_TYPE
from pipeline.stacks.reading import outputs_of, read_stack, resource_summaries, values_of

DELETE, RETAIN, SNAPSHOT = "Delete", "Retain", "Snapshot"
_RETAINING = frozenset({RETAIN, "RetainExceptOnCreate"})
# States in which nested stacks that an operation deleted can have left resources behind.
_AFTER_DELETIONS = frozenset(
    {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "DELETE_IN_PROGRESS"}
)
_NO_TEMPLATE: Mapping[str, Any] = {}


@dataclass(frozen=True)
class StackResource:
    """A resource of a nested stack, or of the root if ``stack`` is empty. ``policy`` is its DeletionPolicy, None if
    the template cannot be read. ``properties`` are as the template writes them,
    and ``values`` the parameters of its stack.
    """

    stack: str
    logical_id: str
    kind: str
    physical_id: str
    status: str
    policy: str | None
    properties: Mapping[str, Any]
    values: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.stack}.{self.logical_id}" if self.stack else self.logical_id

    @property
    def is_retained(self) -> bool:
        """Whether the deletion of the stack keeps it."""
        return self.policy in _RETAINING

    @property
    def leaves_snapshot(self) -> bool:
        """Whether CloudFormation takes a final snapshot of it."""
        return self.policy == SNAPSHOT

    @property
    def is_gone(self) -> bool:
        """Whether an earlier operation deleted it, and left a snapshot."""
        return self.status == "DELETE_COMPLETE"

    def value(self, prop: str) -> str:
        """The value of a property that is a literal or a reference to a parameter; empty otherwise."""
        return text_of(self.properties.get(prop, ""), self.values)


@dataclass(frozen=True)
class Contents:
    """An environment's stack, its resources, and its outputs. ``description`` is None if the template cannot be read.

    ``is_complete`` is False if the credentials cannot read every stack; ``nested`` are the ARNs of the nested stacks by
    logical ID.
    """

    stack: Mapping[str, Any]
    description: str | None
    resources: tuple[StackResource, ...]
    is_complete: bool
    nested: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the stack."""
        return str(self.stack["StackName"])

    @property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the root."""
        return outputs_of(self.stack)

    @property
    def values(self) -> Mapping[str, str]:
        """The values of the root's parameters."""
        return values_of(self.stack)


def text_of(value: Any, values: Mapping[str, str]) -> str:
    """A literal, or the value of the parameter that is referred to; empty for any other function."""
    if isinstance(value, Mapping):
        return values.get(str(value.get("Ref", "")), "")
    return str(value)


def read_contents(account: Account, stack: Mapping[str, Any]) -> Contents:
    """Read the resources of a stack that the credentials can read; ``account`` records the others."""
    root = _template(account, stack["StackId"], "the root")
    found: list[StackResource] = []
    complete = root is not None
    try:
        for resource in _own(account, stack["StackId"], "", root, values_of(stack)):
            if resource.kind != STACK_TYPE:
                found.append(resource)
    except UnreadableError:
        return Contents(stack, _description(root), (), is_complete=False)
    nested = _nested(account, stack)
    for logical_id, stack_id, is_deleted in nested:
        try:
            if not is_deleted:
                found += _of_nested(account, stack_id, logical_id)
            if stack["StackStatus"] in _AFTER_DELETIONS:
                known = {each.logical_id for each in found if each.stack == logical_id}
                found += _left(account, stack_id, logical_id, known)
        except UnreadableError:
            complete = False
    complete = complete and all(resource.policy is not None for resource in found)
    existing = {
        logical_id: stack_id for logical_id, stack_id, is_deleted in nested if not is_deleted
    }
    return Contents(stack, _description(root), tuple(found), complete, existing)


def _description(template: Mapping[str, Any] | None) -> str | None:
    return None if template is None else str(template.get("Description", ""))


def _template(account: Account, stack_id: str, what: str) -> Mapping[str, Any] | None:
    """The template of a stack; None if it cannot be read, {} if another tool wrote it."""
    try:
        found: Mapping[str, Any] | None = account.read(
            "cloudformation:GetTemplate",
            f"the resources that the template of {what} retains",
            lambda _: template_of(account.aws, stack_id, what),
        )
    except UnreadableError:
        return None
    except PipelineError:
        return _NO_TEMPLATE
    return _NO_TEMPLATE if found is None else found


def _of_nested(account: Account, stack_id: str, logical_id: str) -> list[StackResource]:
    template = _template(account, stack_id, logical_id)
    described = account.read(
        "cloudformation:DescribeStacks",
        f"the parameters of {logical_id}",
        lambda _: read_stack(account.aws, stack_id),
    )
    return list(_own(account, stack_id, logical_id, template, values_of(described or {})))


def _own(
    account: Account,
    stack_id: str,
    nested: str,
    template: Mapping[str, Any] | None,
    values: Mapping[str, str],
) -> Iterator[StackResource]:
    """The resources that a stack has, without those of its nested stacks. Raises UnreadableError."""
    bodies = (template or {}).get("Resources", {})
    for listed in _listed(account, stack_id, nested or "the root"):
        if listed["ResourceStatus"] == "DELETE_COMPLETE" or not listed.get("PhysicalResourceId"):
            continue
        logical_id, kind = listed["LogicalResourceId"], listed["ResourceType"]
        body = bodies.get(logical_id, {})
        policy = body.get("DeletionPolicy") or default_policy(kind)
        yield StackResource(
            nested,
            logical_id,
            kind,
            listed["PhysicalResourceId"],
            listed["ResourceStatus"],
            None if template is None else str(policy),
            body.get("Properties", {}),
            values,
        )


def default_policy(kind: str) -> str:
    """The DeletionPolicy of a resource that has none.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """
    return SNAPSHOT if kind == DATABASE else DELETE


def _listed(account: Account, stack_id: str, what: str) -> list[Mapping[str, Any]]:
    def pages(cloudformation: Any) -> list[Mapping[str, Any]]:
        return list(resource_summaries(cloudformation, stack_id))

    return (
        account.read("cloudformation:ListStackResources", f"the resources of {what}", pages) or []
    )


def _nested(account: Account, stack: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """Logical ID and ARN of each nested stack, and whether it is deleted; those only after a failure."""
    listed = [
        (each["LogicalResourceId"], each["PhysicalResourceId"], _is_deleted(each))
        for each in _listed(account, stack["StackId"], "the root")
        if each["ResourceType"] == STACK_TYPE and each.get("PhysicalResourceId")
    ]
    if stack["StackStatus"] not in _AFTER_DELETIONS:
        return [nested for nested in listed if not nested[2]]
    known = {stack_id for _, stack_id, _ in listed}
    try:
        events = _events(account, stack["StackId"], "the root")
    except UnreadableError:
        return listed
    # The newest event of each nested stack comes first.
    for each in events:
        stack_id = each.get("PhysicalResourceId") or stack["StackId"]
        if each["ResourceType"] == STACK_TYPE and stack_id not in {*known, stack["StackId"]}:
            known.add(stack_id)
            listed.append((each["LogicalResourceId"], stack_id, _is_deleted(each)))
    return listed


def _is_deleted(listed: Mapping[str, Any]) -> bool:
    return bool(listed["ResourceStatus"] == "DELETE_COMPLETE")


def _events(account: Account, stack_id: str, what: str) -> list[Mapping[str, Any]]:
    """The events of a stack, newest first."""

    def pages(cloudformation: Any) -> list[Mapping[str, Any]]:
        paginator = cloudformation.get_paginator("describe_stack_events")
        return [
            each for page in paginator.paginate(StackName=stack_id) for each in page["StackEvents"]
        ]

    about = f"the resources that {what} left when it was deleted"
    return account.read("cloudformation:DescribeStackEvents", about, pages) or []


def _left(account: Account, stack_id: str, nested: str, known: set[str]) -> Iterator[StackResource]:
    """The resources that a nested stack left when it was deleted: retained ones, and those with a final snapshot.

    ``known`` are logical IDs of resources that the stack still has.
    """
    seen = set(known)
    for event in _events(account, stack_id, nested):
        logical_id, kind = event["LogicalResourceId"], event["ResourceType"]
        status, physical_id = event["ResourceStatus"], event.get("PhysicalResourceId", "")
        if logical_id in seen or not physical_id or physical_id == stack_id:
            continue
        seen.add(logical_id)
        if status == "DELETE_SKIPPED":
            yield StackResource(nested, logical_id, kind, physical_id, status, RETAIN, {}, {})
        elif status == "DELETE_COMPLETE" and kind in {DATABASE, REPLICATION_GROUP}:
            yield StackResource(nested, logical_id, kind, physical_id, status, SNAPSHOT, {}, {})
