"""The deployed environment: the values and outputs of its nested stacks, and the storage of its database.

If a read fails, the update continues, and CloudFormation rolls back if AWS refuses a value. Only a check of something
that AWS does not refuse makes its own call, and refuses if the call fails (`snapshot.py`).
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

NESTED = "AWS::CloudFormation::Stack"
LAYERS = ("Network", "Data")
"""Logical IDs of the nested stacks whose values the checks compare."""


class Deployed:
    """The environment of a root stack, read on first use; empty without a stack ID."""

    def __init__(self, stack_id: str, clients: Callable[[str], Any]) -> None:
        self._stack_id, self._clients = stack_id, clients

    @cached_property
    def _stacks(self) -> list[Mapping[str, Any]]:
        """The descriptions of the nested stacks in LAYERS."""
        if not self._stack_id:
            return []
        try:
            return list(self._described())
        except (BotoCoreError, ClientError) as error:
            LOGGER.warning("the nested stacks cannot be read: %s", error)
            return []

    def _described(self) -> Iterator[Mapping[str, Any]]:
        client = self._clients("cloudformation")
        for layer in LAYERS:
            found = client.describe_stack_resources(
                StackName=self._stack_id, LogicalResourceId=layer
            )
            for resource in found["StackResources"]:
                if resource["ResourceType"] == NESTED and resource.get("PhysicalResourceId"):
                    stack = client.describe_stacks(StackName=resource["PhysicalResourceId"])
                    yield stack["Stacks"][0]

    @cached_property
    def values(self) -> Mapping[str, str]:
        """The parameters of the nested stacks, by name."""
        return {
            each["ParameterKey"]: each.get("ParameterValue", "")
            for stack in self._stacks
            for each in stack.get("Parameters", [])
        }

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the nested stacks, by name."""
        return {
            each["OutputKey"]: each.get("OutputValue", "")
            for stack in self._stacks
            for each in stack.get("Outputs", [])
        }

    @cached_property
    def allocated_storage(self) -> int | None:
        """The allocated storage of the database, in GiB; None if it cannot be read."""
        identifier = self.outputs.get("DatabaseInstanceId")
        if not identifier:
            return None
        try:
            found = self._clients("rds").describe_db_instances(DBInstanceIdentifier=identifier)
        except (BotoCoreError, ClientError) as error:
            LOGGER.warning("the database cannot be read: %s", error)
            return None
        return int(found["DBInstances"][0]["AllocatedStorage"])
