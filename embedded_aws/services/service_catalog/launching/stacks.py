"""Stacks of provisioned products: the embedded CloudFormation creates them with the launch role."""

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping
from html import unescape
from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.cloudformation.requests.template_urls import locate
from embedded_aws.services.records import ServiceError
from embedded_aws.services.service_catalog.launching import foreign_buckets, object_reads
from embedded_aws.services.service_catalog.launching.launch_roles import COPIED, LaunchRole
from embedded_aws.services.service_catalog.state import Record

Stack = dict[str, Any]

# Seconds between two reads of a stack.
_INTERVAL = 0.02
# Templates by the URL under which CloudFormation is about to read them.
_offered: dict[str, str] = {}
# The calls of Service Catalog with the credentials of the launch role:
# https://docs.aws.amazon.com/servicecatalog/latest/adminguide/constraints-launch.html
_ACTIONS = {
    "CreateStack": ("ValidateTemplate", "GetTemplateSummary", "CreateStack"),
    "UpdateStack": ("ValidateTemplate", "GetTemplateSummary", "UpdateStack"),
    "DeleteStack": ("DeleteStack",),
}
_WATCHING = ("DescribeStacks", "DescribeStackEvents")
# Actions on a template, of no stack in particular.
_WITHOUT_RESOURCE = ("ValidateTemplate", "GetTemplateSummary")


def install() -> None:
    """CloudFormation reads the copies of templates, and other templates with the launch role."""
    read = functions.resolve_document.current

    def resolve(parameters: Any, body_key: str, url_key: str, label: str) -> Any:
        url = functions.request_field(parameters, url_key)
        if url in _offered:
            return _offered[url], None
        place = locate(url) if url else None
        if place is None:
            return read(parameters, body_key, url_key, label)
        bucket, key, _ = place
        refused = object_reads.why_refused(bucket, key)
        if refused:
            return None, functions.stack_error("ValidationError", f"S3 error: {refused}")
        with foreign_buckets.opened(bucket, key):
            return read(parameters, body_key, url_key, label)

    functions.resolve_document.replace(resolve)


async def carry_out(
    action: str,
    arn: str,
    role: LaunchRole | None,
    fields: Mapping[str, str],
    body: str,
    observe: Callable[[Stack], None],
) -> Stack:
    """Call CreateStack, UpdateStack or DeleteStack, and return the stack when its operation has ended. `arn` names
    the stack (the part after its name may be *); `observe` receives it while it changes. Raises ServiceError if the
    role does not allow the call or CloudFormation rejects it.
    """
    object_reads.working_role.set(role)
    if role is not None:
        _require(role, action, arn, copied=bool(body))
    name = arn.split("/")[1]
    url = f"https://embedded-service-catalog/{secrets.token_hex(8)}"
    form = {key: [value] for key, value in {"StackName": name, **fields}.items()}
    if body:
        _offered[url] = body
        form["TemplateURL"] = [url]
    try:
        status, _, answer = tables.ACTIONS[action](form)
    finally:
        _offered.pop(url, None)
    if status != 200:
        raise _error_of(answer)
    return await _settled(name, observe)


def _require(role: LaunchRole, action: str, arn: str, *, copied: bool) -> None:
    for needed in (*_ACTIONS[action], *_WATCHING):
        resource = "*" if needed in _WITHOUT_RESOURCE else arn
        role.require(f"cloudformation:{needed}", resource)
    if copied:
        role.require("s3:GetObject", "arn:aws:s3:::embedded-service-catalog/copy", COPIED)


async def _settled(name: str, observe: Callable[[Stack], None]) -> Stack:
    while True:
        # Also before the first read: the status shows a deletion only when its task has started.
        await asyncio.sleep(_INTERVAL)
        stack = present(name)
        observe(stack)
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack


def present(name: str) -> Stack:
    """The stack of this name, unchanged."""
    stack: Stack | None = tables.STACKS.get(name)
    if stack is None:
        raise ServiceError("ValidationError", f"Stack with id {name} does not exist")
    return stack


def _error_of(answer: bytes | str) -> ServiceError:
    text = answer.decode() if isinstance(answer, bytes) else answer
    code = re.search(r"<Code>(.*?)</Code>", text, re.DOTALL)
    message = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
    return ServiceError(
        code[1] if code else "InternalFailure", unescape(message[1]) if message else text
    )


def fields_of(name: str, items: list[Record]) -> dict[str, str]:
    """A list of structures in the form of the query protocol: Tags.member.1.Key."""
    return {
        f"{name}.member.{number}.{key}": value
        for number, item in enumerate(items, 1)
        for key, value in item.items()
    }


def failure(stack: Stack) -> ServiceError:
    """Why a stack operation failed: the reason of the first failed resource, or else of the stack."""
    failed = [event for event in _events(stack) if event["ResourceStatus"].endswith("_FAILED")]
    # The stack's own event lists the resources; theirs say why.
    failed.sort(key=lambda event: bool(event["LogicalResourceId"] == stack["StackName"]))
    reasons = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason') or 'no reason given'}"
        for event in failed[:1]
    ]
    return ServiceError("CloudFormationError", "; ".join([stack["StackStatus"], *reasons]))


def _events(stack: Stack) -> list[Record]:
    """The events of the stack's newest operation."""
    events: list[Record] = tables.STACK_EVENTS.get(stack["StackId"], [])
    starts = [
        index
        for index, event in enumerate(events)
        if event["LogicalResourceId"] == stack["StackName"]
        and event["ResourceStatus"]
        in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
    ]
    return events[starts[-1] :] if starts else events
