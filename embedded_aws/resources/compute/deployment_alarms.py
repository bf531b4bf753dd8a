"""The alarms that a service reads during a deployment, which roll it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedded_aws.bridge.service_calls import call
from embedded_aws.resources.compute.service_outcomes import ServiceOutcome


def fails(properties: Mapping[str, Any], outcome: ServiceOutcome) -> bool:
    """Whether a deployment with this outcome fails. An alarm that is raised at the beginning turns the alarms off.

    https://aws.github.io/copilot-cli/docs/manifest/lb-web-service/#deployment-rollback-alarms
    """
    if not outcome.alarm:
        return True
    configured = (properties.get("DeploymentConfiguration") or {}).get("Alarms") or {}
    names = [str(name) for name in configured.get("AlarmNames") or []]
    found = call("cloudwatch", "DescribeAlarms", AlarmNames=names)["MetricAlarms"] if names else []
    raised = any(alarm["StateValue"] == "ALARM" for alarm in found)
    is_on = str(configured.get("Enable")).lower() == "true"
    read = [name for name in names if outcome.alarm in name]
    for name in read:
        call(
            "cloudwatch",
            "SetAlarmState",
            AlarmName=name,
            StateValue="ALARM",
            StateReason="The version raises it.",
        )
    return is_on and bool(read) and not raised
