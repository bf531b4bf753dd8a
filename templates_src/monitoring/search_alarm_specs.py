"""The alarms of the search server, which publishes metrics every minute."""

from __future__ import annotations

from templates_src.monitoring.alarms import BELOW, BREACHING, AlarmSpec, MetricStatistic
from templates_src.monitoring.metrics import MAXIMUM, MINIMUM, SEARCH


def search_alarm_specs() -> list[AlarmSpec]:
    """The alarms of the search server and of the volume of its index."""
    return [
        AlarmSpec(
            title="SearchUnhealthy",
            reads=MetricStatistic(SEARCH.metric("SearchHealthy"), MINIMUM),
            threshold=1,
            compare=BELOW,
            # A replacement by the group or an update takes less time than this.
            periods=10,
            missing=BREACHING,
            action="Search does not answer, or its instance does not exist. See the streams boot/INSTANCE and "
            "meilisearch/INSTANCE of its log group, then the activity of its Auto Scaling group.",
        ),
        AlarmSpec(
            title="SearchVolumeUseTooHigh",
            reads=MetricStatistic(SEARCH.metric("SearchVolumeUsed"), MAXIMUM),
            threshold=80,
            minutes=5,
            periods=1,
            action="The volume of the search index is nearly full; an upgrade needs room for a copy of it. "
            "Raise SearchVolumeGb, then replace the instance, which grows the file system.",
        ),
    ]
