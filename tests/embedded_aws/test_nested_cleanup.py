"""What an update of a nested stack replaces or removes is deleted after the root's update, and never where that fails."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.embedded_aws.conftest import Account, template
from tests.embedded_aws.test_nested_stacks import BROKEN, child_of

QUEUE = {"Type": "AWS::SQS::Queue"}
TOPIC = {"Type": "AWS::SNS::Topic"}
SECRET = "AWS::SecretsManager::Secret"
VALUE = "value"
CLEANUP = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"


def generated(name: str | None) -> dict[str, Any]:
    """A secret that is generated; another name replaces it."""
    generation = {"SecretStringTemplate": "{}", "GenerateStringKey": VALUE, "PasswordLength": 32}
    named = {} if name is None else {"Name": name}
    return {"Type": SECRET, "Properties": {"GenerateSecretString": generation, **named}}


def nested(account: Account, first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """A root with two nested stacks, the second after the first."""
    outputs = {name: {"Value": {"Ref": name}} for name in first}
    stacks = {
        "First": child_of(account, template(dict(first), Outputs=outputs)),
        "Second": {**child_of(account, template(dict(second))), "DependsOn": "First"},
    }
    return template(stacks)


def of_first(account: Account, root: dict[str, Any]) -> dict[str, str]:
    """Physical IDs of the resources of the first nested stack."""
    return account.resources(account.settled(account.resources(root)["First"]))


def value_of(account: Account, arn: str) -> str:
    text = account.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    value: str = json.loads(text)[VALUE]
    return value


def secrets(account: Account) -> set[str]:
    listed = account.client("secretsmanager").list_secrets()["SecretList"]
    return {each["ARN"] for each in listed}


def topics(account: Account) -> int:
    return len(account.client("sns").list_topics()["Topics"])


def test_a_failed_root_leaves_what_its_children_removed_and_replaced(account: Account) -> None:
    before = nested(account, {"Key": generated(None), "Gone": TOPIC}, {"Queue": QUEUE})
    root = account.launch(before)
    ids = of_first(account, root)
    value = value_of(account, ids["Key"])

    after = nested(account, {"Key": generated("key/2"), "New": TOPIC}, {"Bad": BROKEN})
    root = account.update(root, after)

    assert root["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert of_first(account, root) == ids
    assert secrets(account) == {ids["Key"]}
    assert value_of(account, ids["Key"]) == value
    assert topics(account) == 1
    child = account.settled(account.resources(root)["First"])
    assert child["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert {each["OutputKey"] for each in child["Outputs"]} == {"Key", "Gone"}


def test_a_root_that_succeeds_cleans_up(account: Account) -> None:
    before = nested(account, {"Key": generated(None), "Gone": TOPIC}, {"Queue": QUEUE})
    root = account.launch(before)
    ids = of_first(account, root)

    after = nested(account, {"Key": generated("key/2")}, {"Queue": QUEUE})
    root = account.update(root, after)

    assert root["StackStatus"] == "UPDATE_COMPLETE"
    now = of_first(account, root)
    assert now.keys() == {"Key"}
    assert now["Key"] != ids["Key"]
    assert secrets(account) == {now["Key"]}
    assert topics(account) == 0


def test_cleanup_comes_after_the_last_nested_stack(account: Account) -> None:
    root = account.launch(nested(account, {"Gone": TOPIC, "Kept": QUEUE}, {"Queue": QUEUE}))
    root = account.update(root, nested(account, {"Kept": QUEUE}, {"Queue": QUEUE, "More": QUEUE}))

    events = account.client("cloudformation").describe_stack_events(StackName=root["StackId"])
    said = [
        (event["LogicalResourceId"], event["ResourceStatus"])
        for event in reversed(events["StackEvents"])
    ]
    name = root["StackName"]
    assert said[-3:] == [
        ("Second", "UPDATE_COMPLETE"),
        (name, CLEANUP),
        (name, "UPDATE_COMPLETE"),
    ]


def test_an_update_after_a_failed_one_cleans_up_what_it_replaced_itself(account: Account) -> None:
    root = account.launch(nested(account, {"Key": generated(None)}, {"Queue": QUEUE}))
    account.update(root, nested(account, {"Key": generated("key/2")}, {"Bad": BROKEN}))
    root = account.update(root, nested(account, {"Key": generated("key/2")}, {"Queue": QUEUE}))

    assert root["StackStatus"] == "UPDATE_COMPLETE"
    assert secrets(account) == {of_first(account, root)["Key"]}
