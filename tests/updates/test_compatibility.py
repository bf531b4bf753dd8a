"""Compatibility of a release with the one before, from the templates; a planted fault proves each check."""

from __future__ import annotations

import pytest

from pipeline.parameters.profiles import profile_names, read_pairs
from pipeline.release.assemble import Release
from tests.releases.kept import Kept, templates_of
from tests.updates.compatibility import CHECKS, WIDENED, Change, Check
from tests.updates.faults import FAULTS, Fault


@pytest.fixture(scope="module")
def change(previous: Kept, release: Release) -> Change:
    """The kept release and that of the working tree; read only."""
    profiles = {
        name: read_pairs(previous.profiles / f"{name}.json", name)
        for name in profile_names(previous.profiles)
    }
    present = templates_of({**release.files, **release.bootstrap_stacks})
    return Change(previous.templates, present, profiles)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_release_keeps(check: Check, change: Change) -> None:
    assert list(check(change)) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_found(fault: Fault, change: Change, previous: Kept) -> None:
    faulty = Change(change.before, previous.templates, change.profiles)
    assert list(fault.found_by(faulty)) == []
    fault.plant(faulty.after)
    findings = list(fault.found_by(faulty))
    assert [finding for finding in findings if fault.says in finding], findings


def test_every_check_is_proven_by_a_fault() -> None:
    assert {check.__name__ for check in CHECKS} == {fault.found_by.__name__ for fault in FAULTS}


def test_every_listed_pattern_has_changed(change: Change) -> None:
    before, after = change.parameters

    assert [name for name in WIDENED if before[name].pattern == after[name].pattern] == []
