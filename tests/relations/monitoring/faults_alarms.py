"""Faults in alarms that only data shows."""

from __future__ import annotations

from tests.relations.monitoring.checks_alarms import (
    alarms_are_raised_by_their_fault,
    alarms_are_raised_in_time,
)
from tests.relations.planting import drop, put
from tests.relations.registry import Fault

FAULTS = (
    Fault(
        "a threshold that cannot be reached",
        alarms_are_raised_by_their_fault,
        "DatabaseCpuTooHigh is not raised by 100",
        put("DatabaseCpuTooHigh", "Threshold", 850),
    ),
    Fault(
        "a reversed comparison",
        alarms_are_raised_by_their_fault,
        "HealthyTargetsTooLow is raised by 2",
        put("HealthyTargetsTooLow", "ComparisonOperator", "GreaterThanThreshold"),
    ),
    Fault(
        "an alarm without a comparison",
        alarms_are_raised_by_their_fault,
        "monitoring.ApiCpuTooHigh has no ComparisonOperator.",
        drop("ApiCpuTooHigh", "ComparisonOperator"),
    ),
    Fault(
        "a threshold in bytes for a metric in mebibytes",
        alarms_are_raised_by_their_fault,
        "DatabaseFreeMemoryTooLow is raised by",
        put("DatabaseFreeMemoryTooLow", "Threshold", 256 * 1024 * 1024),
    ),
    Fault(
        "an alarm that is raised after hours",
        alarms_are_raised_in_time,
        "ApiCpuTooHigh is raised only after 9000 seconds",
        put("ApiCpuTooHigh", "EvaluationPeriods", 150),
    ),
    Fault(
        "an alarm that each deployment raises",
        alarms_are_raised_in_time,
        "UnhealthyTargetsTooHigh is raised after 60 seconds",
        put("UnhealthyTargetsTooHigh", "EvaluationPeriods", 1),
    ),
    Fault(
        "an average of counts",
        alarms_are_raised_in_time,
        "reads the Average of BlockedRequests",
        put("WafBlockedTooHigh", "Statistic", "Average"),
    ),
    Fault(
        "silence that hides a dead publisher",
        alarms_are_raised_in_time,
        "QueueDepthMissing treats missing data as notBreaching",
        put("QueueDepthMissing", "TreatMissingData", "notBreaching"),
    ),
)
