"""A nested stack behaves like a separate stack."""

from typing import Any

import pytest

from tests.embedded_aws.conftest import Account, template

TOPIC = "AWS::SNS::Topic"
QUEUE = {"Type": "AWS::SQS::Queue"}
# Fails on creation: the bucket name has capital letters, which the schema's pattern refuses.
BROKEN = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "No_Such_Name"}}


def child_of(account: Account, body: str, **properties: Any) -> dict[str, Any]:
    """An AWS::CloudFormation::Stack with this template."""
    url = account.put_template(body)
    return {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": url, **properties},
    }


def queues(account: Account) -> list[str]:
    """The URLs of all queues of the region."""
    listed: list[str] = account.client("sqs").list_queues().get("QueueUrls", [])
    return listed


def test_outputs_parameters_and_tags_pass_between_parent_and_child(account: Account) -> None:
    child = template(
        {"Queue": {**QUEUE, "Properties": {"QueueName": {"Ref": "Name"}}}},
        Parameters={"Name": {"Type": "String"}},
        Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}}},
    )
    nested = child_of(account, child, Parameters={"Name": "mail"})
    output = {"Arn": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Arn"]}}}
    stack = account.launch(
        template({"Child": nested}, Outputs=output), Tags=[{"Key": "Layer", "Value": "x"}]
    )
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    assert account.outputs(stack)["Arn"].endswith(":mail")
    tags = account.client("sqs").list_queue_tags(QueueUrl=queues(account)[0])["Tags"]
    assert tags["Layer"] == "x"


def test_child_knows_its_parent_and_root(account: Account) -> None:
    grandchild = child_of(account, template({"Queue": QUEUE}))
    child = child_of(account, template({"Inner": grandchild}))
    root = account.launch(template({"Outer": child}))
    outer = account.settled(account.resources(root)["Outer"])
    inner = account.settled(account.resources(outer)["Inner"])
    assert outer["ParentId"] == root["StackId"]
    assert inner["ParentId"] == outer["StackId"]
    assert inner["RootId"] == outer["RootId"] == root["StackId"]
    assert "ParentId" not in root


def test_failed_child_leaves_nothing_and_says_why(account: Account) -> None:
    child = child_of(account, template({"Queue": QUEUE, "Bad": {**BROKEN, "DependsOn": "Queue"}}))
    stack = account.launch(template({"First": QUEUE, "Child": {**child, "DependsOn": "First"}}))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Bad: Properties validation failed" in account.failures(stack)["Child"]
    assert queues(account) == []
    active = account.client("cloudformation").describe_stacks()["Stacks"]
    assert [s["StackName"] for s in active] == [stack["StackName"]]


def test_failed_child_stays_to_be_looked_at_without_rollback(account: Account) -> None:
    child = child_of(account, template({"Queue": QUEUE, "Bad": {**BROKEN, "DependsOn": "Queue"}}))
    stack = account.launch(template({"Child": child}), DisableRollback=True)
    assert stack["StackStatus"] == "CREATE_FAILED"
    assert account.settled(account.resources(stack)["Child"])["StackStatus"] == "CREATE_FAILED"
    assert len(queues(account)) == 1
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"
    assert queues(account) == []


def test_later_failure_rolls_back_a_finished_child(account: Account) -> None:
    child = child_of(account, template({"Queue": QUEUE}))
    stack = account.launch(template({"Child": child, "Bad": {**BROKEN, "DependsOn": "Child"}}))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert queues(account) == []


def test_rules_of_a_child_are_evaluated(account: Account) -> None:
    rule = {
        "Assertions": [
            {
                "Assert": {"Fn::Equals": [{"Ref": "Size"}, "small"]},
                "AssertDescription": "Only small is allowed here",
            }
        ]
    }
    body = template(
        {"Queue": QUEUE}, Parameters={"Size": {"Type": "String"}}, Rules={"Small": rule}
    )
    refused = account.launch(template({"C": child_of(account, body, Parameters={"Size": "big"})}))
    assert "Only small is allowed here" in account.failures(refused)["C"]
    allowed = account.launch(template({"C": child_of(account, body, Parameters={"Size": "small"})}))
    assert allowed["StackStatus"] == "CREATE_COMPLETE"


def test_conditions_and_exports_of_a_child_hold(account: Account) -> None:
    body = template(
        {"Queue": {**QUEUE, "Condition": "IsWanted"}, "Other": QUEUE},
        Parameters={"Wanted": {"Type": "String"}},
        Conditions={"IsWanted": {"Fn::Equals": [{"Ref": "Wanted"}, "true"]}},
        Outputs={"Q": {"Value": {"Ref": "Other"}, "Export": {"Name": "other-queue"}}},
    )
    child = child_of(account, body, Parameters={"Wanted": "false"})
    account.launch(template({"Child": child}))
    assert len(queues(account)) == 1
    exports = account.client("cloudformation").list_exports()["Exports"]
    assert [e["Name"] for e in exports] == ["other-queue"]


def test_retained_resource_of_a_child_outlives_the_parent(account: Account) -> None:
    body = template({"Kept": {**QUEUE, "DeletionPolicy": "Retain"}, "Gone": QUEUE})
    stack = account.launch(template({"Child": child_of(account, body)}))
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"
    assert ["Kept" in url for url in queues(account)] == [True]


def test_replacement_in_a_child_replaces(account: Account) -> None:
    def body(name: str) -> str:
        queue = {**QUEUE, "Properties": {"QueueName": name}}
        output = {"Url": {"Value": {"Ref": "Queue"}}}
        return template({"Queue": queue}, Outputs=output)

    stack = account.launch(template({"Child": child_of(account, body("before"))}))
    stack = account.update(stack, template({"Child": child_of(account, body("after"))}))
    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    assert [url.rsplit("/", 1)[1] for url in queues(account)] == ["after"]


def test_failed_update_takes_every_child_back(account: Account) -> None:
    def body(text: str) -> str:
        return template({"Topic": {"Type": TOPIC, "Properties": {"DisplayName": text}}})

    second = child_of(account, template({"Queue": QUEUE}))
    first = child_of(account, body("old"))
    stack = account.launch(template({"First": first, "Second": {**second, "DependsOn": "First"}}))
    broken = child_of(account, template({"Queue": QUEUE, "Bad": BROKEN}))
    stack = account.update(
        stack,
        template(
            {
                "First": child_of(account, body("new")),
                "Second": {**broken, "DependsOn": "First"},
            }
        ),
    )
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", account.failures(stack)
    child = account.settled(account.resources(stack)["First"])
    topic = account.resources(child)["Topic"]
    shown = account.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
    assert shown["DisplayName"] == "old"


def test_changed_template_behind_an_unchanged_url_is_noticed(account: Account) -> None:
    url = account.put_template(template({"Queue": QUEUE}), "same.json")
    child = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
    stack = account.launch(template({"Child": child}))
    account.put_template(template({"Queue": QUEUE, "Second": QUEUE}), "same.json")
    stack = account.update(stack, template({"Child": child, "Topic": {"Type": TOPIC}}))
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert len(queues(account)) == 2


def test_child_needs_the_capabilities_of_its_parent(account: Account) -> None:
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
    }
    child = child_of(account, template({"Role": role}))
    created = account.client("cloudformation").create_stack(
        StackName="without", TemplateBody=template({"Child": child})
    )
    stack = account.settled(created["StackId"])
    assert "Requires capabilities : [CAPABILITY_IAM]" in account.failures(stack)["Child"]
    assert account.launch(template({"Child": child}))["StackStatus"] == "CREATE_COMPLETE"


@pytest.mark.parametrize("value", [["a", "b"], {"a": "b"}])
def test_a_list_is_not_a_child_parameter(account: Account, value: object) -> None:
    body = template({"Queue": QUEUE}, Parameters={"P": {"Type": "String"}})
    stack = account.launch(template({"C": child_of(account, body, Parameters={"P": value})}))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "P" in account.failures(stack)["C"]
