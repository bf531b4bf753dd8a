"""The results of CloudFormation's validation before a deployment, which are not in the stack events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.aws import code_of

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html
VALIDATION_FAILED = "VALIDATION_FAILED"
_WARNING = "WARN"


@dataclass(frozen=True)
class ValidationResult:
    """A result of validation for a resource; a warning does not stop the operation."""

    logical_id: str
    reason: str
    is_warning: bool


def validation_results(
    cloudformation: Any, since: datetime | None = None, **subject: str
) -> list[ValidationResult]:
    """The failures and warnings of validation, oldest first.

    ``subject`` is the StackName or ChangeSetName, as an ARN. Empty if everything is valid, and if the credentials
    cannot read the results: the caller then has CloudFormation's general reason.
    """
    from botocore.exceptions import ClientError

    found: list[tuple[datetime, ValidationResult]] = []
    pages = cloudformation.get_paginator("describe_events").paginate(
        **subject, Filters={"FailedEvents": True}
    )
    try:
        for page in pages:
            found += [
                (
                    event["Timestamp"],
                    ValidationResult(
                        event["LogicalResourceId"],
                        event["ValidationStatusReason"],
                        event.get("ValidationFailureMode") == _WARNING,
                    ),
                )
                for event in page["OperationEvents"]
                if event["EventType"] == "VALIDATION_ERROR"
                and (since is None or event["Timestamp"] >= since)
            ]
    except ClientError as error:
        if code_of(error) not in {"AccessDenied", "AccessDeniedException", "ValidationError"}:
            raise
    return [result for _, result in sorted(found, key=lambda each: each[0])]


def refusals(
    cloudformation: Any, since: datetime | None = None, **subject: str
) -> list[tuple[str, str]]:
    """The logical ID and the reason of each resource that validation refused, as `validation_results` reads them."""
    return [
        (result.logical_id, result.reason)
        for result in validation_results(cloudformation, since, **subject)
        if not result.is_warning
    ]
