"""The alarms of the Celery queues, whose depth a function measures every minute."""

from __future__ import annotations

from templates_src.compute.queue_depth import QUEUE_DEPTH
from templates_src.monitoring.alarms import BELOW, BREACHING, AlarmSpec, MetricStatistic
from templates_src.monitoring.metrics import (
    MINIMUM,
    QUEUE_DEPTH_FUNCTION,
    QUEUES,
    SAMPLE_COUNT,
    SUM,
)
from templates_src.monitoring.thresholds import QUEUE_DEPTH_THRESHOLD


def queue_alarm_specs() -> list[AlarmSpec]:
    """The alarms of the queues, and of the function that worker scaling depends on."""
    return [
        AlarmSpec(
            title="QueueDepthTooHigh",
            # The minimum of each period: a burst that the workers process raises no alarm.
            reads=MetricStatistic(QUEUES.metric(QUEUE_DEPTH), MINIMUM),
            threshold=QUEUE_DEPTH_THRESHOLD,
            periods=30,
            action="Jobs have waited in large numbers for half an hour. If the workers are at WorkerMaxTasks, raise it; "
            "if fewer run, see the service's events; if none ends, see the workers' log for one that hangs.",
        ),
        AlarmSpec(
            title="QueueDepthErrors",
            reads=MetricStatistic(QUEUE_DEPTH_FUNCTION.metric("Errors"), SUM),
            # A failover of the cache makes one or two measurements fail.
            threshold=2,
            minutes=5,
            periods=1,
            action="The queues cannot be measured, so the workers do not scale. The function's log names the reason: "
            "the cache, its password, the service, or a missing permission of the function's role.",
        ),
        AlarmSpec(
            title="QueueDepthMissing",
            reads=MetricStatistic(QUEUES.metric(QUEUE_DEPTH), SAMPLE_COUNT),
            threshold=1,
            compare=BELOW,
            periods=10,
            missing=BREACHING,
            action="The queues are not measured, so the workers do not scale. See the alarm QueueDepthErrors; "
            "without errors the function does not run: see whether its schedule is on.",
        ),
    ]
