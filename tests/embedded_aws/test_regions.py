"""Regions of one process are separate, also when they are used at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.embedded_aws.conftest import Account, template

REGIONS = ("eu-north-1", "us-east-1", "ap-southeast-2")


def layered(account: Account) -> str:
    """A root with three children, each with resources whose ids show their region."""
    body = template(
        {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "same-name"}},
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
            "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
        },
        Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}}},
    )
    other = template({f"Topic{n}": {"Type": "AWS::SNS::Topic"} for n in range(20)})
    children: dict[str, Any] = {}
    for number, text in enumerate((body, other, other)):
        url = account.put_template(text)
        properties = {"TemplateURL": url}
        children[f"C{number}"] = {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": properties,
        }
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["C0", "Outputs.Arn"]}}}
    return template(children, Outputs=outputs)


def test_same_stack_in_several_regions_at_once(in_region: Callable[[str], Account]) -> None:
    accounts = [in_region(region) for region in REGIONS]
    bodies = [layered(account) for account in accounts]

    def launch(account: Account, body: str) -> dict[str, Any]:
        return account.launch(body, name="same")

    with ThreadPoolExecutor() as pool:
        stacks = list(pool.map(launch, accounts, bodies))
        for account, stack in zip(accounts, stacks, strict=True):
            assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
            assert account.outputs(stack)["Arn"].split(":")[3] == account.region
            assert len(account.client("ec2").describe_addresses()["Addresses"]) == 1
            assert len(account.client("sns").list_topics()["Topics"]) == 40
        accounts[0].delete(stacks[0])
    assert accounts[0].client("sns").list_topics()["Topics"] == []
    assert len(accounts[1].client("sns").list_topics()["Topics"]) == 40


def role_template(name: str, **properties: str) -> str:
    """A role, and a managed policy of the role, both without a name in the template."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    return template(
        {
            name: {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                    **properties,
                },
            },
            "Read": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": [read]},
                    "Roles": [{"Ref": name}],
                },
            },
        },
        Outputs={"Name": {"Value": {"Ref": name}}, "Policy": {"Value": {"Ref": "Read"}}},
    )


def test_roles_of_the_same_stack_in_two_regions_are_two_roles(
    in_region: Callable[[str], Account],
) -> None:
    """IAM is global; a generated name is different in each region, fits IAM, and stays in an update."""
    first, second = in_region("eu-north-1"), in_region("eu-west-1")
    logical_id = "RoleWithALogicalIdThatIsLongerThanItsNameMayBe" * 2
    stacks = [account.launch(role_template(logical_id), name="same") for account in (first, second)]
    names, others = (account.outputs(s) for account, s in zip((first, second), stacks, strict=True))
    assert not {*names.values()} & {*others.values()}
    for name in (names["Name"], others["Name"]):
        assert name.startswith("same-RoleWith")
        assert len(name) == 64

    first.update(stacks[0], role_template(logical_id, Description="Changed"))
    assert first.outputs(stacks[0]) == names

    first.delete(stacks[0])
    roles = second.client("iam").list_roles()["Roles"]
    found = {role["RoleName"] for role in roles} & {names["Name"], others["Name"]}
    assert found == {others["Name"]}


def test_bucket_names_clash_between_regions(in_region: Callable[[str], Account]) -> None:
    bucket = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "taken-name"}}}
    first, second = in_region("eu-north-1"), in_region("eu-west-1")
    assert first.launch(template(bucket))["StackStatus"] == "CREATE_COMPLETE"
    stack = second.launch(template(bucket))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"


def test_account_regional_buckets_do_not_clash(in_region: Callable[[str], Account]) -> None:
    properties = {"BucketNamePrefix": "app-media", "BucketNamespace": "account-regional"}
    bucket = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}
    for region in ("eu-north-1", "us-east-1"):
        account = in_region(region)
        stack = account.launch(template(bucket))
        assert account.resources(stack)["Bucket"] == f"app-media-123456789012-{region}-an"


def test_type_that_a_region_lacks_fails_there(in_region: Callable[[str], Account]) -> None:
    pool = {"Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {}}}
    elsewhere, here = in_region("cn-north-1"), in_region("eu-north-1")
    stack = elsewhere.launch(template(pool))
    reason = "CloudFormation has no resource type AWS::Cognito::UserPool in cn-north-1"
    assert reason in elsewhere.failures(stack)["Pool"]
    assert here.launch(template(pool))["StackStatus"] == "CREATE_COMPLETE"


def test_template_in_a_bucket_of_another_region_is_found(
    in_region: Callable[[str], Account],
) -> None:
    url = in_region("eu-west-1").put_template(template({"Q": {"Type": "AWS::SQS::Queue"}}))
    here = in_region("eu-north-1")
    created = here.client("cloudformation").create_stack(StackName="s", TemplateURL=url)
    assert here.settled(created["StackId"])["StackStatus"] == "CREATE_COMPLETE"
    assert ":eu-north-1:" in created["StackId"]
