"""Each verdict of the table, executed on an environment of the kept release with data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from pipeline.changes.sides import KEPT, Side, of_folder
from tests.changes.agreement import disagreements
from tests.changes.cases import CASES, Case
from tests.changes.rehearsal import Rehearsal
from tests.changes.test_cases import changes
from tests.conftest import REGION
from tests.publishing.states import StatefulAws
from tests.releases.kept import read

# Verdicts that the embedded AWS cannot show, and why.
NOT_SHOWN: Mapping[str, str] = {
    "search volume removed": "the search server does not start without its volume, so the update fails later",
    "type changed under the same logical ID": "ministack's CloudFormation replaces the resource",
}
EXECUTED = [case for case in CASES if case.what not in NOT_SHOWN]


@pytest.fixture(scope="module")
def release() -> Side:
    """Release 1.1.0."""
    return of_folder(KEPT / "1.1.0", "1.1.0")


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[Callable[[str], Rehearsal]]:
    """An environment by its name, launched at its first use."""
    running: dict[str, StatefulAws] = {}
    known: dict[str, Rehearsal] = {}

    def of(name: str) -> Rehearsal:
        if name not in known:
            running[name] = StatefulAws.begin(REGION)
            kept = read(KEPT / "1.1.0")
            known[name] = Rehearsal(running[name], name, kept.release, kept.profiles)
        return known[name]

    yield of
    for aws in running.values():
        aws.stop()


@pytest.mark.parametrize("case", EXECUTED, ids=lambda case: case.what.replace(" ", "-"))
def test_update_matches_the_verdict(
    rehearsal: Callable[[str], Rehearsal], release: Side, case: Case
) -> None:
    environment = rehearsal(case.environment)
    environment.restart()
    before = environment.beginning
    if case.given:
        before = environment.seen(environment.update(case.given))
        assert before.status == "UPDATE_COMPLETE"
    after = environment.seen(environment.update({**case.given, **case.values}, case.plants))

    found = list(disagreements(environment.aws, before, after, changes(release, case)))
    assert found == []


def test_every_exception_is_a_case() -> None:
    assert NOT_SHOWN.keys() < {case.what for case in CASES}
