"""A step of a plan: what would be done to what, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.plan.changes import Change


class Action(StrEnum):
    """What a step does. A report leaves things as they are; a refusal keeps the whole publication from beginning."""

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

    ``subject`` names the thing to a person. ``change`` says what applying the step changes, None where it changes nothing.
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
    """Something in one of our portfolios that catalog.yaml does not ask for: taking it away could lock people out."""
    return Step(
        Action.REPORT,
        kind,
        subject,
        "is not in catalog.yaml; add it there, or take it away by hand",
    )
