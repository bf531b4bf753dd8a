"""CancelUpdateStack cancels the update of the nested stacks too, and the resource that is being updated.

ministack looks at a cancellation before the next resource of the root, so that a nested stack would first complete its update. On AWS
the resource in progress fails with "Resource update cancelled", and CloudFormation does not wait for a custom resource any more.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-update-cancel.html
"""

from collections.abc import Callable
from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.cloudformation import custom_resources

_ACTION = "CancelUpdateStack"
_CANCELLED = {"Status": "FAILED", "Reason": "Resource update cancelled"}


def install() -> None:
    """Cancel nested stacks and custom resources with the root."""
    tables.ACTIONS[_ACTION] = _cancelling(tables.ACTIONS[_ACTION])


def _cancelling(cancel: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def cancel_all(parameters: Any) -> Any:
        answer = cancel(parameters)
        if answer[0] == 200:
            root = functions.resolve_stack(parameters["StackName"][0])
            nested = [
                each
                for each in tables.STACKS.values()
                if each.get("RootId") == root["StackId"]
                and each["StackStatus"] == "UPDATE_IN_PROGRESS"
            ]
            for each in nested:
                each["_cancel_requested"] = True
            custom_resources.answer_for_stacks({each["StackId"] for each in nested}, _CANCELLED)
        return answer

    return cancel_all
