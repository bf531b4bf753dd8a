"""Refuses a launch or an update that cannot succeed, before CloudFormation creates or changes anything.

A launch that can succeed first gets the service-linked roles that the account lacks (`service_linked_roles.py`).

Handler: ``functions.launch_check.handler.handler``. Needs no VPC. Every nested stack of the root waits for this custom resource.

Properties: the parameters that templates_src/guards/launch_check.py names. Create and Update run every check of ``checks.py``;
Delete does nothing. The rollback of an update sends an Update with the previous values: it must always succeed, so it runs no check.

Permissions: ``cloudformation:DescribeStacks`` on its own root stack; what the checks read; ``iam:CreateServiceLinkedRole`` for the
services of ``service_linked_roles.SERVICES``; its own log group.
"""

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ..custom_resource import LambdaContext, ProvisioningError, Request, Result, serve
from ..stack_status import CLIENT, CREATION, is_update_rollback, stack_status
from .checks import CHECKS
from .launch import Launch
from .service_linked_roles import create_missing

LOGGER = logging.getLogger(__name__)
PHYSICAL_ID = "launch-check"


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Answer one request of CloudFormation."""
    serve(event, context, check, PHYSICAL_ID)


def check(request: Request) -> Result:
    """Run the checks. Raises ProvisioningError with the sentence of the first check that refuses."""
    result = Result(request.physical_id or PHYSICAL_ID)
    if request.type == "Delete":
        return result
    try:
        status = stack_status(request.stack_id)
    except (BotoCoreError, ClientError) as error:
        # Without the status, a rollback looks like an update, and a rollback must succeed.
        LOGGER.warning("no check runs, because the status of the stack cannot be read: %s", error)
        return result
    if is_update_rollback(status):
        return result
    launch = Launch(
        request.properties, request.old_properties, status in CREATION, request.stack_id, _client
    )
    for each in CHECKS:
        if problem := each(launch):
            raise ProvisioningError(problem)
    if launch.creates:
        create_missing(_client)
    return result


@cache
def _client(service: str) -> Any:
    return boto3.client(service, config=CLIENT)
