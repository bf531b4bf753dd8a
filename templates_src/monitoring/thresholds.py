"""Thresholds that depend on traffic, on the application and on the instance class, so that no default fits all."""

from __future__ import annotations

from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import number

WAF_BLOCKED_THRESHOLD = number(
    "WafBlockedThreshold",
    group=groups.ALARMS,
    label="Blocked requests",
    description="Blocked requests in five minutes above which an alarm is raised.",
    default="1000",
    at_least=1,
    at_most=1_000_000_000,
)
QUEUE_DEPTH_THRESHOLD = number(
    "QueueDepthThreshold",
    group=groups.ALARMS,
    label="Queue depth",
    description="Jobs, waiting and running, above which an alarm is raised after half an hour; delayed jobs do not count.",
    default="1000",
    at_least=1,
    at_most=1_000_000_000,
)
QUEUE_STALLED_THRESHOLD = number(
    "QueueStalledThreshold",
    group=groups.ALARMS,
    label="Queue in which nothing is taken (s)",
    description="Seconds in which no worker takes a job from a queue with jobs, above which an alarm is raised; "
    "longer than the longest job.",
    # Ten minutes more than the longest job of the container contract (task_time_limit): as long as that, jobs can wait
    # behind others although every worker works.
    default="2400",
    at_least=60,
    at_most=604_800,
)
DATABASE_CONNECTIONS_THRESHOLD = number(
    "DatabaseConnectionsThreshold",
    group=groups.ALARMS,
    label="Database connections",
    description="Connections above which an alarm is raised; about 80 % of what the instance class allows.",
    # max_connections is LEAST(DBInstanceClassMemory / 9531392, 5000): some 400 on the 4 GiB of a db.t4g.medium.
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
    default="320",
    at_least=5,
    at_most=5000,
)
DATABASE_FREE_MEMORY_THRESHOLD = number(
    "DatabaseFreeMemoryThreshold",
    group=groups.ALARMS,
    label="Database free memory (MiB)",
    description="Free memory of the database instance, in MiB, below which an alarm is raised.",
    # A sixteenth of a db.t4g.medium.
    default="256",
    at_least=32,
    at_most=1_000_000,
)
