"""What `build.py changes` says of deletion protection, which the function of the root turns on and off."""

from __future__ import annotations

import pytest

from pipeline.changes.change import Action, Fate
from pipeline.changes.report import UNPROTECTED, groups, report
from pipeline.changes.sides import KEPT, Side, of_folder, of_release
from pipeline.parameters.profiles import load_profile, profile_names
from pipeline.release.assemble import Release
from tests.conftest import REGION


@pytest.fixture(scope="module")
def side(release: Release) -> Side:
    """The release of the working tree."""
    return of_release(release, {name: load_profile(release.root, name) for name in profile_names()})


def test_decommission_loses_protection_and_nothing_else(side: Side) -> None:
    before, after = (side.state("prod", REGION, Decommission=value) for value in ("false", "true"))
    found = report("prod", before, after)

    ((heading, (change,)),) = groups(found.changes)
    assert heading == UNPROTECTED
    assert found.changes == (change,)
    assert (str(change.name), change.action) == ("DeletionProtection", Action.UPDATE)
    assert change.notes == (
        "Turns off deletion protection of the stack, the database and the load balancer.",
    )
    assert found.losses() == []
    assert (found.rights, found.interface) == ((), ())


def test_protection_that_is_turned_on_is_an_ordinary_update(side: Side) -> None:
    before, after = (side.state("prod", REGION, Decommission=value) for value in ("true", "false"))

    assert list(groups(report("prod", before, after).changes)) == []


def test_one_of_two_protections_is_named(side: Side) -> None:
    before = side.state("prod", REGION)
    after = side.state("prod", REGION, LoadBalancerDeletionProtection="false")

    ((_, (change,)),) = groups(report("prod", before, after).changes)
    assert change.notes == ("Turns off deletion protection of the load balancer.",)


def test_decommission_of_an_unprotected_environment_turns_nothing_off(side: Side) -> None:
    before, after = (side.state("dev", REGION, Decommission=value) for value in ("false", "true"))

    assert list(groups(report("dev", before, after).changes)) == []


@pytest.mark.parametrize(("environment", "fate"), [("prod", Fate.RETAINED), ("dev", Fate.SNAPSHOT)])
def test_replaced_database_stays_while_the_function_protects_it(
    side: Side, environment: str, fate: Fate
) -> None:
    before = side.state(environment, REGION)
    after = side.state(environment, REGION, DatabaseName="other")

    (database,) = (
        change
        for change in report(environment, before, after).changes
        if str(change.name) == "Data.Database"
    )
    assert (database.action, database.fate) == (Action.REPLACE, fate)


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_update_from_an_earlier_release_loses_no_protection(side: Side, version: str) -> None:
    """The property leaves the template of the database; the function has the protection from then on."""
    earlier = of_folder(KEPT / version, version)
    found = report("prod", earlier.state("prod", REGION), side.state("prod", REGION))

    assert not any(change.unprotects for change in found.changes)
    (created,) = (c for c in found.changes if str(c.name) == "DeletionProtection")
    assert created.action is Action.CREATE
