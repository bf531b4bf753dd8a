"""Small publications with the real templates of launch role and release bucket, and with shares."""

from __future__ import annotations

from dataclasses import replace

from pipeline.catalog.publish import RegionPlan, plan_regions, publish
from pipeline.catalog.spec.model import Catalog
from tests.publishing.conftest import WAITS, Publisher
from tests.publishing.faults import Calls
from tests.publishing.minimal_catalog import CATALOG, small_catalog, small_release


def catalog_with(*shares: str, top: str = "") -> Catalog:
    """The small catalog with shares, each as YAML, and with further keys at the top."""
    lines = "".join(f"      - {share}\n" for share in shares)
    text = CATALOG.replace(
        "products:\n  production", f"    shares:\n{lines}products:\n  production"
    )
    return small_catalog((text if shares else CATALOG) + top)


class Hub:
    """The account that publishes."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self.release = replace(
            small_release(publisher.release), bootstrap_stacks=publisher.release.bootstrap_stacks
        )

    def plan(self, catalog: Catalog, calls: Calls | None = None) -> list[RegionPlan]:
        self.publisher.clients.calls = calls or Calls()
        return plan_regions(self.publisher.clients, self.release, catalog)

    def publish(self, catalog: Catalog, calls: Calls | None = None) -> list[RegionPlan]:
        plans = self.plan(catalog, calls)
        publish(plans, waits=WAITS)
        return plans
