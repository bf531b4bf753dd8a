"""The tasks of the migration's family in the cluster: start one, look at it, stop it."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from ..custom_resource import Deadline, ProvisioningError

LOGGER = logging.getLogger(__name__)

CONTAINER = "migration"
"""Name of the container, and prefix of its log streams."""

TAG = {"key": "StartedBy", "value": "migration"}
"""By this tag the function may stop the tasks that it starts, and no others."""

CAPACITY_SECONDS = 300.0
NEW_TASK_SECONDS = 60.0
"""How long ECS may not know a task that it has just started."""

Task = Mapping[str, Any]


class Tasks:
    """The tasks of one family in one cluster; `properties` are those of the custom resource."""

    def __init__(self, ecs: Any, properties: Mapping[str, Any]) -> None:
        self._ecs, self._properties = ecs, properties
        self._cluster = str(properties["Cluster"])
        self._started_at = time.monotonic()

    @staticmethod
    def stream(task: str) -> str:
        """The log stream of a task."""
        return f"{CONTAINER}/{CONTAINER}/{identity(task)}"

    def require_none_but(self, token: str) -> None:
        """Raise ProvisioningError if a task of the family runs that another request or a person started."""
        others = [task for task in self._running() if task.get("startedBy") != token]
        if others:
            raise ProvisioningError(
                f"Task {identity(others[0]['taskArn'])} of the migration runs already, so no second one was started."
                " Wait until it has stopped, or stop it, and update again."
            )

    def start(self, token: str, deadline: Deadline) -> str:
        """Start the task and return its ARN; the same token gives the same task. Raises ProvisioningError if ECS refuses."""
        patience = Deadline.after(min(CAPACITY_SECONDS, deadline.remaining()))
        while True:
            problem = ""
            try:
                answer = self._ecs.run_task(
                    clientToken=token, startedBy=token, **self._specification()
                )
                if answer["tasks"]:
                    return str(answer["tasks"][0]["taskArn"])
                problem = ", ".join(str(each.get("reason")) for each in answer["failures"])
            except ClientError as error:
                problem = f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
                if "capacity is unavailable" not in problem.lower():
                    raise ProvisioningError(
                        f"ECS refused to start the migration: {problem}"
                    ) from error
            if patience.remaining() < 15:
                raise ProvisioningError(f"ECS could not start the migration: {problem}")
            LOGGER.warning("trying again: %s", problem)
            time.sleep(10)

    def _specification(self) -> dict[str, Any]:
        return {
            "cluster": self._cluster,
            "taskDefinition": self._properties["TaskDefinition"],
            "launchType": "FARGATE",
            "propagateTags": "TASK_DEFINITION",
            "tags": [TAG],
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": self._properties["SubnetIds"],
                    "securityGroups": self._properties["SecurityGroupIds"],
                    "assignPublicIp": "DISABLED",
                }
            },
        }

    def describe(self, task: str) -> Task | None:
        """A task; None while ECS does not know it yet. Raises ProvisioningError if ECS no longer knows it."""
        found = self._ecs.describe_tasks(cluster=self._cluster, tasks=[task])["tasks"]
        if found:
            described: Task = found[0]
            return described
        if time.monotonic() - self._started_at > NEW_TASK_SECONDS:
            raise ProvisioningError(
                f"ECS no longer knows task {identity(task)}, so the result of the migration is not known."
                f" Its log stream is {self.stream(task)}."
            )
        return None

    def stop_all(self, reason: str, deadline: Deadline) -> None:
        """Stop every task of the family and wait until they have stopped."""
        for task in self._running():
            if task["desiredStatus"] != "STOPPED":
                LOGGER.info("stopping task %s", identity(task["taskArn"]))
                self._ecs.stop_task(cluster=self._cluster, task=task["taskArn"], reason=reason)
        while deadline.remaining() > 1 and self._running():
            time.sleep(min(1.0, deadline.remaining()))

    def _running(self) -> list[Task]:
        """The tasks that have not stopped; ECS lists a task that is stopping among the stopped ones."""
        family = str(self._properties["TaskDefinition"]).rpartition("/")[2].partition(":")[0]
        arns: list[str] = []
        for status in ("RUNNING", "STOPPED"):
            pages = self._ecs.get_paginator("list_tasks").paginate(
                cluster=self._cluster, family=family, desiredStatus=status
            )
            arns.extend(arn for page in pages for arn in page["taskArns"])
        described: list[Task] = []
        for start in range(0, len(arns), 100):
            described += self._ecs.describe_tasks(
                cluster=self._cluster, tasks=arns[start : start + 100]
            )["tasks"]
        return [task for task in described if task["lastStatus"] != "STOPPED"]


def identity(task: str) -> str:
    """The ID in the ARN of a task."""
    return task.rpartition("/")[2]
