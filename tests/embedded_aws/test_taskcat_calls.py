"""What taskcat 0.9.58 asks of AWS while it runs a test in several regions, and relies on in the answers.

The names of the tests say what; taskcat/_dataclasses.py, _template_params.py and _cfn/stack.py have the calls.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import Account, template

InRegion = Callable[[str], Account]

# us-east-1 is the region whose buckets have no location.
REGIONS = ("eu-north-1", "eu-west-1", "us-east-1")
EVERY_CAPABILITY = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
NESTED = "AWS::CloudFormation::Stack"
QUEUE = {"Type": "AWS::SQS::Queue"}
# Fails on creation, by the pattern of a bucket's name.
BROKEN = {
    "Type": "AWS::S3::Bucket",
    "Properties": {"BucketName": "No_Such_Name"},
    "DependsOn": "Queue",
}
BAD = {"Queue": QUEUE, "Bad": BROKEN}


def bucket_of(account: Account) -> str:
    """The name of a regional bucket as taskcat composes it."""
    return f"tcat-carbon-connect-123456789012-{account.region}"


def create_bucket(account: Account) -> str:
    """Make the region's bucket as taskcat does: its name."""
    name, region = bucket_of(account), account.region
    place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3 = account.client("s3")
    s3.create_bucket(Bucket=name, **(place if region != "us-east-1" else {}))
    s3.get_waiter("bucket_exists").wait(Bucket=name)
    return name


def upload(account: Account, **templates: str) -> dict[str, str]:
    """Put templates into the region's bucket: the URL of each, as taskcat composes it."""
    bucket = create_bucket(account)
    for name, body in templates.items():
        key = f"carbon-connect/{name}.json"
        account.client("s3").put_object(Bucket=bucket, Key=key, Body=body.encode(), ACL="private")
    base = f"https://{bucket}.s3.{account.region}.amazonaws.com/carbon-connect"
    return {name: f"{base}/{name}.json" for name in templates}


def url_of(account: Account, name: str) -> str:
    """Where `upload` puts a template, to be named by a template that goes up with it."""
    base = f"https://{bucket_of(account)}.s3.{account.region}.amazonaws.com"
    return f"{base}/carbon-connect/{name}.json"


def nested(url: str, **more: Any) -> dict[str, Any]:
    """A nested stack of the template at this URL."""
    return {"Type": NESTED, "Properties": {"TemplateURL": url}, **more}


def launch(account: Account, url: str) -> dict[str, Any]:
    """Create a stack as taskcat does and wait: its description."""
    created = account.client("cloudformation").create_stack(
        StackName="tcat-carbon-connect-dev",
        TemplateURL=url,
        Parameters=[],
        DisableRollback=True,
        Tags=[{"Key": "taskcat-id", "Value": "f" * 32}],
        Capabilities=EVERY_CAPABILITY,
    )
    return account.settled(created["StackId"])


