"""The change of one resource, and its causes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.template.references import Name


class Action(StrEnum):
    """The action of CloudFormation, the most serious first."""

    FAIL = "fails"
    REPLACE = "replaced"
    MAY_REPLACE = "may be replaced"
    DELETE = "deleted"
    RELEASE = "leaves the stack"
    INTERRUPT = "updated with an interruption"
    UPDATE = "updated in place"
    CREATE = "created"


class Fate(StrEnum):
    """The fate of the data of a resource."""

    NONE = "holds no data"
    SAME = "keeps its data"
    LOST = "its data is lost"
    SNAPSHOT = "a final snapshot stays"
    RETAINED = "the old resource stays"
    REFUSED = "the update fails and is rolled back"


@dataclass(frozen=True)
class Cause:
    """A property that changes, and the cause: a parameter, a condition, another resource or the template."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}" if self.path else self.why


@dataclass(frozen=True)
class Change:
    """The change of a resource.

    ``notes`` are sentences; ``renamed`` is the resource that it becomes or was; ``unprotects`` says whether the
    update turns off deletion protection.
    """

    name: Name
    kind: str
    action: Action
    causes: tuple[Cause, ...]
    fate: Fate
    notes: tuple[str, ...] = ()
    renamed: Name | None = None
    unprotects: bool = False

    @property
    def loses(self) -> bool:
        """Whether the environment loses data, even if a snapshot or the old resource is retained."""
        if self.fate in {Fate.NONE, Fate.SAME, Fate.REFUSED}:
            return False
        return self.action is not Action.RELEASE
