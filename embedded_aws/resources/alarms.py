"""Alarms on metric math, which ministack refuses, and AWS::CloudWatch::CompositeAlarm."""

import re
from collections.abc import Callable
from typing import Any

from embedded_aws.bridge import functions
from embedded_aws.bridge.registry import Created, Properties, physical_name, register
from embedded_aws.bridge.service_calls import call

_SETTINGS = (
    "ActionsEnabled",
    "ActionsSuppressor",
    "ActionsSuppressorExtensionPeriod",
    "ActionsSuppressorWaitPeriod",
    "AlarmActions",
    "AlarmDescription",
    "AlarmRule",
    "InsufficientDataActions",
    "OKActions",
)


# No metric has this namespace: the state of an alarm on a formula stays INSUFFICIENT_DATA, since nothing here computes it.
_NOT_COMPUTED = {"Namespace": "EmbeddedAws/Formula", "MetricName": "NotComputed"}
_NAME_IN_FORMULA = re.compile(r"\b[a-z]\w*\b(?!\s*\()")


def install() -> None:
    """Register the types of this module, and record alarms on metric math."""
    functions.metric_alarm_record.replace(_recorded(functions.metric_alarm_record.current))
    register("AWS::CloudWatch::CompositeAlarm", create=_create, update=_update, delete=_delete)


def _recorded(record: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def recorded(name: str, properties: Properties) -> dict[str, Any]:
        formula = properties.get("Metrics")
        if not formula:
            return record(name, properties)
        _check_formula(formula, properties)
        plain = {key: value for key, value in properties.items() if key != "Metrics"}
        return {**record(name, {**plain, **_NOT_COMPUTED}), "Metrics": formula}

    return recorded


def _check_formula(formula: list[Properties], properties: Properties) -> None:
    """Refuse metric math that PutMetricAlarm refuses."""
    both = {"MetricName", "Namespace", "Dimensions", "Period", "Statistic"} & properties.keys()
    if both:
        raise ValueError(f"An alarm on Metrics may not have {sorted(both)[0]} of its own.")
    returned = [
        query["Id"] for query in formula if str(query.get("ReturnData", True)).lower() == "true"
    ]
    if len(returned) != 1:
        raise ValueError(
            f"Exactly one element of the metrics list must return data, not {len(returned)}."
        )
    known = {query["Id"] for query in formula}
    for query in formula:
        unknown = set(_NAME_IN_FORMULA.findall(query.get("Expression", ""))) - known
        if unknown:
            raise ValueError(
                f"Expression {query['Id']} refers to {sorted(unknown)[0]}, which is no metric of the alarm."
            )


def _create(logical_id: str, properties: Properties, stack_name: str) -> Created:
    name = properties.get("AlarmName") or physical_name(stack_name, logical_id, limit=255)
    tags = [tag for tag in properties.get("Tags") or [] if not str(tag["Key"]).startswith("aws:")]
    return _put(name, properties, tags)


def _update(physical_id: str, _old: Properties, new: Properties, _stack_name: str) -> Created:
    return _put(physical_id, new, [])


def _put(name: str, properties: Properties, tags: list[Properties]) -> Created:
    settings = {key: properties.get(key) for key in _SETTINGS}
    call("cloudwatch", "PutCompositeAlarm", AlarmName=name, Tags=tags or None, **settings)
    found = call("cloudwatch", "DescribeAlarms", AlarmNames=[name], AlarmTypes=["CompositeAlarm"])[
        "CompositeAlarms"
    ][0]
    return name, {"Arn": found["AlarmArn"]}


def _delete(physical_id: str, _properties: Properties) -> None:
    call("cloudwatch", "DeleteAlarms", AlarmNames=[physical_id])
