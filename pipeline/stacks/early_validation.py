"""What CloudFormation's validation before a deployment refused: neither statuses nor stack events say it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipeline.aws import code_of

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html
VALIDATION_FAILED = "VALIDATION_FAILED"


def refusals(
    cloudformation: Any, since: datetime | None = None, **subject: str
) -> list[tuple[str, str]]:
    """The logical ID and the reason of each resource that was refused, oldest first.

    ``subject`` is the StackName or ChangeSetName, as an ARN. Empty where nothing was refused, and where the
    credentials may not ask: whoever calls has CloudFormation's general reason then.
    """
    from botocore.exceptions import ClientError

    found: list[tuple[datetime, str, str]] = []
    pages = cloudformation.get_paginator("describe_events").paginate(
        **subject, Filters={"FailedEvents": True}
    )
    try:
        for page in pages:
            found += [
                (event["Timestamp"], event["LogicalResourceId"], event["ValidationStatusReason"])
                for event in page["OperationEvents"]
                if event["EventType"] == "VALIDATION_ERROR"
                and event.get("ValidationFailureMode") != "WARN"
                and (since is None or event["Timestamp"] >= since)
            ]
    except ClientError as error:
        if code_of(error) not in {"AccessDenied", "AccessDeniedException", "ValidationError"}:
            raise
    return [(logical_id, reason) for _, logical_id, reason in sorted(found, key=lambda e: e[0])]
