"""Snapshots and restores of database instances: what a restored instance has, and what RDS refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from tests.conftest import REGION
from tests.launches.environments import aws_of
from tests.launches.snapshots import keep_snapshot

STACK, OTHER_ACCOUNT = "database", "210987654321"
RESTORED = {
    "Engine": "postgres",
    "DBInstanceClass": "db.t4g.medium",
    "StorageType": "gp3",
    "StorageEncrypted": True,
    "MasterUserPassword": "of-the-stack",
}


@pytest.fixture
def aws(embedded: EmbeddedAws) -> Aws:
    return aws_of(embedded)


@pytest.fixture
def rds(aws: Aws) -> Any:
    return aws.client("rds")


def deploy(
    aws: Aws, properties: Mapping[str, Any], *, update: bool = False, log_group: str = ""
) -> str:
    """Create or update a stack with an instance, and a log group after it; returns its status or the reasons of failures."""
    cloudformation = aws.client("cloudformation")
    database = {
        "Type": "AWS::RDS::DBInstance",
        "Properties": {**RESTORED, **properties},
        "UpdateReplacePolicy": "Snapshot",
    }
    resources: dict[str, Any] = {"Database": database}
    if log_group:
        resources["LogGroup"] = {
            "Type": "AWS::Logs::LogGroup",
            "DependsOn": "Database",
            "Properties": {"LogGroupName": log_group},
        }
    body = json.dumps({"Resources": resources})
    operation = cloudformation.update_stack if update else cloudformation.create_stack
    operation(StackName=STACK, TemplateBody=body)
    waiter = f"stack_{'update' if update else 'create'}_complete"
    try:
        cloudformation.get_waiter(waiter).wait(
            StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
    except Exception:
        events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
        return " | ".join(
            event.get("ResourceStatusReason", "")
            for event in events
            if event["ResourceStatus"].endswith("FAILED")
        )
    status: str = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
    return status


def instance_of(aws: Aws) -> Mapping[str, Any]:
    """The instance of the stack."""
    resource = aws.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId="Database"
    )
    identifier = resource["StackResourceDetail"]["PhysicalResourceId"]
    (found,) = aws.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)[
        "DBInstances"
    ]
    record: Mapping[str, Any] = found
    return record


def refusal(call: Any, **arguments: Any) -> str:
    """Code and message with which RDS refuses a request."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def test_a_restored_instance_has_size_key_user_and_database_of_its_snapshot(
    aws: Aws, rds: Any
) -> None:
    keep_snapshot(rds, "grown", storage=120, key="arn:aws:kms:eu-north-1:123456789012:key/old")

    assert deploy(aws, {"DBSnapshotIdentifier": "grown"}) == "CREATE_COMPLETE"

    found = instance_of(aws)
    assert found["AllocatedStorage"] == 120
    assert found["StorageEncrypted"]
    assert found["KmsKeyId"].endswith("key/old")
    assert (found["MasterUsername"], found["DBName"]) == ("carbon", "carbon_connect")


def test_the_template_cannot_encrypt_an_unencrypted_snapshot(aws: Aws, rds: Any) -> None:
    keep_snapshot(rds, "plain", encrypted=False)

    assert deploy(aws, {"DBSnapshotIdentifier": "plain"}) == "CREATE_COMPLETE"

    assert not instance_of(aws)["StorageEncrypted"]


def test_a_copy_under_a_key_encrypts_a_snapshot(aws: Aws, rds: Any) -> None:
    keep_snapshot(rds, "plain", encrypted=False)
    rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier="plain",
        TargetDBSnapshotIdentifier="sealed",
        KmsKeyId="arn:aws:kms:eu-north-1:123456789012:key/new",
    )

    assert deploy(aws, {"DBSnapshotIdentifier": "sealed"}) == "CREATE_COMPLETE"

    found = instance_of(aws)
    assert (found["StorageEncrypted"], found["KmsKeyId"][-3:]) == (True, "new")


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"DBSnapshotIdentifier": "unknown"}, "DBSnapshot unknown not found"),
        (
            {
                "DBSnapshotIdentifier": f"arn:aws:rds:us-east-1:{EmbeddedAws.account_id}:snapshot:kept"
            },
            "not found",
        ),
        ({"DBSnapshotIdentifier": "kept", "Engine": "mysql"}, "is not compatible"),
        (
            {"DBSnapshotIdentifier": "kept", "AllocatedStorage": "50"},
            "Invalid storage size for engine name postgres and storage type gp3: 50",
        ),
        (
            {"DBSnapshotIdentifier": "kept", "DBName": "carbon_connect"},
            "DBName must be null when Restoring for this Engine",
        ),
        (
            {"DBSnapshotIdentifier": "kept", "MaxAllocatedStorage": "100"},
            "The maximum allocated storage must be increased by at least 10 percent",
        ),
    ],
)
def test_what_rds_does_not_restore_fails_the_stack(
    aws: Aws, rds: Any, properties: Mapping[str, Any], reason: str
) -> None:
    keep_snapshot(rds, "kept", storage=100)

    assert reason in deploy(aws, properties)
    assert rds.describe_db_instances()["DBInstances"] == []


