"""The runs of the environment that docs/scaling.md shows."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.scaling.fleet import Assumptions
from benchmarks.scaling.load import scenarios
from benchmarks.scaling.policy import Configuration, configuration
from benchmarks.scaling.report import Outcome, outcomes, preamble, table
from pipeline.checks.render import render
from pipeline.release.assemble import assemble

ENVIRONMENT = "prod"


@dataclass(frozen=True)
class Results:
    """The simulation and its results, as data and as text."""

    worker: Configuration
    outcomes: list[Outcome]
    text: str


def results(environment: str = ENVIRONMENT) -> Results:
    """Simulate every scenario with the worker of an environment."""
    worker = configuration(render(assemble(), environment))
    assumptions = Assumptions()
    found = outcomes(worker, scenarios(), assumptions)
    text = f"{preamble(environment, worker, assumptions)}\n\n{table(worker, found)}"
    return Results(worker, found, text)
