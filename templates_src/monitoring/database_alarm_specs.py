"""The alarms of the database."""

from __future__ import annotations

from templates_src.monitoring.alarms import BELOW, BREACHING, AlarmSpec, MetricMath, MetricStatistic
from templates_src.monitoring.database_storage import ALLOCATED_STORAGE, MINUTES
from templates_src.monitoring.metrics import (
    AVERAGE,
    DATABASE,
    DATABASE_STORAGE,
    MAXIMUM,
    MINIMUM,
    SAMPLE_COUNT,
)
from templates_src.monitoring.thresholds import (
    DATABASE_CONNECTIONS_THRESHOLD,
    DATABASE_FREE_MEMORY_THRESHOLD,
)

MIB = 2**20


def storage_alarm_specs() -> list[AlarmSpec]:
    """The alarm of the free storage in percent of the allocated storage, and the alarm of its second metric."""
    return [
        AlarmSpec(
            title="DatabaseFreeStorageTooLow",
            # RDS grows the storage when 10 % or less is free; less free storage than that means that it cannot grow.
            # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
            # A run of the function can fall into the next period, which leaves one without a number.
            reads=MetricMath(
                "100 * free / FILL(allocated, REPEAT)",
                {
                    "free": MetricStatistic(DATABASE.metric("FreeStorageSpace"), MINIMUM),
                    "allocated": MetricStatistic(
                        DATABASE_STORAGE.metric(ALLOCATED_STORAGE), MAXIMUM
                    ),
                },
            ),
            threshold=8,
            compare=BELOW,
            minutes=MINUTES,
            periods=3,
            action="The database is nearly full and does not grow: it is at DatabaseMaxAllocatedStorage, RDS "
            "still optimizes the last growth, or it grew four times in a day. Raise the ceiling, or remove data; a full database stops.",
        ),
        AlarmSpec(
            title="DatabaseStorageMissing",
            reads=MetricStatistic(DATABASE_STORAGE.metric(ALLOCATED_STORAGE), SAMPLE_COUNT),
            threshold=1,
            compare=BELOW,
            minutes=MINUTES,
            periods=6,
            missing=BREACHING,
            action="The allocated storage of the database is unknown, so DatabaseFreeStorageTooLow cannot be raised. "
            "See the log of the function that reads it, and whether its schedule is on.",
        ),
    ]


def database_alarm_specs() -> list[AlarmSpec]:
    """The database instance."""
    return [
        AlarmSpec(
            title="DatabaseCpuTooHigh",
            reads=MetricStatistic(DATABASE.metric("CPUUtilization"), AVERAGE),
            threshold=85,
            periods=15,
            missing=BREACHING,
            action="The database is short of CPU, or reports nothing because it is stopped or failing. "
            "See the instance's state, then the top SQL in Database Insights; otherwise a larger class.",
        ),
        *storage_alarm_specs(),
        AlarmSpec(
            title="DatabaseFreeMemoryTooLow",
            reads=MetricMath(
                f"free / {MIB}",
                {"free": MetricStatistic(DATABASE.metric("FreeableMemory"), MINIMUM)},
            ),
            threshold=DATABASE_FREE_MEMORY_THRESHOLD,
            compare=BELOW,
            minutes=5,
            periods=3,
            action="The database is short of memory and will swap or restart. "
            "See connections and large sorts; otherwise a larger DatabaseInstanceClass.",
        ),
        AlarmSpec(
            title="DatabaseConnectionsTooHigh",
            reads=MetricStatistic(DATABASE.metric("DatabaseConnections"), MAXIMUM),
            threshold=DATABASE_CONNECTIONS_THRESHOLD,
            periods=5,
            action="The database will soon refuse connections. Look for a pool that leaks or is too large for the "
            "number of tasks; otherwise a larger DatabaseInstanceClass.",
        ),
    ]
