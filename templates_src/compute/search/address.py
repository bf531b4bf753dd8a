"""The address of the search server: a network interface of the stack, its private zone, and a record."""

from __future__ import annotations

from awacs import route53
from awacs.aws import Allow, Condition, ForAllValuesStringEquals, ForAllValuesStringLike, Statement
from troposphere import GetAtt, Ref, Sub, Tags
from troposphere.ec2 import NetworkInterface
from troposphere.route53 import HostedZone, HostedZoneConfiguration, HostedZoneVPCs, RecordSetType

from templates_src.core import iam, ports
from templates_src.core.function import add_custom_resource, add_function
from templates_src.core.layer import Layer
from templates_src.core.parameters.shared import named
from templates_src.core.parameters.wiring.network import FIRST_PRIVATE_SUBNET_ID, VPC_ID
from templates_src.core.parameters.wiring.security import SEARCH_SECURITY_GROUP_ID

# ICANN reserves .internal for private use (resolution 2024.07.29.06), so that it hides no public name.
ZONE_NAME = "${Project}-${Environment}.internal"
# Not search.…: the server of 1.0.0 and 1.1.0 created a record with that name, and Route 53 refuses a second one.
RECORD_NAME = f"meilisearch.{ZONE_NAME}"
SEARCH_URL = Sub(f"http://{RECORD_NAME}:{ports.SEARCH}")
RECORD = "SearchRecord"
# The address changes only with the subnet.
TTL_SECONDS = "60"
# A few calls of Route 53, each with its retries.
TIMEOUT_SECONDS = 60


def add_address(layer: Layer) -> NetworkInterface:
    """The interface, the zone, the record, and the function that empties the zone before its deletion."""
    interface = add_interface(layer)
    zone = add_zone(layer)
    layer.add(
        RecordSetType(
            RECORD,
            HostedZoneId=Ref(zone),
            Name=Sub(RECORD_NAME),
            Type="A",
            TTL=TTL_SECONDS,
            ResourceRecords=[GetAtt(interface, "PrimaryPrivateIpAddress")],
        )
    )
    add_zone_cleanup(layer, zone)
    return interface


def add_interface(layer: Layer) -> NetworkInterface:
    """The interface that each instance attaches when it boots, in the subnet of the group.

    The interface is in this layer and not in the layer of the volume, so that CloudFormation deletes it after the
    group has released it: in a deletion, a replacement and a rollback.
    """
    return layer.add(
        NetworkInterface(
            "SearchInterface",
            Description=named(" search server"),
            SubnetId=layer.parameter(FIRST_PRIVATE_SUBNET_ID),
            GroupSet=[layer.parameter(SEARCH_SECURITY_GROUP_ID)],
            Tags=Tags(**layer.tags(Name=named("-search"))),
        )
    )


def add_zone(layer: Layer) -> HostedZone:
    """The private zone of the environment."""
    return layer.add(
        HostedZone(
            "SearchZone",
            Name=Sub(ZONE_NAME),
            HostedZoneConfig=HostedZoneConfiguration(Comment="Private names of the environment"),
            VPCs=[HostedZoneVPCs(VPCId=layer.parameter(VPC_ID), VPCRegion=Ref("AWS::Region"))],
            HostedZoneTags=Tags(**layer.tags()),
        )
    )


def add_zone_cleanup(layer: Layer, zone: HostedZone) -> None:
    """A function that deletes the records that the stack does not own when the stack is deleted, before the zone.

    Route 53 refuses to delete a zone that has other records. An environment that was launched from 1.0.0 or 1.1.0
    has one: the record that its search server created.
    """
    function = add_function(
        layer,
        "zone_cleanup",
        description="Deletes the records that remain in the private zone when the stack is deleted",
        timeout_seconds=TIMEOUT_SECONDS,
        statements=(iam.see_own_stack("SeeItsStack"), list_records(zone), delete_records(zone)),
    )
    add_custom_resource(
        layer, "ZoneCleanup", function, HostedZoneId=Ref(zone), KeptRecord=Sub(RECORD_NAME)
    )


def list_records(zone: HostedZone) -> Statement:
    """List the records of this zone."""
    return Statement(
        Sid="ListRecordsOfTheZone",
        Effect=Allow,
        Action=[route53.ListResourceRecordSets],
        Resource=[zone_arn(zone)],
    )


def delete_records(zone: HostedZone) -> Statement:
    """Delete records in this zone, but do not create or change records.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html
    """
    change = "route53:ChangeResourceRecordSets"
    return Statement(
        Sid="DeleteRecordsOfTheZone",
        Effect=Allow,
        Action=[route53.ChangeResourceRecordSets],
        Resource=[zone_arn(zone)],
        Condition=Condition(
            [
                ForAllValuesStringEquals({f"{change}Actions": ["DELETE"]}),
                ForAllValuesStringLike({f"{change}NormalizedRecordNames": [Sub(f"*.{ZONE_NAME}")]}),
            ]
        ),
    )


def zone_arn(zone: HostedZone) -> Sub:
    """ARN of the zone."""
    return Sub(f"arn:${{AWS::Partition}}:route53:::hostedzone/${{{zone.title}}}")
