"""VPC resources: addresses, NAT gateways, flow logs."""

from collections.abc import Callable
from typing import Any

from embedded_aws.bridge.registry import Created, Properties, Update, ignoring, register
from embedded_aws.bridge.service_calls import call

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
        update=retag(lambda pid: {"PublicIp": pid, "AllocationId": _allocation_of(pid)}),
        delete=_release_address,
    )
    register(
        "AWS::EC2::NatGateway",
        create=_create_nat_gateway,
        update=retag(lambda pid: {"NatGatewayId": pid}),
        delete=_delete_nat_gateway,
    )
    register(
        "AWS::EC2::FlowLog",
        create=_create_flow_log,
        update=retag(lambda pid: {"Id": pid}),
        delete=_delete_flow_log,
    )


def tag_specification(kind: str, properties: Properties) -> list[dict[str, Any]] | None:
    """The TagSpecifications of an EC2 create call, or None without tags."""
    tags = properties.get("Tags")
    return [{"ResourceType": kind, "Tags": tags}] if tags else None


def sync_tags(resource_id: str, old: Properties, new: Properties) -> None:
    """Set the tags of an EC2 resource to those of its new properties."""
    before = {tag["Key"] for tag in old.get("Tags") or []}
    after = {tag["Key"] for tag in new.get("Tags") or []}
    if gone := [{"Key": key} for key in sorted(before - after)]:
        call("ec2", "DeleteTags", Resources=[resource_id], Tags=gone)
    if new.get("Tags"):
        call("ec2", "CreateTags", Resources=[resource_id], Tags=new["Tags"])


def retag(attributes: Callable[[str], dict[str, Any]]) -> Update:
    """An update for EC2 types that change only their tags in place."""

    def update(physical_id: str, old: Properties, new: Properties, _stack_name: str) -> Created:
        values = attributes(physical_id)
        sync_tags(values.get("AllocationId", physical_id), old, new)
        return physical_id, values

    return update


def _allocate_address(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
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


def _release_address(physical_id: str, _properties: Properties) -> None:
    if allocation := _allocation_of(physical_id):
        call("ec2", "ReleaseAddress", AllocationId=allocation)


def _create_nat_gateway(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    gateway = call(
        "ec2",
        "CreateNatGateway",
        SubnetId=properties.get("SubnetId"),
        AllocationId=properties.get("AllocationId"),
        ConnectivityType=properties.get("ConnectivityType"),
        TagSpecifications=tag_specification("natgateway", properties),
    )["NatGateway"]["NatGatewayId"]
    return gateway, {"NatGatewayId": gateway}


def _delete_nat_gateway(physical_id: str, _properties: Properties) -> None:
    with ignoring("NatGatewayNotFound"):
        call("ec2", "DeleteNatGateway", NatGatewayId=physical_id)


def _create_flow_log(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    flow_log = call(
        "ec2",
        "CreateFlowLogs",
        ResourceIds=[properties["ResourceId"]],
        TagSpecifications=tag_specification("vpc-flow-log", properties),
        **{name: properties.get(name) for name in _FLOW_LOG_SETTINGS},
    )["FlowLogIds"][0]
    return flow_log, {"Id": flow_log}


def _delete_flow_log(physical_id: str, _properties: Properties) -> None:
    call("ec2", "DeleteFlowLogs", FlowLogIds=[physical_id])
