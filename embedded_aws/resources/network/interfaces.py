"""Network interfaces: the resource type, and what EC2 refuses of interfaces that ministack accepts.

An interface is attached to one instance at a time, in the same zone, and cannot be deleted meanwhile.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (InvalidNetworkInterface.InUse)
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/network-interface-attachments.html
"""

import ipaddress
from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Created, Properties, ignoring, register
from embedded_aws.bridge.service_calls import call
from embedded_aws.resources.network.addresses import sync_tags

# AWS reserves the first four addresses of a subnet and the last one.
# https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
_RESERVED = 4


def install() -> None:
    """Register the type, and put the refusals before ministack's calls."""
    register("AWS::EC2::NetworkInterface", create=_create, update=_update, delete=_delete)
    attach = tables.EC2_ACTIONS["AttachNetworkInterface"]
    delete = tables.EC2_ACTIONS["DeleteNetworkInterface"]

    def checked_attach(request: Properties) -> Any:
        return _refusal_to_attach(request) or attach(request)

    def checked_delete(request: Properties) -> Any:
        return _refusal_to_delete(request) or delete(request)

    tables.EC2_ACTIONS["AttachNetworkInterface"] = checked_attach
    tables.EC2_ACTIONS["DeleteNetworkInterface"] = checked_delete


def release(instances: list[str]) -> None:
    """Detach the interfaces of instances that terminate; an interface that was attached later stays."""
    for interface in tables.NETWORK_INTERFACES.values():
        if (interface.get("Attachment") or {}).get("InstanceId") in instances:
            interface.update(Attachment=None, Status="available")


def _refusal_to_attach(request: Properties) -> Any:
    interface = tables.NETWORK_INTERFACES.get(_field(request, "NetworkInterfaceId"))
    instance = tables.INSTANCES.get(_field(request, "InstanceId"))
    if interface is None:
        return None
    if instance is None:
        message = f"The instance ID '{_field(request, 'InstanceId')}' does not exist"
        return functions.ec2_error("InvalidInstanceID.NotFound", message, 400)
    if interface.get("Attachment"):
        message = f"Interface: [{interface['NetworkInterfaceId']}] in use."
        return functions.ec2_error("InvalidNetworkInterface.InUse", message, 400)
    subnet = tables.SUBNETS.get(instance.get("SubnetId")) or {}
    if interface["AvailabilityZone"] != subnet.get("AvailabilityZone"):
        message = "You may not attach a network interface to an instance if they are not in the same availability zone"
        return functions.ec2_error("InvalidParameterCombination", message, 400)
    return None


def _refusal_to_delete(request: Properties) -> Any:
    name = _field(request, "NetworkInterfaceId")
    if (tables.NETWORK_INTERFACES.get(name) or {}).get("Attachment"):
        message = f"Network interface '{name}' is currently in use."
        return functions.ec2_error("InvalidParameterValue", message, 400)
    return None


def _field(request: Properties, name: str) -> str:
    value = request.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def _create(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    subnet = tables.SUBNETS.get(properties["SubnetId"])
    if subnet is None:
        raise ValueError(f"The subnet ID '{properties['SubnetId']}' does not exist")
    name = call(
        "ec2",
        "CreateNetworkInterface",
        SubnetId=properties["SubnetId"],
        Description=properties.get("Description"),
        Groups=properties.get("GroupSet"),
    )["NetworkInterface"]["NetworkInterfaceId"]
    address = properties.get("PrivateIpAddress") or _free_address(subnet["CidrBlock"])
    tables.NETWORK_INTERFACES[name]["PrivateIpAddress"] = address
    sync_tags(name, {}, properties)
    return name, _attributes(name)


def _free_address(block: str) -> str:
    taken = {known["PrivateIpAddress"] for known in tables.NETWORK_INTERFACES.values()}
    taken |= {known.get("PrivateIpAddress") for known in tables.INSTANCES.values()}
    network = ipaddress.ip_network(block)
    candidates = (str(network[number]) for number in range(_RESERVED, network.num_addresses - 1))
    free = next((address for address in candidates if address not in taken), None)
    if free is None:
        raise ValueError(f"Insufficient free addresses in the subnet {block}.")
    return free


def _attributes(name: str) -> dict[str, Any]:
    interface = tables.NETWORK_INTERFACES[name]
    return {
        "Id": name,
        "PrimaryPrivateIpAddress": interface["PrivateIpAddress"],
        "VpcId": interface["VpcId"],
    }


def _update(physical_id: str, old: Properties, new: Properties, _stack_name: str) -> Created:
    interface = tables.NETWORK_INTERFACES[physical_id]
    interface["Description"] = new.get("Description") or ""
    groups = new.get("GroupSet") or []
    interface["Groups"] = [
        {
            "GroupId": group,
            "GroupName": (tables.SECURITY_GROUPS.get(group) or {}).get("GroupName", group),
        }
        for group in groups
    ]
    sync_tags(physical_id, old, new)
    return physical_id, _attributes(physical_id)


def _delete(physical_id: str, _properties: Properties) -> None:
    with ignoring("InvalidNetworkInterfaceID.NotFound"):
        call("ec2", "DeleteNetworkInterface", NetworkInterfaceId=physical_id)
