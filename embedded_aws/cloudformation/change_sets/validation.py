"""Validation of change sets, and DescribeEvents of a change set, which ministack lacks.

A name that is taken fails the change set; the deletion of a bucket with objects is a warning.
https://github.com/aws-cloudformation/rain/pull/744 quotes the messages.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ministack.core.responses import new_uuid, now_iso

from embedded_aws.bridge import functions, tables

_BUCKET = "AWS::S3::Bucket"
_EVENTS = "_operation_events"
_FAILED = (
    "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]. To troubleshoot Early"
    " Validation errors, use the DescribeEvents API for detailed failure information."
)

Event = dict[str, Any]
Record = dict[str, Any]


def install() -> None:
    """Answer DescribeEvents for change sets."""
    describe = tables.ACTIONS["DescribeEvents"]

    def describe_events(parameters: Any) -> Any:
        name = functions.request_field(parameters, "ChangeSetName")
        _, record = functions.find_change_set(name) if name else (None, None)
        if record is None:
            return describe(parameters)
        # ministack shows events of stacks only: during one answer, the change set's are those of its stack.
        stack = functions.resolve_stack(record["StackId"])
        own, stack[_EVENTS] = stack.get(_EVENTS, []), record.get(_EVENTS, [])
        try:
            asked = {key: value for key, value in parameters.items() if key != "ChangeSetName"}
            return describe({**asked, "StackName": [record["StackId"]]})
        finally:
            stack[_EVENTS] = own

    tables.ACTIONS["DescribeEvents"] = describe_events


def validate(record: Record, template: Mapping[str, Any], values: Any) -> bool:
    """Store the findings of validation in a change set; return whether the change set passes."""
    found = [*_taken_names(record, template, values), *_filled_buckets(record)]
    record[_EVENTS] = found
    return all(event["ValidationFailureMode"] != "FAIL" for event in found)


def fail(record: Record) -> None:
    """Mark a change set as failed by validation."""
    record.update(Status="FAILED", ExecutionStatus="UNAVAILABLE", StatusReason=_FAILED)


def _taken_names(record: Record, template: Mapping[str, Any], values: Any) -> Iterator[Event]:
    added = {
        change["ResourceChange"]["LogicalResourceId"]
        for change in record["Changes"]
        if change["ResourceChange"]["Action"] == "Add"
    }
    resources = template["Resources"]
    holds = functions.evaluate_conditions(template, values)
    place = record["StackName"], record["StackId"]
    buckets = [name for name in resources if name in added and resources[name]["Type"] == _BUCKET]
    for logical_id, kind, check, path, reason in functions.validation_errors(
        resources, buckets, values, holds, template.get("Mappings", {}), *place
    ):
        yield _event(record, logical_id, kind, "FAIL", check, path, reason)


def _filled_buckets(record: Record) -> Iterator[Event]:
    for change in record["Changes"]:
        resource = change["ResourceChange"]
        name = resource.get("PhysicalResourceId", "")
        is_deleted = resource["Action"] == "Remove" and resource.get("PolicyAction") != "Retain"
        if resource["ResourceType"] == _BUCKET and is_deleted and _holds_objects(name):
            reason = (
                f"The bucket '{name}' is not empty. You must either delete all objects and versions or use the deletion"
                " policy to retain it, otherwise the delete operation will fail."
            )
            logical_id = resource["LogicalResourceId"]
            check = "BUCKET_EMPTINESS_VALIDATION"
            yield _event(
                record, logical_id, _BUCKET, "WARN", check, f"/Resources/{logical_id}", reason
            )


def _holds_objects(name: str) -> bool:
    return bool((tables.BUCKETS.get(name) or {}).get("objects"))


def _event(
    record: Record, logical_id: str, kind: str, mode: str, check: str, path: str, reason: str
) -> Event:
    return {
        "EventId": new_uuid(),
        "StackId": record["StackId"],
        "OperationId": record["ChangeSetId"].rsplit("/", 1)[-1],
        "OperationType": "CREATE_CHANGESET",
        "OperationStatus": "FAILED",
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": logical_id,
        "ResourceType": kind,
        "Timestamp": now_iso(),
        "ValidationFailureMode": mode,
        "ValidationName": check,
        "ValidationStatus": "FAILED",
        "ValidationStatusReason": reason,
        "ValidationPath": path,
    }
