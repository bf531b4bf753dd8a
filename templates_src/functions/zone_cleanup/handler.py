"""Custom resource: deletes the records that remain in a private hosted zone when the stack is deleted.

Handler: ``functions.zone_cleanup.handler.handler``. Needs no VPC. Memory 256 MB is ample, a time-out of 60 s too.

Properties of the resource (``Custom::ZoneCleanup``):

HostedZoneId
    The zone of the same stack.
KeptRecord
    The record that the stack owns, which CloudFormation deletes.

Create and Update do nothing. Delete deletes every other record of the zone except NS and SOA, but only while the stack
is being deleted or while its creation is being rolled back. Delete also runs when an update that added the resource is
rolled back: the records must stay then, because a server of the previous release answers under one of them.

Answers SUCCESS in every case: a record that cannot be deleted makes Route 53 refuse the deletion of the zone, and
CloudFormation then shows that reason. The function's log shows why the record remains.

Permissions: ``cloudformation:DescribeStacks`` on the stack; ``route53:ListResourceRecordSets`` and
``route53:ChangeResourceRecordSets`` (DELETE) on the zone; its own log group.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import botocore.exceptions

from ..custom_resource import LambdaContext, ProvisioningError, Request, Result, serve
from ..stack_status import CLIENT, ENVIRONMENT_ENDS, stack_status

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

PHYSICAL_ID = "zone-cleanup"
REQUIRED = ("NS", "SOA")
"""Route 53 deletes these with the zone."""


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Answer one request of CloudFormation; see the module's docstring."""
    serve(event, context, provide, PHYSICAL_ID)


def provide(request: Request) -> Result:
    """Delete the records if the request is the deletion of the stack."""
    if request.type == "Delete":
        try:
            if stack_status(request.stack_id) in ENVIRONMENT_ENDS:
                delete_records(request.properties["HostedZoneId"], request.properties["KeptRecord"])
        except (
            ProvisioningError,
            botocore.exceptions.BotoCoreError,
            botocore.exceptions.ClientError,
        ) as error:
            LOGGER.warning("records remain: %s", error)
    return Result(request.physical_id or PHYSICAL_ID)


def delete_records(zone: str, kept: str) -> None:
    """Delete every record of the zone except NS, SOA and ``kept``, each in one call."""
    route53 = boto3.client("route53", config=CLIENT)
    for record in list(records(route53, zone)):
        if record["Type"] in REQUIRED or record["Name"].rstrip(".") == kept:
            continue
        LOGGER.info("deleting %s %s", record["Type"], record["Name"])
        route53.change_resource_record_sets(
            HostedZoneId=zone,
            ChangeBatch={"Changes": [{"Action": "DELETE", "ResourceRecordSet": record}]},
        )


def records(route53: Any, zone: str) -> Iterator[dict[str, Any]]:
    """Every record of the zone."""
    for page in route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone):
        yield from page["ResourceRecordSets"]
