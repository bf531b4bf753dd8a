"""The alarms of an environment: what each one means, when it is raised, and what happens and what to do then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipeline.checks.render import Rendered
from pipeline.pages.site import Page, Site
from pipeline.release.assemble import Release, template_path

ALARM = "AWS::CloudWatch::Alarm"
COMPARISONS = {
    "GreaterThanThreshold": "above",
    "GreaterThanOrEqualToThreshold": "at least",
    "LessThanThreshold": "below",
    "LessThanOrEqualToThreshold": "at most",
}
MISSING = {"breaching": "Missing data raises it.", "notBreaching": ""}


def content(site: Site) -> Mapping[str, Any]:
    """The variables of alarms.html: ``alarms``, each with its environments and its values in each."""
    parameters = threshold_parameters(site.release)
    names: dict[str, dict[str, dict[str, Any]]] = {}
    for environment, rendered in site.rendered.items():
        for name, alarm in alarms(rendered).items():
            names.setdefault(name, {})[environment] = alarm
    rows = []
    for name, each in names.items():
        meaning, action = sentences(next(iter(each.values()))["AlarmDescription"])
        rows.append(
            {
                "name": name,
                "meaning": meaning,
                "action": action,
                "parameter": parameters.get(name, ""),
                "environments": {
                    environment: {
                        "condition": condition(alarm),
                        "effect": effect(site.rendered[environment], name, alarm),
                    }
                    for environment, alarm in each.items()
                },
            }
        )
    return {"alarms": rows}


def alarms(rendered: Rendered) -> dict[str, dict[str, Any]]:
    """The properties of every alarm by its logical ID."""
    return {
        name: body["Properties"]
        for template in rendered.layers.values()
        for name, body in template.get("Resources", {}).items()
        if body["Type"] == ALARM
    }


def threshold_parameters(release: Release) -> dict[str, str]:
    """The parameter that sets the threshold of an alarm, by the alarm, from the templates before they are rendered."""
    found = {}
    for layer in release.layers:
        template = json.loads(release.files[template_path(layer.name)])
        for name, body in template["Resources"].items():
            threshold = body.get("Properties", {}).get("Threshold")
            if body["Type"] == ALARM and isinstance(threshold, dict) and "Ref" in threshold:
                found[name] = str(threshold["Ref"])
    return found


def sentences(description: str) -> tuple[str, str]:
    """The first sentence of a description, which says what the alarm means, and the others, which say what to do."""
    meaning, full_stop, action = description.partition(". ")
    return (f"{meaning}." if full_stop else meaning), action


def condition(alarm: Mapping[str, Any]) -> str:
    """When an alarm is raised, in words."""
    periods = int(alarm["EvaluationPeriods"])
    needed = int(alarm.get("DatapointsToAlarm", periods))
    minutes = period(alarm) // 60
    length = f"{periods * minutes} minute{'s' if periods * minutes != 1 else ''}"
    for_how_long = (
        f"for {length}"
        if needed == periods
        else f"in {needed} of {periods} periods of {minutes} min"
    )
    comparison = COMPARISONS[alarm["ComparisonOperator"]]
    words = f"{measured(alarm)} is {comparison} {float(alarm['Threshold']):g} {for_how_long}."
    return f"{words} {MISSING.get(alarm.get('TreatMissingData', ''), '')}".strip()


def period(alarm: Mapping[str, Any]) -> int:
    """The seconds of a period."""
    if "Period" in alarm:
        return int(alarm["Period"])
    return max(
        int(each["MetricStat"]["Period"]) for each in alarm["Metrics"] if "MetricStat" in each
    )


def measured(alarm: Mapping[str, Any]) -> str:
    """What the alarm compares: a metric and its statistic, or an expression and its metrics."""
    if "MetricName" in alarm:
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "")
        return f"{alarm['MetricName']} ({statistic})"
    (result,) = (each["Expression"] for each in alarm["Metrics"] if each.get("ReturnData"))
    metrics = ", ".join(
        f"{each['Id']}: {each['MetricStat']['Metric']['MetricName']} ({each['MetricStat']['Stat']})"
        for each in alarm["Metrics"]
        if "MetricStat" in each
    )
    return f"{result} ({metrics})"


def effect(rendered: Rendered, name: str, alarm: Mapping[str, Any]) -> str:
    """What happens when the alarm is raised: a message of the topic, or the rollback of a deployment."""
    found = []
    if alarm.get("AlarmActions"):
        topics = sum(
            body["Type"] == "AWS::SNS::Subscription"
            for body in rendered.layers["monitoring"]["Resources"].values()
        )
        found.append(
            "AlarmTopic sends an e-mail."
            if topics
            else "AlarmTopic gets a message; without AlarmEmail it has no subscription."
        )
    services = [
        logical_id.removesuffix("Service").lower()
        for template in rendered.layers.values()
        for logical_id, body in template.get("Resources", {}).items()
        if body["Type"] == "AWS::ECS::Service"
        and f'"{name}"' in json.dumps(body["Properties"].get("DeploymentConfiguration", {}))
    ]
    if services:
        found.append(f"ECS rolls back a deployment of {', '.join(services)} in progress.")
    return " ".join(found)


PAGE = Page(
    "alarms",
    "Alarms",
    "What each alarm means, when it is raised in an environment, and what to do.",
    content,
)
