"""Allocated storage of the database: a function publishes it, because no metric of AWS has it.

Storage autoscaling changes the allocation, so the parameter DatabaseAllocatedStorage is the size of the first day only. What
the function reads, publishes and needs stands in the docstring of ``functions/database_storage/handler.py``.
"""

from __future__ import annotations

from awacs import rds as rds_actions
from awacs.aws import Allow, Statement
from troposphere import Sub

from templates_src.core.function import add_function
from templates_src.core.layer import Layer
from templates_src.core.parameters.shared import metric_namespace
from templates_src.core.schedule import add_schedule
from templates_src.monitoring.metrics import DATABASE_INSTANCE_ID
from templates_src.security.roles import publish_metrics

# The metric that the function publishes.
ALLOCATED_STORAGE = "AllocatedStorage"
# Of the alarm that reads the metric; RDS waits 5 minutes at a low level before it grows the storage.
MINUTES = 5
TIMEOUT_SECONDS = 30


def add_database_storage(layer: Layer) -> None:
    """The function that publishes the allocated storage, and its schedule."""
    function = add_function(
        layer,
        "database_storage",
        description="Publishes how much storage RDS has allocated to the database",
        timeout_seconds=TIMEOUT_SECONDS,
        environment={
            "DATABASE": layer.parameter(DATABASE_INSTANCE_ID),
            "METRIC_NAMESPACE": metric_namespace(),
        },
        statements=(read_database(), publish_metrics()),
    )
    add_schedule(
        layer,
        "DatabaseStorage",
        function,
        rate=f"rate({MINUTES} minutes)",
        description="Reads the allocated storage of the database",
    )


def read_database() -> Statement:
    """Read the description of this database."""
    return Statement(
        Sid="ReadTheAllocatedStorage",
        Effect=Allow,
        Action=[rds_actions.DescribeDBInstances],
        Resource=[
            Sub(
                "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:db:"
                f"${{{DATABASE_INSTANCE_ID.name}}}"
            )
        ],
    )
