"""A hook of taskcat: turns off deletion protection of the stacks of a test, so that taskcat can delete them.

prod requires deletion protection to launch, AWS refuses to delete protected resources, and taskcat has no step in between.
taskcat imports the hook by the name of this module, for the tests of taskcat.yml with `posthooks: [{type: protection}]`,
after it has started to create their stacks. The hook changes only resources of these stacks.
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
# A creation takes half an hour, and CloudFormation throttles frequent calls.
POLL_SECONDS = 30.0
# The number of attempts for a database that is still being created: one hour.
ATTEMPTS = 120
DATABASE = "AWS::RDS::DBInstance"
LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
NESTED = "AWS::CloudFormation::Stack"


class Hook(BaseTaskcatHook):  # type: ignore[misc]
    """Waits until the stacks of a test succeed or fail, and turns protection off.

    Raises TaskCatException with everything that is still protected, after it has tried everything.
    """

    def __init__(
        self, hook_config: Any, config: Any, test: Any, parameters: Any, outputs: Any
    ) -> None:
        super().__init__(hook_config, config, test, parameters, outputs)
        protected: list[str] = []
        for region in test.regions:
            LOG.info(
                f"{test.name} {region.name} is being created; waiting to turn its protection off"
            )
            try:
                if wait_for_creation(region.client("cloudformation"), test.stack_name):
                    protected += still_protected(region, test.stack_name)
            except (ClientError, BotoCoreError) as error:
                protected.append(f"{test.stack_name} in {region.name}: {error}")
        if protected:
            raise TaskCatException(f"still protected: {'; '.join(protected)}")


def wait_for_creation(cloudformation: Any, stack: str) -> bool:
    """Wait until a stack is no longer being created; False if it was refused and never existed."""
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
    """Turn off protection of a stack and its resources; yields what is still protected, with the reason."""
    try:
        # This includes the nested stacks. The function of the stack turns protection on last, so the stack is complete.
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
    """Type and physical ID of each resource of a stack and its nested stacks."""
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for listed in page["StackResourceSummaries"]:
            name = listed.get("PhysicalResourceId")
            if name:
                yield listed["ResourceType"], name
            if name and listed["ResourceType"] == NESTED:
                yield from resources(cloudformation, name)


def unprotect(region: Any, kind: str, name: str) -> None:
    """Turn off deletion protection of a database or a load balancer."""
    if kind == DATABASE:
        database = region.client("rds")
        # If another resource failed, the database can still be in creation and accept no change.
        database.get_waiter("db_instance_available").wait(
            DBInstanceIdentifier=name,
            WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": ATTEMPTS},
        )
        database.modify_db_instance(
            DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True
        )
    elif kind == LOAD_BALANCER:
        region.client("elbv2").modify_load_balancer_attributes(
            LoadBalancerArn=name,
            Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}],
        )
