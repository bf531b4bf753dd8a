"""AWS's change set next to the comparison: validation results, and each resource with a difference."""

from __future__ import annotations

import json
from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.changes.change import Action, Change, Fate
from pipeline.environments.preview.disagreements import disagreements, lines
from pipeline.environments.preview.preview import Preview
from pipeline.stacks.change_sets import Announced, AnnouncedChange, announced
from pipeline.stacks.early_validation import refusals
from pipeline.template.references import Name
from tests.conftest import REGION
from tests.launches.environments import aws_of

KIND = "AWS::SQS::Queue"
QUEUE = Name("Inner", "Queue")


def by_engine(action: Action) -> Change:
    return Change(QUEUE, KIND, action, (), Fate.NONE)


def by_aws(action: str, replacement: str = "") -> AnnouncedChange:
    return AnnouncedChange(QUEUE.stack, QUEUE.logical_id, KIND, action, replacement)


AGREED = [
    (Action.CREATE, by_aws("Add")),
    (Action.DELETE, by_aws("Remove")),
    (Action.RELEASE, by_aws("Remove")),
    (Action.REPLACE, by_aws("Modify", "True")),
    (Action.REPLACE, by_aws("Modify", "Conditional")),
    (Action.MAY_REPLACE, by_aws("Modify", "False")),
    (Action.UPDATE, by_aws("Modify", "False")),
    (Action.UPDATE, by_aws("Modify", "Conditional")),
    (Action.FAIL, by_aws("Modify", "True")),
    (None, by_aws("Modify", "Conditional")),
    (None, by_aws("Modify", "False")),
]
DISPUTED = [
    (Action.UPDATE, by_aws("Modify", "True"), "AWS says replaced; .* updated in place"),
    (None, by_aws("Modify", "True"), "AWS says replaced; .* unchanged"),
    (Action.REPLACE, by_aws("Modify", "False"), "AWS says updated in place; .* replaced"),
    (Action.REPLACE, None, "AWS says nothing; .* replaced"),
    (Action.UPDATE, by_aws("Remove"), "AWS says removed; .* updated in place"),
    (None, by_aws("Add"), "AWS says created; .* unchanged"),
    (Action.DELETE, by_aws("Modify", "Conditional"), "AWS says perhaps replaced; .* deleted"),
]


def found(action: Action | None, aws: AnnouncedChange | None) -> list[str]:
    changes = [by_engine(action)] if action else []
    return list(disagreements(changes, Announced((aws,) if aws else (), ())))


@pytest.mark.parametrize(("action", "aws"), AGREED)
def test_agreement_is_not_shown(action: Action | None, aws: AnnouncedChange) -> None:
    assert found(action, aws) == []


@pytest.mark.parametrize(("action", "aws", "words"), DISPUTED)
def test_disagreement_is_shown_with_both_verdicts(
    action: Action | None, aws: AnnouncedChange | None, words: str
) -> None:
    (line,) = found(action, aws)

    assert line.startswith(f"{QUEUE} ({KIND}): ")
    verdict = line.partition(": ")[2]
    first, _, second = words.partition("; .* ")
    assert verdict == f"{first}; the comparison of the templates says {second}."


@pytest.mark.parametrize(
    ("action", "whole"), [(Action.DELETE, "Remove"), (Action.CREATE, "Add")], ids=str
)
def test_new_or_removed_nested_stack_agrees(action: Action, whole: str) -> None:
    changes = [by_engine(action)]

    assert list(disagreements(changes, Announced((), (), {"Inner": whole}))) == []
    assert len(list(disagreements(changes, Announced((), (), {"Other": whole})))) == 1


BUCKET = "templates-of-disagreements"


def template(**buckets: str) -> str:
    resources: dict[str, Any] = {
        name: {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}}
        for name, bucket in buckets.items()
    }
    return json.dumps({"Resources": {"Queue": {"Type": KIND}, **resources}})


def test_results_of_validation_of_nested_change_sets(running: EmbeddedAws) -> None:
    aws = aws_of(running)
    s3, cloudformation = aws.client("s3"), aws.client("cloudformation")
    for name in (BUCKET, "taken-by-hand"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    url = f"https://{BUCKET}.s3.{REGION}.amazonaws.com/inner.json"
    root = {"Inner": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}}
    s3.put_object(Bucket=BUCKET, Key="inner.json", Body=template(Reports="reports-of-dev"))
    cloudformation.create_stack(StackName="outer", TemplateBody=json.dumps({"Resources": root}))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="outer", WaiterConfig={"Delay": 1}
    )
    s3.put_object(Bucket="reports-of-dev", Key="report", Body=b"report")
    s3.put_object(Bucket=BUCKET, Key="inner.json", Body=template(Other="taken-by-hand"))

    created = cloudformation.create_change_set(
        StackName="outer",
        ChangeSetName="update",
        ChangeSetType="UPDATE",
        UsePreviousTemplate=True,
        IncludeNestedStacks=True,
    )
    read = announced(aws, created["Id"])

    shown = list(lines(Preview("outer", (), ()), read))
    assert any(line.startswith("AWS warns: Reports: The bucket") for line in shown)
    assert any(line.startswith("AWS refuses: Other: ") for line in shown)
    # Only a failure stops an update, not a warning.
    inner = read_nested(cloudformation, created["Id"])
    assert [name for name, _ in refusals(cloudformation, ChangeSetName=inner)] == ["Other"]


def read_nested(cloudformation: Any, identity: str) -> str:
    """The ID of the only nested change set."""
    (change,) = cloudformation.describe_change_set(ChangeSetName=identity)["Changes"]
    return str(change["ResourceChange"]["ChangeSetId"])
