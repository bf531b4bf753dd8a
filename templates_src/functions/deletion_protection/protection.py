"""The three protections, each set by one call and repeated while the service does not take it yet."""

import logging
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

from ..custom_resource import Deadline, ProvisioningError
from ..stack_status import CLIENT

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

PAUSE_SECONDS = 5.0
# IAM needs some seconds before a new policy holds.
POLICY_SECONDS = 60.0
DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
# RDS takes no change while it makes another one.
BUSY = frozenset({"InvalidDBInstanceState", "InvalidDBInstanceStateFault"})
GONE = frozenset({"DBInstanceNotFound", "DBInstanceNotFoundFault", "LoadBalancerNotFound"})


def protect_database(
    identifier: str, on: bool, deadline: Deadline, *, must_exist: bool = True
) -> None:
    """Set DeletionProtection of the database, unless it is set so. Raises ProvisioningError."""
    client = boto3.client("rds", config=CLIENT)

    def change() -> None:
        (found,) = client.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
        # RDS refuses a change in some states, such as storage-full: none is made without need.
        if bool(found.get("DeletionProtection")) != on:
            client.modify_db_instance(
                DBInstanceIdentifier=identifier, DeletionProtection=on, ApplyImmediately=True
            )

    _repeat(f"the database {identifier}", change, deadline, must_exist)


def protect_load_balancer(
    arn: str, on: bool, deadline: Deadline, *, must_exist: bool = True
) -> None:
    """Set deletion protection of the load balancer. Raises ProvisioningError."""
    client = boto3.client("elbv2", config=CLIENT)
    attribute = {"Key": "deletion_protection.enabled", "Value": "true" if on else "false"}

    def change() -> None:
        client.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])

    _repeat(f"the load balancer {arn}", change, deadline, must_exist)


def protect_stack(stack_id: str, on: bool, deadline: Deadline) -> None:
    """Set termination protection of the root stack, which holds for its nested stacks. Raises ProvisioningError.

    CloudFormation takes the call in every status but DELETE_IN_PROGRESS and DELETE_COMPLETE.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html
    """
    client = boto3.client("cloudformation", config=CLIENT)

    def change() -> None:
        client.update_termination_protection(StackName=stack_id, EnableTerminationProtection=on)

    _repeat(f"the stack {stack_id}", change, deadline, must_exist=True)


def _repeat(subject: str, change: Callable[[], Any], deadline: Deadline, must_exist: bool) -> None:
    policy_holds = time.monotonic() + POLICY_SECONDS
    while True:
        try:
            change()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in GONE and not must_exist:
                return
            is_early = code in DENIED and time.monotonic() < policy_holds
            if not (is_early or code in BUSY) or deadline.remaining() < PAUSE_SECONDS:
                raise ProvisioningError(
                    f"The deletion protection of {subject} cannot be changed: {code}."
                ) from error
            LOGGER.info("%s: %s; trying again", subject, code)
        else:
            return
        time.sleep(PAUSE_SECONDS)
