"""Secrets, databases, caches and buckets behave as their templates rely on."""

import json
import string
from typing import Any

import pytest

from tests.embedded_aws.conftest import REGION, Account, template

GENERATED = {
    "Type": "AWS::SecretsManager::Secret",
    "Properties": {
        "GenerateSecretString": {
            "SecretStringTemplate": '{"username": "carbon"}',
            "GenerateStringKey": "password",
            "PasswordLength": 64,
            "ExcludePunctuation": True,
        }
    },
}


def database(**changes: Any) -> dict[str, Any]:
    """An AWS::RDS::DBInstance whose password is in the secret named Secret."""
    return {
        "Type": "AWS::RDS::DBInstance",
        "Properties": {
            "Engine": "postgres",
            "EngineVersion": "16",
            "DBInstanceClass": "db.t4g.medium",
            "AllocatedStorage": "50",
            "DBName": "carbon",
            "MasterUsername": "carbon",
            "MasterUserPassword": {
                "Fn::Sub": "{{resolve:secretsmanager:${Secret}:SecretString:password}}"
            },
            **changes,
        },
    }


def secret_value(account: Account, secret: str) -> dict[str, Any]:
    text = account.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    value: dict[str, Any] = json.loads(text)
    return value


def test_ref_of_a_secret_is_its_arn_and_its_value_obeys_the_rules(account: Account) -> None:
    body = template({"Secret": GENERATED}, Outputs={"Secret": {"Value": {"Ref": "Secret"}}})
    stack = account.launch(body)
    arn = account.outputs(stack)["Secret"]
    assert arn.startswith(f"arn:aws:secretsmanager:{REGION}:123456789012:secret:")
    value = secret_value(account, arn)
    assert value["username"] == "carbon"
    assert len(value["password"]) == 64
    assert set(value["password"]) <= set(string.ascii_letters + string.digits)
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"
    assert account.client("secretsmanager").list_secrets()["SecretList"] == []


def test_update_of_a_secret_keeps_its_value_unless_the_rules_change(account: Account) -> None:
    stack = account.launch(template({"Secret": GENERATED}))
    secret = account.resources(stack)["Secret"]
    before = secret_value(account, secret)
    described = {**GENERATED, "Properties": {**GENERATED["Properties"], "Description": "new"}}  # type: ignore[dict-item]
    stack = account.update(stack, template({"Secret": described}))
    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    assert account.resources(stack)["Secret"] == secret
    assert secret_value(account, secret) == before


def test_attachment_writes_the_endpoint_into_the_secret(account: Account) -> None:
    attachment = {
        "Type": "AWS::SecretsManager::SecretTargetAttachment",
        "Properties": {
            "SecretId": {"Ref": "Secret"},
            "TargetId": {"Ref": "Database"},
            "TargetType": "AWS::RDS::DBInstance",
        },
    }
    body = template(
        {"Secret": GENERATED, "Database": database(), "Attachment": attachment},
        Outputs={"Host": {"Value": {"Fn::GetAtt": ["Database", "Endpoint.Address"]}}},
    )
    stack = account.launch(body)
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    value = secret_value(account, account.resources(stack)["Secret"])
    assert (value["host"], value["port"]) == (account.outputs(stack)["Host"], 5432)
    assert value["username"] == "carbon"


def test_deleted_database_leaves_a_final_snapshot(account: Account) -> None:
    kept = {**database(), "DeletionPolicy": "Snapshot", "UpdateReplacePolicy": "Snapshot"}
    stack = account.launch(template({"Secret": GENERATED, "Database": kept}))
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE", account.failures(stack)
    rds = account.client("rds")
    assert rds.describe_db_instances()["DBInstances"] == []
    assert len(rds.describe_db_snapshots()["DBSnapshots"]) == 1


def test_protected_database_is_not_deleted(account: Account) -> None:
    body = {"Secret": GENERATED, "Database": database(DeletionProtection=True)}
    stack = account.launch(template(body))
    stack = account.delete(stack)
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert "disable deletion protection" in account.failures(stack)["Database"]
    assert len(account.client("rds").describe_db_instances()["DBInstances"]) == 1
    assert account.client("rds").describe_db_snapshots()["DBSnapshots"] == []


