"""ECS task protection: a worker protects its own task from scale-in and deployments while it has jobs."""

from __future__ import annotations

from awacs import ecs as ecs_actions
from awacs.aws import Allow, Statement
from troposphere import Sub
from troposphere.ecs import Cluster
from troposphere.iam import PolicyType

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters.wiring.security import WORKER_TASK_ROLE_NAME


def allow_protection(layer: Layer, cluster: Cluster) -> PolicyType:
    """The worker's task role can change the protection of tasks in this cluster.

    The endpoint of the ECS agent, which a container calls, changes only the container's own task. The wildcard is for the
    IDs of tasks, which exist only when they start.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
    """
    tasks = f"arn:${{AWS::Partition}}:ecs:${{AWS::Region}}:${{AWS::AccountId}}:task/${{{cluster.title}}}/*"
    return layer.add(
        PolicyType(
            "TaskProtectionPolicy",
            PolicyName="protect-tasks",
            Roles=[layer.parameter(WORKER_TASK_ROLE_NAME)],
            PolicyDocument=iam.document(
                Statement(
                    Sid="ProtectTasksOfThisCluster",
                    Effect=Allow,
                    Action=[ecs_actions.UpdateTaskProtection],
                    Resource=[Sub(tasks)],
                )
            ),
        )
    )
