"""Nested stacks through the whole engine.

ministack 1.5.33 deploys a child with a shortened copy of its engine: it ignores rules and exports in the child, leaks a failed
child, ignores Retain, and fails at a replacement. Here the actions for ordinary stacks create, update and delete a child.
"""

import asyncio
import functools
import random
import re
import string
from collections.abc import Callable, Coroutine, Mapping
from html import unescape
from typing import Any

from embedded_aws.bridge import functions, operations, tables
from embedded_aws.bridge.registry import Created, Properties
from embedded_aws.cloudformation.deletion import (
    during_creation,
    failed_creations,
    termination_protection,
)
from embedded_aws.cloudformation.failure_options import RETAIN_EXCEPT_ON_CREATE
from embedded_aws.cloudformation.nested_stacks import events, rollback, rollback_cleanup

Stack = dict[str, Any]

_TYPE = "AWS::CloudFormation::Stack"
# Seconds to wait for a child; AWS has no limit, but nothing here takes minutes.
_PATIENCE = 900
_NAME_LIMIT = 128
_FAILURES = ("CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED")
# The operation that runs on a stack, by the stack's id.
_running: dict[str, asyncio.Task[None]] = {}


def install() -> None:
    """Replace ministack's handlers of AWS::CloudFormation::Stack."""
    tables.RESOURCE_HANDLERS[_TYPE] = {
        "create": _create,
        "update": _update,
        "delete": _delete,
    }
    functions.update_resource.replace(_updating_every_child(functions.update_resource.current))
    functions.start_stack_operation.replace(_start_operation)
    tables.ACTIONS["DescribeStacks"] = _describe_with_family


def _updating_every_child(update: Callable[..., Any]) -> Callable[..., Any]:
    """CloudFormation checks a child even if its parameters do not change: the template at its URL can differ."""

    def update_or_look(
        kind: str, physical_id: str, old: Properties, new: Properties, *rest: Any
    ) -> Any:
        if kind == _TYPE and old == new:
            return _update(physical_id, old, new, rest[0])
        return update(kind, physical_id, old, new, *rest)

    return update_or_look


def _start_operation(
    operation: Coroutine[Any, Any, None], stack: Stack | None, stack_id: str | None = None
) -> None:
    """Schedule a stack operation in the stack's region, and remember it until it is done."""
    creation = _running.get(stack_id or "")
    if creation and stack and stack["StackStatus"] in during_creation.STATUSES:
        operation = during_creation.after_creation(creation, stack, operation)
    with functions.stack_region(stack, stack_id):
        task = asyncio.get_running_loop().create_task(operation)
    if stack_id:
        _running[stack_id] = task
        task.add_done_callback(lambda done: _end_operation(done, stack, stack_id))


def _end_operation(done: asyncio.Task[None], stack: Stack | None, stack_id: str) -> None:
    """Forget an operation; an aborted one must not leave its stack in progress."""
    if _running.get(stack_id) is done:
        del _running[stack_id]
    problem = None if done.cancelled() else done.exception()
    if problem is None or stack is None:
        return
    status = stack["StackStatus"].replace("_IN_PROGRESS", "_FAILED")
    reason = f"The embedded AWS broke off: {problem!r}"
    stack.update(StackStatus=status, StackStatusReason=reason)
    with functions.stack_region(stack, stack_id):
        name = stack["StackName"]
        functions.add_event(stack_id, name, name, _TYPE, status, reason, stack_id)


def _create(logical_id: str, properties: Properties, parent_name: str) -> Created:
    parent: Stack = tables.STACKS[parent_name]
    name = _child_name(parent_name, logical_id)
    begin = functools.partial(_begin, parent, logical_id, properties)
    rolls_back = not parent.get("DisableRollback")
    child = _act("CreateStack", name, _request(properties, parent), begin)
    if child["StackStatus"] == "CREATE_COMPLETE":
        return _created(child)
    problem = _failure(child, "created")
    if rolls_back:
        # The parent has no physical id of a failed resource, so the child must be deleted here.
        try:
            _delete(child["StackId"], {})
        except ValueError:
            failed_creations.keep(parent, logical_id, _failed(child, logical_id, properties))
    else:
        parent["_resources"][logical_id] = _failed(child, logical_id, properties)
    raise problem


