"""Stack failure options: resources that succeeded stay, and an update continues from there.

ministack keeps the resources, but then accepts no update in CREATE_FAILED or UPDATE_FAILED, and RollbackStack after a second
failure does not return to the last stable state. Here an update with DisableRollback retries the resource that failed.
As on AWS, such an update replaces no resource:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
https://github.com/aws/aws-sam-cli/issues/4585 quotes the message.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.core.responses import now_iso

from embedded_aws.bridge import functions, tables
from embedded_aws.cloudformation.properties import hook
from embedded_aws.cloudformation.requests.statuses import PAUSED, is_set

Stack = dict[str, Any]
Action = Callable[[Any], Any]

_OPERATION = "_failed_operation"
# Stored with a stack while an update continues after a failure: the operation that failed.
_BEFORE = "_operation_before"
# Stored with a stack: the option of its present operation, which nested stacks use.
RETAIN_EXCEPT_ON_CREATE = "_retain_except_on_create"
_NO_REPLACEMENT = "Replacement type updates not supported on stack with disable-rollback."
_keeps_what_succeeded: ContextVar[bool] = ContextVar("keeps_what_succeeded", default=False)


def install() -> None:
    """Let updates continue after a failure."""
    hook.add(_refuse_replacement)
    for action in ("CreateStack", "UpdateStack", "CreateChangeSet", "ExecuteChangeSet"):
        tables.ACTIONS[action] = _from_failure(action, tables.ACTIONS[action])
    deploy = functions.deploy_stack.current

    async def deploy_and_pause(stack_name: str, *arguments: Any, **options: Any) -> None:
        stack = tables.STACKS[stack_name]
        token = _keeps_what_succeeded.set(bool(stack.get("DisableRollback")))
        try:
            await deploy(stack_name, *arguments, **options)
        finally:
            _keeps_what_succeeded.reset(token)
        before = stack.pop(_BEFORE, None)
        if _OPERATION in stack and stack["StackStatus"] in PAUSED:
            _pause(stack, before)

    functions.deploy_stack.replace(deploy_and_pause)


def _refuse_replacement(operation: hook.Operation) -> None:
    if operation.old is None or not _keeps_what_succeeded.get() or operation.rolls_back:
        return
    if functions.replacing_change(operation.resource_type, operation.old, operation.properties):
        raise ValueError(_NO_REPLACEMENT)


def _from_failure(action: str, act: Action) -> Action:
    """Make an action accept a stack in a failed status."""

    def acted(parameters: Any) -> Any:
        stack = _stack_of(action, parameters)
        status = stack["StackStatus"] if stack else ""
        if stack is None or status not in PAUSED:
            answer = act(parameters)
            if answer[0] == 200:
                _keep_options(action, parameters)
            return answer
        return _continue(action, act, parameters, stack)

    return acted


def _stack_of(action: str, parameters: Any) -> Stack | None:
    name = functions.request_field(parameters, "StackName")
    if action == "ExecuteChangeSet":
        change_set = functions.request_field(parameters, "ChangeSetName")
        _, record = functions.find_change_set(change_set, name)
        name = (record or {}).get("StackId", name)
    stack: Stack | None = functions.resolve_stack(name) if name else None
    return stack


def _keep_options(action: str, parameters: Any) -> None:
    """Store the failure options of the request with the stack; its nested stacks use them."""
    stack = _stack_of(action, parameters)
    if stack is None or action == "CreateChangeSet":
        return
    stack[RETAIN_EXCEPT_ON_CREATE] = is_set(parameters, "RetainExceptOnCreate")
    if action == "UpdateStack":
        stack["DisableRollback"] = is_set(parameters, "DisableRollback")
    elif action == "ExecuteChangeSet":
        change_set = functions.request_field(parameters, "ChangeSetName")
        _, record = functions.find_change_set(
            change_set, functions.request_field(parameters, "StackName")
        )
        keeps = (record or {}).get("OnStackFailure") == "DO_NOTHING"
        stack["DisableRollback"] = keeps or is_set(parameters, "DisableRollback")


def _continue(action: str, act: Action, parameters: Any, stack: Stack) -> Any:
    status, operation = stack["StackStatus"], stack.get(_OPERATION)
    failed = {
        name: stack["_resources"].pop(name)
        for name, resource in list(stack["_resources"].items())
        if not resource["PhysicalResourceId"]
    }
    # A status that ministack's actions accept; they set the next one if they accept the request.
    stack["StackStatus"] = "UPDATE_COMPLETE"
    answer = act(parameters)
    if stack["StackStatus"] == "UPDATE_COMPLETE":
        stack["StackStatus"] = status
        stack["_resources"].update(failed)
    else:
        stack[_BEFORE] = operation
        _keep_options(action, parameters)
    if action == "CreateChangeSet" and answer[0] == 200:
        _retry_in(stack, functions.request_field(parameters, "ChangeSetName"))
    return answer


def _retry_in(stack: Stack, name: str) -> None:
    """List the failed resource in a change set: its update is a change, even with the same template."""
    _, record = functions.find_change_set(name, stack["StackName"])
    failed = (stack.get(_OPERATION) or {}).get("failed_logical_id")
    resource = record["_template"]["Resources"].get(failed)
    listed = {change["ResourceChange"]["LogicalResourceId"] for change in record["Changes"]}
    if resource is not None and failed not in listed:
        change = {
            "Action": "Modify" if failed in stack["_resources"] else "Add",
            "LogicalResourceId": failed,
            "ResourceType": resource["Type"],
            "Scope": [],
            "Details": [],
        }
        record["Changes"].append({"ResourceChange": change})
    if record["Changes"] and record["Status"] == "FAILED":
        record.update(Status="CREATE_COMPLETE", ExecutionStatus="AVAILABLE", StatusReason="")


def _pause(stack: Stack, before: dict[str, Any] | None) -> None:
    """Leave a stack in its failed status with its present resources and the way back to its last stable state."""
    operation, resources = stack[_OPERATION], stack["_resources"]
    failed = operation["failed_logical_id"]
    if before:
        _join(operation, before)
    after, old = operation["template"], stack.get("_template") or {}
    if failed in after["Resources"]:
        _mark_failed(stack, failed, after["Resources"][failed])
        if resources[failed]["PhysicalResourceId"] and failed not in operation["created"]:
            operation["created"] += [failed] if operation["failed_update"] is None else []
    done = set(operation["created"])
    definitions = {
        name: after["Resources"][name]
        if name in done and name in after["Resources"]
        else (old.get("Resources") or {}).get(name, after["Resources"].get(name))
        for name in resources
        if resources[name]["PhysicalResourceId"]
    }
    # Differs from every template, so that a retry with the same template is an update.
    stack["_template"] = {**after, "Resources": definitions, "_incomplete": True}
    stack["_resolved_params"] = operation["param_values"]


def _join(operation: dict[str, Any], before: dict[str, Any]) -> None:
    """Make the rollback of an operation also undo the failed operation before it."""
    for name in ("is_update", "previous_stack", "previous_tags"):
        operation[name] = before[name]
    for name in ("created", "replaced_ids"):
        operation[name] = list(dict.fromkeys([*before[name], *operation[name]]))
    stable = (before["previous_stack"] or {}).get("_resources", {})
    if operation["failed_update"] is not None and operation["failed_logical_id"] not in stable:
        operation["failed_update"] = None


def _mark_failed(stack: Stack, name: str, definition: dict[str, Any]) -> None:
    """Show the failed resource with its status; a resource that was never created has no physical ID."""
    reason = str(stack["StackStatusReason"]).removeprefix(f"Resource {name} failed: ")
    known = stack["_resources"].get(name)
    status = (
        "UPDATE_FAILED" if known and known["ResourceStatus"] != "CREATE_FAILED" else "CREATE_FAILED"
    )
    record = known or {
        "PhysicalResourceId": "",
        "ResourceType": definition["Type"],
        "LogicalResourceId": name,
        "Properties": {},
        "Attributes": {},
    }
    record.update(ResourceStatus=status, ResourceStatusReason=reason, Timestamp=now_iso())
    stack["_resources"][name] = record
