"""The added VPC types are visible to EC2's own API, change in place and go with their stack."""

from typing import Any

from tests.embedded_aws.conftest import Account, template


def get(resource: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [resource, attribute]}


def network(**more: Any) -> dict[str, Any]:
    """A VPC with one subnet, and more resources by logical id."""
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "CidrBlock": {"Fn::Select": [0, {"Fn::Cidr": [get("Vpc", "CidrBlock"), 4, 12]}]},
            },
        },
        **more,
    }


def test_nat_gateway_with_address_and_flow_log(account: Account) -> None:
    body = network(
        Address={"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
        Nat={
            "Type": "AWS::EC2::NatGateway",
            "Properties": {
                "SubnetId": {"Ref": "Subnet"},
                "AllocationId": get("Address", "AllocationId"),
            },
        },
        Log={
            "Type": "AWS::EC2::FlowLog",
            "Properties": {
                "ResourceId": {"Ref": "Vpc"},
                "ResourceType": "VPC",
                "TrafficType": "ALL",
                "LogGroupName": "flow",
                "DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/flow",
            },
        },
    )
    stack = account.launch(template(body), Tags=[{"Key": "Layer", "Value": "network"}])
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    made = account.resources(stack)
    ec2 = account.client("ec2")
    gateway = ec2.describe_nat_gateways()["NatGateways"][0]
    assert gateway["NatGatewayId"] == made["Nat"]
    assert gateway["SubnetId"] == made["Subnet"]
    assert {"Key": "Layer", "Value": "network"} in gateway["Tags"]
    assert ec2.describe_addresses()["Addresses"][0]["PublicIp"] == made["Address"]
    assert ec2.describe_flow_logs()["FlowLogs"][0]["ResourceId"] == made["Vpc"]
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"
    assert ec2.describe_addresses()["Addresses"] == ec2.describe_flow_logs()["FlowLogs"] == []
    left = [n for n in ec2.describe_nat_gateways()["NatGateways"] if n["State"] != "deleted"]
    assert left == []


def group_with_rule(port: int, **rules: Any) -> dict[str, Any]:
    group = {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"GroupDescription": "x", "VpcId": {"Ref": "Vpc"}},
    }
    rule = {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {
            "GroupId": get("Group", "GroupId"),
            "IpProtocol": "tcp",
            "FromPort": port,
            "ToPort": str(port),
            "SourceSecurityGroupId": get("Group", "GroupId"),
            "Description": "itself",
        },
    }
    return network(Group=group, Rule=rule, **rules)


def test_security_group_rule_lives_and_dies_by_itself(account: Account) -> None:
    stack = account.launch(template(group_with_rule(8000)))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    group = account.resources(stack)["Group"]

    def ports() -> list[int]:
        groups = account.client("ec2").describe_security_groups(GroupIds=[group])
        return [p["FromPort"] for p in groups["SecurityGroups"][0]["IpPermissions"]]

    assert ports() == [8000]
    stack = account.update(stack, template(group_with_rule(9000)))
    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    assert ports() == [9000]
    without = {k: v for k, v in group_with_rule(9000).items() if k != "Rule"}
    account.update(stack, template(without))
    assert ports() == []


def test_same_rule_twice_fails(account: Account) -> None:
    body = group_with_rule(8000)
    body["Again"] = {**body["Rule"], "DependsOn": "Rule"}
    stack = account.launch(template(body))
    assert "already exists" in account.failures(stack)["Again"]


def test_network_acl_holds_its_entries_and_subnets(account: Account) -> None:
    def body(action: str) -> str:
        entry = {
            "NetworkAclId": {"Ref": "Acl"},
            "RuleNumber": 100,
            "Protocol": 6,
            "RuleAction": action,
            "CidrBlock": "10.0.0.0/8",
            "PortRange": {"From": 5432, "To": 5432},
        }
        association = {"NetworkAclId": {"Ref": "Acl"}, "SubnetId": {"Ref": "Subnet"}}
        return template(
            network(
                Acl={
                    "Type": "AWS::EC2::NetworkAcl",
                    "Properties": {"VpcId": {"Ref": "Vpc"}},
                },
                Entry={"Type": "AWS::EC2::NetworkAclEntry", "Properties": entry},
                Of={
                    "Type": "AWS::EC2::SubnetNetworkAclAssociation",
                    "Properties": association,
                },
            )
        )

    stack = account.launch(body("allow"))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    made = account.resources(stack)

    def acl() -> dict[str, Any]:
        listed = account.client("ec2").describe_network_acls(NetworkAclIds=[made["Acl"]])
        described: dict[str, Any] = listed["NetworkAcls"][0]
        return described

    assert [a["SubnetId"] for a in acl()["Associations"]] == [made["Subnet"]]
    account.update(stack, body("deny"))
    entry = next(e for e in acl()["Entries"] if e["RuleNumber"] == 100)
    assert entry["RuleAction"] == "deny"
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"


def test_two_acl_entries_with_one_number_fail(account: Account) -> None:
    entry = {
        "Type": "AWS::EC2::NetworkAclEntry",
        "Properties": {
            "NetworkAclId": {"Ref": "Acl"},
            "RuleNumber": 100,
            "Protocol": -1,
            "RuleAction": "deny",
            "CidrBlock": "0.0.0.0/0",
        },
    }
    acl = {"Type": "AWS::EC2::NetworkAcl", "Properties": {"VpcId": {"Ref": "Vpc"}}}
    body = network(Acl=acl, Entry=entry, Twin={**entry, "DependsOn": "Entry"})
    stack = account.launch(template(body))
    assert "entry identified by 100 already exists" in account.failures(stack)["Twin"]


def test_volume_grows_in_place(account: Account) -> None:
    def body(size: int) -> str:
        properties = {"AvailabilityZone": "eu-north-1a", "Size": str(size), "Encrypted": "true"}
        return template({"Volume": {"Type": "AWS::EC2::Volume", "Properties": properties}})

    stack = account.launch(body(10))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    volume = account.resources(stack)["Volume"]
    stack = account.update(stack, body(20))
    assert account.resources(stack)["Volume"] == volume
    shown = account.client("ec2").describe_volumes(VolumeIds=[volume])["Volumes"][0]
    assert (shown["Size"], shown["Encrypted"]) == (20, True)


def test_vpc_with_a_foreign_subnet_cannot_be_deleted(account: Account) -> None:
    stack = account.launch(template(network()))
    vpc = account.resources(stack)["Vpc"]
    account.client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.0.64.0/20")
    assert account.delete(stack)["StackStatus"] == "DELETE_FAILED"
    assert "has dependencies" in account.failures(stack)["Vpc"]