def test_bucket_that_holds_an_object_is_not_deleted(account: Account) -> None:
    versioned = {"VersioningConfiguration": {"Status": "Enabled"}}
    stack = account.launch(
        template({"Bucket": {"Type": "AWS::S3::Bucket", "Properties": versioned}})
    )
    bucket, s3 = account.resources(stack)["Bucket"], account.client("s3")
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    assert account.delete(stack)["StackStatus"] == "DELETE_FAILED"
    assert "not empty" in account.failures(stack)["Bucket"]
    for held in (version, marker):
        s3.delete_object(Bucket=bucket, Key="k", VersionId=held)
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"


def test_serverless_cache_has_endpoints_and_changes_limits_in_place(account: Account) -> None:
    def body(gigabytes: int) -> str:
        cache = {
            "Type": "AWS::ElastiCache::ServerlessCache",
            "Properties": {
                "ServerlessCacheName": "app",
                "Engine": "valkey",
                "MajorEngineVersion": "8",
                "CacheUsageLimits": {"DataStorage": {"Maximum": gigabytes, "Unit": "GB"}},
            },
        }
        outputs = {
            name: {"Value": {"Fn::GetAtt": ["Cache", attribute]}}
            for name, attribute in (
                ("Address", "Endpoint.Address"),
                ("Port", "Endpoint.Port"),
                ("Reader", "ReaderEndpoint.Port"),
                ("Arn", "ARN"),
            )
        }
        return template({"Cache": cache}, Outputs=outputs)

    stack = account.launch(body(5))
    outputs = account.outputs(stack)
    assert outputs["Address"].endswith(".serverless.eun1.cache.amazonaws.com")
    assert (outputs["Port"], outputs["Reader"]) == ("6379", "6380")
    account.update(stack, body(10))
    caches = account.client("elasticache").describe_serverless_caches()["ServerlessCaches"]
    assert [c["CacheUsageLimits"]["DataStorage"]["Maximum"] for c in caches] == [10]
    account.delete(stack)
    assert account.client("elasticache").describe_serverless_caches()["ServerlessCaches"] == []


@pytest.mark.parametrize(
    ("resource_type", "properties"),
    [
        ("AWS::SecretsManager::Secret", {"Name": "same", "SecretString": "x"}),
        ("AWS::Logs::LogGroup", {"LogGroupName": "same"}),
        ("AWS::ECR::Repository", {"RepositoryName": "same"}),
        ("AWS::IAM::OIDCProvider", {"Url": "https://same.example.org"}),
        ("AWS::SNS::Topic", {"TopicName": "same"}),
        ("AWS::SQS::Queue", {"QueueName": "same"}),
        ("AWS::S3::Bucket", {"BucketName": "same-name"}),
        ("AWS::SSM::Parameter", {"Name": "/same", "Type": "String", "Value": "x"}),
        ("AWS::IAM::Role", {"RoleName": "same", "AssumeRolePolicyDocument": {}}),
        ("AWS::CloudWatch::Dashboard", {"DashboardName": "same", "DashboardBody": "{}"}),
        (
            "AWS::CloudWatch::Alarm",
            {
                "AlarmName": "same",
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 1,
                "MetricName": "m",
                "Namespace": "n",
                "Period": 60,
                "Statistic": "Sum",
                "Threshold": 1,
            },
        ),
        ("AWS::ElastiCache::ServerlessCache", {"ServerlessCacheName": "same", "Engine": "valkey"}),
    ],
)
def test_name_that_is_taken_fails(
    account: Account, resource_type: str, properties: dict[str, Any]
) -> None:
    body = template({"Thing": {"Type": resource_type, "Properties": properties}})
    first, second = account.launch(body), account.launch(body)
    assert first["StackStatus"] == "CREATE_COMPLETE", account.failures(first)
    assert second["StackStatus"] == "ROLLBACK_COMPLETE"
