"""AWS::CloudWatch::CompositeAlarm."""

from embedded_aws.registry import Created, Properties, physical_name, register
from embedded_aws.service_calls import call

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


def install() -> None:
    """Register the types of this module."""
    register("AWS::CloudWatch::CompositeAlarm", create=_create, update=_update, delete=_delete)


def _create(logical_id: str, properties: Properties, stack_name: str) -> Created:
    name = properties.get("AlarmName") or physical_name(stack_name, logical_id, limit=255)
    tags = [
        tag for tag in properties.get("Tags") or [] if not str(tag["Key"]).startswith("aws:")
    ]
    return _put(name, properties, tags)


def _update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Created:
    return _put(physical_id, new, [])


def _put(name: str, properties: Properties, tags: list[Properties]) -> Created:
    settings = {key: properties.get(key) for key in _SETTINGS}
    call("cloudwatch", "PutCompositeAlarm", AlarmName=name, Tags=tags or None, **settings)
    found = call(
        "cloudwatch", "DescribeAlarms", AlarmNames=[name], AlarmTypes=["CompositeAlarm"]
    )["CompositeAlarms"][0]
    return name, {"Arn": found["AlarmArn"]}


def _delete(physical_id: str, properties: Properties) -> None:
    call("cloudwatch", "DeleteAlarms", AlarmNames=[physical_id])