def test_another_snapshot_replaces_the_instance_and_none_does_not(aws: Aws, rds: Any) -> None:
    for name in ("first", "second"):
        keep_snapshot(rds, name, storage=100)
    deploy(aws, {"DBSnapshotIdentifier": "first"})
    first = instance_of(aws)["DBInstanceIdentifier"]

    deploy(aws, {"DBSnapshotIdentifier": "second"}, update=True)
    second = instance_of(aws)["DBInstanceIdentifier"]
    assert second != first
    assert deploy(aws, {}, update=True) == "UPDATE_COMPLETE"

    found = instance_of(aws)
    assert (found["DBInstanceIdentifier"], found["AllocatedStorage"]) == (second, 100)


def test_an_encrypted_snapshot_that_another_account_shares_is_copied_first(
    embedded: EmbeddedAws, aws: Aws, rds: Any
) -> None:
    theirs = boto3.client(
        "rds",
        region_name=REGION,
        endpoint_url=embedded.endpoint_url,
        aws_access_key_id=OTHER_ACCOUNT,
        aws_secret_access_key="secret",
    )
    arn = keep_snapshot(theirs, "theirs", storage=80)
    assert "DBSnapshotNotFound" in refusal(rds.describe_db_snapshots, DBSnapshotIdentifier=arn)

    theirs.modify_db_snapshot_attribute(
        DBSnapshotIdentifier="theirs",
        AttributeName="restore",
        ValuesToAdd=[embedded.account_id],
    )

    (found,) = rds.describe_db_snapshots(DBSnapshotIdentifier=arn)["DBSnapshots"]
    assert found["AllocatedStorage"] == 80
    assert "is shared by another account" in deploy(aws, {"DBSnapshotIdentifier": arn})
    copy = {"SourceDBSnapshotIdentifier": arn, "TargetDBSnapshotIdentifier": "ours"}
    assert "KmsKeyId must be specified" in refusal(rds.copy_db_snapshot, **copy)
    made = rds.copy_db_snapshot(**copy, KmsKeyId="alias/ours")["DBSnapshot"]
    assert (made["Encrypted"], made["DBSnapshotArn"].split(":")[4]) == (True, embedded.account_id)


def test_a_restore_by_a_request_has_its_settings(rds: Any) -> None:
    keep_snapshot(rds, "kept", storage=70)
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="rescue",
        DBSnapshotIdentifier="kept",
        PubliclyAccessible=False,
        VpcSecurityGroupIds=["sg-1"],
        DBParameterGroupName="tls-only",
    )

    (found,) = rds.describe_db_instances(DBInstanceIdentifier="rescue")["DBInstances"]
    assert (found["AllocatedStorage"], found["StorageEncrypted"]) == (70, True)
    assert found["VpcSecurityGroups"][0]["VpcSecurityGroupId"] == "sg-1"
    assert found["DBParameterGroups"][0]["DBParameterGroupName"] == "tls-only"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"SourceDBInstanceIdentifier": "nothing"}, "DBInstanceNotFound"),
        ({"TargetDBInstanceIdentifier": "source"}, "DBInstanceAlreadyExists"),
        ({"DBSubnetGroupName": "nothing"}, "DBSubnetGroupNotFoundFault"),
        ({"UseLatestRestorableTime": False}, "Either RestoreTime or UseLatestRestorableTime"),
        ({"RestoreTime": datetime.now(UTC)}, "Either RestoreTime or UseLatestRestorableTime"),
        (
            {"UseLatestRestorableTime": False, "RestoreTime": datetime.now(UTC) + timedelta(1)},
            "later than its latest restorable time",
        ),
        (
            {"UseLatestRestorableTime": False, "RestoreTime": datetime.now(UTC) - timedelta(1)},
            "earlier than its earliest restorable time",
        ),
        ({"AllocatedStorage": 50}, "Invalid storage size for engine name postgres"),
    ],
)
def test_what_is_not_restored_to_a_time(rds: Any, change: Mapping[str, Any], reason: str) -> None:
    rds.create_db_instance(
        DBInstanceIdentifier="source",
        DBInstanceClass="db.t4g.medium",
        Engine="postgres",
        AllocatedStorage=60,
    )
    request = {
        "SourceDBInstanceIdentifier": "source",
        "TargetDBInstanceIdentifier": "rescue",
        "UseLatestRestorableTime": True,
        **change,
    }

    assert reason in refusal(rds.restore_db_instance_to_point_in_time, **request)
    assert len(rds.describe_db_instances()["DBInstances"]) == 1


def test_a_deletion_names_its_final_snapshot_or_skips_it(rds: Any) -> None:
    rds.create_db_instance(
        DBInstanceIdentifier="source", DBInstanceClass="db.t4g.medium", Engine="postgres"
    )

    assert "FinalDBSnapshotIdentifier is required" in refusal(
        rds.delete_db_instance, DBInstanceIdentifier="source"
    )
    rds.delete_db_instance(DBInstanceIdentifier="source", FinalDBSnapshotIdentifier="last")

    (found,) = rds.describe_db_snapshots(DBSnapshotIdentifier="last")["DBSnapshots"]
    assert found["DBInstanceIdentifier"] == "source"


def test_a_rollback_that_names_the_snapshot_again_restores_it(aws: Aws, rds: Any) -> None:
    """The handler calls a snapshot that appears immutable, in a rollback too: docs/recovery.md says what follows from it."""
    keep_snapshot(rds, "first", storage=100)
    deploy(aws, {"DBSnapshotIdentifier": "first"})
    before = instance_of(aws)["DBInstanceIdentifier"]
    aws.client("logs").create_log_group(logGroupName="taken")

    assert "already exists" in deploy(aws, {}, update=True, log_group="taken")

    assert instance_of(aws)["DBInstanceIdentifier"] != before
