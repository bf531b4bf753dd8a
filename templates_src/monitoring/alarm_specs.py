"""The alarms, one entry each, from the edge to the data.

Missing data raises one alarm in each part of the system, not a dozen. That alarm treats missing data as breaching,
because its metric is published as long as the part works: healthy targets, running tasks, the database's CPU. The
others treat missing data as not breaching: their metrics are absent without traffic, or the first alarm covers them.
The cache has no such alarm: a serverless cache publishes nothing without use, and a node may have been removed.
"""

from __future__ import annotations

from templates_src.compute.deployment_alarms import API_RESPONSE_TIME_THRESHOLD
from templates_src.data import cache_parameters
from templates_src.monitoring.alarms import BELOW, BREACHING, AlarmSpec, MetricMath, MetricStatistic
from templates_src.monitoring.metrics import (
    API,
    AVERAGE,
    BEAT_TASKS,
    FIREWALL,
    LOAD_BALANCER,
    MAXIMUM,
    MINIMUM,
    P99,
    SERVERLESS_CACHE,
    SUM,
    TARGETS,
    WORKER,
    WORKER_TASKS,
    Metric,
    cache_node,
)
from templates_src.monitoring.thresholds import (
    WAF_BLOCKED_THRESHOLD,
)

GB = 10**9
# Below this number, a few errors in a quiet hour would be a high percentage.
LEAST_ERRORS = 10


def edge_alarm_specs() -> list[AlarmSpec]:
    """The alarms from the web ACL to the api's targets."""
    return [*load_balancer_alarm_specs(), *target_alarm_specs()]


def load_balancer_alarm_specs() -> list[AlarmSpec]:
    """The alarms of the web ACL and of the load balancer itself."""
    return [
        AlarmSpec(
            title="WafBlockedTooHigh",
            reads=MetricStatistic(FIREWALL.metric("BlockedRequests"), SUM),
            threshold=WAF_BLOCKED_THRESHOLD,
            minutes=5,
            periods=1,
            action="The firewall blocks unusually many requests. See in its log which rule and which addresses; "
            "if they are customers, correct the rule, otherwise watch the api's load.",
        ),
        AlarmSpec(
            title="LoadBalancerErrorsTooHigh",
            reads=MetricStatistic(LOAD_BALANCER.metric("HTTPCode_ELB_5XX_Count"), SUM),
            threshold=LEAST_ERRORS,
            minutes=5,
            periods=1,
            action="The load balancer itself answers 5xx: no healthy target, refused connections or time-outs. "
            "See the api's targets and the service's events.",
        ),
    ]


def api_errors_alarm_spec() -> AlarmSpec:
    """The alarm of the api's errors in percent of its requests."""
    return AlarmSpec(
        title="ApiErrorsTooHigh",
        # Without errors or requests there are no data points, so a quiet hour raises no alarm.
        reads=MetricMath(
            f"IF(errors >= {LEAST_ERRORS}, 100 * errors / requests, 0)",
            {
                "errors": MetricStatistic(TARGETS.metric("HTTPCode_Target_5XX_Count"), SUM),
                "requests": MetricStatistic(TARGETS.metric("RequestCount"), SUM),
            },
        ),
        threshold=5,
        minutes=5,
        periods=1,
        action="More than 5 in 100 requests end in an error of the api. See its log; "
        "if it began with a deployment, deploy the image before.",
    )


def target_alarm_specs() -> list[AlarmSpec]:
    """The alarms of the api's targets."""
    return [
        api_errors_alarm_spec(),
        AlarmSpec(
            title="ApiResponseTimeTooHigh",
            reads=MetricStatistic(TARGETS.metric("TargetResponseTime"), P99),
            threshold=API_RESPONSE_TIME_THRESHOLD,
            minutes=5,
            periods=3,
            action="The slowest hundredth of requests waits too long. See the api's CPU, then the database's "
            "CPU and Database Insights, then what the api calls outside.",
        ),
        AlarmSpec(
            title="UnhealthyTargetsTooHigh",
            reads=MetricStatistic(TARGETS.metric("UnHealthyHostCount"), MAXIMUM),
            threshold=0,
            periods=10,
            action="A task of the api fails its health check and is not replaced by one that passes. "
            "See the service's events and the task's log.",
        ),
        AlarmSpec(
            title="HealthyTargetsTooLow",
            reads=MetricStatistic(TARGETS.metric("HealthyHostCount"), MINIMUM),
            threshold=1,
            compare=BELOW,
            periods=3,
            missing=BREACHING,
            action="No task of the api passes its health check: the application is down. "
            "See the service's events and the log of the tasks that stopped.",
        ),
    ]


def compute_alarm_specs() -> list[AlarmSpec]:
    """The alarms of api, worker and beat."""
    return [*task_load_alarm_specs(), *task_count_alarm_specs()]


