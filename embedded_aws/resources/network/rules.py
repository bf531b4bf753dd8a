"""Rules of security groups, and network ACLs with their entries and subnets."""

from ministack.services import ec2

from embedded_aws.bridge import tables
from embedded_aws.bridge.registry import Created, Properties, ignoring, no_update, register
from embedded_aws.bridge.service_calls import call
from embedded_aws.resources.network.addresses import retag, tag_specification


def install() -> None:
    """Register the types of this module."""
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
        update=retag(lambda pid: {"Id": pid}),
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
        update=no_update(lambda pid, _properties: {"AssociationId": pid}),
        delete=_return_to_default_acl,
    )


class _RuleHandlers:
    """AWS::EC2::SecurityGroupIngress or Egress: one rule of one group."""

    def __init__(self, direction: str) -> None:
        self._direction = direction
        self._is_egress = direction == "Egress"

    def create(self, _logical_id: str, properties: Properties, _stack_name: str) -> Created:
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


def _create_network_acl(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    acl = call(
        "ec2",
        "CreateNetworkAcl",
        VpcId=properties["VpcId"],
        TagSpecifications=tag_specification("network-acl", properties),
    )["NetworkAcl"]["NetworkAclId"]
    return acl, {"Id": acl}


def _delete_network_acl(physical_id: str, _properties: Properties) -> None:
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


def _create_acl_entry(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    is_egress = str(properties.get("Egress", False)).lower() == "true"
    direction = "egress" if is_egress else "ingress"
    acl = tables.NETWORK_ACLS.get(properties["NetworkAclId"]) or {}
    numbers = [e["RuleNumber"] for e in acl.get("Entries", []) if e["Egress"] == is_egress]
    if int(properties["RuleNumber"]) in numbers:
        raise ValueError(
            f"The network acl entry identified by {properties['RuleNumber']} already exists."
            " (Service: Ec2, Code: NetworkAclEntryAlreadyExists)"
        )
    call("ec2", "CreateNetworkAclEntry", **_acl_entry(properties))
    entry = f"{properties['NetworkAclId']}|{direction}|{properties['RuleNumber']}"
    return entry, {"Id": entry}


def _replace_acl_entry(
    physical_id: str, _old: Properties, new: Properties, _stack_name: str
) -> Created:
    call("ec2", "ReplaceNetworkAclEntry", **_acl_entry(new))
    return physical_id, {"Id": physical_id}


def _delete_acl_entry(_physical_id: str, properties: Properties) -> None:
    fields = _acl_entry(properties)
    with ignoring("InvalidNetworkAclID.NotFound", "InvalidNetworkAclEntry.NotFound"):
        call(
            "ec2",
            "DeleteNetworkAclEntry",
            NetworkAclId=fields["NetworkAclId"],
            RuleNumber=fields["RuleNumber"],
            Egress=fields["Egress"],
        )


def _associate_acl(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    # On the records: ReplaceNetworkAclAssociation of ministack 1.5.33 forgets the subnet, and its
    # subnets have no association with the default ACL that one could replace.
    acl, subnet = properties["NetworkAclId"], properties["SubnetId"]
    for kind, known, wanted in (
        ("network ACL", tables.NETWORK_ACLS, acl),
        ("subnet", tables.SUBNETS, subnet),
    ):
        if wanted not in known:
            raise ValueError(f"The {kind} '{wanted}' does not exist")
    association = f"aclassoc-{ec2.new_uuid().replace('-', '')[:17]}"
    _dissociate(subnet)
    tables.NETWORK_ACLS[acl]["Associations"].append(
        {"NetworkAclAssociationId": association, "NetworkAclId": acl, "SubnetId": subnet}
    )
    return association, {"AssociationId": association}


def _dissociate(subnet: str) -> None:
    for acl in tables.NETWORK_ACLS.values():
        acl["Associations"] = [a for a in acl["Associations"] if a["SubnetId"] != subnet]


def _return_to_default_acl(physical_id: str, properties: Properties) -> None:
    subnet = properties["SubnetId"]
    mine = [a for acl in tables.NETWORK_ACLS.values() for a in acl["Associations"]]
    if any(a["NetworkAclAssociationId"] == physical_id for a in mine):
        _dissociate(subnet)
