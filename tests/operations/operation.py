"""An operation, the end that it must have, and the end that it had."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.operations.scene import Scene

# The status of an environment that does not exist.
ABSENT = "does not exist"


@dataclass(frozen=True)
class End:
    """The state after an operation.

    ``status`` is that of the stack, or of the provisioned product. ``said`` is a part of the refusal or of the reason of the
    failure; empty if the operation succeeds. ``replaced`` names the stateful resources that are other ones than before, such
    as Data.Database. ``protected`` is the state of the protections of database, load balancer and stack: all or none.
    ``remains`` counts, for a deletion, what the account still has of the environment, by type.
    """

    status: str
    said: str = ""
    replaced: frozenset[str] = frozenset()
    protected: bool = False
    remains: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """A row of the table: what a user does, and the end that it must have. ``title`` is shown on the page."""

    title: str
    run: Callable[[Scene], None]
    end: End


@dataclass(frozen=True)
class Chain:
    """Operations on one environment in their order; ``entry`` is CloudFormation or product."""

    profile: str
    entry: str
    operations: tuple[Operation, ...]

    @property
    def name(self) -> str:
        """The name of the chain."""
        return f"{self.profile}, {self.entry}"


@dataclass(frozen=True)
class Result:
    """How an operation ended: an End, what was lost, and the complete text of the refusal or failure."""

    end: End
    lost: tuple[str, ...]
    text: str
