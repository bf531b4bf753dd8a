"""What CloudFormation refuses before it creates anything."""

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import Account, template

QUEUE = {"Type": "AWS::SQS::Queue"}


def with_parameter(kind: str) -> str:
    return template({"Queue": QUEUE}, Parameters={"Given": {"Type": kind}})


@pytest.mark.parametrize(
    ("kind", "value", "named"),
    [
        ("AWS::EC2::VPC::Id", "vpc-0123456789abcdef0", "vpc-0123456789abcdef0"),
        ("AWS::EC2::VPC::Id", "", ""),
        ("AWS::EC2::Subnet::Id", "subnet-1", "subnet-1"),
        ("List<AWS::EC2::Subnet::Id>", "subnet-1,subnet-2", "subnet-1"),
        ("AWS::EC2::SecurityGroup::Id", "sg-1", "sg-1"),
        ("List<AWS::EC2::SecurityGroup::Id>", "sg-1", "sg-1"),
        ("AWS::EC2::SecurityGroup::GroupName", "nobody", "nobody"),
        ("AWS::EC2::KeyPair::KeyName", "mine", "mine"),
        ("AWS::EC2::Volume::Id", "vol-1", "vol-1"),
        ("AWS::EC2::AvailabilityZone::Name", "eu-west-1a", "eu-west-1a"),
        ("List<AWS::EC2::AvailabilityZone::Name>", "eu-north-1a,eu-north-1x", "eu-north-1x"),
        ("AWS::EC2::Image::Id", "debian", "debian"),
        ("AWS::Route53::HostedZone::Id", "Z0", "Z0"),
        ("AWS::SSM::Parameter::Name", "/none", "/none"),
    ],
)
def test_parameter_of_a_resource_that_does_not_exist(
    account: Account, kind: str, value: str, named: str
) -> None:
    given = [{"ParameterKey": "Given", "ParameterValue": value}]
    message = f"parameter value {named} for parameter name Given does not exist"
    with pytest.raises(ClientError, match=message):
        account.launch(with_parameter(kind), Parameters=given)
    assert account.client("cloudformation").describe_stacks()["Stacks"] == []


def test_a_parameter_that_the_template_does_not_have_is_refused(account: Account) -> None:
    body = template({"Queue": QUEUE})
    given = [{"ParameterKey": name, "ParameterValue": "x"} for name in ("Other", "Given")]
    message = r"Parameters: \[Given, Other\] do not exist in the template"
    with pytest.raises(ClientError, match=message):
        account.launch(body, Parameters=given)
    stack = account.launch(body)
    kept = [{"ParameterKey": "Given", "UsePreviousValue": True}]
    with pytest.raises(ClientError, match=r"Parameters: \[Given\] do not exist"):
        account.update(stack, body, Parameters=kept)


def test_parameters_of_resources_that_exist(account: Account) -> None:
    ec2 = account.client("ec2")
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]]
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    for kind, value in (
        ("AWS::EC2::VPC::Id", vpc),
        ("List<AWS::EC2::Subnet::Id>", ",".join(subnets)),
        ("AWS::EC2::AvailabilityZone::Name", "eu-north-1b"),
        (
            "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>",
            "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
        ),
    ):
        given = [{"ParameterKey": "Given", "ParameterValue": value}]
        stack = account.launch(with_parameter(kind), Parameters=given)
        assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_missing_ssm_parameter_is_refused(account: Account) -> None:
    given = [{"ParameterKey": "Given", "ParameterValue": "/none"}]
    with pytest.raises(ClientError, match="SSM parameter '/none' does not exist"):
        account.launch(with_parameter("AWS::SSM::Parameter::Value<String>"), Parameters=given)


def test_iam_resources_need_a_capability(account: Account) -> None:
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
    }
    cloudformation = account.client("cloudformation")
    with pytest.raises(ClientError, match=r"Requires capabilities : \[CAPABILITY_IAM\]"):
        cloudformation.create_stack(StackName="s", TemplateBody=template({"Role": role}))
    role["Properties"] = {**role["Properties"], "RoleName": "named"}  # type: ignore[dict-item]
    with pytest.raises(ClientError, match=r"Requires capabilities : \[CAPABILITY_NAMED_IAM\]"):
        cloudformation.create_stack(
            StackName="s",
            TemplateBody=template({"Role": role}),
            Capabilities=["CAPABILITY_IAM"],
        )


def test_five_hundred_resources_and_two_hundred_parameters_are_the_limit(
    account: Account,
) -> None:
    many = account.put_template(template({f"Q{n}": QUEUE for n in range(501)}))
    cloudformation = account.client("cloudformation")
    with pytest.raises(ClientError, match=r"Number of resources, 501"):
        cloudformation.create_stack(StackName="s", TemplateURL=many)
    parameters = {f"P{n}": {"Type": "String", "Default": "x"} for n in range(201)}
    with pytest.raises(ClientError, match=r"Number of parameters, 201"):
        account.launch(template({"Q": QUEUE}, Parameters=parameters))


def test_change_set_says_what_replaces(account: Account) -> None:
    def body(name: str, seconds: int) -> str:
        queue = {**QUEUE, "Properties": {"VisibilityTimeout": seconds}}
        group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}
        return template({"Queue": queue, "Group": group})

    stack = account.launch(body("/a", 10))
    cloudformation = account.client("cloudformation")
    change_set = cloudformation.create_change_set(
        StackName=stack["StackName"], ChangeSetName="c", TemplateBody=body("/b", 20)
    )["Id"]
    changes = cloudformation.describe_change_set(ChangeSetName=change_set)["Changes"]
    assert {
        c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"]["Replacement"]
        for c in changes
    } == {"Queue": "False", "Group": "True"}
