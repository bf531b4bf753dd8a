"""Nested change sets: CreateChangeSet with IncludeNestedStacks, which ministack ignores."""

import re
from html import unescape
from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.cloudformation.change_sets import validation
from embedded_aws.cloudformation.nested_stacks.comparison import NestedChangeSets

Record = dict[str, Any]


def install() -> None:
    """Make, describe, execute and delete nested change sets with those of their root."""
    for action, wrapped in (
        ("CreateChangeSet", _creating),
        ("DescribeChangeSet", _describing),
        ("ExecuteChangeSet", _ending("execute")),
        ("DeleteChangeSet", _ending("delete")),
    ):
        tables.ACTIONS[action] = wrapped(tables.ACTIONS[action])


def _creating(create: Any) -> Any:
    def create_with_nested(parameters: Any) -> Any:
        answer = create(parameters)
        if answer[0] != 200:
            return answer
        text = answer[2].decode() if isinstance(answer[2], bytes) else answer[2]
        found = re.search(r"<Id>([^<]+)</Id>", text)
        root = tables.CHANGE_SETS[unescape(found.group(1))] if found else {}
        kind = root.get("ChangeSetType")
        passes = kind not in {"CREATE", "UPDATE"} or validation.validate(
            root, root["_template"], root["_resolved_params"]
        )
        if functions.request_field(parameters, "IncludeNestedStacks") == "true":
            root["IncludeNestedStacks"] = True
            if kind == "UPDATE":
                passes = _added(root) and passes
        if not passes:
            validation.fail(root)
        return answer

    return create_with_nested


def _added(root: Record) -> bool:
    """Add the nested change sets; return whether all are valid. If one cannot be created, that of the root fails."""
    try:
        return NestedChangeSets(root).add()
    except ValueError as problem:
        reason = f"Nested change set was not successfully created: {problem}"
        root.update(Status="FAILED", ExecutionStatus="UNAVAILABLE", StatusReason=reason)
        return True


def _describing(describe: Any) -> Any:
    def describe_with_nested(parameters: Any) -> Any:
        status, headers, body = describe(parameters)
        if status != 200:
            return status, headers, body
        _, record = functions.find_change_set(
            functions.request_field(parameters, "ChangeSetName"),
            functions.request_field(parameters, "StackName"),
        )
        text = body.decode() if isinstance(body, bytes) else body
        return status, headers, _with_members(text, record).encode()

    return describe_with_nested


def _with_members(text: str, record: Record) -> str:
    """Add the IDs of related change sets, which ministack leaves out."""
    for change in record["Changes"]:
        nested = change["ResourceChange"].get("ChangeSetId")
        if nested:
            member = f"<LogicalResourceId>{change['ResourceChange']['LogicalResourceId']}</LogicalResourceId>"
            text = text.replace(member, f"{member}<ChangeSetId>{nested}</ChangeSetId>", 1)
    members = "".join(
        f"<{name}>{record[name]}</{name}>"
        for name in ("ParentChangeSetId", "RootChangeSetId")
        if record.get(name)
    )
    if record.get("IncludeNestedStacks"):
        members += "<IncludeNestedStacks>true</IncludeNestedStacks>"
    return text.replace("</DescribeChangeSetResult>", f"{members}</DescribeChangeSetResult>")


def _ending(verb: str) -> Any:
    """Execute or delete nested change sets together with that of their root, and only so."""

    def wrapped(end: Any) -> Any:
        def end_with_nested(parameters: Any) -> Any:
            identity, record = functions.find_change_set(
                functions.request_field(parameters, "ChangeSetName"),
                functions.request_field(parameters, "StackName"),
            )
            if record and record.get("RootChangeSetId"):
                message = f"Cannot {verb} a nested change set; {verb} root change set {record['RootChangeSetId']}"
                return functions.stack_error("ValidationError", message)
            answer = end(parameters)
            if answer[0] == 200 and identity:
                nested = [
                    key
                    for key, each in tables.CHANGE_SETS.items()
                    if each.get("RootChangeSetId") == identity
                ]
                for key in nested:
                    tables.CHANGE_SETS.pop(key)
            return answer

        return end_with_nested

    return wrapped
