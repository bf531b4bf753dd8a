"""Every five minutes: the allocated storage of the database, which AWS publishes in no metric.

Handler: ``functions.database_storage.handler.handler``, invoked by a schedule (the event is not read). Needs no VPC. Memory 256 MB,
time-out 30 s, no retries: the next run measures again.

Environment, all of it required:

DATABASE
    The identifier of the RDS instance.
METRIC_NAMESPACE
    The namespace of the metric AllocatedStorage, which has the dimension DBInstanceIdentifier and the unit Bytes, as RDS's own
    metric FreeStorageSpace has.

Permissions: ``rds:DescribeDBInstances`` on the instance, ``cloudwatch:PutMetricData`` under the condition
``cloudwatch:namespace``, its own log group.

A failure is raised, so that the alarm on missing data shows it. Returns the published number, for the log and for
tests.
"""

import logging
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
import botocore.config

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

CLIENT = botocore.config.Config(
    connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 2}
)
"""Two calls in the worst case stay within the function's 30 s."""

BYTES_PER_GIB = 1024**3
METRIC = "AllocatedStorage"


class ConfigurationError(Exception):
    """A variable of the environment is missing."""


def handler(event: object, context: object) -> dict[str, int]:  # noqa: ARG001 (Lambda's signature)
    """Read and publish once; see the module's docstring."""
    database = required(os.environ, "DATABASE")
    namespace = required(os.environ, "METRIC_NAMESPACE")
    found = _client("rds").describe_db_instances(DBInstanceIdentifier=database)
    allocated = int(found["DBInstances"][0]["AllocatedStorage"]) * BYTES_PER_GIB
    _client("cloudwatch").put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": METRIC,
                "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": database}],
                "Unit": "Bytes",
                "Value": allocated,
            }
        ],
    )
    LOGGER.info("%s has %d bytes of storage", database, allocated)
    return {METRIC: allocated}


def required(environment: Mapping[str, str], name: str) -> str:
    """The value of a variable. Raises ConfigurationError if it is missing."""
    value = environment.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"{name} is not set.")
    return value


@cache
def _client(service: str) -> Any:
    return boto3.client(service, config=CLIENT)
