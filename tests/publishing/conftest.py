"""Small publications to an embedded AWS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from commands.common.embedded_sessions import publisher as publisher_session
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.publish import RegionPlan, plan_regions, publish
from pipeline.catalog.spec.model import Catalog
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.publishing.faults import Calls, Clients
from tests.publishing.minimal_catalog import small_catalog, small_release
from tests.publishing.snapshot import snapshot
from tests.publishing.states import StatefulAws

# In tests a new resource exists immediately, or never.
WAITS = (0.0, 0.0)


# The prefix of the role names in the small catalog.
ROLES = "launch"


@dataclass
class Publisher:
    """Publishes small releases to an embedded AWS as a session of the publisher role."""

    embedded: EmbeddedAws
    release: Release
    clients: Clients
    others: Clients

    @property
    def aws(self) -> Aws:
        """Clients of another user."""
        return self.others(REGION)

    @property
    def catalog(self) -> Any:
        """A Service Catalog client of another user."""
        return self.aws.client("servicecatalog")

    def begin(self) -> None:
        """Empty the embedded AWS, create the role in it, and publish as a session of it from now on."""
        self.embedded.reset()
        aws = Aws(REGION, self.embedded.environment())
        self.clients.sign_in(publisher_session(aws, self.release, ROLES).environment)

    def plan(
        self,
        calls: Calls | None = None,
        catalog: Catalog | None = None,
        version: str = "1.0.0",
        text: str = "A release",
    ) -> list[RegionPlan]:
        self.clients.calls = calls or Calls()
        release = small_release(self.release, version, text)
        return plan_regions(self.clients, release, catalog or small_catalog())

    def publish(self, calls: Calls | None = None, **what: Any) -> list[RegionPlan]:
        plans = self.plan(calls, **what)
        publish(plans, waits=WAITS)
        return plans

    def snapshot(self) -> dict[str, Any]:
        return snapshot(self.aws)


@pytest.fixture(scope="module")
def publishing_aws(release: Release) -> Iterator[Publisher]:
    """A publisher with a separate embedded AWS for the module."""
    with EmbeddedAws.start(region=REGION) as running:
        yield Publisher(running, release, Clients(running), Clients(running))


@pytest.fixture
def publisher(publishing_aws: Publisher) -> Publisher:
    """A publisher to an empty embedded AWS."""
    publishing_aws.begin()
    return publishing_aws


@pytest.fixture(scope="module")
def stateful_aws() -> Iterator[StatefulAws]:
    """A separate embedded AWS for the module, whose state can be saved and restored."""
    with StatefulAws.begin(REGION) as running:
        yield running


@pytest.fixture
def stateful_publisher(stateful_aws: StatefulAws, release: Release) -> Publisher:
    """A publisher to that embedded AWS."""
    return Publisher(stateful_aws, release, Clients(stateful_aws), Clients(stateful_aws))
