"""A step of a plan: what it does, to what, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.plan.changes import Change


class Action(StrEnum):
    """What a step does. A report changes nothing; a refusal stops the whole publication before it starts."""

    CREATE = "create"
    UPDATE = "update"
    DEPRECATE = "deprecate"
    RETIRE = "retire"
    UNCHANGED = "unchanged"
    REPORT = "report"
    REFUSE = "refuse"


WRITING = (Action.CREATE, Action.UPDATE, Action.DEPRECATE, Action.RETIRE)


@dataclass(frozen=True)
class Step:
    """One line of a plan.

    ``subject`` names the resource in messages. ``change`` says what applying the step changes, None if it changes nothing.
    """

    action: Action
    kind: Kind
    subject: str
    reason: str
    change: Change | None = None

    @property
    def writes(self) -> bool:
        """Whether applying the step changes anything."""
        return self.action in WRITING

    def document(self) -> dict[str, str]:
        """The step as JSON data."""
        return {
            "Action": self.action.value,
            "Kind": self.kind.value,
            "Subject": self.subject,
            "Reason": self.reason,
        }


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Steps in the order of application."""
    order = list(Kind)
    return tuple(sorted(steps, key=lambda step: order.index(step.kind)))


def surplus_step(kind: Kind, subject: str) -> Step:
    """The report of something in a managed portfolio that catalog.yaml does not contain: its removal could lock users out."""
    return Step(
        Action.REPORT,
        kind,
        subject,
        "not in catalog.yaml; add it there, or remove it from the portfolio",
    )
