"""VPC resources: addresses, NAT, flow logs, security group rules, network ACLs, volumes."""

from typing import Any

from ministack.services import ec2

from embedded_aws.registry import Created, Properties, Update, ignoring, no_update, register
from embedded_aws.service_calls import call

# The ICMP and protocol numbers EC2 wants where CloudFormation lets one leave ports out.
_FLOW_LOG_SETTINGS = (
    "ResourceType",
    "TrafficType",
    "LogDestinationType",
    "LogDestination",
    "LogGroupName",
    "LogFormat",
    "DeliverLogsPermissionArn",
    "DeliverCrossAccountRole",
    "MaxAggregationInterval",
    "DestinationOptions",
)


def install() -> None:
    """Register the types of this module."""
    register(
        "AWS::EC2::EIP",
        create=_allocate_address,
        update=_retag(lambda pid: {"PublicIp": pid, "AllocationId": _allocation_of(pid)}),
        delete=_release_address,
    )
    register(
        "AWS::EC2::NatGateway",
        create=_create_nat_gateway,
        update=_retag(lambda pid: {"NatGatewayId": pid}),
        delete=_delete_nat_gateway,
    )
    register(
        "AWS::EC2::FlowLog",
        create=_create_flow_log,
        update=_retag(lambda pid: {"Id": pid}),
        delete=_delete_flow_log,
    )
    for direction in ("Ingress", "Egress"):
        rules = _RuleHandlers(direction)
        register(
            f"AWS::EC2::SecurityGroup{direction}",
            create=rules.create,
            update=rules.update,
            delete=rules.delete,
        )
    register(
        "AWS::EC2::NetworkAcl",
        create=_create_network_acl,
        update=_retag(lambda pid: {"Id": pid}),
        delete=_delete_network_acl,
    )
    register(
        "AWS::EC2::NetworkAclEntry",
        create=_create_acl_entry,
        update=_replace_acl_entry,
        delete=_delete_acl_entry,
    )
    register(
        "AWS::EC2::SubnetNetworkAclAssociation",
        create=_associate_acl,
        update=no_update(lambda pid, properties: {"AssociationId": pid}),
        delete=_return_to_default_acl,
    )


def tag_specification(kind: str, properties: Properties) -> list[dict[str, Any]] | None:
    """The TagSpecifications of an EC2 create call, or None without tags."""
    tags = properties.get("Tags")
    return [{"ResourceType": kind, "Tags": tags}] if tags else None


def sync_tags(resource_id: str, old: Properties, new: Properties) -> None:
    """Give an EC2 resource the tags of its new properties."""
    before = {tag["Key"] for tag in old.get("Tags") or []}
    after = {tag["Key"] for tag in new.get("Tags") or []}
    if gone := [{"Key": key} for key in sorted(before - after)]:
        call("ec2", "DeleteTags", Resources=[resource_id], Tags=gone)
    if new.get("Tags"):
        call("ec2", "CreateTags", Resources=[resource_id], Tags=new["Tags"])


def _retag(attributes: Any) -> Update:
    def update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Created:
        values = attributes(physical_id)
        sync_tags(values.get("AllocationId", physical_id), old, new)
        return physical_id, values

    return update


def _allocate_address(logical_id: str, properties: Properties, stack_name: str) -> Created:
    answer = call(
        "ec2",
        "AllocateAddress",
        Domain=properties.get("Domain", "vpc"),
        TagSpecifications=tag_specification("elastic-ip", properties),
    )
    attributes = {"PublicIp": answer["PublicIp"], "AllocationId": answer["AllocationId"]}
    return answer["PublicIp"], attributes


def _allocation_of(public_ip: str) -> str | None:
    addresses = call("ec2", "DescribeAddresses", PublicIps=[public_ip])["Addresses"]
    return next((a["AllocationId"] for a in addresses if a["PublicIp"] == public_ip), None)


def _release_address(physical_id: str, properties: Properties) -> None:
    if allocation := _allocation_of(physical_id):
        call("ec2", "ReleaseAddress", AllocationId=allocation)


def _create_nat_gateway(logical_id: str, properties: Properties, stack_name: str) -> Created:
    gateway = call(
        "ec2",
        "CreateNatGateway",
        SubnetId=properties.get("SubnetId"),
        AllocationId=properties.get("AllocationId"),
        ConnectivityType=properties.get("ConnectivityType"),
        TagSpecifications=tag_specification("natgateway", properties),
    )["NatGateway"]["NatGatewayId"]
    return gateway, {"NatGatewayId": gateway}


def _delete_nat_gateway(physical_id: str, properties: Properties) -> None:
    with ignoring("NatGatewayNotFound"):
        call("ec2", "DeleteNatGateway", NatGatewayId=physical_id)


def _create_flow_log(logical_id: str, properties: Properties, stack_name: str) -> Created:
    flow_log = call(
        "ec2",
        "CreateFlowLogs",
        ResourceIds=[properties["ResourceId"]],
        TagSpecifications=tag_specification("vpc-flow-log", properties),
        **{name: properties.get(name) for name in _FLOW_LOG_SETTINGS},
    )["FlowLogIds"][0]
    return flow_log, {"Id": flow_log}


def _delete_flow_log(physical_id: str, properties: Properties) -> None:
    call("ec2", "DeleteFlowLogs", FlowLogIds=[physical_id])


