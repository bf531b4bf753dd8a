"""Auto Scaling groups start instances that are taken to boot, and private zones are private."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import Account, template

IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
SIGNAL = {"ResourceSignal": {"Count": 1, "Timeout": "PT30M"}}
ROLLING = {"AutoScalingRollingUpdate": {"MinInstancesInService": 0, "WaitOnResourceSignals": True}}


def network() -> dict[str, Any]:
    """A VPC with one subnet."""
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "CidrBlock": "10.0.0.0/24",
                "AvailabilityZone": "eu-north-1b",
            },
        },
    }


def group(
    kind: str = "t4g.small", image: str = IMAGE, subnet: Any = None, **policies: Any
) -> dict[str, Any]:
    """A network, a launch template, and a group of one in it."""
    policies = policies or {"CreationPolicy": SIGNAL, "UpdatePolicy": ROLLING}
    data = {"ImageId": image, "InstanceType": kind}
    version = {"Fn::GetAtt": ["Template", "LatestVersionNumber"]}
    return {
        **network(),
        "Template": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {"LaunchTemplateData": data},
        },
        "Group": {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            **policies,
            "Properties": {
                "MinSize": "1",
                "MaxSize": "1",
                "VPCZoneIdentifier": [subnet or {"Ref": "Subnet"}],
                "LaunchTemplate": {"LaunchTemplateId": {"Ref": "Template"}, "Version": version},
                "Tags": [
                    {"Key": "Layer", "Value": "compute", "PropagateAtLaunch": True},
                    {"Key": "Own", "Value": "x", "PropagateAtLaunch": False},
                ],
            },
        },
    }


def running(account: Account) -> list[dict[str, Any]]:
    """The instances that run."""
    found = account.client("ec2").describe_instances(
        Filters=[{"Name": "instance-state-name", "Values": ["running"]}]
    )
    return [instance for held in found["Reservations"] for instance in held["Instances"]]


def test_tags_of_the_stack_reach_group_and_instances(account: Account) -> None:
    tags = [{"Key": "CostCenter", "Value": "carbon"}]

    stack = account.launch(template(group()), Tags=tags)

    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    (instance,) = running(account)
    found = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert {"CostCenter": "carbon", "Layer": "compute"}.items() <= found.items()
    assert "Own" not in found


def signals(account: Account, stack: dict[str, Any]) -> list[str]:
    """Who CloudFormation had a signal from, the first one first."""
    events = account.client("cloudformation").describe_stack_events(StackName=stack["StackId"])
    reasons = [event.get("ResourceStatusReason", "") for event in events["StackEvents"]]
    return [text.split()[-1] for text in reversed(reasons) if "SUCCESS signal" in text]


def test_group_starts_its_instance_which_signals(account: Account) -> None:
    stack = account.launch(template(group()))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    (instance,) = running(account)
    assert instance["InstanceType"] == "t4g.small"
    assert instance["ImageId"].startswith("ami-")
    assert instance["SubnetId"] == account.resources(stack)["Subnet"]
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert tags == {
        "Layer": "compute",
        "aws:autoscaling:groupName": account.resources(stack)["Group"],
        "aws:cloudformation:logical-id": "Group",
        "aws:cloudformation:stack-id": stack["StackId"],
        "aws:cloudformation:stack-name": stack["StackName"],
    }
    (described,) = account.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert [held["InstanceId"] for held in described["Instances"]] == [instance["InstanceId"]]
    assert described["AvailabilityZones"] == ["eu-north-1b"]
    assert signals(account, stack) == [instance["InstanceId"]]
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"
    assert running(account) == []


def test_another_version_replaces_the_instance(account: Account) -> None:
    stack = account.launch(template(group()))
    (before,) = running(account)
    stack = account.update(stack, template(group("t4g.medium")))
    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    (after,) = running(account)
    assert after["InstanceType"] == "t4g.medium"
    assert signals(account, stack) == [before["InstanceId"], after["InstanceId"]]


def test_what_leaves_the_template_alone_keeps_the_instance(account: Account) -> None:
    body = group()
    stack = account.launch(template(body))
    (before,) = running(account)
    body["Group"]["Properties"]["HealthCheckType"] = "EC2"
    stack = account.update(stack, template(body))
    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    assert running(account) == [before]


def test_without_a_policy_nobody_waits_for_a_signal(account: Account) -> None:
    stack = account.launch(template(group(UpdatePolicy=ROLLING)))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    assert signals(account, stack) == []
    assert len(running(account)) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"image": "resolve:ssm:/aws/service/none"}, "does not exist"),
        ({"subnet": "subnet-00000000000000000"}, "subnet ID 'subnet-00000000000000000'"),
    ],
)
def test_what_is_not_there_fails(account: Account, fault: dict[str, Any], words: str) -> None:
    stack = account.launch(template(group(**fault)))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert words in account.failures(stack)["Group"]
    assert running(account) == []
    groups = account.client("autoscaling").describe_auto_scaling_groups()
    assert groups["AutoScalingGroups"] == []


def zone(comment: str = "") -> dict[str, Any]:
    """A private zone of a VPC."""
    network = {"VPCId": {"Ref": "Vpc"}, "VPCRegion": {"Ref": "AWS::Region"}}
    properties = {
        "Name": "dev.internal",
        "HostedZoneConfig": {"Comment": comment},
        "VPCs": [network],
        "HostedZoneTags": [{"Key": "Layer", "Value": "compute"}],
    }
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Zone": {"Type": "AWS::Route53::HostedZone", "Properties": properties},
    }


def test_zone_of_a_vpc_is_private(account: Account) -> None:
    stack = account.launch(template(zone()))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    made = account.resources(stack)
    route53 = account.client("route53")
    found = route53.get_hosted_zone(Id=made["Zone"])
    assert found["HostedZone"]["Config"]["PrivateZone"]
    assert found["VPCs"] == [{"VPCRegion": account.region, "VPCId": made["Vpc"]}]
    tags = route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=made["Zone"])
    assert tags["ResourceTagSet"]["Tags"] == [{"Key": "Layer", "Value": "compute"}]
    stack = account.update(stack, template(zone("Names")))
    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    assert account.resources(stack)["Zone"] == made["Zone"]
    found = route53.get_hosted_zone(Id=made["Zone"])
    assert found["HostedZone"]["Config"]["Comment"] == "Names"


def test_zone_with_a_record_is_not_deleted(account: Account) -> None:
    stack = account.launch(template(zone()))
    made = account.resources(stack)["Zone"]
    record = {
        "Name": "search.dev.internal",
        "Type": "A",
        "TTL": 10,
        "ResourceRecords": [{"Value": "10.0.48.17"}],
    }
    change = account.client("route53").change_resource_record_sets
    change(
        HostedZoneId=made,
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]},
    )
    stack = account.delete(stack)
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert "HostedZoneNotEmpty" in account.failures(stack)["Zone"]
    change(
        HostedZoneId=made,
        ChangeBatch={"Changes": [{"Action": "DELETE", "ResourceRecordSet": record}]},
    )
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"


def test_an_interface_has_one_holder_and_is_released_with_its_instance(account: Account) -> None:
    def resources(kind: str) -> dict[str, Any]:
        """The group is deleted before the interface that its instance holds."""
        made = group(kind)
        made["Group"]["DependsOn"] = "Interface"
        return {**made, "Interface": interface_of_subnet}

    interface_of_subnet = {
        "Type": "AWS::EC2::NetworkInterface",
        "Properties": {
            "SubnetId": {"Ref": "Subnet"},
            "Description": "search",
            "Tags": [{"Key": "Layer", "Value": "compute"}],
        },
    }
    address = {"Address": {"Value": {"Fn::GetAtt": ["Interface", "PrimaryPrivateIpAddress"]}}}
    stack = account.launch(template(resources("t4g.small"), Outputs=address))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    interface = account.resources(stack)["Interface"]
    ec2 = account.client("ec2")
    (found,) = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert stack["Outputs"][0]["OutputValue"] == found["PrivateIpAddress"] == "10.0.0.4"
    (instance,) = running(account)

    def attach(to: str) -> None:
        ec2.attach_network_interface(NetworkInterfaceId=interface, InstanceId=to, DeviceIndex=1)

    attach(instance["InstanceId"])
    with pytest.raises(ClientError, match=r"InvalidNetworkInterface\.InUse"):
        attach(instance["InstanceId"])
    with pytest.raises(ClientError, match="currently in use"):
        ec2.delete_network_interface(NetworkInterfaceId=interface)
    stack = account.update(stack, template(resources("t4g.medium")))
    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    (successor,) = running(account)
    attach(successor["InstanceId"])
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_an_interface_in_another_zone_is_not_attached(account: Account) -> None:
    other = {
        "Type": "AWS::EC2::Subnet",
        "Properties": {
            "VpcId": {"Ref": "Vpc"},
            "CidrBlock": "10.0.1.0/24",
            "AvailabilityZone": "eu-north-1a",
        },
    }
    interface = {"Type": "AWS::EC2::NetworkInterface", "Properties": {"SubnetId": {"Ref": "Other"}}}
    stack = account.launch(template({**group(), "Other": other, "Interface": interface}))
    (instance,) = running(account)
    with pytest.raises(ClientError, match="same availability zone"):
        account.client("ec2").attach_network_interface(
            NetworkInterfaceId=account.resources(stack)["Interface"],
            InstanceId=instance["InstanceId"],
            DeviceIndex=1,
        )


def test_a_record_that_exists_is_not_created(account: Account) -> None:
    """CloudFormation creates a record (CREATE, not UPSERT): https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/330"""
    stack = account.launch(template(zone()))
    made = account.resources(stack)["Zone"]
    record = {
        "Name": "search.dev.internal",
        "Type": "A",
        "TTL": 10,
        "ResourceRecords": [{"Value": "10.0.48.17"}],
    }
    account.client("route53").change_resource_record_sets(
        HostedZoneId=made,
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]},
    )
    owned = {
        "Type": "AWS::Route53::RecordSet",
        "Properties": {
            **record,
            "HostedZoneId": {"Ref": "Zone"},
            "TTL": "60",
            "ResourceRecords": ["10.0.48.18"],
        },
    }
    stack = account.update(stack, template({**zone(), "Record": owned}))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "already exists" in account.failures(stack)["Record"]
