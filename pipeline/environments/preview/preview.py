"""The preview of an operation on an environment, and the check that the user accepts the loss of data."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pipeline.changes.change import Action, Change
from pipeline.changes.engine import Comparison, sorted_changes
from pipeline.changes.report import ALWAYS_SHOWN, groups, rest, sentence
from pipeline.changes.state import State, evaluate
from pipeline.cost.change import CostChange
from pipeline.environments.preview.deployed import Deployed
from pipeline.errors import DataLossError, PipelineError, listed
from pipeline.parameters.relations import ZONES

# The number of resources that a less serious heading shows; the others are counted.
SHOWN = 10


@dataclass(frozen=True)
class Preview:
    """The changes of an operation on a stack, the most serious first, and notes on other values that it undoes.

    ``is_certain`` is False where the templates alone do not decide what AWS refuses: zones that are set for the first
    time can be the current ones. ``cost`` is the monthly cost before and after.
    """

    stack: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    is_certain: bool = True
    cost: CostChange | None = None

    def losses(self) -> list[Change]:
        """The changes that lose data."""
        return [change for change in self.changes if change.loses]

    def lines(self) -> Iterator[str]:
        """Data loss first, then what AWS refuses, interruptions and replacements; the rest as counts."""
        yield f"What changes in {self.stack}:"
        if not self.changes:
            yield "  No resource changes."
        for heading, group in groups(self.changes):
            yield f"  {heading}:"
            shown = group if heading in ALWAYS_SHOWN else group[:SHOWN]
            yield from (f"    {sentence(change)}" for change in shown)
            if len(group) > len(shown):
                yield f"    and {len(group) - len(shown)} more."
        if counts := rest(self.changes):
            yield f"  The rest: {counts}."
        if self.cost:
            yield f"  {self.cost.sentence()}"
        yield from (f"  {note}" for note in self.notes)

    def require_possible(self) -> None:
        """Raise PipelineError for changes that AWS certainly refuses; the update would fail and roll back."""
        failing = [change for change in self.changes if change.action is Action.FAIL]
        if not failing or not self.is_certain:
            return
        first, others = failing[0], len(failing) - 1
        more = f" (and {others} more)" if others else ""
        raise PipelineError(
            f"{self.stack} cannot be updated like this, so nothing was changed: {first.name}{more}: {' '.join(first.notes)}"
        )

    def require_accepted(self, accepted: Collection[str]) -> None:
        """Raise DataLossError unless each loss is among those that the user named, such as Data.Database."""
        names = [str(change.name) for change in self.losses() if str(change.name) not in accepted]
        if names:
            options = " ".join(f"--accept-loss {name}" for name in names)
            raise DataLossError(
                f"{self.stack} would lose data of {listed(names)}, so nothing was changed; accept the loss with {options}."
            )


def preview(deployed: Deployed, after: State) -> Preview:
    """Compare an environment with its state after an operation.

    Raises PipelineError for a deployed template, or one of the release, that cannot be evaluated.
    """
    try:
        comparison = Comparison(evaluate(deployed.state), evaluate(after))
        changes = sorted_changes(comparison.changes())
        cost = comparison.cost(after.region)
    except (LookupError, TypeError, ValueError) as error:
        raise PipelineError(
            f"The templates of stack {deployed.stack} cannot be evaluated ({error!r}); deploy a release over them with `aws cloudformation deploy` after you read its change set."
        ) from error
    named = [bool(state.values.get(ZONES)) for state in (deployed.state, after)]
    return Preview(
        deployed.stack, tuple(changes), deployed.notes, is_certain=named[0] == named[1], cost=cost
    )
