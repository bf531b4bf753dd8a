"""IDs in events, and nested stacks in a parent's events: their ID from the start, and the location of their template.

ministack shows the ID of a child only when the child is complete, so never that of a failed child, and shows no properties. Its
events of an update lack the ID of the resource until the update is complete.
taskcat and other programs find a child's template and events by these two.
"""

import json
import re
from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Properties

Stack = dict[str, Any]

_TYPE = "AWS::CloudFormation::Stack"
# Stored with a parent: the IDs of its children by logical ID; with a child: its template's URL.
_CHILDREN = "_children"
_TEMPLATE_URL = "_template_url"


def install() -> None:
    """Add the ID and the location to events of nested stacks."""
    add_event, describe = functions.add_event.current, tables.ACTIONS["DescribeStackEvents"]

    def add(
        stack_id: str,
        stack_name: str,
        logical_id: str,
        kind: str,
        status: str,
        reason: str = "",
        physical_id: str = "",
        *rest: Any,
        **more: Any,
    ) -> None:
        is_nested = kind == _TYPE and logical_id != stack_name
        if is_nested and status.endswith("_FAILED"):
            children = tables.STACKS[stack_name].get(_CHILDREN, {})
            physical_id = physical_id or children.get(logical_id, "")
        if status in ("UPDATE_IN_PROGRESS", "UPDATE_FAILED"):
            # The events of an update have the ID of the existing resource.
            resources = tables.STACKS[stack_name].get("_resources", {})
            physical_id = physical_id or resources.get(logical_id, {}).get("PhysicalResourceId", "")
        add_event(
            stack_id, stack_name, logical_id, kind, status, reason, physical_id, *rest, **more
        )
        url = (functions.resolve_stack(physical_id) or {}).get(_TEMPLATE_URL)
        if is_nested and url:
            # Not the parameters: what the parent declares NoEcho is masked on AWS, and is not known
            # for such here.
            event = tables.STACK_EVENTS[stack_id][-1]
            event["ResourceProperties"] = json.dumps({"TemplateURL": url})

    def describe_with_properties(request: Any) -> Any:
        answer = describe(request)
        return _with_properties(
            answer, functions.resolve_stack(functions.request_field(request, "StackName"))
        )

    functions.add_event.replace(add)
    tables.ACTIONS["DescribeStackEvents"] = describe_with_properties


def keep_template_url(child: Stack, properties: Properties) -> None:
    """Store the location of the template of a child that is being created or updated."""
    child[_TEMPLATE_URL] = str(properties["TemplateURL"])


def announce(parent: Stack, logical_id: str, child: Stack) -> None:
    """Record in the parent's events that a child exists, as CloudFormation does before the child is complete."""
    parent.setdefault(_CHILDREN, {})[logical_id] = child["StackId"]
    functions.add_event(
        parent["StackId"],
        parent["StackName"],
        logical_id,
        _TYPE,
        "CREATE_IN_PROGRESS",
        "Resource creation Initiated",
        child["StackId"],
    )


def _with_properties(answer: Any, stack: Stack | None) -> Any:
    status, headers, body = answer
    if stack is None or status != 200:
        return answer
    properties = {
        event["EventId"]: functions.escape_xml(event["ResourceProperties"])
        for event in tables.STACK_EVENTS.get(stack["StackId"], [])
        if "ResourceProperties" in event
    }

    def add(match: re.Match[str]) -> str:
        shown = properties.get(match.group(1))
        return match.group(0) + (
            f"<ResourceProperties>{shown}</ResourceProperties>" if shown else ""
        )

    text = re.sub(r"<EventId>([^<]+)</EventId>", add, body.decode())
    return status, headers, text.encode()
