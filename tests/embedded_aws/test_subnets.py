"""Ranges of subnets do not overlap, and a zone is one of its region, in templates and in the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import Account, template

CONFLICT = "The CIDR '10.0.16.0/20' conflicts with another subnet"


def network(**subnets: tuple[str, str]) -> str:
    """A template of a VPC with subnets, each a range and the letter of a zone."""
    resources: dict[str, Any] = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
    }
    for name, (cidr, letter) in subnets.items():
        zone = {"Fn::Sub": f"${{AWS::Region}}{letter}"}
        resources[name] = {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": cidr, "AvailabilityZone": zone},
        }
    return template(resources)


@pytest.mark.parametrize(
    ("cidr", "letter", "says"),
    [
        ("10.0.16.0/20", "b", CONFLICT),
        ("10.0.0.0/17", "b", "The CIDR '10.0.0.0/17' conflicts with another subnet"),
        ("10.0.17.0/24", "b", "The CIDR '10.0.17.0/24' conflicts with another subnet"),
        ("10.1.0.0/20", "b", "The CIDR '10.1.0.0/20' is invalid."),
        ("10.0.32.0/20", "d", "Value (eu-north-1d) for parameter availabilityZone is invalid."),
    ],
)
def test_subnet_is_refused(account: Account, cidr: str, letter: str, says: str) -> None:
    first = account.launch(network(First=("10.0.16.0/20", "a")))
    stack = account.update(first, network(First=("10.0.16.0/20", "a"), Second=(cidr, letter)))

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert says in account.failures(stack)["Second"]


def test_ranges_side_by_side_are_accepted(account: Account) -> None:
    stack = account.launch(network(One=("10.0.0.0/20", "a"), Two=("10.0.16.0/20", "a")))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)


def test_another_zone_for_a_range_in_use_is_refused(account: Account) -> None:
    stack = account.launch(network(One=("10.0.0.0/20", "a"), Two=("10.0.16.0/20", "b")))
    before = account.resources(stack)

    stack = account.update(stack, network(One=("10.0.0.0/20", "a"), Two=("10.0.16.0/20", "c")))

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert CONFLICT in account.failures(stack)["Two"]
    assert account.resources(stack) == before


def test_api_refuses_the_same_subnets(account: Account) -> None:
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20", AvailabilityZone="eu-north-1a")
    for cidr, zone, code in (
        ("10.0.0.0/20", "eu-north-1b", "InvalidSubnet.Conflict"),
        ("10.1.0.0/20", "eu-north-1b", "InvalidSubnet.Range"),
        ("10.0.16.0/20", "eu-north-1z", "InvalidParameterValue"),
    ):
        with pytest.raises(ClientError) as refused:
            ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)
        assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("region", "letters"), [("eu-north-1", "abc"), ("us-east-1", "abcdef"), ("us-west-1", "ac")]
)
def test_zones_of_a_region(in_region: Callable[[str], Account], region: str, letters: str) -> None:
    account = in_region(region)
    zones = [f"{region}{letter}" for letter in letters]
    described = account.client("ec2").describe_availability_zones()["AvailabilityZones"]
    stack = account.launch(
        template(
            {"Topic": {"Type": "AWS::SNS::Topic"}},
            Outputs={"Zones": {"Value": {"Fn::Join": [" ", {"Fn::GetAZs": ""}]}}},
        )
    )

    assert [zone["ZoneName"] for zone in described] == zones
    assert account.outputs(stack)["Zones"].split() == zones


def test_third_zone_of_a_region_with_two_is_refused(in_region: Callable[[str], Account]) -> None:
    account = in_region("us-west-1")
    body = template(
        {"Topic": {"Type": "AWS::SNS::Topic"}},
        Parameters={"Zones": {"Type": "List<AWS::EC2::AvailabilityZone::Name>"}},
    )
    wrong = [{"ParameterKey": "Zones", "ParameterValue": "us-west-1a,us-west-1b,us-west-1c"}]
    with pytest.raises(ClientError, match="us-west-1b for parameter name Zones does not exist"):
        account.launch(body, Parameters=wrong)


def test_volume_in_a_zone_that_does_not_exist_is_refused(account: Account) -> None:
    properties = {"AvailabilityZone": "eu-north-1d", "Size": 8}
    stack = account.launch(
        template({"Volume": {"Type": "AWS::EC2::Volume", "Properties": properties}})
    )
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "The zone 'eu-north-1d' does not exist." in account.failures(stack)["Volume"]
