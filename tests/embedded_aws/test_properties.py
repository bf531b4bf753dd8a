"""Unknown types and wrong properties never look green."""

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import Account, template

TOPIC = "AWS::SNS::Topic"


def test_unknown_type_is_refused(account: Account) -> None:
    with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::EC2::Spaceship\]"):
        account.launch(template({"Ship": {"Type": "AWS::EC2::Spaceship"}}))


def test_type_without_emulation_is_refused(account: Account) -> None:
    with pytest.raises(ClientError, match="AWS::GameLift::Fleet"):
        account.launch(template({"Fleet": {"Type": "AWS::GameLift::Fleet", "Properties": {}}}))


@pytest.mark.parametrize(
    ("resource_type", "properties", "reason"),
    [
        (TOPIC, {"TopikName": "x"}, "extraneous key [TopikName] is not permitted"),
        ("AWS::EC2::Subnet", {"CidrBlock": "10.0.0.0/24"}, "required key [VpcId] not found"),
        (
            "AWS::S3::Bucket",
            {"VersioningConfiguration": {"Status": "Enabled", "Speed": "high"}},
            "#/VersioningConfiguration: extraneous key [Speed] is not permitted",
        ),
        (
            "AWS::S3::Bucket",
            {"LifecycleConfiguration": {"Rules": [{"Id": "x"}]}},
            "#/LifecycleConfiguration/Rules/0: required key [Status] not found",
        ),
        ("AWS::Logs::LogGroup", {"RetentionInDays": 31}, "31 is not a valid enum value"),
        ("AWS::Logs::LogGroup", {"RetentionInDays": "soon"}, "expected type: integer"),
        ("AWS::SQS::Queue", {"QueueUrl": "https://x"}, "#/QueueUrl: is read-only"),
        ("AWS::EC2::EIP", {"Domian": "vpc"}, "extraneous key [Domian] is not permitted"),
        (
            "AWS::ElastiCache::ServerlessCache",
            {"Engine": "valkey"},
            "required key [ServerlessCacheName] not found",
        ),
    ],
)
def test_wrong_property_fails_the_resource(
    account: Account, resource_type: str, properties: dict[str, object], reason: str
) -> None:
    stack = account.launch(template({"Thing": {"Type": resource_type, "Properties": properties}}))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert reason in account.failures(stack)["Thing"]


def test_wrong_property_fails_an_update_and_rolls_it_back(account: Account) -> None:
    good = {"Topic": {"Type": TOPIC, "Properties": {"DisplayName": "a"}}}
    stack = account.launch(template(good))
    bad = {"Topic": {"Type": TOPIC, "Properties": {"DisplayName": "b", "Volume": 11}}}
    stack = account.update(stack, template(bad))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "extraneous key [Volume]" in account.failures(stack)["Topic"]


def test_scalars_may_be_spelt_as_strings(account: Account) -> None:
    stack = account.launch(
        template(
            {
                "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": "30"}},
                "Key": {
                    "Type": "AWS::KMS::Key",
                    "Properties": {
                        "EnableKeyRotation": "true",
                        "KeyPolicy": {
                            "Version": "2012-10-17",
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Principal": {"AWS": {"Ref": "AWS::AccountId"}},
                                    "Action": "kms:*",
                                    "Resource": "*",
                                }
                            ],
                        },
                    },
                },
            }
        )
    )
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
