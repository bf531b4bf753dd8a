"""CreateChangeSet with IncludeNestedStacks: what it lists of nested stacks, and how it ends."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import Account, template

STRING = {"Type": "String", "Default": ""}


def nested(number: str, **parameters: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {
            "TemplateURL": f"https://templates-eu-north-1.s3.eu-north-1.amazonaws.com/{number}.json",
            **({"Parameters": parameters} if parameters else {}),
        },
    }


FIRST = template(
    {
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": {"Ref": "QueueName"}, "DelaySeconds": {"Ref": "Delay"}},
        },
        "Extra": {"Type": "AWS::SNS::Topic", "Condition": "HasExtra"},
    },
    Parameters={"QueueName": STRING, "Delay": {"Type": "Number"}, "Extra": STRING},
    Conditions={"HasExtra": {"Fn::Equals": [{"Ref": "Extra"}, "true"]}},
    Outputs={"QueueArn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}}},
)
SECOND = template(
    {
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"DisplayName": {"Ref": "QueueArn"}, "TopicName": "fixed"},
        }
    },
    Parameters={"QueueArn": STRING},
)
ROOT = template(
    {
        "First": nested(
            "first",
            QueueName={"Ref": "QueueName"},
            Delay={"Ref": "Delay"},
            Extra={"Ref": "Extra"},
        ),
        "Second": nested("second", QueueArn={"Fn::GetAtt": ["First", "Outputs.QueueArn"]}),
    },
    Parameters={
        "QueueName": {"Type": "String", "Default": "one"},
        "Delay": {"Type": "Number", "Default": "1"},
        "Extra": STRING,
    },
)


@pytest.fixture
def stack(account: Account) -> str:
    """A root with two nested stacks, of which the second reads an output of the first."""
    account.put_template(FIRST, "first.json")
    account.put_template(SECOND, "second.json")
    return str(account.launch(ROOT)["StackName"])


def change_set(account: Account, stack: str, **values: str) -> dict[str, Any]:
    client = account.client("cloudformation")
    created = client.create_change_set(
        StackName=stack,
        ChangeSetName="update",
        ChangeSetType="UPDATE",
        UsePreviousTemplate=True,
        IncludeNestedStacks=True,
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in values.items()
        ],
    )
    described: dict[str, Any] = client.describe_change_set(ChangeSetName=created["Id"])
    return described


def changes(account: Account, root: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Action and replacement of each resource of the nested change sets."""
    client = account.client("cloudformation")
    found = {}
    for change in root["Changes"]:
        each = change["ResourceChange"]
        inner = client.describe_change_set(ChangeSetName=each["ChangeSetId"])
        assert inner["RootChangeSetId"] == inner["ParentChangeSetId"] == root["ChangeSetId"]
        for nested_change in inner["Changes"]:
            resource = nested_change["ResourceChange"]
            name = f"{each['LogicalResourceId']}.{resource['LogicalResourceId']}"
            found[name] = resource["Action"], resource.get("Replacement", "")
    return found


def test_known_and_unknown_values_are_told_apart(account: Account, stack: str) -> None:
    root = change_set(account, stack, QueueName="two")

    assert root["IncludeNestedStacks"] is True
    assert changes(account, root) == {
        "First.Queue": ("Modify", "True"),
        "Second.Topic": ("Modify", "False"),
    }


def test_condition_adds_a_resource(account: Account, stack: str) -> None:
    root = change_set(account, stack, Extra="true")

    found = changes(account, root)
    assert found["First.Extra"] == ("Add", "")
    assert "First.Queue" not in found


def test_no_change_of_a_nested_stack_is_no_change(account: Account, stack: str) -> None:
    root = change_set(account, stack, Delay="1")

    assert root["Status"] == "FAILED"
    assert "didn't contain changes" in root["StatusReason"]


def test_nested_change_set_ends_with_its_root(account: Account, stack: str) -> None:
    client = account.client("cloudformation")
    root = change_set(account, stack, Delay="2")
    inner = root["Changes"][0]["ResourceChange"]["ChangeSetId"]

    for end in (client.execute_change_set, client.delete_change_set):
        with pytest.raises(ClientError, match="root change set"):
            end(ChangeSetName=inner)
    client.delete_change_set(ChangeSetName=root["ChangeSetId"])
    with pytest.raises(ClientError, match="does not exist"):
        client.describe_change_set(ChangeSetName=inner)


def test_execution_makes_the_nested_changes(account: Account, stack: str) -> None:
    client = account.client("cloudformation")
    root = change_set(account, stack, Delay="3")

    client.execute_change_set(ChangeSetName=root["ChangeSetId"])
    client.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})

    url = account.client("sqs").get_queue_url(QueueName="one")["QueueUrl"]
    attributes = account.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=["DelaySeconds"]
    )
    assert attributes["Attributes"]["DelaySeconds"] == "3"
    left = client.list_change_sets(StackName=stack)["Summaries"]
    assert [each["ChangeSetId"] for each in left] == [root["ChangeSetId"]]
    inner = root["Changes"][0]["ResourceChange"]["ChangeSetId"]
    with pytest.raises(ClientError, match="does not exist"):
        client.describe_change_set(ChangeSetName=inner)


def validation(account: Account, identity: str) -> list[tuple[str, str, str]]:
    """Resource, mode and reason of each result of validation."""
    events = account.client("cloudformation").describe_events(
        ChangeSetName=identity, Filters={"FailedEvents": True}
    )["OperationEvents"]
    return [
        (e["LogicalResourceId"], e["ValidationFailureMode"], e["ValidationStatusReason"])
        for e in events
    ]


def with_buckets(*names: str) -> str:
    buckets = {
        name: {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"validated-{name.lower()}"}}
        for name in names
    }
    return template({"Queue": {"Type": "AWS::SQS::Queue"}, **buckets})


def test_validation_finds_filled_buckets_and_taken_names(account: Account) -> None:
    client, s3 = account.client("cloudformation"), account.client("s3")
    account.put_template(with_buckets("Filled", "Empty"), "buckets.json")
    root = template({"Inner": nested("buckets")})
    name = account.launch(root)["StackName"]
    s3.put_object(Bucket="validated-filled", Key="report", Body=b"report")

    def updated(body: str) -> dict[str, Any]:
        account.put_template(body, "buckets.json")
        return change_set(account, name)

    warned = updated(with_buckets())
    (inner,) = (change["ResourceChange"]["ChangeSetId"] for change in warned["Changes"])
    (warning,) = validation(account, inner)
    assert warned["Status"] == "CREATE_COMPLETE"
    assert warning[:2] == ("Filled", "WARN")
    assert "is not empty" in warning[2]
    assert validation(account, warned["ChangeSetId"]) == []
    client.delete_change_set(ChangeSetName=warned["ChangeSetId"])

    s3.create_bucket(
        Bucket="validated-taken",
        CreateBucketConfiguration={"LocationConstraint": account.region},
    )
    refused = updated(with_buckets("Filled", "Empty", "Taken"))
    (inner,) = (change["ResourceChange"]["ChangeSetId"] for change in refused["Changes"])
    assert refused["Status"] == "FAILED"
    assert "AWS::EarlyValidation" in refused["StatusReason"]
    assert [found[:2] for found in validation(account, inner)] == [("Taken", "FAIL")]
