"""The two releases of an update, and an embedded AWS of its own for every module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from tests.conftest import REGION
from tests.releases.kept import Kept, kept


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedAws]:
    """An embedded AWS that is the module's alone; empty at its start."""
    with EmbeddedAws.start(region=REGION) as aws:
        yield aws


@pytest.fixture(scope="module")
def aws(running: EmbeddedAws) -> Aws:
    """Its clients, which take longer to make than to use."""
    return Aws(REGION, running.environment())


@pytest.fixture(scope="session")
def previous() -> Kept:
    """The release before the one of the working tree."""
    return kept()
