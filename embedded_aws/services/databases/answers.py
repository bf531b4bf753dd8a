"""The values of an RDS request, and its answers in RDS's form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embedded_aws.bridge import functions
from embedded_aws.services.databases.snapshots import Record

Parameters = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
Action = Callable[[Parameters], Answer]


def value(parameters: Parameters, name: str) -> str:
    """A value of the request; empty if the request does not have it."""
    found: str = functions.rds_value(parameters, name)
    return found


def instance_answer(action: str, record: Record) -> Answer:
    """The answer of an action with the description of an instance."""
    answer: Answer = functions.database_answer(f"{action}Response", f"{action}Result", record)
    return answer


def action_answer(action: str, content: str) -> Answer:
    """The answer of an action with XML as its result."""
    answer: Answer = functions.rds_answer(
        200, f"{action}Response", f"<{action}Result>{content}</{action}Result>"
    )
    return answer
