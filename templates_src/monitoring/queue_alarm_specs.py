"""The alarms of the Celery queues, whose depth a function measures every minute."""

from __future__ import annotations

from templates_src.compute.queue_depth import (
    BEAT_SILENT_SECONDS,
    QUEUE_DEPTH,
    QUEUE_STALLED_SECONDS,
    SILENT_WORKERS,
)
from templates_src.monitoring.alarms import BELOW, BREACHING, AlarmSpec, MetricStatistic
from templates_src.monitoring.metrics import (
    MAXIMUM,
    MINIMUM,
    QUEUE_DEPTH_FUNCTION,
    QUEUES,
    SAMPLE_COUNT,
    SUM,
)
from templates_src.monitoring.thresholds import QUEUE_DEPTH_THRESHOLD, QUEUE_STALLED_THRESHOLD


def queue_alarm_specs() -> list[AlarmSpec]:
    """The alarms of the queues, their workers and beat, and of the function that measures the queues."""
    return [
        AlarmSpec(
            title="QueueDepthTooHigh",
            # The minimum of each period: a burst that the workers process raises no alarm.
            reads=MetricStatistic(QUEUES.metric(QUEUE_DEPTH), MINIMUM),
            threshold=QUEUE_DEPTH_THRESHOLD,
            periods=30,
            action="Many jobs that can be done now have waited for half an hour. If the workers are at WorkerMaxTasks, raise it; "
            "if fewer run, see the service's events; if none ends, see the workers' log for one that hangs.",
        ),
        AlarmSpec(
            title="QueueStalled",
            reads=MetricStatistic(QUEUES.metric(QUEUE_STALLED_SECONDS), MAXIMUM),
            threshold=QUEUE_STALLED_THRESHOLD,
            periods=1,
            action="Jobs wait in a queue and no worker takes them. The log of the queue-depth function names the queue (Stalled). "
            "If WorkerCommand does not name it (--queues), add it; if the workers hang, stop their tasks and ECS starts "
            "others; if every job takes this long, raise QueueStalledThreshold.",
        ),
        AlarmSpec(
            title="WorkersSilent",
            reads=MetricStatistic(QUEUES.metric(SILENT_WORKERS), MINIMUM),
            threshold=0,
            # A worker ends after ten minutes without progress, and its successor starts.
            periods=15,
            action="A worker runs but shows no sign of life. It ends without progress after ten minutes, with its stack in the log, and "
            "ECS starts another; if it does not, stop its task. If every worker is silent, see the cache.",
        ),
        AlarmSpec(
            title="BeatSilent",
            reads=MetricStatistic(QUEUES.metric(BEAT_SILENT_SECONDS), MAXIMUM),
            # The ten minutes after which beat ends, and five for its successor.
            threshold=900,
            periods=1,
            action="Beat runs but schedules nothing, or does not run. It ends without progress after ten minutes, with its stack in "
            "the log, and ECS starts another; if it does not, stop its task. See its log for errors of the cache.",
        ),
        *measurement_alarm_specs(),
    ]


def measurement_alarm_specs() -> list[AlarmSpec]:
    """The alarms of the function that measures the queues."""
    return [
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
