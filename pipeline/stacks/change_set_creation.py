"""Create the change set of a stack, and delete one that is not executed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.aws import Aws, aws_errors
from pipeline.errors import PipelineError
from pipeline.stacks.change_sets import change_sets
from pipeline.stacks.early_validation import refusals
from pipeline.stacks.entry_points import EntryPoint

Note = Callable[[str], None]
# Receives the change set of an update before it is executed; returns whether to execute it.
Review = Callable[[Mapping[str, Any]], bool]
# In the reason of a change set that fails CloudFormation's validation.
VALIDATION = "AWS::EarlyValidation"
_NOTHING = ("didn't contain changes", "No updates are to be performed", "no changes")


@dataclass(frozen=True)
class StackRequest:
    """A stack for a CloudFormation request. ``template`` is one of the arguments TemplateURL and TemplateBody.

    ``entry`` has the commands of an environment.
    """

    name: str
    template: Mapping[str, str]
    parameters: Mapping[str, str]
    capabilities: Sequence[str]
    tags: Mapping[str, str]
    entry: EntryPoint | None = None

    def arguments(self) -> dict[str, Any]:
        """The arguments of CreateChangeSet."""
        return {
            "StackName": self.name,
            **self.template,
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in self.parameters.items()
            ],
            "Capabilities": list(self.capabilities),
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }


def is_approved(aws: Aws, change_set: Mapping[str, Any], review: Review) -> bool:
    """Whether to execute a change set; one that is not executed is deleted, also after an error."""
    goes_on = False
    try:
        goes_on = review(change_set)
    finally:
        if not goes_on:
            with aws_errors("delete the change set"):
                aws.client("cloudformation").delete_change_set(
                    ChangeSetName=change_set["ChangeSetId"]
                )
    return goes_on


def prepare_change_set(
    aws: Aws, request: StackRequest, kind: str, nested: Note | None = None
) -> Mapping[str, Any] | None:
    """A change set that is ready to execute; None if nothing would change. ``kind`` is CREATE or UPDATE.

    With ``nested`` it has nested change sets. If CloudFormation cannot create those, for another reason than its validation,
    ``nested`` receives the reason and the change set is one of the root alone.
    """
    cloudformation, name = aws.client("cloudformation"), request.name
    change_set = create_change_set(aws, request, kind, nested=nested is not None)
    if change_set["Status"] == "CREATE_COMPLETE":
        return change_set
    reason = change_set.get("StatusReason", "no reason given")
    with aws_errors(f"prepare stack {name}"):
        refused = [
            refusal
            for identity in change_sets(cloudformation, change_set["ChangeSetId"])
            for refusal in refusals(cloudformation, ChangeSetName=identity)
        ]
        cloudformation.delete_change_set(ChangeSetName=change_set["ChangeSetId"])
        if any(phrase in reason for phrase in _NOTHING):
            return None
        if nested is not None and not refused and VALIDATION not in reason:
            nested(f"CloudFormation created no nested change sets: {reason.rstrip('.')}.")
            return prepare_change_set(aws, request, kind)
        if kind == "CREATE":
            cloudformation.delete_stack(StackName=name)
    details = "; ".join(f"{logical_id}: {said.rstrip('.')}" for logical_id, said in refused)
    raise PipelineError(
        f"CloudFormation rejected the change set of stack {name} in {aws.region}: {details or reason.rstrip('.')}."
    )


def create_change_set(
    aws: Aws, request: StackRequest, kind: str, *, nested: bool
) -> Mapping[str, Any]:
    """A change set when its creation has succeeded or failed."""
    cloudformation = aws.client("cloudformation")
    with aws_errors(f"prepare stack {request.name}"):
        created = cloudformation.create_change_set(
            ChangeSetName=f"deploy-{uuid.uuid4().hex[:12]}",
            ChangeSetType=kind,
            IncludeNestedStacks=nested,
            # The SDK repeats the request if it misses the response.
            ClientToken=str(uuid.uuid4()),
            **request.arguments(),
        )
        while True:
            change_set: Mapping[str, Any] = cloudformation.describe_change_set(
                ChangeSetName=created["Id"]
            )
            if change_set["Status"] in {"CREATE_COMPLETE", "FAILED"}:
                return change_set
            time.sleep(0.1 if aws.is_embedded else 1)