def family(account: Account, leaf: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Launch three generations, the last one with these resources: all stacks by generation."""
    urls = upload(
        account,
        root=template(
            {"Middle": nested(url_of(account, "middle"), DependsOn="First"), "First": QUEUE}
        ),
        middle=template({"Leaf": nested(url_of(account, "leaf"))}),
        leaf=template(leaf),
    )
    root = launch(account, urls["root"])
    pages = account.client("cloudformation").get_paginator("describe_stacks").paginate()
    listed = [stack for page in pages for stack in page["Stacks"]]
    children = {stack["ParentId"]: stack for stack in listed if "ParentId" in stack}
    assert len(listed) == 3
    middle = children[root["StackId"]]
    return {"root": root, "middle": middle, "leaf": children[middle["StackId"]]}


def events(account: Account, stack: dict[str, Any], logical_id: str) -> list[dict[str, Any]]:
    """The events of a resource, the first one first."""
    found = account.client("cloudformation").describe_stack_events(StackName=stack["StackId"])
    listed = [e for e in found["StackEvents"] if e["LogicalResourceId"] == logical_id]
    return listed[::-1]


def test_parameters_are_kept_for_each_region(in_region: InRegion) -> None:
    for region in REGIONS[:2]:
        ssm = in_region(region).client("ssm")
        ssm.put_parameter(Name="/taskcat/key", Value=f"of {region}", Type="String")

    for region in REGIONS[:2]:
        found = in_region(region).client("ssm").get_parameter(Name="/taskcat/key")["Parameter"]
        assert found["Value"] == f"of {region}"
        assert found["ARN"].split(":")[3] == region
    with pytest.raises(ClientError, match="ParameterNotFound"):
        in_region(REGIONS[2]).client("ssm").get_parameter(Name="/taskcat/key")


def test_caller_is_of_the_same_account_everywhere(in_region: InRegion) -> None:
    callers = [in_region(region).client("sts").get_caller_identity() for region in REGIONS]
    assert {caller["Account"] for caller in callers} == {"123456789012"}


@pytest.mark.parametrize("region", REGIONS)
def test_bucket_is_made_in_its_region_and_looked_for_before(
    in_region: InRegion, region: str
) -> None:
    account = in_region(region)
    s3 = account.client("s3")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.get_bucket_location(Bucket=bucket_of(account))
    with pytest.raises(ClientError, match=r"\(404\)"):
        s3.head_bucket(Bucket=bucket_of(account))

    name = create_bucket(account)

    for asked in REGIONS:
        location = in_region(asked).client("s3").get_bucket_location(Bucket=name)
        assert location["LocationConstraint"] == (None if region == "us-east-1" else region)


@pytest.mark.parametrize("constraint", [None, "eu-west-1"])
def test_bucket_of_another_region_is_refused(in_region: InRegion, constraint: str | None) -> None:
    place = {"CreateBucketConfiguration": {"LocationConstraint": constraint}} if constraint else {}
    with pytest.raises(ClientError, match="IllegalLocationConstraintException"):
        in_region("eu-north-1").client("s3").create_bucket(Bucket="elsewhere", **place)


def test_bucket_has_policy_and_tags_and_goes_with_its_objects(in_region: InRegion) -> None:
    account = in_region("eu-west-1")
    s3, name = account.client("s3"), create_bucket(account)
    statement = {
        "Sid": "Test",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{name}/*",
        "Condition": {"StringEquals": {"s3:signatureversion": "AWS"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "taskcat-id", "Value": "f"}]})
    s3.put_object(Bucket=name, Key="carbon-connect/a", Body=b"a", ACL="private")

    assert json.loads(s3.get_bucket_policy(Bucket=name)["Policy"]) == policy
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "taskcat-id", "Value": "f"}]
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        s3.delete_bucket(Bucket=name)
    s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "carbon-connect/a"}]})
    s3.delete_bucket(Bucket=name)
    assert name not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}


@pytest.mark.parametrize("region", REGIONS)
def test_zones_are_those_of_the_region(in_region: InRegion, region: str) -> None:
    found = (
        in_region(region)
        .client("ec2")
        .describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])[
            "AvailabilityZones"
        ]
    )
    names = [zone["ZoneName"] for zone in found]
    assert names[:3] == [f"{region}{letter}" for letter in "abc"]
    assert len({zone["ZoneId"] for zone in found}) == len(found)
    assert {zone["RegionName"] for zone in found} == {region}


@pytest.mark.parametrize("region", REGIONS)
def test_template_is_launched_from_the_bucket_of_the_region(
    in_region: InRegion, region: str
) -> None:
    account = in_region(region)
    stack = launch(account, upload(account, root=template({"Queue": QUEUE}))["root"])
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    assert stack["StackId"].split(":")[3] == region
    assert stack["DisableRollback"] is True
    assert stack["Tags"] == [{"Key": "taskcat-id", "Value": "f" * 32}]


def test_every_description_has_tags(account: Account) -> None:
    """taskcat reads them of every stack of the account, its own or not."""
    account.launch(template({"Queue": QUEUE}))
    (stack,) = account.client("cloudformation").describe_stacks()["Stacks"]
    assert stack["Tags"] == []


def test_descriptions_name_parent_and_root(account: Account) -> None:
    stacks = family(account, {"Queue": QUEUE})
    root, middle, leaf = (stacks[name] for name in ("root", "middle", "leaf"))
    assert {stack["StackStatus"] for stack in stacks.values()} == {"CREATE_COMPLETE"}
    assert leaf["ParentId"] == middle["StackId"]
    assert leaf["RootId"] == middle["RootId"] == root["StackId"]
    assert "RootId" not in root
    # taskcat's own deletion of what it left behind skips nested stacks by it.
    listed = account.client("cloudformation").describe_stacks(StackName=leaf["StackName"])
    assert listed["Stacks"][0]["ParentId"] == middle["StackId"]


def test_events_of_the_parent_name_the_child_and_its_template(account: Account) -> None:
    """taskcat looks for a child's template in its project by the two."""
    stacks = family(account, {"Queue": QUEUE})
    first, *others = events(account, stacks["root"], "Middle")
    assert first["ResourceStatus"] == "CREATE_IN_PROGRESS"
    assert [(e["ResourceStatus"], e["ResourceStatusReason"]) for e in others] == [
        ("CREATE_IN_PROGRESS", "Resource creation Initiated"),
        ("CREATE_COMPLETE", ""),
    ]
    for event in others:
        assert event["PhysicalResourceId"] == stacks["middle"]["StackId"]
        assert json.loads(event["ResourceProperties"]) == {"TemplateURL": url_of(account, "middle")}


@pytest.mark.parametrize("changed", [{"Other": QUEUE}, {}])
def test_events_of_an_update_name_the_new_template(
    account: Account, changed: dict[str, Any]
) -> None:
    """Also where the same template is only at another place."""
    old = account.put_template(template({"Queue": QUEUE}), key="old.json")
    new = account.put_template(template({"Queue": QUEUE, **changed}), key="new.json")
    stack = account.launch(template({"Child": nested(old)}))
    stack = account.update(stack, template({"Child": nested(new)}))
    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    created, updated = (
        next(e for e in events(account, stack, "Child") if e["ResourceStatus"] == status)
        for status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    )
    assert json.loads(created["ResourceProperties"])["TemplateURL"] == old
    assert json.loads(updated["ResourceProperties"])["TemplateURL"] == new
    child = account.settled(account.resources(stack)["Child"])
    assert child["ParentId"] == child["RootId"] == stack["StackId"]


def test_secret_parameters_of_a_child_are_in_no_event(account: Account) -> None:
    declared = {"Password": {"Type": "String", "NoEcho": True}}
    url = account.put_template(template({"Queue": QUEUE}, Parameters=declared))
    child = nested(url)
    child["Properties"]["Parameters"] = {"Password": {"Ref": "Password"}}
    stack = account.launch(
        template({"Child": child}, Parameters=declared),
        Parameters=[{"ParameterKey": "Password", "ParameterValue": "not-to-be-shown"}],
    )
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    shown = account.client("cloudformation").describe_stack_events(StackName=stack["StackId"])
    assert "not-to-be-shown" not in json.dumps(shown, default=str)


def test_failed_generations_stay_and_say_why(account: Account) -> None:
    stacks = family(account, BAD)
    assert {stack["StackStatus"] for stack in stacks.values()} == {"CREATE_FAILED"}
    assert len(account.client("sqs").list_queues()["QueueUrls"]) == 2
    reason = account.failures(stacks["leaf"])["Bad"]
    assert reason.startswith("Properties validation failed for resource Bad")
    for parent, logical_id, child in (("root", "Middle", "middle"), ("middle", "Leaf", "leaf")):
        failed = events(account, stacks[parent], logical_id)[-1]
        assert failed["ResourceStatus"] == "CREATE_FAILED"
        assert failed["PhysicalResourceId"] == stacks[child]["StackId"]
        words = f"Embedded stack {stacks[child]['StackId']} was not successfully created: "
        assert failed["ResourceStatusReason"].startswith(words)
        assert failed["ResourceStatusReason"].endswith(reason)


def test_failed_generations_can_be_deleted(account: Account) -> None:
    stacks = family(account, BAD)
    cloudformation = account.client("cloudformation")
    cloudformation.delete_stack(StackName=stacks["root"]["StackId"])
    waiter = cloudformation.get_waiter("stack_delete_complete")
    waiter.wait(StackName=stacks["root"]["StackId"], WaiterConfig={"Delay": 1, "MaxAttempts": 10})
    assert cloudformation.describe_stacks()["Stacks"] == []
    assert account.client("sqs").list_queues().get("QueueUrls", []) == []
    for stack in stacks.values():
        assert account.settled(stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"


def test_rolled_back_child_is_named_too(account: Account) -> None:
    child = nested(account.put_template(template(BAD)))
    stack = account.launch(template({"Child": child}))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    initiated, failed = events(account, stack, "Child")[1:3]
    assert failed["ResourceStatus"] == "CREATE_FAILED"
    assert failed["PhysicalResourceId"] == initiated["PhysicalResourceId"]
    gone = account.settled(failed["PhysicalResourceId"])
    assert gone["StackStatus"] == "DELETE_COMPLETE"


def test_launch_that_is_refused_leaves_no_stack(account: Account) -> None:
    url = upload(account, root=template({"Queue": QUEUE}))["root"].replace("root", "none")
    with pytest.raises(ClientError, match="The specified key does not exist"):
        launch(account, url)
    assert account.client("cloudformation").describe_stacks()["Stacks"] == []
