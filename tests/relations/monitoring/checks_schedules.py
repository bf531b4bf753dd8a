"""Schedules: each calls a function of the templates, with the input that its code reads, and late runs are not made up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pipeline.checks.render import Rendered
from tests.relations.monitoring.checks_monitoring import FUNCTIONS, publishers_of
from tests.relations.monitoring.checks_watching import seconds_of
from tests.relations.registry import relation
from tests.relations.text import text_of
from tests.rendering import id_of, resources_of_type

RULE = "AWS::Events::Rule"
# How the code of a function reads a key of the event of a schedule; RequestType and the like come from CloudFormation.
READ = re.compile(r"\"(?P<key>[A-Z]\w+)\" in event")
# EventBridge keeps an event for a day, unless the target says otherwise.
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html
KEPT_SECONDS = 86400


@relation
def schedules_call_their_function(rendered: Rendered) -> Iterator[str]:
    """A rule is on, calls one function, and gives it the keys that its code expects of a schedule."""
    functions = {
        each.logical_id: each for each in resources_of_type(rendered, "AWS::Lambda::Function")
    }
    for rule in resources_of_type(rendered, RULE):
        if rule.properties.get("State", "ENABLED") == "DISABLED":
            yield f"{rule.logical_id} is off."
        # EventBridge refuses "rate(1 minutes)" and "rate(5 minute)".
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
        schedule = rule.properties["ScheduleExpression"]
        if schedule.endswith("s)") == schedule.startswith("rate(1 "):
            yield f"{rule.logical_id} has the schedule {schedule}, which EventBridge refuses."
        called = [
            (id_of(rendered, rule.layer, each["Arn"]), each)
            for each in rule.properties.get("Targets", ())
        ]
        if [name for name, _ in called if name in functions] == [] or len(called) != 1:
            yield f"{rule.logical_id} calls {[name for name, _ in called]}."
        for name, target in called:
            given = set(json.loads(text_of(target.get("Input", "{}"))))
            folder = FUNCTIONS / functions[name].properties["Handler"].split(".")[1]
            source = (folder / "handler.py").read_text(encoding="utf-8")
            expected = set(READ.findall(source))
            if given != expected:
                yield f"{rule.logical_id} gives {sorted(given)} to {name}, which reads {sorted(expected)}."


@relation
def measurements_are_of_their_minute(rendered: Rendered) -> Iterator[str]:
    """A measurement that EventBridge delivers late is not taken: the next run measures, and an old event would count as of now."""
    for rule in resources_of_type(rendered, RULE):
        interval = seconds_of(rule.properties["ScheduleExpression"])
        for target in rule.properties.get("Targets", ()):
            function = id_of(rendered, rule.layer, target["Arn"])
            publishes = any(
                each.logical_id == function for each in publishers_of(rendered, "MetricData", ())
            )
            policy = target.get("RetryPolicy", {})
            age = int(policy.get("MaximumEventAgeInSeconds", KEPT_SECONDS))
            if publishes and age > interval:
                yield f"{rule.logical_id} delivers an event for {age} seconds, and the next one comes after {interval}."
            if publishes and int(policy.get("MaximumRetryAttempts", 185)) > 0:
                yield f"{rule.logical_id} repeats a measurement that has failed, next to that of the next run."
