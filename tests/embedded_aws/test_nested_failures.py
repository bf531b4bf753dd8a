"""Failure options, RollbackStack and ContinueUpdateRollback of a root reach its nested stacks."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import Account, template

WRONG = {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": "901"}}


def queue(delay: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::SQS::Queue",
        "Properties": {"QueueName": "jobs", "DelaySeconds": delay},
        **more,
    }


def root(account: Account, child: dict[str, Any], **more: dict[str, Any]) -> str:
    """A template with a nested stack of some resources, and resources that wait for it."""
    url = account.put_template(template(child))
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
    return template(
        {"Child": nested, **{name: {**each, "DependsOn": "Child"} for name, each in more.items()}}
    )


def delay(account: Account) -> str:
    sqs = account.client("sqs")
    (url,) = sqs.list_queues()["QueueUrls"]
    attributes: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
        "Attributes"
    ]
    return attributes["DelaySeconds"]


def child_of(account: Account, stack: dict[str, Any]) -> dict[str, Any]:
    return account.settled(account.resources(stack)["Child"])


def test_update_goes_on_in_a_nested_stack_whose_creation_failed(account: Account) -> None:
    body = root(account, {"Queue": queue(), "Wrong": {**WRONG, "DependsOn": "Queue"}})
    stack = account.launch(body, DisableRollback=True)
    assert stack["StackStatus"] == "CREATE_FAILED"
    before = child_of(account, stack)
    assert before["StackStatus"] == "CREATE_FAILED"

    stack = account.update(stack, root(account, {"Queue": queue()}), DisableRollback=True)

    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    after = child_of(account, stack)
    assert (after["StackId"], after["StackStatus"]) == (before["StackId"], "UPDATE_COMPLETE")
    assert delay(account) == "0"


def test_rollback_removes_a_nested_stack_whose_creation_failed(account: Account) -> None:
    body = root(account, {"Queue": queue(), "Wrong": {**WRONG, "DependsOn": "Queue"}})
    stack = account.launch(body, DisableRollback=True)

    account.client("cloudformation").rollback_stack(StackName=stack["StackName"])

    assert account.settled(stack["StackId"])["StackStatus"] == "ROLLBACK_COMPLETE"
    assert account.client("sqs").list_queues().get("QueueUrls", []) == []


@pytest.mark.parametrize("where", ["child", "root"])
def test_rollback_of_a_paused_update_takes_nested_stacks_along(
    account: Account, where: str
) -> None:
    stack = account.launch(root(account, {"Queue": queue()}))
    inner = {"Wrong": {**WRONG, "DependsOn": "Queue"}} if where == "child" else {}
    outer = {} if where == "child" else {"Wrong": WRONG}
    for seconds in (5, 7):
        body = root(account, {"Queue": queue(seconds), **inner}, **outer)
        stack = account.update(stack, body, DisableRollback=True)
        assert stack["StackStatus"] == "UPDATE_FAILED"
        assert delay(account) == str(seconds)

    account.client("cloudformation").rollback_stack(StackName=stack["StackName"])

    stack = account.settled(stack["StackId"])
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", account.failures(stack)
    assert child_of(account, stack)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert delay(account) == "0"


CODE = """
import json, os, urllib.request

def handler(event, context):
    old = event.get("OldResourceProperties", {}).get("Value", "0")
    goes_back = event["RequestType"] == "Update" and old > event["ResourceProperties"]["Value"]
    status = "FAILED" if goes_back and os.environ["BROKEN"] == "yes" else "SUCCESS"
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer.update(Status=status, PhysicalResourceId="provider", Reason="The provider is broken")
    body = json.dumps(answer).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], body, method="PUT"))
"""
FUNCTION = "provider"


def provider(value: str) -> dict[str, Any]:
    """A custom resource that does not go back to a lower value while its function is broken."""
    function = {
        "Fn::Sub": f"arn:aws:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{FUNCTION}"
    }
    return {
        "Type": "Custom::Provider",
        "DependsOn": "Queue",
        "Properties": {"ServiceToken": function, "Value": value},
    }


def create_function(account: Account) -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    resources = {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": FUNCTION,
                "Runtime": "python3.11",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": CODE},
                "Environment": {"Variables": {"BROKEN": "yes"}},
            },
        },
    }
    stack = account.launch(template(resources))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)


def failed_rollback(account: Account, where: str) -> dict[str, Any]:
    """A root that did not roll back, because the provider of its nested stack did not."""
    create_function(account)
    stack = account.launch(root(account, {"Queue": queue(), "Provider": provider("1")}))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    child = {"Queue": queue(5), "Provider": provider("2")}
    if where == "child":
        body = root(account, {**child, "Wrong": {**WRONG, "DependsOn": "Provider"}})
    else:
        body = root(account, child, Wrong=WRONG)
    stack = account.update(stack, body)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    assert child_of(account, stack)["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    with pytest.raises(
        ClientError, match="is in UPDATE_ROLLBACK_FAILED state and can not be updated"
    ):
        account.update(stack, body, DisableRollback=True)
    return stack


@pytest.mark.parametrize("where", ["child", "root"])
def test_rollback_continues_once_the_cause_is_repaired(account: Account, where: str) -> None:
    stack = failed_rollback(account, where)
    cloudformation = account.client("cloudformation")
    cloudformation.continue_update_rollback(StackName=stack["StackName"])
    assert account.settled(stack["StackId"])["StackStatus"] == "UPDATE_ROLLBACK_FAILED"

    account.client("lambda").update_function_configuration(
        FunctionName=FUNCTION, Environment={"Variables": {"BROKEN": "no"}}
    )
    cloudformation.continue_update_rollback(StackName=stack["StackName"])

    stack = account.settled(stack["StackId"])
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", account.failures(stack)
    assert child_of(account, stack)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert delay(account) == "0"


@pytest.mark.parametrize("where", ["child", "root"])
def test_resource_of_a_nested_stack_is_skipped(account: Account, where: str) -> None:
    stack = failed_rollback(account, where)
    child = child_of(account, stack)["StackName"]
    cloudformation = account.client("cloudformation")
    with pytest.raises(ClientError, match="cannot be skipped"):
        cloudformation.continue_update_rollback(
            StackName=stack["StackName"], ResourcesToSkip=[f"{child}.Queue"]
        )
    cloudformation.continue_update_rollback(
        StackName=stack["StackName"], ResourcesToSkip=[f"{child}.Provider"]
    )

    stack = account.settled(stack["StackId"])
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", account.failures(stack)
    after = account.update(stack, root(account, {"Queue": queue(9)}))
    assert after["StackStatus"] == "UPDATE_COMPLETE", account.failures(after)
    assert delay(account) == "9"
