"""Names of log groups without LogGroupName: they begin with the name of the stack, as those of other resources.

ministack names them /aws/cloudformation/STACK/LOGICAL-ID, which no policy for the stack's resources covers.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html
"""

from typing import Any

from embedded_aws.bridge import tables
from embedded_aws.bridge.registry import Created, Properties, physical_name

_TYPE = "AWS::Logs::LogGroup"
_NAME = "LogGroupName"


def install() -> None:
    """Give each log group its name."""
    handlers = tables.RESOURCE_HANDLERS[_TYPE]
    create, update = handlers["create"], handlers["update"]

    def create_named(logical_id: str, properties: Properties, stack_name: str) -> Created:
        name = properties.get(_NAME) or physical_name(stack_name, logical_id, limit=512)
        made: Created = create(logical_id, {**properties, _NAME: name}, stack_name)
        return made

    def update_named(
        physical_id: str, old: Properties, new: Properties, stack_name: str, *rest: Any
    ) -> Created:
        named = {_NAME: new.get(_NAME) or physical_id}
        before = {**old, _NAME: old.get(_NAME) or physical_id}
        made: Created = update(physical_id, before, {**new, **named}, stack_name, *rest)
        return made

    handlers["create"], handlers["update"] = create_named, update_named