def task_load_alarm_specs() -> list[AlarmSpec]:
    """The alarms of CPU and memory of api and worker."""
    return [
        AlarmSpec(
            title="ApiCpuTooHigh",
            reads=MetricStatistic(API.metric("CPUUtilization"), AVERAGE),
            threshold=85,
            periods=15,
            action="The api is short of CPU although it scales: it is at its most tasks. Raise ApiMaxTasks or ApiCpu.",
        ),
        AlarmSpec(
            title="ApiMemoryTooHigh",
            reads=MetricStatistic(API.metric("MemoryUtilization"), AVERAGE),
            threshold=85,
            periods=15,
            action="The api is short of memory and its tasks will be killed. "
            "Look for a leak since the last deployment; otherwise raise ApiMemory.",
        ),
        AlarmSpec(
            title="WorkerCpuTooHigh",
            reads=MetricStatistic(WORKER.metric("CPUUtilization"), AVERAGE),
            threshold=90,
            periods=30,
            action="The workers are at their most tasks and still busy. Raise WorkerMaxTasks or WorkerCpu.",
        ),
        AlarmSpec(
            title="WorkerMemoryTooHigh",
            reads=MetricStatistic(WORKER.metric("MemoryUtilization"), AVERAGE),
            threshold=90,
            periods=15,
            action="The workers are short of memory and their tasks will be killed. "
            "Look for a leak since the last deployment; otherwise raise WorkerMemory.",
        ),
    ]


def task_count_alarm_specs() -> list[AlarmSpec]:
    """The alarms of worker and beat without a running task."""
    return [
        AlarmSpec(
            title="WorkerTasksTooLow",
            reads=MetricStatistic(WORKER_TASKS.metric("RunningTaskCount"), MAXIMUM),
            threshold=1,
            compare=BELOW,
            periods=10,
            missing=BREACHING,
            action="No worker runs: jobs wait. See the service's events; "
            "without Spot capacity in the region, wait or set WorkerCapacity to on-demand.",
        ),
        AlarmSpec(
            title="BeatTasksTooLow",
            reads=MetricStatistic(BEAT_TASKS.metric("RunningTaskCount"), MAXIMUM),
            threshold=1,
            compare=BELOW,
            # A deployment stops the old task before it starts the new one.
            periods=10,
            missing=BREACHING,
            action="Beat does not run: nothing that is scheduled happens. See the service's events and its last log.",
        ),
    ]


def serverless_cache_alarm_specs(condition: str) -> list[AlarmSpec]:
    """The alarms of the serverless cache, which exist in that mode."""
    return [
        AlarmSpec(
            title="CacheThrottlesTooHigh",
            reads=MetricStatistic(SERVERLESS_CACHE.metric("ThrottledCmds"), SUM),
            threshold=0,
            minutes=5,
            periods=1,
            condition=condition,
            action="The cache refuses commands: it is at CacheMaximumEcpuPerSecond or grows more slowly than the load. "
            "Raise the limit, or find the commands that cost most.",
        ),
        AlarmSpec(
            title="CacheStorageTooHigh",
            # In decimal gigabytes, the smaller of the two units, so that the alarm is early rather than late.
            reads=MetricMath(
                f"100 * used / (${{{cache_parameters.MAXIMUM_STORAGE.name}}} * {GB})",
                {"used": MetricStatistic(SERVERLESS_CACHE.metric("BytesUsedForCache"), MAXIMUM)},
            ),
            threshold=80,
            minutes=5,
            periods=1,
            condition=condition,
            action="The cache is nearly at its limit, beyond which it evicts and refuses. See whether the queues "
            "are drained and results expire; otherwise raise CacheMaximumStorageGb.",
        ),
        evictions_alarm_spec(
            "CacheEvictionsTooHigh", SERVERLESS_CACHE.metric("Evictions"), condition
        ),
    ]


def cache_node_alarm_specs(node: int, condition: str) -> list[AlarmSpec]:
    """The alarms of one node of the replication group, which exist if the group has the node."""
    metrics, title = cache_node(node), f"CacheNode{node}"
    return [
        AlarmSpec(
            title=f"{title}CpuTooHigh",
            # The CPU of the engine's single thread; the CPU of the instance looks idle when the thread is busy.
            reads=MetricStatistic(metrics.metric("EngineCPUUtilization"), AVERAGE),
            threshold=80,
            periods=10,
            condition=condition,
            action="The cache is short of CPU. Look for slow commands (KEYS, large values) and for connections that "
            "come and go; otherwise a larger CacheNodeType.",
        ),
        AlarmSpec(
            title=f"{title}MemoryTooHigh",
            reads=MetricStatistic(metrics.metric("DatabaseMemoryUsagePercentage"), MAXIMUM),
            threshold=80,
            periods=5,
            condition=condition,
            action="The cache is nearly full, and full it refuses jobs, as it evicts nothing. See whether the queues "
            "are drained and results expire; otherwise a larger CacheNodeType.",
        ),
        evictions_alarm_spec(f"{title}EvictionsTooHigh", metrics.metric("Evictions"), condition),
    ]


def evictions_alarm_spec(title: str, metric: Metric, condition: str) -> AlarmSpec:
    """The alarm of evicted keys: a broker must not evict, because a key may be a job, or the result of one."""
    return AlarmSpec(
        title=title,
        reads=MetricStatistic(metric, SUM),
        threshold=0,
        minutes=5,
        periods=1,
        condition=condition,
        action="The cache evicted keys because its memory is full, perhaps results of jobs. Free memory at once: "
        "drain the queues, shorten result expiry, or give it more memory.",
    )
