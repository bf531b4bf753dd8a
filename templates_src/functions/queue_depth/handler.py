"""Once a minute: the jobs of the Celery queues that can be done now, and how many for each running worker task.

Handler: ``functions.queue_depth.handler.handler``, invoked by a schedule (the event is not read). Runs in subnets that reach the
cache, ECS, CloudWatch and Secrets Manager. Memory 256 MB (more memory is more CPU: importing boto3 and the client is most of the
work), time-out 30 s, no retries: the next minute measures again.

Environment, all of it required unless it says otherwise:

CACHE_HOST, CACHE_PORT, CACHE_USER
    The cache and the user to sign in as. Of Valkey's commands the user needs LLEN, LINDEX, LRANGE, HLEN, HSCAN, SRANDMEMBER,
    ZCOUNT, EXISTS, GET, SET, MULTI and EXEC, in cluster mode CLUSTER SLOTS.
CACHE_SECRET_ARN
    The user's password: a secret that is the password itself, or a JSON object with ``password``.
CACHE_KEY_PREFIX
    Celery's global_keyprefix, braces included ("{carbon-dev}:"): every key gets it, so all of them are in one slot.
QUEUES
    Optional: queue names with commas between them, default "celery".
CLUSTER, SERVICE
    The worker's ECS cluster and service, as names or ARNs.
METRIC_NAMESPACE
    Of the metrics, with the dimensions ClusterName and ServiceName (names, never ARNs).
CLUSTER_MODE
    "true" for ElastiCache Serverless and every other cache that shards, "false" for one that does not.
CACHE_CA_FILE
    Optional: a PEM file of roots that are trusted beside the system's. Verification of chain and name stays on whatever it holds.

Permissions: ``secretsmanager:GetSecretValue`` and ``kms:Decrypt`` for the secret, ``ecs:DescribeServices`` on the service,
``cloudwatch:PutMetricData`` under the condition ``cloudwatch:namespace``, the network interfaces of a function in a VPC, its own
log group.

QueueDepth counts the messages of every priority in each queue, and those that workers hold unacknowledged (Celery's
hash of them has no queue names: it contains those of every queue with the prefix), without the delayed ones. BacklogPerTask
is QueueDepth divided by the running tasks, or by 1 while none runs, so that a backlog without a worker is visible.
DelayedJobs counts the messages with a ``countdown`` or ``eta`` that has not passed: a worker takes them and holds them until
then, and another worker cannot do them sooner. Of many messages, the function reads a sample (``messages.py``).
QueueStalledSeconds is the longest time in which no job was taken from a queue that is not empty (``progress.py``).
BeatSilentSeconds and SilentWorkers, the running tasks without a recent sign of life, are published if the application shows signs
(docs/container-contract.md).

Every failure is raised, so that the function's Errors metric and the missing data show it: an unmeasured zero would
scale the workers in. Returns the published numbers, for the log and for tests.
"""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.config

from .broker import Cache, read_jobs

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

CLIENT = botocore.config.Config(
    connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 2}
)
"""Three calls in the worst case stay within the function's 30 s, together with the time-outs of the cache."""


class ConfigurationError(Exception):
    """A variable of the environment is missing or wrong."""


class ServiceError(Exception):
    """The worker's service does not exist, or its secret has no password."""


