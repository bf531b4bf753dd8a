"""New resources of nested stacks are deleted after the root has rolled back, when no other nested stack uses them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded_aws.conftest import Account, template
from tests.embedded_aws.test_deletion_blockers import GROUP, VPC, subnet
from tests.embedded_aws.test_nested_cleanup import QUEUE, generated, nested, of_first, secrets
from tests.embedded_aws.test_nested_failures import (
    FUNCTION,
    create_function,
    provider,
)
from tests.embedded_aws.test_nested_stacks import BROKEN, child_of

CLEANUP = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
COMPLETE = "UPDATE_ROLLBACK_COMPLETE"
NETWORK: dict[str, Any] = {"Vpc": VPC, "Subnet": subnet(0), "Group": GROUP}
# Two new groups; a rule of the second refers to the first.
MORE: dict[str, Any] = {
    "New": GROUP,
    "Other": GROUP,
    "Rule": {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {
            "GroupId": {"Fn::GetAtt": ["Other", "GroupId"]},
            "SourceSecurityGroupId": {"Fn::GetAtt": ["New", "GroupId"]},
            "IpProtocol": "-1",
        },
    },
}


def with_interface(
    account: Account, groups: dict[str, Any], used: str, **more: dict[str, Any]
) -> str:
    """A root with a network, and a nested stack whose interface uses one of the network's groups."""
    network = {**NETWORK, **groups}
    outputs = {
        "Subnet": {"Value": {"Ref": "Subnet"}},
        "Used": {"Value": {"Fn::GetAtt": [used, "GroupId"]}},
    }
    interface = {
        "Type": "AWS::EC2::NetworkInterface",
        "Properties": {"SubnetId": {"Ref": "Subnet"}, "GroupSet": [{"Ref": "Used"}]},
    }
    parameters = {name: {"Type": "String"} for name in outputs}
    values = {name: {"Fn::GetAtt": ["First", f"Outputs.{name}"]} for name in outputs}
    return template(
        {
            "First": child_of(account, template(network, Outputs=outputs)),
            "Second": child_of(
                account,
                template({"Interface": interface}, Parameters=parameters),
                Parameters=values,
            ),
            **{name: {**each, "DependsOn": "Second"} for name, each in more.items()},
        }
    )


def groups(account: Account) -> set[str]:
    """The groups that are not a VPC's default."""
    listed = account.client("ec2").describe_security_groups()["SecurityGroups"]
    return {each["GroupId"] for each in listed if each["GroupName"] != "default"}


def events(account: Account, stack_id: str) -> list[tuple[str, str]]:
    """The events of a stack, oldest first."""
    events = account.client("cloudformation").describe_stack_events(StackName=stack_id)[
        "StackEvents"
    ]
    return [(each["LogicalResourceId"], each["ResourceStatus"]) for each in reversed(events)]


def test_a_new_group_goes_after_its_user_has_its_former_group_again(account: Account) -> None:
    root = account.launch(with_interface(account, {}, "Group"))
    assert root["StackStatus"] == "CREATE_COMPLETE", account.failures(root)
    before = groups(account)

    root = account.update(root, with_interface(account, MORE, "New", Bad=BROKEN))

    assert root["StackStatus"] == COMPLETE
    assert groups(account) == before
    first = account.settled(account.resources(root)["First"])
    assert account.failures(first) == {}
    assert events(account, first["StackId"])[-8:] == [
        (first["StackName"], CLEANUP),
        *(
            (name, status)
            for name in ("Rule", "Other", "New")
            for status in ("DELETE_IN_PROGRESS", "DELETE_COMPLETE")
        ),
        (first["StackName"], COMPLETE),
    ]
    assert events(account, root["StackId"])[-1] == (root["StackName"], COMPLETE)
    assert events(account, root["StackId"]).count((root["StackName"], COMPLETE)) == 1


def test_a_new_group_with_a_user_outside_the_stacks_stays(account: Account) -> None:
    root = account.launch(with_interface(account, {}, "Group"))
    assert root["StackStatus"] == "CREATE_COMPLETE", account.failures(root)
    before = groups(account)
    body = with_interface(account, MORE, "New", Bad=BROKEN)
    root = account.update(root, body, DisableRollback=True)
    (new,) = (
        each["Groups"][0]["GroupId"]
        for each in account.client("ec2").describe_network_interfaces()["NetworkInterfaces"]
    )
    ids = of_first(account, root)
    account.client("ec2").create_network_interface(SubnetId=ids["Subnet"], Groups=[new])

    account.client("cloudformation").rollback_stack(StackName=root["StackName"])

    root = account.settled(root["StackId"])
    assert root["StackStatus"] == COMPLETE
    assert groups(account) == before | {new}
    first = account.settled(account.resources(root)["First"])
    assert first["StackStatus"] == COMPLETE
    assert "DependencyViolation" in account.failures(first)["New"]


def test_an_update_after_rollback_stack_deletes_nothing_of_the_former_update(
    account: Account,
) -> None:
    before = nested(account, {"Key": generated(None)}, {"Queue": QUEUE})
    root = account.launch(before)
    ids = of_first(account, root)
    failing = nested(account, {"Key": generated("key/2")}, {"Bad": BROKEN})
    account.update(root, failing, DisableRollback=True)
    account.client("cloudformation").rollback_stack(StackName=root["StackName"])
    root = account.settled(root["StackId"])
    assert root["StackStatus"] == COMPLETE

    root = account.update(
        root, nested(account, {"Key": generated(None)}, {"Queue": QUEUE, "More": QUEUE})
    )

    assert root["StackStatus"] == "UPDATE_COMPLETE"
    assert secrets(account) == {ids["Key"]}


@pytest.mark.parametrize("end", ["continued", "deleted"])
def test_cleanup_waits_while_the_rollback_of_the_root_has_failed(
    account: Account, end: str
) -> None:
    create_function(account)

    def body(value: str, first: dict[str, Any], **more: dict[str, Any]) -> str:
        second = {"Queue": QUEUE, "Provider": provider(value)}
        stacks = {
            "First": child_of(account, template(first)),
            "Second": {**child_of(account, template(second)), "DependsOn": "First"},
        }
        return template({**stacks, **more})

    root = account.launch(body("1", NETWORK))
    before = groups(account)
    bad = {**BROKEN, "DependsOn": "Second"}
    root = account.update(root, body("2", {**NETWORK, **MORE}, Bad=bad))
    assert root["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    cloudformation = account.client("cloudformation")
    (first,) = cloudformation.describe_stacks(StackName=account.resources(root)["First"])["Stacks"]
    assert first["StackStatus"] == CLEANUP
    assert len(groups(account)) == len(before) + 2

    account.client("lambda").update_function_configuration(
        FunctionName=FUNCTION, Environment={"Variables": {"BROKEN": "no"}}
    )
    if end == "deleted":
        assert account.delete(root)["StackStatus"] == "DELETE_COMPLETE"
        assert groups(account) == set()
        return
    cloudformation.continue_update_rollback(StackName=root["StackName"])

    root = account.settled(root["StackId"])
    assert root["StackStatus"] == COMPLETE, account.failures(root)
    assert account.settled(first["StackId"])["StackStatus"] == COMPLETE
    assert groups(account) == before
