"""One launched dev environment for a module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.launches.environments import Environment


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedAws]:
    """A separate embedded AWS for the module; empty at its start."""
    with EmbeddedAws.start(region=REGION) as aws:
        yield aws


@pytest.fixture(scope="module")
def environment(running: EmbeddedAws, release: Release) -> Environment:
    """dev, launched without a failure."""
    dev = Environment(running, release, "dev")
    assert dev.launch(ImageTag="good").succeeded
    return dev