def _failed(child: Stack, logical_id: str, properties: Properties) -> dict[str, Any]:
    """The parent's resource of a child whose creation failed."""
    return {
        "PhysicalResourceId": child["StackId"],
        "ResourceType": _TYPE,
        "ResourceStatus": "CREATE_FAILED",
        "LogicalResourceId": logical_id,
        "Properties": properties,
        "Attributes": {},
        "Timestamp": child["LastUpdatedTime"],
    }


def _begin(parent: Stack, logical_id: str, properties: Properties, child: Stack) -> None:
    """Make a stack the child of its parent, and record it in the parent's events."""
    child.update(
        ParentId=parent["StackId"],
        RootId=parent.get("RootId") or parent["StackId"],
        _parent_stack_name=parent["StackName"],
    )
    events.keep_template_url(child, properties)
    termination_protection.inherit(parent, child)
    events.announce(parent, logical_id, child)


def _child_name(parent_name: str, logical_id: str) -> str:
    suffix = "".join(random.choices(string.ascii_uppercase + string.digits, k=12))  # noqa: S311
    return f"{f'{parent_name}-{logical_id}'[: _NAME_LIMIT - len(suffix) - 1]}-{suffix}"


def _update(physical_id: str, _old: Properties, new: Properties, parent_name: str) -> Created:
    parent: Stack = tables.STACKS[parent_name]
    child = _named(physical_id)
    if child is None:
        raise ValueError(f"Stack [{physical_id}] does not exist")
    events.keep_template_url(child, new)
    if rollback_cleanup.roll_back(parent, child):
        return _created(child)
    request = rollback.skipped(parent, child)
    if request is not None:
        child = _act("ContinueUpdateRollback", child["StackName"], request)
        if child["StackStatus"] != "UPDATE_ROLLBACK_COMPLETE":
            raise _failure(child, "updated")
        return _created(child)
    try:
        child = _act("UpdateStack", child["StackName"], _request(new, parent))
    except ValueError as problem:
        if "No updates are to be performed" not in str(problem):
            raise
        return _created(child)
    if child["StackStatus"] != "UPDATE_COMPLETE":
        raise _failure(child, "updated")
    return _created(child)


def _delete(physical_id: str, _properties: Properties) -> None:
    child = _named(physical_id)
    if child is None or child["StackStatus"] == "DELETE_COMPLETE":
        return
    termination_protection.release(child)
    child = _act("DeleteStack", child["StackName"], {})
    if child["StackStatus"] != "DELETE_COMPLETE":
        raise _failure(child, "deleted")


def _named(physical_id: str) -> Stack | None:
    stack: Stack | None = functions.resolve_stack(physical_id)
    return stack


def _created(child: Stack) -> Created:
    outputs = {f"Outputs.{o['OutputKey']}": o["OutputValue"] for o in child.get("Outputs", [])}
    return child["StackId"], outputs


