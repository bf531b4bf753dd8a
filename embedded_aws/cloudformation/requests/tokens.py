"""Answer a repeated CloudFormation request like the first one, if both carry the same token.

An SDK repeats a request if it does not receive the answer. CloudFormation recognizes the repetition by ClientToken
(CreateChangeSet) or ClientRequestToken (ExecuteChangeSet); ministack refuses it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
"""

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region

from embedded_aws.bridge import tables

_TOKENS = {"CreateChangeSet": "ClientToken", "ExecuteChangeSet": "ClientRequestToken"}
_OK = 200
_answers: dict[tuple[str, ...], Any] = {}


def install() -> None:
    """Store the successful answers to requests with a token."""
    for action, token in _TOKENS.items():
        tables.ACTIONS[action] = _remembering(action, token, tables.ACTIONS[action])


def _remembering(action: str, member: str, run: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def answer(parameters: Any) -> Any:
        token = parameters.get(member, [""])[0]
        if not token:
            return run(parameters)
        key = (action, get_account_id(), get_region(), token)
        if key not in _answers:
            result = run(parameters)
            if result[0] != _OK:
                return result
            _answers[key] = result
        return _answers[key]

    return answer
