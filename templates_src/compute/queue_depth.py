"""Queue depth: a function measures it every minute, because AWS publishes no metric of the length of a Valkey list.

The docstring of ``functions/queue_depth/handler.py`` says what the function reads, publishes and needs.
"""

from __future__ import annotations

from typing import Any

from awacs import ecs as ecs_actions
from awacs import kms, secretsmanager
from awacs.aws import Allow, ArnLike, Condition, Statement, StringEquals
from troposphere import GetAtt, If, Ref, Sub
from troposphere.awslambda import Function
from troposphere.ecs import Cluster, Service

from templates_src.core.cache_mode import use_serverless
from templates_src.core.function import add_function
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import FALSE, TRUE, Declaration
from templates_src.core.parameters.shared import celery_key_prefix, metric_namespace
from templates_src.core.parameters.wiring.data import (
    CACHE_HOST,
    CACHE_PORT,
    CACHE_USER_NAME,
    CACHE_USER_SECRET_ARN,
)
from templates_src.core.parameters.wiring.secrets import CACHE_SECOND_SECRET_ARN, CACHE_SECRET_ARN
from templates_src.core.parameters.wiring.security import KEY_ARN
from templates_src.core.schedule import add_schedule
from templates_src.security.roles import publish_metrics

# The metrics that the function publishes, with the dimensions ClusterName and ServiceName.
QUEUE_DEPTH, BACKLOG_PER_TASK = "QueueDepth", "BacklogPerTask"
DELAYED_JOBS, QUEUE_STALLED_SECONDS = "DelayedJobs", "QueueStalledSeconds"
# The last two only if the application shows signs of life.
BEAT_SILENT_SECONDS, SILENT_WORKERS = "BeatSilentSeconds", "SilentWorkers"
# Target tracking reads one value a minute, the finest that CloudWatch keeps of a standard metric.
SCHEDULE = "rate(1 minute)"
# The time-outs of the calls in functions/queue_depth are shorter.
TIMEOUT_SECONDS = 30
QUEUE_NAME = "[A-Za-z0-9_.-]+"

WORKER_QUEUES = Declaration(
    name="WorkerQueues",
    group=groups.WORKERS,
    label="Worker: queues",
    description="Celery queues to measure, each once, separated by commas: the queues of WorkerCommand (--queues).",
    default="celery",
    pattern=f"{QUEUE_NAME}(,{QUEUE_NAME})*",
    message="WorkerQueues must be names of Celery queues, separated by commas without spaces, such as celery,reports.",
)


def add_queue_depth(layer: Layer, cluster: Cluster, service: Service) -> Function:
    """The function that measures the worker's queues, and its schedule."""
    function = add_function(
        layer,
        "queue_depth",
        description="Publishes how many jobs of the Celery queues can be done now, and how many for each worker task",
        timeout_seconds=TIMEOUT_SECONDS,
        environment=environment(layer, cluster, service),
        statements=(*read_password(layer), count_tasks(cluster, service), publish_metrics()),
        inside_vpc=True,
    )
    add_schedule(
        layer, "QueueDepth", function, rate=SCHEDULE, description="Measures the Celery queues"
    )
    return function


def environment(layer: Layer, cluster: Cluster, service: Service) -> dict[str, Any]:
    """The function's environment variables, without the password, which stays in the secret."""
    return {
        "CACHE_HOST": layer.parameter(CACHE_HOST),
        "CACHE_PORT": layer.parameter(CACHE_PORT),
        "CACHE_USER": layer.parameter(CACHE_USER_NAME),
        "CACHE_SECRET_ARN": layer.parameter(CACHE_USER_SECRET_ARN),
        "CACHE_KEY_PREFIX": celery_key_prefix(),
        "CLUSTER_MODE": If(use_serverless(layer), TRUE, FALSE),
        "QUEUES": layer.parameter(WORKER_QUEUES),
        "CLUSTER": Ref(cluster),
        "SERVICE": GetAtt(service, "Name"),
        "METRIC_NAMESPACE": metric_namespace(),
    }


def read_password(layer: Layer) -> tuple[Statement, Statement]:
    """Read the password of the cache user in use, and decrypt only secrets.

    It covers both users: after the update of the role and before that of the function, the function still uses the
    former one.
    """
    return (
        Statement(
            Sid="ReadTheCachePassword",
            Effect=Allow,
            Action=[secretsmanager.GetSecretValue],
            Resource=[
                layer.parameter(CACHE_SECRET_ARN),
                layer.parameter(CACHE_SECOND_SECRET_ARN),
            ],
        ),
        Statement(
            Sid="DecryptThroughSecretsManagerOnly",
            Effect=Allow,
            Action=[kms.Decrypt],
            Resource=[layer.parameter(KEY_ARN)],
            Condition=Condition(
                StringEquals({"kms:ViaService": Sub("secretsmanager.${AWS::Region}.amazonaws.com")})
            ),
        ),
    )


def count_tasks(cluster: Cluster, service: Service) -> Statement:
    """Read the number of running worker tasks."""
    return Statement(
        Sid="CountTheWorkersTasks",
        Effect=Allow,
        Action=[ecs_actions.DescribeServices],
        Resource=[Ref(service)],
        Condition=Condition(ArnLike({"ecs:cluster": GetAtt(cluster, "Arn")})),
    )
