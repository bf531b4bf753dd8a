"""An embedded AWS of its own for every module of launches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded_aws.server import EmbeddedAws
from tests.conftest import REGION


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedAws]:
    """An embedded AWS that is the module's alone; empty at its start."""
    with EmbeddedAws.start(region=REGION) as aws:
        yield aws
