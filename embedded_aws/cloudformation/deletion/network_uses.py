"""Parts of a network that EC2 does not delete while they are in use; ministack's CloudFormation deletes them.

EC2 answers DependencyViolation:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
https://docs.aws.amazon.com/vpc/latest/userguide/delete-vpc.html
https://github.com/hashicorp/terraform/issues/31658 quotes the messages for gateways, security groups and subnets.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from embedded_aws.bridge import tables
from embedded_aws.bridge.registry import Properties
from embedded_aws.cloudformation.deletion.protections import object_to

Record = Mapping[str, Any]
_VIOLATION = "(Service: Ec2, Code: DependencyViolation)"


def install() -> None:
    """Refuse the deletion of what is in use."""
    object_to(
        {
            "AWS::EC2::VPC": _vpc,
            "AWS::EC2::Subnet": _subnet,
            "AWS::EC2::SecurityGroup": _security_group,
            "AWS::EC2::RouteTable": _route_table,
            "AWS::EC2::NetworkAcl": _network_acl,
            "AWS::EC2::InternetGateway": _internet_gateway,
            "AWS::EC2::VPCGatewayAttachment": _attachment,
            "AWS::EC2::EIP": _address,
        }
    )


def _mentions(value: Any, name: str) -> bool:
    """Whether a record has a name or an ID as one of its values, at any depth."""
    if isinstance(value, Mapping):
        return any(_mentions(each, name) for each in value.values())
    if isinstance(value, list | tuple | set):
        return any(_mentions(each, name) for each in value)
    return bool(value == name)


def _interfaces() -> Iterator[tuple[str, Record]]:
    """Resources with network interfaces, by the name that AWS reports."""
    for name, interface in tables.NETWORK_INTERFACES.items():
        yield name, interface
    for name, instance in tables.INSTANCES.items():
        if (instance.get("State") or {}).get("Name") != "terminated":
            yield name, {key: instance.get(key) for key in ("SubnetId", "SecurityGroups")}
    yield from tables.LOAD_BALANCERS.items()
    for name, function in tables.LAMBDA_FUNCTIONS.items():
        yield name, (function.get("config") or {}).get("VpcConfig") or {}
    for service in tables.ECS_SERVICES.values():
        if service.get("status") == "ACTIVE":
            yield service["serviceArn"], service.get("networkConfiguration") or {}
    for name, endpoint in tables.VPC_ENDPOINTS.items():
        yield name, endpoint
    for name, gateway in tables.NAT_GATEWAYS.items():
        if gateway["State"] != "deleted":
            yield name, gateway


def _members() -> Iterator[tuple[str, Record]]:
    """Members of security groups: resources with interfaces, databases and caches."""
    yield from _interfaces()
    for table in (tables.DATABASES, tables.REPLICATION_GROUPS, tables.SERVERLESS_CACHES):
        yield from table.items()


def _vpc(vpc: str, _properties: Properties) -> str | None:
    subnets = sorted(name for name, s in tables.SUBNETS.items() if s["VpcId"] == vpc)
    if not subnets:
        return None
    return (
        f"The vpc '{vpc}' has dependencies and cannot be deleted: {', '.join(subnets)} {_VIOLATION}"
    )


def _subnet(subnet: str, _properties: Properties) -> str | None:
    if not any(_mentions(record, subnet) for _, record in _interfaces()):
        return None
    return f"The subnet '{subnet}' has dependencies and cannot be deleted. {_VIOLATION}"


def _security_group(group: str, _properties: Properties) -> str | None:
    rules = [
        (each.get("IpPermissions"), each.get("IpPermissionsEgress"))
        for name, each in tables.SECURITY_GROUPS.items()
        if name != group
    ]
    if _mentions(rules, group) or any(_mentions(record, group) for _, record in _members()):
        return f"resource {group} has a dependent object {_VIOLATION}"
    return None


def _route_table(table: str, _properties: Properties) -> str | None:
    associations = (tables.ROUTE_TABLES.get(table) or {}).get("Associations") or []
    if not any(each.get("SubnetId") in tables.SUBNETS for each in associations):
        return None
    return f"The routeTable '{table}' has dependencies and cannot be deleted. {_VIOLATION}"


def _network_acl(acl: str, _properties: Properties) -> str | None:
    associations = (tables.NETWORK_ACLS.get(acl) or {}).get("Associations") or []
    if not any(each["SubnetId"] in tables.SUBNETS for each in associations):
        return None
    return f"The networkAcl '{acl}' has dependencies and cannot be deleted. {_VIOLATION}"


def _internet_gateway(gateway: str, _properties: Properties) -> str | None:
    if not (tables.INTERNET_GATEWAYS.get(gateway) or {}).get("Attachments"):
        return None
    return f"The internetGateway '{gateway}' has dependencies and cannot be deleted. {_VIOLATION}"


def _attachment(_physical_id: str, properties: Properties) -> str | None:
    """A gateway stays attached while a resource in its VPC has a public address."""
    vpc = str(properties.get("VpcId", ""))
    if not properties.get("InternetGatewayId"):
        return None
    public = [
        *(
            each
            for each in tables.NAT_GATEWAYS.values()
            if each["State"] != "deleted" and each.get("ConnectivityType") != "private"
        ),
        *(
            each
            for each in tables.LOAD_BALANCERS.values()
            if each.get("Scheme") == "internet-facing"
        ),
    ]
    if not any(each.get("VpcId") == vpc for each in public):
        return None
    return (
        f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the"
        f" gateway. {_VIOLATION}"
    )


def _address(public_ip: str, _properties: Properties) -> str | None:
    allocation = next(
        (name for name, each in tables.ADDRESSES.items() if each.get("PublicIp") == public_ip), None
    )
    gateways = [each for each in tables.NAT_GATEWAYS.values() if each["State"] != "deleted"]
    if allocation is None or not _mentions(gateways, allocation):
        return None
    return f"Address {public_ip} is in use and cannot be released. (Service: Ec2, Code: InvalidIPAddress.InUse)"
