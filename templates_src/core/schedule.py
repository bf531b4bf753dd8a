"""The schedule of a function that measures: it runs at a fixed rate, and the next run replaces a failed one."""

from __future__ import annotations

from troposphere import GetAtt, Ref
from troposphere.awslambda import EventInvokeConfig, Function, Permission
from troposphere.events import RetryPolicy, Rule, Target

from templates_src.core.layer import Layer

# The minimum of Lambda and EventBridge. An older event has nothing to measure that the next event does not.
EVENT_AGE_SECONDS = 60


def add_schedule(
    layer: Layer, title: str, function: Function, *, rate: str, description: str
) -> None:
    """Run a function at a rate, such as ``rate(1 minute)``, without retries: alarms report a failure.

    With ``title`` QueueDepth the resources are QueueDepthSchedule, QueueDepthSchedulePermission and
    QueueDepthInvocations.
    """
    target = Target(
        Id="function",
        Arn=GetAtt(function, "Arn"),
        RetryPolicy=RetryPolicy(MaximumRetryAttempts=0, MaximumEventAgeInSeconds=EVENT_AGE_SECONDS),
    )
    schedule = layer.add(
        Rule(
            f"{title}Schedule",
            Description=description,
            ScheduleExpression=rate,
            Targets=[target],
        )
    )
    layer.add(
        Permission(
            f"{title}SchedulePermission",
            Action="lambda:InvokeFunction",
            FunctionName=Ref(function),
            Principal="events.amazonaws.com",
            SourceArn=GetAtt(schedule, "Arn"),
        )
    )
    layer.add(
        EventInvokeConfig(
            f"{title}Invocations",
            FunctionName=Ref(function),
            Qualifier="$LATEST",
            MaximumRetryAttempts=0,
            MaximumEventAgeInSeconds=EVENT_AGE_SECONDS,
        )
    )
