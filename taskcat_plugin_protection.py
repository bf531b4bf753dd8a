"""A hook of taskcat: takes deletion protection off what a test launched, so that taskcat can delete it again.

prod is refused without deletion protection, and AWS refuses to delete what has it; taskcat knows no step between the
two. It imports the hook by this module's name, for the tests of taskcat.yml with `posthooks: [{type: protection}]`,
once it has begun to create their stacks. Only what those stacks hold is touched.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from taskcat.exceptions import TaskCatException
from taskcat.testing._hooks import BaseTaskcatHook

LOG = logging.getLogger(f"taskcat.{__name__}")
# A creation takes half an hour; CloudFormation throttles who asks more often.
POLL_SECONDS = 30.0
# How often a database is asked that is still being created: for an hour.
LOOKS = 120
DATABASE = "AWS::RDS::DBInstance"
LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
NESTED = "AWS::CloudFormation::Stack"


class Hook(BaseTaskcatHook):  # type: ignore[misc]
    """Waits for the stacks of a test, however they end, and takes the protection off.

    Raises TaskCatException with all that is still protected, after it has tried everything.
    """

    def __init__(
        self, hook_config: Any, config: Any, test: Any, parameters: Any, outputs: Any
    ) -> None:
        super().__init__(hook_config, config, test, parameters, outputs)
        protected: list[str] = []
        for region in test.regions:
            LOG.info(f"{test.name} {region.name} is awaited, to take its protection off")
            try:
                if settled(region.client("cloudformation"), test.stack_name):
                    protected += still_protected(region, test.stack_name)
            except (ClientError, BotoCoreError) as error:
                protected.append(f"{test.stack_name} in {region.name}: {error}")
        if protected:
            raise TaskCatException(f"still protected: {'; '.join(protected)}")


def settled(cloudformation: Any, stack: str) -> bool:
    """Wait until a stack is no longer being created; False for one that was refused and never was."""
    while True:
        try:
            (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return False
            raise
        if described["StackStatus"] != "CREATE_IN_PROGRESS":
            return True
        time.sleep(POLL_SECONDS)


def still_protected(region: Any, stack: str) -> Iterator[str]:
    """Unprotect a stack and all that it holds; what remains protected, with the reason."""
    try:
        # For its nested stacks too. The function of the stack turns it on last, so the stack is complete.
        region.client("cloudformation").update_termination_protection(
            StackName=stack, EnableTerminationProtection=False
        )
    except (ClientError, BotoCoreError) as error:
        yield f"{stack} in {region.name}: {error}"
    for kind, name in list(resources(region.client("cloudformation"), stack)):
        try:
            unprotect(region, kind, name)
        except (ClientError, BotoCoreError) as error:
            yield f"{kind} {name} in {region.name}: {error}"


def resources(cloudformation: Any, stack: str) -> Iterator[tuple[str, str]]:
    """Type and physical ID of everything that a stack and those nested in it have made."""
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for listed in page["StackResourceSummaries"]:
            name = listed.get("PhysicalResourceId")
            if name:
                yield listed["ResourceType"], name
            if name and listed["ResourceType"] == NESTED:
                yield from resources(cloudformation, name)


def unprotect(region: Any, kind: str, name: str) -> None:
    """Let a database or a load balancer be deleted."""
    if kind == DATABASE:
        database = region.client("rds")
        # Where another resource failed it may still be being created, and takes no change.
        database.get_waiter("db_instance_available").wait(
            DBInstanceIdentifier=name,
            WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": LOOKS},
        )
        database.modify_db_instance(
            DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True
        )
    elif kind == LOAD_BALANCER:
        region.client("elbv2").modify_load_balancer_attributes(
            LoadBalancerArn=name,
            Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}],
        )
