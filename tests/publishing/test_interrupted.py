"""Killed anywhere, whole afterwards: every call of a publication meets every fault, and the next run makes good."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.errors import Refusal
from tests.publishing.conftest import Publisher
from tests.publishing.faults import (
    READING,
    Calls,
    Fault,
    KilledError,
    denied,
    killed,
    no_waiting,
    throttled,
    timed_out,
)
from tests.publishing.small import CATALOG, SHARE, small_catalog

SHARED = CATALOG.replace("products:\n  production", f"{SHARE}products:\n  production")


def first_publication(_publisher: Publisher) -> dict[str, Any]:
    """Into an account that holds nothing: stacks, bucket, and one of everything in the catalog."""
    return {"catalog": small_catalog(SHARED)}


def next_version(publisher: Publisher) -> dict[str, Any]:
    """Over a version that is to be retired, and a catalog that was changed by hand."""
    publisher.publish()
    catalog = publisher.catalog
    portfolio = catalog.list_portfolios()["PortfolioDetails"][0]
    catalog.update_portfolio(Id=portfolio["Id"], DisplayName="Changed by hand")
    view = catalog.search_products_as_admin()["ProductViewDetails"][0]["ProductViewSummary"]
    catalog.update_product(Id=view["ProductId"], Owner="Somebody")
    placed = catalog.list_constraints_for_portfolio(PortfolioId=portfolio["Id"])
    for constraint in placed["ConstraintDetails"]:
        if constraint["Type"] == "RESOURCE_UPDATE":
            forbidden = {"TagUpdateOnProvisionedProduct": "NOT_ALLOWED"}
            parameters = json.dumps({"Version": "2.0", "Properties": forbidden})
            catalog.update_constraint(Id=constraint["ConstraintId"], Parameters=parameters)
    changed = SHARED.replace("principals: [role/launcher]", "principals: [role/launcher, role/b]")
    unshared = changed.replace(SHARE, "").replace("versions_kept: 2", "versions_kept: 1")
    return {"version": "1.1.0", "catalog": small_catalog(unshared)}


Situation = Callable[[Publisher], dict[str, Any]]
SITUATIONS = (first_publication, next_version)


@pytest.fixture(params=SITUATIONS, ids=lambda situation: situation.__name__)
def situation(request: pytest.FixtureRequest) -> Situation:
    made: Situation = request.param
    return made


def undisturbed(publisher: Publisher, situation: Situation) -> tuple[dict[str, Any], list[str]]:
    """What an undisturbed publication leaves, and the calls that it makes."""
    calls = Calls()
    publisher.publish(calls, **situation(publisher))
    return publisher.snapshot(), calls.made


@pytest.mark.parametrize("fault", [killed, denied, timed_out], ids=lambda fault: fault.__name__)
def test_a_publication_that_broke_off_at_any_call_is_made_good_by_the_next(
    publisher: Publisher, situation: Situation, fault: Fault
) -> None:
    expected, made = undisturbed(publisher, situation)
    assert len([name for name in made if not name.startswith(("Describe", "List"))]) > 10
    # What reached AWS decides what it holds: the next run need be seen once for each.
    seen: set[tuple[str, ...]] = set()
    for number, name in enumerate(made, 1):
        if fault is not denied and name.startswith(READING) and number > 1:
            # A reading call leaves no trace: ending at it is ending at the call before.
            continue
        publisher.embedded.reset()
        wanted = situation(publisher)
        calls = Calls(fault, at=number)
        with no_waiting(), pytest.raises((KilledError, Refusal)):
            publisher.publish(calls, **wanted)
        state = tuple(sorted(calls.effects))
        if state in seen:
            continue
        seen.add(state)
        again = Calls()
        publisher.publish(again, **wanted)
        assert publisher.snapshot() == expected, f"{fault.__name__} at call {number} of {made}"
        assert not writes_of(publisher, wanted), f"{fault.__name__} at call {number} of {made}"
    assert len(seen) > 6


@pytest.mark.parametrize("fault", [throttled, timed_out], ids=lambda fault: fault.__name__)
def test_every_call_may_fail_once(publisher: Publisher, situation: Situation, fault: Fault) -> None:
    expected, made = undisturbed(publisher, situation)
    publisher.embedded.reset()
    wanted = situation(publisher)
    calls = Calls(fault)

    with no_waiting():
        publisher.publish(calls, **wanted)

    assert len(calls.made) > 1.9 * len(set(made))
    assert publisher.snapshot() == expected


def writes_of(publisher: Publisher, wanted: dict[str, Any]) -> list[str]:
    """What publishing once more would write."""
    return [step.subject for plan in publisher.plan(**wanted) for step in plan.writing]
