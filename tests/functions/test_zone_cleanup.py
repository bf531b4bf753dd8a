"""The function that empties the private zone, against Route 53 and CloudFormation of the embedded AWS."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from templates_src.functions.stack_status import stack_status
from templates_src.functions.zone_cleanup import handler as function
from tests.functions.cloudformation import Answers
from tests.functions.databases import AMPLE

OWN, FOREIGN = "meilisearch.dev.internal", "search.dev.internal"


@pytest.fixture
def zone(client: Any) -> str:
    """A private zone with the record of the stack and one of another owner."""
    network = client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = client("route53").create_hosted_zone(
        Name="dev.internal",
        CallerReference=str(uuid4()),
        HostedZoneConfig={"PrivateZone": True},
        VPC={"VPCRegion": "eu-north-1", "VPCId": network},
    )["HostedZone"]["Id"]
    for name in (OWN, FOREIGN):
        record = {
            "Name": name,
            "Type": "A",
            "TTL": 10,
            "ResourceRecords": [{"Value": "10.0.48.17"}],
        }
        client("route53").change_resource_record_sets(
            HostedZoneId=made,
            ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
        )
    return str(made).rpartition("/")[2]


def names(client: Any, zone: str) -> set[str]:
    """The names of the A records of a zone."""
    sets = client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {found["Name"].rstrip(".") for found in sets if found["Type"] == "A"}


def request(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, kind: str, status: str, zone: str
) -> dict[str, Any]:
    """Answer one request while the stack is in a status; return the answer."""
    monkeypatch.setattr(function, "stack_status", lambda _stack: status)
    properties = {"HostedZoneId": zone, "KeptRecord": OWN}
    function.handler(
        answers.event(kind, properties, PhysicalResourceId=function.PHYSICAL_ID), AMPLE
    )
    return answers.taken[-1]


@pytest.mark.parametrize("status", ["DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"])
def test_deletion_of_the_stack_leaves_only_its_own_record(
    client: Any, zone: str, answers: Answers, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    answer = request(answers, monkeypatch, "Delete", status, zone)
    assert answer["Status"] == "SUCCESS"
    assert names(client, zone) == {OWN}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("Create", "UPDATE_IN_PROGRESS"),
        ("Update", "UPDATE_IN_PROGRESS"),
        ("Delete", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Delete", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Delete", "UPDATE_ROLLBACK_IN_PROGRESS"),
    ],
)
def test_records_stay_in_every_other_operation(
    client: Any,
    zone: str,
    answers: Answers,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    status: str,
) -> None:
    answer = request(answers, monkeypatch, kind, status, zone)
    assert answer["Status"] == "SUCCESS"
    assert names(client, zone) == {OWN, FOREIGN}


@pytest.mark.usefixtures("lambda_environment")
def test_a_zone_that_does_not_exist_does_not_block_the_deletion(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = request(answers, monkeypatch, "Delete", "DELETE_IN_PROGRESS", "Z0123456789")
    assert answer["Status"] == "SUCCESS"
    assert "records remain" in caplog.text


def test_status_is_that_of_the_stack(client: Any) -> None:
    body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    name = f"stack-{uuid4()}"
    stack = client("cloudformation").create_stack(StackName=name, TemplateBody=body)["StackId"]
    client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1}
    )
    assert stack_status(stack) == "CREATE_COMPLETE"
