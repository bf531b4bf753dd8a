"""The two releases of an update, and an empty embedded AWS for every module and kept release."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from tests.conftest import REGION
from tests.releases.kept import Kept, folders, read


@pytest.fixture(scope="module", params=folders(), ids=lambda folder: folder.name)
def previous(request: pytest.FixtureRequest) -> Kept:
    """Each release before the one of the working tree."""
    return read(request.param)


@pytest.fixture(scope="module")
def running(previous: Kept) -> Iterator[EmbeddedAws]:
    """An embedded AWS for one module and one kept release, whose environments have the same names."""
    del previous
    with EmbeddedAws.start(region=REGION) as aws:
        yield aws


@pytest.fixture(scope="module")
def aws(running: EmbeddedAws) -> Aws:
    """Its clients, created once, because creating one takes longer than most calls."""
    return Aws(REGION, running.environment())