class _RuleHandlers:
    """AWS::EC2::SecurityGroupIngress or Egress: one rule of one group."""

    def __init__(self, direction: str) -> None:
        self._direction = direction
        self._is_egress = direction == "Egress"

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Created:
        group = properties.get("GroupId") or self._group_named(properties["GroupName"])
        before = self._rule_ids(group)
        answer = call(
            "ec2",
            f"AuthorizeSecurityGroup{self._direction}",
            GroupId=group,
            IpPermissions=[self._permission(properties)],
        )
        rule = answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        if rule in before:
            raise ValueError(
                f"the specified rule already exists in {group}"
                " (Service: Ec2, Code: InvalidPermission.Duplicate)"
            )
        return rule, {"Id": rule}

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack_name: str
    ) -> Created:
        self.delete(physical_id, old)
        return self.create("", new, stack_name)

    def delete(self, physical_id: str, properties: Properties) -> None:
        group = properties.get("GroupId") or self._group_named(properties["GroupName"])
        with ignoring("InvalidGroup.NotFound", "InvalidSecurityGroupRuleId.NotFound"):
            call(
                "ec2",
                f"RevokeSecurityGroup{self._direction}",
                GroupId=group,
                SecurityGroupRuleIds=[physical_id],
            )

    def _rule_ids(self, group: str) -> set[str]:
        filters = [{"Name": "group-id", "Values": [group]}]
        rules = call("ec2", "DescribeSecurityGroupRules", Filters=filters)["SecurityGroupRules"]
        return {rule["SecurityGroupRuleId"] for rule in rules}

    def _group_named(self, name: str) -> str:
        filters = [{"Name": "group-name", "Values": [name]}]
        groups = call("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"]
        if not groups:
            raise ValueError(f"The security group '{name}' does not exist")
        return str(groups[0]["GroupId"])

    def _permission(self, properties: Properties) -> Properties:
        peer = "Destination" if self._is_egress else "Source"
        description = {k: v for k, v in properties.items() if k == "Description"}
        permission = {
            name: properties[name]
            for name in ("IpProtocol", "FromPort", "ToPort")
            if name in properties
        }
        pairs = {
            "CidrIp": ("IpRanges", "CidrIp"),
            "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
            f"{peer}SecurityGroupId": ("UserIdGroupPairs", "GroupId"),
            f"{peer}PrefixListId": ("PrefixListIds", "PrefixListId"),
        }
        for name, (members, member) in pairs.items():
            if name in properties:
                permission[members] = [{member: properties[name], **description}]
        return permission


def _create_network_acl(logical_id: str, properties: Properties, stack_name: str) -> Created:
    acl = call(
        "ec2",
        "CreateNetworkAcl",
        VpcId=properties["VpcId"],
        TagSpecifications=tag_specification("network-acl", properties),
    )["NetworkAcl"]["NetworkAclId"]
    return acl, {"Id": acl}


def _delete_network_acl(physical_id: str, properties: Properties) -> None:
    with ignoring("InvalidNetworkAclID.NotFound"):
        call("ec2", "DeleteNetworkAcl", NetworkAclId=physical_id)


def _acl_entry(properties: Properties) -> Properties:
    fields = {
        "NetworkAclId": properties["NetworkAclId"],
        "RuleNumber": properties["RuleNumber"],
        "Protocol": str(properties["Protocol"]),
        "RuleAction": properties["RuleAction"],
        "Egress": properties.get("Egress", False),
        "CidrBlock": properties.get("CidrBlock"),
        "Ipv6CidrBlock": properties.get("Ipv6CidrBlock"),
        "PortRange": properties.get("PortRange"),
    }
    if icmp := properties.get("Icmp"):
        fields["IcmpTypeCode"] = icmp
    return fields


def _create_acl_entry(logical_id: str, properties: Properties, stack_name: str) -> Created:
    call("ec2", "CreateNetworkAclEntry", **_acl_entry(properties))
    direction = "egress" if str(properties.get("Egress", False)).lower() == "true" else "ingress"
    entry = f"{properties['NetworkAclId']}|{direction}|{properties['RuleNumber']}"
    return entry, {"Id": entry}


def _replace_acl_entry(
    physical_id: str, old: Properties, new: Properties, stack_name: str
) -> Created:
    call("ec2", "ReplaceNetworkAclEntry", **_acl_entry(new))
    return physical_id, {"Id": physical_id}


def _delete_acl_entry(physical_id: str, properties: Properties) -> None:
    fields = _acl_entry(properties)
    with ignoring("InvalidNetworkAclID.NotFound", "InvalidNetworkAclEntry.NotFound"):
        call(
            "ec2",
            "DeleteNetworkAclEntry",
            NetworkAclId=fields["NetworkAclId"],
            RuleNumber=fields["RuleNumber"],
            Egress=fields["Egress"],
        )


def _associate_acl(logical_id: str, properties: Properties, stack_name: str) -> Created:
    # On the records: ReplaceNetworkAclAssociation of ministack 1.5.33 forgets the subnet, and its
    # subnets have no association with the default ACL that one could replace.
    acl, subnet = properties["NetworkAclId"], properties["SubnetId"]
    for kind, known, wanted in (
        ("network ACL", ec2._network_acls, acl),
        ("subnet", ec2._subnets, subnet),
    ):
        if wanted not in known:
            raise ValueError(f"The {kind} '{wanted}' does not exist")
    association = f"aclassoc-{ec2.new_uuid().replace('-', '')[:17]}"
    _dissociate(subnet)
    ec2._network_acls[acl]["Associations"].append(
        {"NetworkAclAssociationId": association, "NetworkAclId": acl, "SubnetId": subnet}
    )
    return association, {"AssociationId": association}


def _dissociate(subnet: str) -> None:
    for acl in ec2._network_acls.values():
        acl["Associations"] = [a for a in acl["Associations"] if a["SubnetId"] != subnet]


def _return_to_default_acl(physical_id: str, properties: Properties) -> None:
    subnet = properties["SubnetId"]
    mine = [a for acl in ec2._network_acls.values() for a in acl["Associations"]]
    if any(a["NetworkAclAssociationId"] == physical_id for a in mine):
        _dissociate(subnet)
