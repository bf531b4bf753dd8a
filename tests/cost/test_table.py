"""The monthly cost: known for every resource, equal to figures by hand, and the same for every form of a template."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from pipeline.changes.sides import of_release
from pipeline.changes.state import evaluate
from pipeline.checks.render import Rendered, render
from pipeline.checks.rendered_resources import rendered_resources
from pipeline.cost.assumptions import assumed
from pipeline.cost.kinds import CHARGED, FREE, WITHOUT_CHARGE
from pipeline.cost.savings import savings
from pipeline.cost.table import CostTable, in_usd, monthly_cost
from pipeline.errors import PipelineError
from pipeline.parameters.profiles import load_profile, profile_names
from pipeline.release.assemble import Release
from pipeline.template.references import Name
from tests.conftest import REGION

# Launches with other resources than those of the profiles.
OTHER_LAUNCHES: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("dev", {"AlarmEmail": "team@example.com", "WorkerCapacity": "base-on-demand"}),
    ("prod", {"DomainName": "carbon.example.com", "HostedZoneId": "Z0123456789ABCDEFGHIJ"}),
    ("prod", {"GitHubRepository": "example/carbon-connect"}),
)
# The logical ID, and US dollars a month by hand with the prices of eu-north-1.
DEV = {
    "Network.NatGateway1": "0.046 * 730 + 50 * 0.046",
    "Network.NatAddress1": "0.005 * 730",
    "Edge.LoadBalancer": "0.02394 * 730 + 0.1 * 730 * 0.0076 + 3 * 730 * 0.005 + 20 * 0.09",
    "Edge.WebAcl": "5 + 5 * 1 + 0.60",
    "Compute.ApiService": "2 * 730 * (0.0356 + 2 * 0.00392)",
    "Compute.WorkerService": "2 * 730 * (0.0356 + 2 * 0.00392) * 0.3",
    "Compute.BeatService": "730 * (0.25 * 0.0356 + 0.5 * 0.00392)",
    "Compute.SearchGroup": "730 * 0.0172 + 8 * 0.0836",
    "Data.Database": "730 * 0.065 + 50 * 0.12 + 0.54",
    "Data.ServerlessCache": "0.1 * 730 * 0.089 + 100 * 0.0024",
    "Monitoring.ApiErrorsTooHigh": "2 * 0.10",
}
PROD = {
    "Network.NatGateway3": "0.046 * 730 + 50 / 3 * 0.046",
    "Data.Database": "730 * 0.130 + 50 * 0.24 + 0.54",
    "Data.CacheReplicationGroup": "2 * 730 * 0.0624",
    "Edge.AccessLogBucket": "10 * 0.023",
}


def cost_of(rendered: Rendered, **assumptions: str) -> CostTable:
    return monthly_cost(rendered_resources(rendered), rendered.region, assumed(assumptions))


def test_every_resource_has_a_price_or_a_reason_why_it_is_free(release: Release) -> None:
    launches = [*((name, {}) for name in profile_names()), *OTHER_LAUNCHES]
    for name, given in launches:
        table = cost_of(render(release, name, REGION, given))
        assert not table.unknown(), (name, given)
        assert all(bool(line.amounts) != bool(line.free) for line in table.lines)


def test_a_type_is_charged_or_free() -> None:
    assert not CHARGED.keys() & FREE.keys()
    assert WITHOUT_CHARGE.keys() <= CHARGED.keys()


@pytest.mark.parametrize(("environment", "by_hand"), [("dev", DEV), ("prod", PROD)])
def test_figures_by_hand(environment: str, by_hand: Mapping[str, str], release: Release) -> None:
    lines = {str(line.name): line for line in cost_of(render(release, environment)).lines}
    for name, formula in by_hand.items():
        expected = Decimal(str(eval(formula)))  # noqa: S307 - the formulas are above
        assert lines[name].usd == pytest.approx(expected), name


def test_the_total_is_the_sum_of_the_resources(rendered: Rendered) -> None:
    table = cost_of(rendered)
    assert table.known() == sum((line.usd or 0 for line in table.lines), Decimal(0))
    assert 0 < table.unconfirmed() < table.known()
    assert 0 < table.idle() < table.known()


def test_a_rendered_and_an_evaluated_environment_cost_the_same(release: Release) -> None:
    """Deployed environments are evaluated, profiles are rendered."""
    profiles = {name: load_profile(release.root, name) for name in profile_names()}
    side = of_release(release, profiles)
    for name in profiles:
        evaluated = evaluate(side.state(name, REGION)).resources.values()
        assert monthly_cost(evaluated) == cost_of(render(release, name))


def changed(rendered: Rendered, layer: str, **resources: Mapping[str, Any] | None) -> Rendered:
    """A copy with resources added, replaced, or removed (None)."""
    found = copy.deepcopy(rendered)
    known = found.layers[layer]["Resources"]
    for name, body in resources.items():
        known.pop(name, None)
        if body is not None:
            known[name] = body
    return found


def test_a_resource_that_is_added_or_removed_changes_the_total(dev: Rendered) -> None:
    before = cost_of(dev).known()
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {}}
    more = cost_of(changed(dev, "security", AnotherSecret=secret))
    assert more.line(Name("Security", "AnotherSecret")).usd
    assert more.known() - before == pytest.approx(Decimal("0.40"))
    fewer = cost_of(changed(dev, "data", SearchVolume=None))
    assert before - fewer.known() == 20 * Decimal("0.0836")
    assert "SearchVolume" not in {line.name.logical_id for line in fewer.lines}


def test_an_unknown_type_is_named_and_not_counted(dev: Rendered) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {}}
    table = cost_of(changed(dev, "data", Queue=queue))
    (line,) = table.unknown()
    assert line.unknown == "No price of AWS::SQS::Queue is known, and no reason why it is free."
    assert "without Data.Queue" in table.summary()
    assert table.known() == cost_of(dev).known()


def test_an_instance_class_without_a_price_is_named(release: Release) -> None:
    given = {"DatabaseInstanceClass": "db.m7g.large"}
    (line,) = cost_of(render(release, "dev", REGION, given)).unknown()
    assert (str(line.name), line.usd) == ("Data.Database", None)
    assert "The price of hours of db.m7g.large in one zone is not known." in line.unknown


def test_a_restored_database_has_storage_of_an_unknown_size(release: Release) -> None:
    given = {"DatabaseSnapshotIdentifier": "before", "DatabaseAllocatedStorage": "50"}
    (line,) = cost_of(render(release, "dev", REGION, given)).unknown()
    assert line.unknown == (
        "The price of storage in one zone, as large as the snapshot is not known."
    )


def test_a_resource_without_a_property_is_named(dev: Rendered) -> None:
    volume = {"Type": "AWS::EC2::Volume", "Properties": {}}
    (line,) = cost_of(changed(dev, "data", SearchVolume=volume)).unknown()
    assert "cannot be computed from its properties" in line.unknown


def test_another_region_has_no_prices(release: Release) -> None:
    resources = rendered_resources(render(release, "dev", "eu-west-1"))
    table = monthly_cost(resources, "eu-west-1")
    assert table.summary() == (
        "The monthly cost in eu-west-1 is not known: the prices are those of eu-north-1."
    )
    assert table.known() == 0
    assert all("eu-west-1 is not known" in line.unknown for line in table.lines if line.amounts)
    assert {each.usd for each in savings(resources, "eu-west-1")} == {None}


def test_assumptions_change_what_they_name(dev: Rendered) -> None:
    before = cost_of(dev)
    more = cost_of(dev, requests="11", api_more_tasks="1.5")
    moved = {
        str(line.name)
        for line, old in zip(more.lines, before.lines, strict=True)
        if line.usd != old.usd
    }
    assert moved == {"Edge.WebAcl", "Compute.ApiService"}
    added = 10 * Decimal("0.60") + Decimal("1.5") * 730 * Decimal("0.04344")
    assert in_usd(more.known() - before.known()) == in_usd(added)


def test_a_mixed_worker_capacity_has_both_prices(release: Release) -> None:
    """The minimum runs on demand; nine tenths of what comes on top run on Spot."""
    rendered = render(release, "dev", REGION, {"WorkerCapacity": "base-on-demand"})
    line = cost_of(rendered, worker_more_tasks="3").line(Name("Compute", "WorkerService"))
    task = 730 * Decimal("0.04344")
    assert line.usd == pytest.approx(
        2 * task + 3 * task * (Decimal("0.1") + Decimal("0.9") * Decimal("0.3"))
    )
    assert [each.charge.what.endswith("on Spot") for each in line.amounts] == [False, True] * 2


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"visitors": "1"}, "No assumption has the name 'visitors'"),
        ({"requests": "many"}, "requests must be a number from 0, not 'many'"),
        ({"requests": "-1"}, "requests must be a number from 0, not '-1'"),
        ({"requests": "inf"}, "requests must be a number from 0, not 'inf'"),
        ({"spot_discount": "1.2"}, "spot_discount must be a share from 0 to 1, not '1.2'"),
    ],
)
def test_a_wrong_assumption_is_refused(given: dict[str, str], reason: str) -> None:
    with pytest.raises(PipelineError, match=reason):
        assumed(given)
