"""Where the search server is found: a name in a private zone, which the server itself points at its address."""

from __future__ import annotations

from troposphere import Ref, Sub, Tags
from troposphere.route53 import HostedZone, HostedZoneConfiguration, HostedZoneVPCs

from templates_src.core import ports
from templates_src.core.layer import Layer
from templates_src.core.wiring import VPC_ID

# ICANN reserves .internal for private use (resolution 2024.07.29.06), so that no public name is ever shadowed.
ZONE_NAME = "${Project}-${Environment}.internal"
# Without a final dot and in lower case, as the condition keys of Route 53 compare names.
RECORD_NAME = f"search.{ZONE_NAME}"
SEARCH_URL = Sub(f"http://{RECORD_NAME}:{ports.SEARCH}")


def add_zone(layer: Layer) -> HostedZone:
    """The private zone of the environment; the server creates and deletes its only record.

    CloudFormation deletes only an empty zone. The server deletes its record when the stack is deleted, and the stack
    ends the server before the zone, which its user data refers to.
    """
    return layer.add(
        HostedZone(
            "SearchZone",
            Name=Sub(ZONE_NAME),
            HostedZoneConfig=HostedZoneConfiguration(
                Comment="Private names; records are the servers' own"
            ),
            VPCs=[HostedZoneVPCs(VPCId=layer.parameter(VPC_ID), VPCRegion=Ref("AWS::Region"))],
            HostedZoneTags=Tags(**layer.tags()),
        )
    )