@dataclass(frozen=True)
class Settings:
    """The environment, checked."""

    host: str
    port: int
    user: str
    secret_arn: str
    prefix: str
    queues: tuple[str, ...]
    cluster: str
    service: str
    namespace: str
    cluster_mode: bool
    ca_file: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables. Raises ConfigurationError with the name of the invalid one."""

        def required(name: str) -> str:
            value = environment.get(name, "").strip()
            if not value:
                raise ConfigurationError(f"{name} is not set.")
            return value

        port, mode = required("CACHE_PORT"), required("CLUSTER_MODE")
        if not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ConfigurationError("CACHE_PORT must be a number from 1 to 65535.")
        if mode not in ("true", "false"):
            raise ConfigurationError("CLUSTER_MODE must be true or false.")
        queues = tuple(name.strip() for name in environment.get("QUEUES", "celery").split(","))
        if not all(queues) or len(set(queues)) < len(queues):
            raise ConfigurationError("QUEUES must be names with commas between them, each once.")
        return cls(
            host=required("CACHE_HOST"),
            port=int(port),
            user=required("CACHE_USER"),
            secret_arn=required("CACHE_SECRET_ARN"),
            prefix=_prefix(required("CACHE_KEY_PREFIX"), mode == "true"),
            queues=queues,
            cluster=required("CLUSTER"),
            service=required("SERVICE"),
            namespace=required("METRIC_NAMESPACE"),
            cluster_mode=mode == "true",
            ca_file=environment.get("CACHE_CA_FILE") or None,
        )


def handler(event: object, context: object) -> dict[str, float]:  # noqa: ARG001 (Lambda's signature)
    """Measure and publish once; see the module's docstring."""
    settings = Settings.from_environment(os.environ)
    cache = Cache(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=_password(settings.secret_arn),
        cluster_mode=settings.cluster_mode,
        ca_file=settings.ca_file,
    )
    jobs = read_jobs(cache, settings.prefix, settings.queues)
    running = _running_tasks(settings)
    metrics = {
        "QueueDepth": float(jobs.due),
        "BacklogPerTask": jobs.due / max(running, 1),
        "DelayedJobs": float(jobs.delayed),
        "QueueStalledSeconds": max(jobs.stalled.values(), default=0.0),
    }
    if jobs.beat_silent is not None:
        metrics["BeatSilentSeconds"] = jobs.beat_silent
    if jobs.workers is not None:
        metrics["SilentWorkers"] = float(max(0, running - jobs.workers))
    _publish(settings, metrics)
    # The seconds of each queue, because the alarm names no queue.
    stalled = {queue: round(seconds) for queue, seconds in jobs.stalled.items()}
    LOGGER.info("%s", json.dumps({**metrics, "RunningTasks": running, "Stalled": stalled}))
    return {**metrics, "RunningTasks": float(running)}


def _prefix(value: str, cluster_mode: bool) -> str:
    """The key prefix. In cluster mode its hash tag, the text in braces, keeps all keys in one slot."""
    opening, closing = value.find("{"), value.find("}")
    if cluster_mode and not 0 <= opening < closing - 1:
        raise ConfigurationError("CACHE_KEY_PREFIX must hold a part in braces in cluster mode.")
    return value


def _password(secret_arn: str) -> str:
    client = boto3.client("secretsmanager", config=CLIENT)
    text = client.get_secret_value(SecretId=secret_arn).get("SecretString", "")
    password: object = text
    if text.startswith("{"):
        try:
            password = json.loads(text).get("password")
        except ValueError:
            # Without the message of the parser, which quotes the secret.
            raise ServiceError(f"The secret {secret_arn} is not valid JSON.") from None
    if not isinstance(password, str) or not password:
        raise ServiceError(f"The secret {secret_arn} holds no password.")
    return password


def _running_tasks(settings: Settings) -> int:
    answer = boto3.client("ecs", config=CLIENT).describe_services(
        cluster=settings.cluster, services=[settings.service]
    )
    found = [service for service in answer["services"] if service["status"] != "INACTIVE"]
    if len(found) != 1:
        reasons = ", ".join(str(failure.get("reason")) for failure in answer.get("failures", []))
        raise ServiceError(
            f"The service {settings.service} is not in the cluster {settings.cluster}: {reasons or 'INACTIVE'}."
        )
    return int(found[0]["runningCount"])


def _publish(settings: Settings, metrics: Mapping[str, float]) -> None:
    dimensions = [
        {"Name": "ClusterName", "Value": _name(settings.cluster)},
        {"Name": "ServiceName", "Value": _name(settings.service)},
    ]
    data: list[dict[str, Any]] = [
        {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": _unit(name)}
        for name, value in metrics.items()
    ]
    boto3.client("cloudwatch", config=CLIENT).put_metric_data(
        Namespace=settings.namespace, MetricData=data
    )


def _name(name_or_arn: str) -> str:
    """The name of a cluster or service: the last part of its ARN."""
    return name_or_arn.rsplit("/", 1)[-1]


def _unit(metric: str) -> str:
    """The unit of a metric."""
    return "Seconds" if metric.endswith("Seconds") else "Count"
