"""The runs of the environment that docs/scaling.md shows."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.scaling import variants as compared
from benchmarks.scaling.fleet import Assumptions
from benchmarks.scaling.load import scenarios
from benchmarks.scaling.picture import Line, Picture
from benchmarks.scaling.policy import Configuration, configuration
from benchmarks.scaling.report import Outcome, outcomes, preamble, table
from benchmarks.scaling.variants import Variant, variants
from pipeline.checks.render import render
from pipeline.release.assemble import assemble

ENVIRONMENT = "prod"


@dataclass(frozen=True)
class Results:
    """The simulation and its results, as data and as blocks of text."""

    worker: Configuration
    outcomes: list[Outcome]
    variants: list[Variant]
    texts: list[str]

    @property
    def policies(self) -> Picture:
        """The picture of the policies, with one legend."""
        lines = [
            Line(each.scenario, f"scaled by {each.contender.name}", each.run)
            for each in self.outcomes
        ]
        return Picture(self.worker, lines)

    @property
    def options(self) -> Picture:
        """The picture of the variants, with a legend for each load."""
        lines = [Line(each.scenario, each.name, each.run) for each in self.variants]
        return Picture(self.worker, lines, one_legend=False)


def results(environment: str = ENVIRONMENT) -> Results:
    """Simulate every scenario with the worker of an environment."""
    worker = configuration(render(assemble(), environment))
    assumptions = Assumptions()
    found = outcomes(worker, scenarios(), assumptions)
    text = f"{preamble(environment, worker, assumptions)}\n\n{table(worker, found)}"
    others = variants(worker, assumptions)
    return Results(worker, found, others, [text, compared.table(worker, others)])
