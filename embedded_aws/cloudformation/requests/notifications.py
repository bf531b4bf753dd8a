"""The SNS topics of a stack: NotificationARNs of requests, which ministack ignores, and of DescribeStacks.

A request without the parameter keeps the topics; an empty list removes them. The topics receive no messages here.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html
"""

from collections.abc import Callable
from typing import Any

from embedded_aws.bridge import functions, tables

_NAME = "NotificationARNs"
_MOST = 5


def install() -> None:
    """Keep the topics of stacks and change sets."""
    for action in ("CreateStack", "UpdateStack", "CreateChangeSet", "ExecuteChangeSet"):
        tables.ACTIONS[action] = _keeping(action, tables.ACTIONS[action])


def _keeping(action: str, act: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def acted(parameters: Any) -> Any:
        topics = _topics_in(parameters)
        problem = _problem_with(topics or [])
        if problem:
            return functions.stack_error("ValidationError", problem)
        _, change_set = functions.find_change_set(
            functions.request_field(parameters, "ChangeSetName"),
            functions.request_field(parameters, "StackName"),
        )
        answer = act(parameters)
        if answer[0] != 200:
            return answer
        if action == "CreateChangeSet":
            _, record = functions.find_change_set(
                functions.request_field(parameters, "ChangeSetName"),
                functions.request_field(parameters, "StackName"),
            )
            if topics is not None:
                record[_NAME] = topics
            return answer
        name = functions.request_field(parameters, "StackName")
        if action == "ExecuteChangeSet" and change_set:
            name, topics = change_set["StackId"], change_set.get(_NAME)
        if topics is not None:
            functions.resolve_stack(name)[_NAME] = topics
        return answer

    return acted


def _topics_in(parameters: Any) -> list[str] | None:
    """The topics of a request; None if it does not name the parameter."""
    if not any(str(name).split(".")[0] == _NAME for name in parameters):
        return None
    topics: list[str] = functions.string_members(parameters, _NAME)
    return topics


def _problem_with(topics: list[str]) -> str | None:
    if len(topics) > _MOST:
        return (
            "1 validation error detected: Value at 'notificationARNs' failed to satisfy constraint:"
            f" Member must have length less than or equal to {_MOST}"
        )
    wrong = [topic for topic in topics if not topic.startswith("arn:")]
    return f"Invalid notification ARN: {wrong[0]}" if wrong else None
