"""The savings that the requested architecture claims: each is listed, with the figure that the templates give."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipeline.checks.render import Rendered
from pipeline.checks.rendered_resources import rendered_resources
from pipeline.cost.savings import Saving, savings
from pipeline.paths import PROJECT_FOLDER

CLAIMS = PROJECT_FOLDER / "docs" / "aws-architecture.txt"
# Percent by strategy; None where the environment saves nothing in this way.
DEV = {
    "Graviton (ARM64) for RDS": "12.2",
    "Graviton (ARM64) for ElastiCache": None,
    "Graviton (ARM64) for Fargate": "20.0",
    "Fargate Spot for Celery workers": "70.0",
    "Valkey instead of Redis": None,
    "Valkey Serverless for dev and staging": "85.2",
    "S3 Intelligent-Tiering for documents": "45.7",
    "Single NAT gateway for non-production": "66.7",
}
PROD = DEV | {
    "Graviton (ARM64) for ElastiCache": "4.9",
    "Valkey instead of Redis": "20.0",
    "Valkey Serverless for dev and staging": None,
    "Single NAT gateway for non-production": None,
}


def of(rendered: Rendered) -> dict[str, Saving]:
    return {each.strategy: each for each in savings(rendered_resources(rendered))}


def test_each_claim_has_its_figure(dev: Rendered, staging: Rendered, prod: Rendered) -> None:
    for rendered, expected in ((dev, DEV), (staging, DEV), (prod, PROD)):
        found = {name: saving.percent for name, saving in of(rendered).items()}
        assert found == {
            name: None if percent is None else Decimal(percent)
            for name, percent in expected.items()
        }


def test_every_claim_of_the_architecture_is_listed() -> None:
    _, _, table = CLAIMS.read_text(encoding="utf-8").partition("Cost Optimization")
    rows = [row.strip("| ").split(" | ") for row in table.splitlines() if row.startswith("| ")]
    strategies = [row[0] for row in rows if row[0] != "Strategy"]
    assert len(strategies) == 5
    for strategy in strategies:
        first = strategy.split()[0]
        assert any(first.lower() in name.lower() for name in DEV), strategy


def test_spot_and_nat_in_dollars(dev: Rendered) -> None:
    spot = of(dev)["Fargate Spot for Celery workers"]
    assert spot.without == 2 * 730 * Decimal("0.04344")
    assert spot.usd == pytest.approx((spot.without or 0) * Decimal("0.7"))
    nat = of(dev)["Single NAT gateway for non-production"]
    assert nat.usd == 2 * 730 * Decimal("0.046")
