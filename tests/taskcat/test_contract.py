"""Wrong outputs of any stack are reported, and right ones are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from embedded_aws.settings import ACCOUNT_ID
from pipeline.aws import Aws
from taskcat_plugin_protection import NESTED
from tests.conftest import REGION
from tests.embedded_aws.conftest import Account, template
from tests.taskcat.contract import (
    OPTIONAL,
    PROMISES,
    Bucket,
    Exists,
    Fits,
    Place,
    broken,
    promise,
    promises_broken,
)

FIRST, OTHER = "us-east-1", "eu-west-1"
STRANGER = "210987654321"
# The resource of a template that has only outputs.
PLAIN = {"Topic": {"Type": "AWS::SNS::Topic"}}
HEX = "0123456789abcdef"
ARN = f"{REGION}:{ACCOUNT_ID}"
BALANCING = f"arn:aws:elasticloadbalancing:{ARN}"


def place_in(embedded: EmbeddedAws, region: str) -> Place:
    return Place(region, ACCOUNT_ID, Aws(region, embedded.environment()).client)


@pytest.fixture
def account(embedded: EmbeddedAws) -> Account:
    return Account(embedded, REGION)


@pytest.fixture
def place(embedded: EmbeddedAws) -> Place:
    return place_in(embedded, REGION)


def outputs(**values: Any) -> dict[str, Any]:
    """Outputs of a template."""
    return {name: {"Value": value} for name, value in values.items()}


def problems(account: Account, place: Place, body: str) -> list[str]:
    """The problems of a stack of the template, which is named ``outer``."""
    stack = account.launch(body, "outer")
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    return list(promises_broken(place, stack["StackId"]))


def assert_of_every(kind: type, *tables: Mapping[str, Any]) -> None:
    """The tables have every promise of a kind."""
    told_of = {id(promise(output)) for table in tables for output in table}
    promised = {id(each) for each in PROMISES.values() if isinstance(each, kind)}
    assert told_of == promised


# Whether an output is there.


def test_missing_output_is_reported(account: Account, place: Place) -> None:
    # CloudFormation returns no output whose condition is false, though the template declares it.
    never = {"Condition": "IsNever", "Value": "1.0.0"}
    body = template(
        PLAIN,
        Conditions={"IsNever": {"Fn::Equals": ["a", "b"]}},
        Outputs={"ReleaseVersion": never, **outputs(DatabasePort="5432")},
    )
    assert problems(account, place, body) == [f"outer in {REGION} has no output ReleaseVersion"]


def test_empty_output_is_reported(account: Account, place: Place) -> None:
    values = {**dict.fromkeys(OPTIONAL, ""), "Url": "", "VpcId": "", "LogGroupName": ""}
    body = template(PLAIN, Outputs=outputs(**values))
    assert sorted(problems(account, place, body)) == [
        f"outer in {REGION} outputs {name} as '', which is empty"
        for name in ("LogGroupName", "Url", "VpcId")
    ]


@pytest.mark.parametrize("output", sorted(OPTIONAL))
def test_optional_output_with_a_value_is_checked(place: Place, output: str) -> None:
    assert not broken(place, output, "")
    assert broken(place, output, "absent")


def test_unknown_output_is_reported() -> None:
    with pytest.raises(KeyError, match=r"Output Unheard has no promise in tests/taskcat/contract"):
        promise("Unheard")


@pytest.mark.parametrize("depth", [1, 2])
def test_output_of_a_nested_stack_is_checked(account: Account, place: Place, depth: int) -> None:
    body = template(PLAIN, Outputs=outputs(Url="http://app.example.com", DatabasePort="5432"))
    for _ in range(depth):
        nested = {
            "Type": NESTED,
            "Properties": {"TemplateURL": account.put_template(body)},
        }
        body = template({"Inner": nested}, Outputs=outputs(DatabasePort="5432"))

    (sentence,) = problems(account, place, body)

    assert sentence.startswith("outer-Inner-")
    assert f"in {REGION} outputs Url as 'http://app.example.com', which does not fit" in sentence


# Buckets.


@pytest.mark.parametrize(
    ("made_in", "launched_in", "reason"),
    [
        (REGION, REGION, ""),
        (FIRST, FIRST, ""),
        (OTHER, REGION, f"which is in {OTHER}"),
        (FIRST, REGION, f"which is in {FIRST}"),
        (REGION, FIRST, f"which is in {REGION}"),
    ],
)
def test_bucket_of_the_region_is_accepted(
    embedded: EmbeddedAws, made_in: str, launched_in: str, reason: str
) -> None:
    Account(embedded, made_in).put_template("{}")
    place = place_in(embedded, launched_in)
    assert broken(place, "DocumentBucketName", f"templates-{made_in}") == reason


def test_missing_bucket_is_refused(place: Place) -> None:
    assert isinstance(promise("DocumentBucketName"), Bucket)
    assert broken(place, "DocumentBucketName", "absent").startswith("which S3 does not find: ")


# Forms: an output with a value that fits, and with those that do not.

FORMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Url": (
        "https://app.example.com",
        ("http://app.example.com", "https://", "https://app", "https://a.b/c", "see https://a.b"),
    ),
    "ApiTaskRoleArn": (
        f"arn:aws:iam::{ACCOUNT_ID}:role/api",
        (
            f"arn:aws:iam::{STRANGER}:role/api",
            f"arn:aws:iam::{ACCOUNT_ID}:user/api",
            f"arn:aws:iam::{ACCOUNT_ID}:role/",
            "api",
        ),
    ),
    "UrlCertificate": ("Issued by ACM for app.example.com.", ("", "valid", "Issued by ACM")),
    "CacheUserName": ("carbon-second", ("default", "carbon-third")),
    "CacheCredentialsInUse": ("second/12", ("third/1", "first", "first/")),
    "SearchSubnetZone": (f"{REGION}a", (f"{OTHER}a", REGION, f"{REGION}g", f"{REGION}ab")),
    "DatabaseHost": (f"db.x.{REGION}.rds.amazonaws.com", ("db", "a.b:5432", "http://a.b", "a..b")),
    "CacheHost": (f"cache.x.{REGION}.amazonaws.com", ("cache", "a.b:6379")),
    "DatabasePort": ("5432", ("postgres", "54 32", "-1", "5432/tcp")),
    "CachePort": ("6379", ("redis",)),
    "SearchUrl": (
        "http://search.internal:7700",
        ("https://search.internal:7700", "http://search.internal", "http://search:7700"),
    ),
    "LoadBalancerDnsName": (f"x.{REGION}.elb.amazonaws.com", ("x", "https://x.amazonaws.com")),
    "LoadBalancerFullName": (
        f"app/carbon/{HEX}",
        (f"net/carbon/{HEX}", f"{BALANCING}:loadbalancer/app/carbon/{HEX}", "app/carbon", "carbon"),
    ),
    "TargetGroupFullName": (f"targetgroup/api/{HEX}", (f"group/api/{HEX}", f"targetgroup/{HEX}")),
    "RepositoryUri": (
        f"{ACCOUNT_ID}.dkr.ecr.{REGION}.amazonaws.com/api",
        (
            f"{STRANGER}.dkr.ecr.{REGION}.amazonaws.com/api",
            f"{ACCOUNT_ID}.dkr.ecr.{OTHER}.amazonaws.com/api",
            f"{ACCOUNT_ID}.dkr.ecr.{REGION}.amazonaws.com/",
            f"{ACCOUNT_ID}xdkr.ecr.{REGION}.amazonaws.com/api",
        ),
    ),
    "DashboardUrl": (
        f"https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}",
        (
            f"http://{REGION}.console.aws.amazon.com/cloudwatch/home",
            f"https://{OTHER}.console.aws.amazon.com/cloudwatch/home",
            f"https://{REGION}.console.aws.amazon.com/ec2/home",
            f"https://{REGION}.console.aws.amazon.com/cloudwatch/",
        ),
    ),
    "ReleaseVersion": ("1.10.0", ("1.10", "v1.10.0", "1.10.0-dirty", "1x10x0")),
    "ReleaseLocation": (
        f"s3://tcat-{HEX}-{REGION}/dist/",
        (
            f"s3://tcat-{HEX}-{OTHER}/dist/",
            f"s3://other-{HEX}-{REGION}/dist/",
            f"https://tcat-{HEX}-{REGION}/dist/",
            f"s3://tcat-{HEX}-{REGION}/dist",
        ),
    ),
    "ClusterName": ("carbon-dev/api_1.x:2", (" carbon", "-carbon", "carbon dev", "carbon\n", "é")),
}


def misfits() -> Iterator[tuple[str, str]]:
    for output, (_, values) in FORMS.items():
        yield from ((output, value) for value in ("", *values))


def test_every_form_is_in_the_table() -> None:
    assert_of_every(Fits, FORMS)


@pytest.mark.parametrize(("output", "value"), [(name, fit) for name, (fit, _) in FORMS.items()])
def test_value_that_fits(place: Place, output: str, value: str) -> None:
    assert not broken(place, output, value)


@pytest.mark.parametrize(("output", "value"), list(misfits()))
def test_value_that_does_not_fit(place: Place, output: str, value: str) -> None:
    reason = broken(place, output, value)
    assert reason.startswith("which does not fit " if value else "which is empty")


def test_dots_and_dashes_of_the_region_are_no_pattern(embedded: EmbeddedAws) -> None:
    place = place_in(embedded, OTHER)
    assert not broken(place, "SearchSubnetZone", f"{OTHER}c")
    assert broken(place, "SearchSubnetZone", f"{REGION}c")


# Resources: those of a stack are found, and missing ones are not.


def got(logical_id: str, attribute: str = "") -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, attribute]} if attribute else {"Ref": logical_id}


def listed(*logical_ids: str) -> dict[str, Any]:
    return {"Fn::Join": [",", [{"Ref": each} for each in logical_ids]]}


def typed(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def trusting(service: str) -> dict[str, Any]:
    """A trust policy for a service."""
    principal = {"Service": f"{service}.amazonaws.com"}
    allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return {"Version": "2012-10-17", "Statement": [allowed]}


def subnet(number: int) -> dict[str, Any]:
    zone = f"{REGION}{'abc'[number]}"
    return typed(
        "EC2::Subnet", VpcId=got("Vpc"), CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=zone
    )


THINGS: Mapping[str, Any] = {
    "Secret": typed("SecretsManager::Secret", GenerateSecretString={}),
    "Key": typed("KMS::Key", KeyPolicy={"Version": "2012-10-17", "Statement": []}),
    "Vpc": typed("EC2::VPC", CidrBlock="10.9.0.0/16"),
    "First": subnet(0),
    "Second": subnet(1),
    "Group": typed("EC2::SecurityGroup", GroupDescription="x", VpcId=got("Vpc")),
    "Role": typed("IAM::Role", AssumeRolePolicyDocument=trusting("lambda")),
    "Volume": typed("EC2::Volume", AvailabilityZone=f"{REGION}a", Size=8),
    "Balancer": typed(
        "ElasticLoadBalancingV2::LoadBalancer", Subnets=[got("First"), got("Second")]
    ),
    "Targets": typed(
        "ElasticLoadBalancingV2::TargetGroup", VpcId=got("Vpc"), Port=80, Protocol="HTTP"
    ),
    "Function": typed(
        "Lambda::Function",
        Role=got("Role", "Arn"),
        Runtime="python3.13",
        Handler="index.handler",
        Code={"ZipFile": "def handler(event, context): pass"},
    ),
    "Topic": typed("SNS::Topic"),
    "Database": typed(
        "RDS::DBInstance",
        Engine="postgres",
        DBInstanceClass="db.t4g.medium",
        AllocatedStorage="20",
        MasterUsername="carbon",
        MasterUserPassword="not-a-secret",
    ),
}
# Existing and missing resources in outputs; "{}" is the existing one.
FOUND: Mapping[str, tuple[Any, str]] = {
    "DatabaseSecretArn": (
        got("Secret"),
        f"arn:aws:secretsmanager:{ARN}:secret:absent-abcdef",
    ),
    "KeyArn": (
        got("Key", "Arn"),
        f"arn:aws:kms:{ARN}:key/00000000-0000-0000-0000-000000000000",
    ),
    "VpcId": (got("Vpc"), "vpc-0123456789abcdef0"),
    "PublicSubnetIds": (listed("First", "Second"), "{},subnet-0123456789abcdef0"),
    "SearchSubnetId": (got("First"), "subnet-0123456789abcdef0"),
    "ApiSecurityGroupId": (got("Group"), "sg-0123456789abcdef0"),
    "ApiTaskRoleName": (got("Role"), "absent"),
    "DatabaseInstanceId": (got("Database"), "absent"),
    "SearchVolumeId": (got("Volume"), "vol-0123456789abcdef0"),
    "LoadBalancerArn": (got("Balancer"), f"{BALANCING}:loadbalancer/app/absent/{HEX}"),
    "TargetGroupArn": (got("Targets"), f"{BALANCING}:targetgroup/absent/{HEX}"),
    "QueueDepthFunctionName": (got("Function"), "absent"),
    "AlarmTopicArn": (got("Topic"), f"arn:aws:sns:{ARN}:absent"),
}


def test_every_resource_is_in_the_table() -> None:
    assert_of_every(Exists, FOUND)


def test_existing_resources_are_found_and_missing_ones_reported(
    account: Account, place: Place
) -> None:
    made = outputs(**{output: value for output, (value, _) in FOUND.items()})
    stack = account.launch(template(dict(THINGS), Outputs=made), "outer")
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    values = account.outputs(stack)
    assert values.keys() == FOUND.keys()

    assert list(promises_broken(place, stack["StackId"])) == []

    absent = {output: name.format(values[output]) for output, (_, name) in FOUND.items()}
    wrong = template(PLAIN, Outputs=outputs(**absent))
    sentences = list(promises_broken(place, account.launch(wrong, "wrong")["StackId"]))
    assert len(sentences) == len(FOUND)
    for output, value in absent.items():
        start = f"wrong in {REGION} outputs {output} as {value!r}, which "
        (sentence,) = [each for each in sentences if each.startswith(start)]
        assert f"does not find in {REGION}: " in sentence


@pytest.mark.parametrize("output", ["VpcId", "DatabaseSecretArn", "AlarmTopicArn"])
def test_thing_of_another_region_is_not_found(
    embedded: EmbeddedAws, account: Account, output: str
) -> None:
    things = {name: THINGS[name] for name in ("Vpc", "Secret", "Topic")}
    made = template(things, Outputs=outputs(**{output: FOUND[output][0]}))
    value = account.outputs(account.launch(made))[output]

    assert not broken(place_in(embedded, REGION), output, value)
    reason = broken(place_in(embedded, OTHER), output, value)

    assert f"does not find in {OTHER}: " in reason
