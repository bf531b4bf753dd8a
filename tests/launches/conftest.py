"""A separate embedded AWS for every module of launches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded_aws.server import EmbeddedAws
from tests.conftest import REGION
from tests.launches.tree import Tree


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedAws]:
    """A separate embedded AWS for the module; empty at its start."""
    with EmbeddedAws.start(region=REGION) as aws:
        yield aws


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A writable copy of the working tree."""
    return Tree(tmp_path_factory.mktemp("clone") / "carbon-connect")
