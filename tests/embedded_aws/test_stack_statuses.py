"""The status of a stack decides which operations start, in the words of AWS."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import CAPABILITIES, Account, template

TOPIC = {"Topic": {"Type": "AWS::SNS::Topic"}}
QUEUE = {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs"}}}
# A creation that SQS refuses.
WRONG = {"Wrong": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": "901"}}}
PAUSED = "To update the stack from this state, please use the disable-rollback parameter"


def update(account: Account, stack: dict[str, Any]) -> Any:
    return account.client("cloudformation").update_stack(
        StackName=stack["StackName"], TemplateBody=template({**TOPIC, **QUEUE})
    )


def change_set(account: Account, stack: dict[str, Any], kind: str = "UPDATE", **more: Any) -> Any:
    return account.client("cloudformation").create_change_set(
        StackName=stack["StackName"],
        ChangeSetName="next",
        ChangeSetType=kind,
        TemplateBody=template({**TOPIC, **QUEUE}),
        Capabilities=CAPABILITIES,
        **more,
    )


def create(account: Account, stack: dict[str, Any]) -> Any:
    return account.client("cloudformation").create_stack(
        StackName=stack["StackName"], TemplateBody=template(TOPIC)
    )


@pytest.mark.parametrize("act", [update, change_set])
def test_stack_whose_creation_was_rolled_back_is_not_updated(
    account: Account, act: Callable[..., Any]
) -> None:
    stack = account.launch(template(WRONG))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"

    with pytest.raises(ClientError) as refused:
        act(account, stack)

    says = f"Stack:{stack['StackId']} is in ROLLBACK_COMPLETE state and can not be updated."
    assert refused.value.response["Error"] == {
        "Code": "ValidationError",
        "Message": says,
        "Type": "Sender",
    }


@pytest.mark.parametrize("resources", [WRONG, TOPIC])
def test_stack_that_exists_is_not_created(account: Account, resources: dict[str, Any]) -> None:
    stack = account.launch(template(resources))

    with pytest.raises(ClientError, match="already exists") as refused:
        create(account, stack)
    assert refused.value.response["Error"]["Code"] == "AlreadyExistsException"
    with pytest.raises(ClientError, match="cannot be created again with the changeSet"):
        change_set(account, stack, "CREATE")


@pytest.mark.parametrize("act", [update, change_set])
def test_stack_that_was_not_deleted_is_not_updated(
    account: Account, act: Callable[..., Any]
) -> None:
    bucket = {"Bucket": {"Type": "AWS::S3::Bucket"}}
    stack = account.launch(template(bucket))
    s3, name = account.client("s3"), account.resources(stack)["Bucket"]
    s3.put_object(Bucket=name, Key="kept", Body=b"kept")
    stack = account.delete(stack)
    assert stack["StackStatus"] == "DELETE_FAILED"

    with pytest.raises(ClientError, match="is in DELETE_FAILED state and can not be updated"):
        act(account, stack)


def test_resources_are_retained_only_after_a_failed_deletion(account: Account) -> None:
    stack = account.launch(template({"Bucket": {"Type": "AWS::S3::Bucket"}, **TOPIC}))
    cloudformation, s3 = account.client("cloudformation"), account.client("s3")
    bucket = account.resources(stack)["Bucket"]
    s3.put_object(Bucket=bucket, Key="kept", Body=b"kept")
    with pytest.raises(ClientError, match="DELETE_FAILED"):
        cloudformation.delete_stack(StackName=stack["StackName"], RetainResources=["Bucket"])

    assert account.delete(stack)["StackStatus"] == "DELETE_FAILED"
    cloudformation.delete_stack(StackName=stack["StackName"], RetainResources=["Bucket"])

    assert account.settled(stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert s3.head_bucket(Bucket=bucket)


def test_creation_pauses_and_an_update_goes_on(account: Account) -> None:
    wrong = {"Wrong": {**WRONG["Wrong"], "DependsOn": "Queue"}}
    stack = account.launch(template({**QUEUE, **wrong}), DisableRollback=True)
    assert stack["StackStatus"] == "CREATE_FAILED"
    queue = account.resources(stack)["Queue"]
    listed = account.client("cloudformation").describe_stack_resources(
        StackName=stack["StackName"]
    )["StackResources"]
    assert {each["LogicalResourceId"]: each["ResourceStatus"] for each in listed} == {
        "Queue": "CREATE_COMPLETE",
        "Wrong": "CREATE_FAILED",
    }
    with pytest.raises(ClientError, match=PAUSED):
        account.update(stack, template({**QUEUE, **TOPIC}))

    again = account.update(stack, template({**QUEUE, **wrong}), DisableRollback=True)
    assert again["StackStatus"] == "UPDATE_FAILED"
    stack = account.update(stack, template({**QUEUE, **TOPIC}), DisableRollback=True)

    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    assert account.resources(stack)["Queue"] == queue
    assert set(account.resources(stack)) == {"Queue", "Topic"}


@pytest.mark.parametrize("option", [{"OnFailure": "DO_NOTHING"}, {"DisableRollback": True}])
def test_paused_creation_is_rolled_back(account: Account, option: dict[str, Any]) -> None:
    stack = account.launch(
        template({**QUEUE, "Wrong": {**WRONG["Wrong"], "DependsOn": "Queue"}}), **option
    )
    assert stack["StackStatus"] == "CREATE_FAILED"

    account.client("cloudformation").rollback_stack(StackName=stack["StackName"])

    assert account.settled(stack["StackId"])["StackStatus"] == "ROLLBACK_COMPLETE"
    assert account.client("sqs").list_queues().get("QueueUrls", []) == []


def test_rollback_of_a_paused_creation_keeps_what_it_cannot_delete(account: Account) -> None:
    bucket = {"Bucket": {"Type": "AWS::S3::Bucket"}}
    wrong = {"Wrong": {**WRONG["Wrong"], "DependsOn": "Bucket"}}
    stack = account.launch(template({**bucket, **wrong}), DisableRollback=True)
    name, s3 = account.resources(stack)["Bucket"], account.client("s3")
    s3.put_object(Bucket=name, Key="kept", Body=b"kept")

    account.client("cloudformation").rollback_stack(StackName=stack["StackName"])
    assert account.settled(stack["StackId"])["StackStatus"] == "ROLLBACK_FAILED"
    assert account.delete(stack)["StackStatus"] == "DELETE_FAILED"

    s3.delete_object(Bucket=name, Key="kept")
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"
    assert name not in {each["Name"] for each in s3.list_buckets()["Buckets"]}


def paused_update(account: Account) -> tuple[dict[str, Any], str]:
    """A stack with two failed updates in a row, the first of which changed a queue."""
    stack = account.launch(template(QUEUE))
    changed = {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs", "DelaySeconds": 5}}
    }
    wrong = {"Wrong": {**WRONG["Wrong"], "DependsOn": "Queue"}}
    body = template({**changed, **wrong})
    for _ in range(2):
        stack = account.update(stack, body, DisableRollback=True)
        assert stack["StackStatus"] == "UPDATE_FAILED"
        assert delay(account, stack) == "5"
    return stack, body


def delay(account: Account, stack: dict[str, Any]) -> str:
    sqs = account.client("sqs")
    url = account.resources(stack)["Queue"]
    attributes: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
        "Attributes"
    ]
    return attributes["DelaySeconds"]


def test_paused_update_goes_back_to_the_last_stable_state(account: Account) -> None:
    stack, _ = paused_update(account)

    account.client("cloudformation").rollback_stack(StackName=stack["StackName"])

    stack = account.settled(stack["StackId"])
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert delay(account, stack) == "0"
    assert set(account.resources(stack)) == {"Queue"}


@pytest.mark.parametrize("keeps", ["OnStackFailure", "DisableRollback"])
def test_paused_update_goes_on_by_a_change_set(account: Account, keeps: str) -> None:
    stack, body = paused_update(account)
    cloudformation = account.client("cloudformation")
    options = {"OnStackFailure": "DO_NOTHING"} if keeps == "OnStackFailure" else {}
    record = cloudformation.create_change_set(
        StackName=stack["StackName"],
        ChangeSetName="retry",
        TemplateBody=body.replace("901", "900"),
        **options,
    )
    if not options:
        with pytest.raises(ClientError, match=PAUSED):
            cloudformation.execute_change_set(ChangeSetName=record["Id"])
    execution = {} if options else {"DisableRollback": True}
    cloudformation.execute_change_set(ChangeSetName=record["Id"], **execution)

    stack = account.settled(stack["StackId"])
    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    assert set(account.resources(stack)) == {"Queue", "Wrong"}


def test_update_that_keeps_what_succeeded_replaces_nothing(account: Account) -> None:
    stack = account.launch(template(QUEUE))
    renamed = {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "others"}}}

    stack = account.update(stack, template(renamed), DisableRollback=True)

    assert stack["StackStatus"] == "UPDATE_FAILED"
    assert (
        "Replacement type updates not supported on stack with disable-rollback."
        in account.failures(stack)["Queue"]
    )


@pytest.mark.parametrize("removes", [False, True])
def test_rollback_of_a_creation_can_remove_what_is_retained(
    account: Account, removes: bool
) -> None:
    kept = {"Queue": {**QUEUE["Queue"], "DeletionPolicy": "Retain"}}
    body = template({**kept, "Wrong": {**WRONG["Wrong"], "DependsOn": "Queue"}})
    cloudformation = account.client("cloudformation")
    record = cloudformation.create_change_set(
        StackName="kept", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=body
    )
    cloudformation.execute_change_set(ChangeSetName=record["Id"], RetainExceptOnCreate=removes)

    assert account.settled(record["StackId"])["StackStatus"] == "ROLLBACK_COMPLETE"
    queues = account.client("sqs").list_queues().get("QueueUrls", [])
    assert len(queues) == (0 if removes else 1)


def test_deletion_stops_a_creation_and_deletes_what_it_created(account: Account) -> None:
    wait = {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "DependsOn": "Topic",
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "2", "Count": "1"},
        },
    }
    later = {"Queue": {**QUEUE["Queue"], "DependsOn": "Wait"}}
    cloudformation = account.client("cloudformation")
    stack_id = cloudformation.create_stack(
        StackName="stopped", TemplateBody=template({**TOPIC, **wait, **later})
    )["StackId"]

    assert cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"] == (
        "CREATE_IN_PROGRESS"
    )
    stack = account.delete({"StackId": stack_id})

    assert stack["StackStatus"] == "DELETE_COMPLETE"
    # Longer than the condition would wait.
    time.sleep(2.5)
    assert account.settled(stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert account.client("sns").list_topics()["Topics"] == []
    assert account.client("sqs").list_queues().get("QueueUrls", []) == []
