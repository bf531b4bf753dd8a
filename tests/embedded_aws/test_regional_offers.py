"""A launch fails if the region does not offer the class, node or instance type that it requests."""

from collections.abc import Callable
from typing import Any

import pytest
from cfnlint import api
from cfnlint.config import ManualArgs

from tests.embedded_aws.conftest import Account, template

InRegion = Callable[[str], Account]

COMPLETE, ROLLED_BACK = "CREATE_COMPLETE", "ROLLBACK_COMPLETE"
# What cfn-lint 1.58 lists: db.t4g not in ca-west-1, cache.t4g not in me-central-1, m7g not in eu-south-1.
NO_T4G_DATABASE, NO_T4G_CACHE, NO_M7G = "ca-west-1", "me-central-1", "eu-south-1"
EVERYTHING = "eu-north-1"
# A separate partition, of which cfn-lint has resource types and no price lists.
NO_LISTS = "eusc-de-east-1"


def database(kind: str = "db.t4g.medium", **changes: Any) -> dict[str, Any]:
    """A PostgreSQL instance of this class."""
    properties = {
        "Engine": "postgres",
        "EngineVersion": "16",
        "DBInstanceClass": kind,
        "AllocatedStorage": "50",
        "MasterUsername": "carbon",
        "ManageMasterUserPassword": True,
        **changes,
    }
    resource = {"Type": "AWS::RDS::DBInstance", "Properties": properties}
    return {"Database": {**resource, "DeletionPolicy": "Delete"}}


def cache(kind: str = "cache.t4g.medium") -> dict[str, Any]:
    """A replication group of two such nodes."""
    properties = {
        "ReplicationGroupDescription": "Broker",
        "Engine": "valkey",
        "CacheNodeType": kind,
        "NumCacheClusters": 2,
    }
    return {"Cache": {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": properties}}


def single_node(kind: str = "cache.t4g.medium") -> dict[str, Any]:
    """A cache of one such node."""
    properties = {"Engine": "redis", "CacheNodeType": kind, "NumCacheNodes": 1}
    return {"Cache": {"Type": "AWS::ElastiCache::CacheCluster", "Properties": properties}}


def instances(kind: str = "m7g.large") -> dict[str, Any]:
    """A launch template of this instance type and a group of one in a network."""
    version = {"Fn::GetAtt": ["Template", "LatestVersionNumber"]}
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"},
        },
        "Template": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {
                "LaunchTemplateData": {"ImageId": "ami-0123456789abcdef0", "InstanceType": kind}
            },
        },
        "Group": {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            "Properties": {
                "MinSize": "1",
                "MaxSize": "1",
                "VPCZoneIdentifier": [{"Ref": "Subnet"}],
                "LaunchTemplate": {"LaunchTemplateId": {"Ref": "Template"}, "Version": version},
            },
        },
    }


UNSUPPORTED_CLASS = (
    "RDS does not support creating a DB instance with the following combination:"
    " DBInstanceClass=db.t4g.medium, Engine=postgres, EngineVersion=16. For supported combinations"
    " of instance class and database engine version, see the documentation."
    " db.t4g.medium is not offered in ca-west-1."
    " (Service: rds, Code: InvalidParameterCombination)"
)
INVALID_NODE = (
    "Invalid Cache Node Type: cache.t4g.medium."
    " cache.t4g.medium is not offered in me-central-1."
    " (Service: elasticache, Code: InvalidParameterValue)"
)
UNSUPPORTED_INSTANCE = (
    "You must use a valid fully-formed launch template. The requested configuration is currently"
    " not supported. Please check the documentation for supported configurations."
    " m7g.large is not offered in eu-south-1. (Service: autoscaling, Code: ValidationError)"
)
REFUSALS = {
    "database": (database(), NO_T4G_DATABASE, "Database", UNSUPPORTED_CLASS),
    "replication group": (cache(), NO_T4G_CACHE, "Cache", INVALID_NODE),
    "cache cluster": (single_node(), NO_T4G_CACHE, "Cache", INVALID_NODE),
    # Not the launch template: EC2 looks at its values when an instance is launched.
    "instances": (instances(), NO_M7G, "Group", UNSUPPORTED_INSTANCE),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_creation_fails_where_the_region_lacks_it(in_region: InRegion, case: str) -> None:
    resources, region, logical_id, words = REFUSALS[case]
    account = in_region(region)

    stack = account.launch(template(resources))

    assert stack["StackStatus"] == ROLLED_BACK
    assert account.failures(stack)[logical_id] == words
    assert account.failures(stack).keys() <= {logical_id, stack["StackName"]}


@pytest.mark.parametrize("region", [EVERYTHING, NO_LISTS])
@pytest.mark.parametrize("case", REFUSALS)
def test_it_is_created_elsewhere(in_region: InRegion, case: str, region: str) -> None:
    """Also in a region of which nothing is known: there it is for AWS to say."""
    account = in_region(region)
    stack = account.launch(template(REFUSALS[case][0]))
    assert stack["StackStatus"] == COMPLETE, account.failures(stack)


@pytest.mark.parametrize(
    ("region", "before", "after", "logical_id"),
    [
        (NO_T4G_DATABASE, database("db.r6g.large"), database(), "Database"),
        (NO_T4G_CACHE, cache("cache.m6g.large"), cache(), "Cache"),
        (NO_M7G, instances("m6g.large"), instances(), "Group"),
    ],
)
def test_update_to_it_is_rolled_back(
    in_region: InRegion,
    region: str,
    before: dict[str, Any],
    after: dict[str, Any],
    logical_id: str,
) -> None:
    account = in_region(region)
    stack = account.launch(template(before))
    assert stack["StackStatus"] == COMPLETE, account.failures(stack)

    stack = account.update(stack, template(after))

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert f"is not offered in {region}." in account.failures(stack)[logical_id]


def test_nested_stack_fails_with_it_and_names_the_region(in_region: InRegion) -> None:
    account = in_region(NO_T4G_DATABASE)
    url = account.put_template(template(database()))
    child = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}

    stack = account.launch(template({"Data": child}), DisableRollback=True)

    assert stack["StackStatus"] == "CREATE_FAILED"
    assert account.failures(stack)["Data"].endswith(f"Database: {UNSUPPORTED_CLASS}")
    data = account.settled(account.resources(stack)["Data"])
    assert data["StackStatus"] == "CREATE_FAILED"
    assert account.failures(data)["Database"] == UNSUPPORTED_CLASS


def test_licence_of_an_engine_with_one_licence_changes_nothing(in_region: InRegion) -> None:
    account = in_region(NO_T4G_DATABASE)
    stack = account.launch(template(database(LicenseModel="postgresql-license")))
    reason = account.failures(stack)["Database"]
    assert "Engine=postgres, EngineVersion=16, LicenseModel=postgresql-license." in reason


@pytest.mark.parametrize(
    ("region", "kind"),
    [
        (NO_T4G_DATABASE, "db.t4g.medium"),
        (EVERYTHING, "db.t4g.medium"),
        # In one of the two lists that cfn-lint has of PostgreSQL there, and not in the other.
        ("ap-northeast-3", "db.t2.medium"),
    ],
)
def test_verdict_is_that_of_cfn_lint(in_region: InRegion, region: str, kind: str) -> None:
    body = template(database(kind))
    account = in_region(region)

    stack = account.launch(body)
    found = api.lint(body, config=ManualArgs(regions=[region]))

    refused = "E3025" in {match.rule.id for match in found}
    assert (stack["StackStatus"] == ROLLED_BACK) is refused
