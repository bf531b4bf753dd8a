"""Each upgrade gets the verdict of the table, and no other resource is reported to lose data or to fail."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pipeline.changes.change import Action, Change, Fate
from pipeline.changes.engine import compare
from pipeline.changes.report import sentence
from pipeline.changes.sides import KEPT, Side, of_folder
from pipeline.changes.state import State
from tests.changes.cases import CASES, Case
from tests.conftest import REGION


@pytest.fixture(scope="module")
def release() -> Side:
    """Release 1.1.0."""
    return of_folder(KEPT / "1.1.0", "1.1.0")


def changes(release: Side, case: Case) -> dict[str, Change]:
    """The verdict of the engine on a case, by resource."""
    before = release.state(case.environment, REGION, **case.given)
    templates: dict[str, dict[str, Any]] = copy.deepcopy(dict(release.templates))  # type: ignore[arg-type]
    for plant in case.plants:
        plant(templates)
    after = State(templates, {**before.values, **case.values}, REGION, before.root)
    return {str(change.name): change for change in compare(before, after)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what.replace(" ", "-"))
def test_verdict(release: Side, case: Case) -> None:
    found = changes(release, case)

    verdicts = {
        name: (found[name].action, found[name].fate) for name in case.verdict if name in found
    }
    assert verdicts == dict(case.verdict), {
        name: found[name] for name in case.verdict if name in found
    }
    text = "\n".join(map(sentence, found.values()))
    for words in case.says:
        assert words in text
    unexpected = {
        name: (change.action, change.fate)
        for name, change in found.items()
        if name not in case.verdict and (change.loses or change.action is Action.FAIL)
    }
    assert unexpected == {}


def test_table_has_enough_cases() -> None:
    assert len(CASES) >= 80
    assert len({case.what for case in CASES}) == len(CASES)


def test_equal_states_have_no_changes(release: Side) -> None:
    for environment in release.profiles:
        state = release.state(environment, REGION)
        assert compare(state, state) == []


def test_each_fate_and_action_is_reached() -> None:
    verdicts = [verdict for case in CASES for verdict in case.verdict.values()]

    assert {action for action, _ in verdicts} >= set(Action) - {Action.MAY_REPLACE}
    assert {fate for _, fate in verdicts} == set(Fate)
