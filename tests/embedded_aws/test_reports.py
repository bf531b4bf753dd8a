"""What CloudFormation reports of templates and stacks: capabilities, defaults of parameters, topics."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import CAPABILITIES, Account, template

TRUST = {"Version": "2012-10-17", "Statement": []}
TOPICS = [f"arn:aws:sns:eu-north-1:123456789012:topic-{n}" for n in range(6)]


def role(**more: Any) -> dict[str, Any]:
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST, **more}}


POLICY = {
    "Type": "AWS::IAM::Policy",
    "Properties": {"PolicyName": "one", "PolicyDocument": TRUST, "Roles": [{"Ref": "Role"}]},
}
PROVIDER = {"Type": "AWS::IAM::OIDCProvider", "Properties": {"Url": "https://example.com"}}
TOPIC = {"Type": "AWS::SNS::Topic"}
NEEDED: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "none": ({"Topic": TOPIC}, [], []),
    "a provider": ({"Provider": PROVIDER}, [], []),
    "a role": ({"Role": role()}, ["CAPABILITY_IAM"], ["AWS::IAM::Role"]),
    "a role with a name": (
        {"Role": role(RoleName="one")},
        ["CAPABILITY_NAMED_IAM"],
        ["AWS::IAM::Role"],
    ),
    "a policy": (
        {"Role": role(), "Policy": POLICY},
        ["CAPABILITY_IAM"],
        ["AWS::IAM::Policy", "AWS::IAM::Role"],
    ),
}


@pytest.mark.parametrize("action", ["validate_template", "get_template_summary"])
@pytest.mark.parametrize(("resources", "capabilities", "types"), NEEDED.values(), ids=NEEDED)
def test_capabilities_of_a_template(
    account: Account,
    action: str,
    resources: dict[str, Any],
    capabilities: list[str],
    types: list[str],
) -> None:
    report = getattr(account.client("cloudformation"), action)(TemplateBody=template(resources))

    assert report.get("Capabilities", []) == capabilities
    reason = f"The following resource(s) require capabilities: [{', '.join(types)}]"
    assert report.get("CapabilitiesReason") == (reason if types else None)


def test_transforms_of_a_template(account: Account) -> None:
    body = template({"Topic": TOPIC}, Transform="AWS::LanguageExtensions")
    report = account.client("cloudformation").validate_template(TemplateBody=body)
    assert report["DeclaredTransforms"] == ["AWS::LanguageExtensions"]


def test_parameters_of_a_template(account: Account) -> None:
    declared = {
        "Required": {"Type": "String", "Description": "Without a default"},
        "Empty": {"Type": "String", "Default": ""},
        "Secret": {"Type": "String", "Default": "x", "NoEcho": True},
    }
    body = template({"Topic": TOPIC}, Parameters=declared)
    report = account.client("cloudformation").validate_template(TemplateBody=body)
    found = {each["ParameterKey"]: each for each in report["Parameters"]}

    assert "DefaultValue" not in found["Required"]
    assert found["Required"]["Description"] == "Without a default"
    assert found["Empty"]["DefaultValue"] == ""
    assert (found["Secret"]["DefaultValue"], found["Secret"]["NoEcho"]) == ("x", True)
    assert not found["Empty"]["NoEcho"]


def topics(account: Account, stack: dict[str, Any]) -> list[str]:
    described = account.client("cloudformation").describe_stacks(StackName=stack["StackId"])
    found: list[str] = described["Stacks"][0]["NotificationARNs"]
    return found


def test_topics_of_a_stack(account: Account) -> None:
    stack = account.launch(template({"Topic": TOPIC}), NotificationARNs=TOPICS[:2])
    assert topics(account, stack) == TOPICS[:2]

    account.update(stack, template({"Other": TOPIC}))
    assert topics(account, stack) == TOPICS[:2]
    account.update(stack, template({"Topic": TOPIC}), NotificationARNs=TOPICS[2:3])
    assert topics(account, stack) == TOPICS[2:3]
    account.update(stack, template({"Other": TOPIC}), NotificationARNs=[])
    assert topics(account, stack) == []


def test_topics_of_a_change_set_are_those_of_its_stack(account: Account) -> None:
    cloudformation = account.client("cloudformation")
    record = cloudformation.create_change_set(
        StackName="reported",
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=template({"Topic": TOPIC}),
        NotificationARNs=TOPICS[:1],
    )
    cloudformation.execute_change_set(ChangeSetName=record["Id"])

    stack = account.settled(record["StackId"])
    assert topics(account, stack) == TOPICS[:1]


def test_topics_of_a_nested_stack(account: Account) -> None:
    url = account.put_template(template({"Topic": TOPIC}))
    properties = {"TemplateURL": url, "NotificationARNs": TOPICS[:1]}
    child = {"Type": "AWS::CloudFormation::Stack", "Properties": properties}
    stack = account.launch(template({"Child": child}))

    nested = account.settled(account.resources(stack)["Child"])
    assert (topics(account, nested), topics(account, stack)) == (TOPICS[:1], [])


@pytest.mark.parametrize("wrong", [TOPICS, ["not-an-arn"]], ids=["six", "no ARN"])
def test_wrong_topics_are_refused(account: Account, wrong: list[str]) -> None:
    with pytest.raises(ClientError, match=r"(?i)notification"):
        account.client("cloudformation").create_stack(
            StackName="wrong",
            TemplateBody=template({"Topic": TOPIC}),
            Capabilities=CAPABILITIES,
            NotificationARNs=wrong,
        )
