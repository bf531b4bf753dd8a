"""The dashboard: one screen that follows a request from the edge to the data, one row for each part of the system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from troposphere.cloudwatch import Alarm, Dashboard

from templates_src.compute.queue_depth import BACKLOG_PER_TASK, DELAYED_JOBS, QUEUE_DEPTH
from templates_src.core.errors import TemplateError
from templates_src.core.json_text import Choice, ConditionalEntry, json_text
from templates_src.core.layer import Layer
from templates_src.monitoring.metrics import (
    API,
    API_TASKS,
    AVERAGE,
    BEAT_TASKS,
    DATABASE,
    FIREWALL,
    LOAD_BALANCER,
    MAXIMUM,
    MINIMUM,
    P50,
    P99,
    QUEUES,
    SEARCH,
    SERVERLESS_CACHE,
    SUM,
    TARGETS,
    WORKER,
    WORKER_TASKS,
    Metric,
    cache_node,
)

# A dashboard is 24 columns wide; rows of this height fit a screen of 1080 lines together.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
GRID_COLUMNS = 24
ALARM_ROW_HEIGHT, GRAPH_ROW_HEIGHT = 3, 5
PERIOD_SECONDS = 60


def add_dashboard(
    layer: Layer, alarms: Sequence[Alarm], serverless: str, nodes: Sequence[str]
) -> Dashboard:
    """The dashboard of the environment.

    ``serverless`` is the condition for a serverless cache, ``nodes`` the conditions for each node of the replication
    group. The dashboard has no explicit name: names are unique in an account, across regions, so an environment in two
    regions would have only one dashboard.
    """
    rows = [
        (ALARM_ROW_HEIGHT, [alarm_status(alarms)]),
        (GRAPH_ROW_HEIGHT, edge_row()),
        (GRAPH_ROW_HEIGHT, compute_row()),
        (GRAPH_ROW_HEIGHT, [*cache_widgets(serverless, nodes), *database_widgets()]),
    ]
    body = {"start": "-PT3H", "widgets": placed(rows)}
    return layer.add(Dashboard("Dashboard", DashboardBody=json_text(body)))


def placed(rows: Sequence[tuple[int, Sequence[dict[str, Any]]]]) -> list[dict[str, Any]]:
    """The widgets of each row next to each other, as wide as the grid allows, row after row."""
    widgets, top = [], 0
    for height, row in rows:
        width, left_over = divmod(GRID_COLUMNS, len(row))
        if left_over:
            raise TemplateError(
                f"A dashboard row has {len(row)} widgets, but {GRID_COLUMNS} columns cannot be divided by that; "
                "use 1, 2, 3, 4 or 6."
            )
        for position, widget in enumerate(row):
            place = {"x": position * width, "y": top, "width": width, "height": height}
            widgets.append({**place, **widget})
        top += height
    return widgets


def alarm_status(alarms: Sequence[Alarm]) -> dict[str, Any]:
    """The state of every alarm."""
    arns: list[Any] = []
    for alarm in alarms:
        arn, condition = f"${{{alarm.title}.Arn}}", alarm.resource.get("Condition")
        arns.append(ConditionalEntry(condition, arn) if condition else arn)
    return {"type": "alarm", "properties": {"title": "Alarms", "alarms": arns}}


def graph(title: str, lines: list[Any] | Choice) -> dict[str, Any]:
    """A graph over time."""
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "view": "timeSeries",
            "region": "${AWS::Region}",
            "period": PERIOD_SECONDS,
            "yAxis": {"left": {"min": 0}},
            "metrics": lines,
        },
    }


def line(metric: Metric, statistic: str, label: str, *, right: bool = False) -> list[Any]:
    """A metric of a graph; ``right`` puts it on the right axis, for another unit."""
    options = {"stat": statistic, "label": label, **({"yAxis": "right"} if right else {})}
    dimensions = [part for dimension in metric.dimensions for part in dimension]
    return [metric.namespace, metric.name, *dimensions, options]


def edge_row() -> list[dict[str, Any]]:
    """Firewall, load balancer, targets."""
    return [
        graph(
            "1 Firewall: requests",
            [
                line(FIREWALL.metric("AllowedRequests"), SUM, "allowed"),
                line(FIREWALL.metric("BlockedRequests"), SUM, "blocked"),
            ],
        ),
        graph(
            "2 Load balancer: answers",
            [
                line(LOAD_BALANCER.metric("RequestCount"), SUM, "requests"),
                line(TARGETS.metric("HTTPCode_Target_4XX_Count"), SUM, "api 4xx", right=True),
                line(TARGETS.metric("HTTPCode_Target_5XX_Count"), SUM, "api 5xx", right=True),
                line(
                    LOAD_BALANCER.metric("HTTPCode_ELB_5XX_Count"),
                    SUM,
                    "load balancer 5xx",
                    right=True,
                ),
            ],
        ),
        graph(
            "3 Api: response time (s)",
            [
                line(TARGETS.metric("TargetResponseTime"), P50, "p50"),
                line(TARGETS.metric("TargetResponseTime"), P99, "p99"),
            ],
        ),
        graph(
            "4 Api: targets",
            [
                line(TARGETS.metric("HealthyHostCount"), MINIMUM, "healthy"),
                line(TARGETS.metric("UnHealthyHostCount"), MAXIMUM, "unhealthy"),
            ],
        ),
    ]


def compute_row() -> list[dict[str, Any]]:
    """Api, worker with its queues, beat and the search server."""
    return [
        graph(
            "5 Api and worker: CPU and memory (%)",
            [
                line(API.metric("CPUUtilization"), AVERAGE, "api CPU"),
                line(API.metric("MemoryUtilization"), AVERAGE, "api memory"),
                line(WORKER.metric("CPUUtilization"), AVERAGE, "worker CPU"),
                line(WORKER.metric("MemoryUtilization"), AVERAGE, "worker memory"),
            ],
        ),
        graph(
            "6 Queues: jobs, and jobs for each worker",
            [
                line(QUEUES.metric(QUEUE_DEPTH), AVERAGE, "jobs"),
                line(QUEUES.metric(DELAYED_JOBS), AVERAGE, "delayed"),
                line(QUEUES.metric(BACKLOG_PER_TASK), AVERAGE, "for each worker", right=True),
            ],
        ),
        graph(
            "7 Running tasks",
            [
                line(API_TASKS.metric("RunningTaskCount"), AVERAGE, "api"),
                line(WORKER_TASKS.metric("RunningTaskCount"), AVERAGE, "worker"),
                line(BEAT_TASKS.metric("RunningTaskCount"), AVERAGE, "beat"),
            ],
        ),
        graph(
            "8 Search: healthy (1) and volume (%)",
            [
                line(SEARCH.metric("SearchHealthy"), MINIMUM, "healthy"),
                line(SEARCH.metric("SearchVolumeUsed"), MAXIMUM, "volume used", right=True),
            ],
        ),
    ]


def cache_widgets(serverless: str, nodes: Sequence[str]) -> list[dict[str, Any]]:
    """The widgets of the cache, in either mode."""
    per_serverless = [
        line(SERVERLESS_CACHE.metric("BytesUsedForCache"), MAXIMUM, "bytes used"),
        line(SERVERLESS_CACHE.metric("ElastiCacheProcessingUnits"), SUM, "ECPU", right=True),
        line(SERVERLESS_CACHE.metric("ThrottledCmds"), SUM, "throttled", right=True),
    ]
    per_node: list[Any] = []
    for number, condition in enumerate(nodes, start=1):
        metrics = cache_node(number)
        lines: list[Any] = [
            line(metrics.metric("DatabaseMemoryUsagePercentage"), MAXIMUM, f"memory {number} (%)"),
            line(metrics.metric("EngineCPUUtilization"), AVERAGE, f"CPU {number} (%)"),
        ]
        per_node += (
            lines if number == 1 else [ConditionalEntry(condition, entry) for entry in lines]
        )
    return [graph("9 Cache", Choice(serverless, per_serverless, per_node))]


def database_widgets() -> list[dict[str, Any]]:
    """The widgets of the database: load, storage, latency."""
    return [
        graph(
            "10 Database: CPU (%) and connections",
            [
                line(DATABASE.metric("CPUUtilization"), AVERAGE, "CPU"),
                line(DATABASE.metric("DatabaseConnections"), MAXIMUM, "connections", right=True),
            ],
        ),
        graph(
            "11 Database: free storage and memory (bytes)",
            [
                line(DATABASE.metric("FreeStorageSpace"), MINIMUM, "storage"),
                line(DATABASE.metric("FreeableMemory"), MINIMUM, "memory", right=True),
            ],
        ),
        graph(
            "12 Database: latency (s)",
            [
                line(DATABASE.metric("ReadLatency"), AVERAGE, "read"),
                line(DATABASE.metric("WriteLatency"), AVERAGE, "write"),
            ],
        ),
    ]