def _request(properties: Properties, parent: Stack) -> dict[str, str]:
    """The child's part of CreateStack or UpdateStack, with the parent's capabilities."""
    parameters = properties.get("Parameters") or {}
    fields = {"TemplateURL": str(properties["TemplateURL"])}
    for name, value in (
        ("DisableRollback", parent.get("DisableRollback")),
        ("RetainExceptOnCreate", parent.get(RETAIN_EXCEPT_ON_CREATE)),
    ):
        fields[name] = "true" if value else "false"
    for number, (key, value) in enumerate(parameters.items(), 1):
        if isinstance(value, list | dict):
            raise ValueError(  # noqa: TRY004 - the engine takes ValueErrors as refusals
                "Value of property Parameters must be an object with String (or simple type)"
                f" properties: {key} is not"
            )
        text = str(value).lower() if isinstance(value, bool) else str(value)
        fields[f"Parameters.member.{number}.ParameterKey"] = key
        fields[f"Parameters.member.{number}.ParameterValue"] = text
    tags = [t for t in properties.get("Tags") or [] if not t["Key"].startswith("aws:")]
    for number, tag in enumerate(tags, 1):
        fields[f"Tags.member.{number}.Key"] = tag["Key"]
        fields[f"Tags.member.{number}.Value"] = str(tag["Value"])
    for number, capability in enumerate(parent.get("Capabilities", []), 1):
        fields[f"Capabilities.member.{number}"] = capability
    for number, topic in enumerate(properties.get("NotificationARNs") or [], 1):
        fields[f"NotificationARNs.member.{number}"] = topic
    return fields


def _act(
    action: str,
    name: str,
    fields: Mapping[str, str],
    begin: Callable[[Stack], None] | None = None,
) -> Stack:
    """Carry out a stack action on the server's loop, from a worker thread, and wait for its end.

    The function calls `begin` with the stack when the action is accepted, before it runs.
    """

    async def act() -> Stack:
        # These values belong to the parent's resource and must not reach the child.
        operations.start_afresh()
        form = {key: [value] for key, value in {"StackName": name, **fields}.items()}
        status, _, body = tables.ACTIONS[action](form)
        if status != 200:
            raise ValueError(_message(body))
        stack: Stack = tables.STACKS[name]
        if begin is not None:
            begin(stack)
        operation = _running.get(stack["StackId"])
        if operation is not None:
            await operation
        return stack

    waiting = asyncio.run_coroutine_threadsafe(act(), operations.main_loop())
    return waiting.result(_PATIENCE)


def _message(body: bytes | str) -> str:
    text = body.decode() if isinstance(body, bytes) else body
    found = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
    return unescape(found.group(1)) if found else text


def _failure(child: Stack, verb: str) -> ValueError:
    """CloudFormation's message, with the first failed resource of the child and its reason."""
    recorded = tables.STACK_EVENTS.get(child["StackId"], [])
    failed = next(
        (
            event
            for event in recorded[_last_start(recorded) :]
            if event["ResourceStatus"] in _FAILURES
            and event["LogicalResourceId"] != child["StackName"]
        ),
        None,
    )
    reason = child.get("StackStatusReason") or ""
    if failed is not None:
        reason = f"{failed['LogicalResourceId']}: {failed['ResourceStatusReason']}"
    return ValueError(
        f"Embedded stack {child['StackId']} was not successfully {verb}: {reason}".rstrip(": ")
    )


def _last_start(recorded: list[dict[str, Any]]) -> int:
    """The index of the event that began the stack's newest operation."""
    for index in range(len(recorded) - 1, -1, -1):
        event = recorded[index]
        is_stack = event["LogicalResourceId"] == event["StackName"]
        if is_stack and event["ResourceStatus"] in _STARTS:
            return index
    return 0


_STARTS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
_TOPICS = "NotificationARNs"
_plain_describe = tables.ACTIONS["DescribeStacks"]


def _describe_with_family(parameters: Any) -> Any:
    """DescribeStacks with ParentId, RootId and NotificationARNs, which ministack does not show."""
    status, headers, body = _plain_describe(parameters)
    if status != 200:
        return status, headers, body

    def add(match: re.Match[str]) -> str:
        stack = _named(unescape(match.group(1))) or {}
        members = [f"<{n}>{stack[n]}</{n}>" for n in ("ParentId", "RootId") if stack.get(n)]
        topics = "".join(f"<member>{topic}</member>" for topic in stack.get(_TOPICS, []))
        return match.group(0) + "".join([*members, f"<{_TOPICS}>{topics}</{_TOPICS}>"])

    text = re.sub(r"<StackId>([^<]+)</StackId>", add, body.decode())
    return status, headers, text.encode()
