"""Route 53 hosted zones; ministack's handler makes private zones public and deletes zones with records."""

from embedded_aws.bridge.registry import Created, Properties, ignoring, register
from embedded_aws.bridge.service_calls import call


def install() -> None:
    """Register the type of this module."""
    register("AWS::Route53::HostedZone", create=_create, update=_update, delete=_delete)


def _create(logical_id: str, properties: Properties, stack_name: str) -> Created:
    networks = properties.get("VPCs") or [None]
    answer = call(
        "route53",
        "CreateHostedZone",
        Name=properties["Name"],
        CallerReference=f"{stack_name}/{logical_id}/{networks}",
        HostedZoneConfig=properties.get("HostedZoneConfig"),
        VPC=networks[0],
        DelegationSetId=properties.get("DelegationSetId"),
    )
    zone = answer["HostedZone"]["Id"].rpartition("/")[2]
    _associate(zone, networks[1:])
    _tag(zone, {}, properties)
    name_servers = answer.get("DelegationSet", {}).get("NameServers", [])
    return zone, {"Id": zone, "NameServers": name_servers}


def _update(physical_id: str, old: Properties, new: Properties, _stack_name: str) -> Created:
    comment = (new.get("HostedZoneConfig") or {}).get("Comment", "")
    call("route53", "UpdateHostedZoneComment", Id=physical_id, Comment=comment)
    before, after = old.get("VPCs") or [], new.get("VPCs") or []
    _associate(physical_id, [network for network in after if network not in before])
    for network in before:
        if network not in after:
            call("route53", "DisassociateVPCFromHostedZone", HostedZoneId=physical_id, VPC=network)
    _tag(physical_id, old, new)
    zone = call("route53", "GetHostedZone", Id=physical_id)
    name_servers = zone.get("DelegationSet", {}).get("NameServers", [])
    return physical_id, {"Id": physical_id, "NameServers": name_servers}


def _associate(zone: str, networks: list[Properties]) -> None:
    for network in networks:
        call("route53", "AssociateVPCWithHostedZone", HostedZoneId=zone, VPC=network)


def _tag(zone: str, old: Properties, new: Properties) -> None:
    before = {tag["Key"] for tag in old.get("HostedZoneTags") or []}
    after = new.get("HostedZoneTags") or []
    gone = sorted(before - {tag["Key"] for tag in after})
    if after or gone:
        call(
            "route53",
            "ChangeTagsForResource",
            ResourceType="hostedzone",
            ResourceId=zone,
            AddTags=after or None,
            RemoveTagKeys=gone or None,
        )


def _delete(physical_id: str, _properties: Properties) -> None:
    with ignoring("NoSuchHostedZone"):
        call("route53", "DeleteHostedZone", Id=physical_id)
