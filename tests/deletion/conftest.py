"""A separate embedded AWS for every module, and a copy of the working tree that runs build.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded_aws.server import EmbeddedAws
from tests.conftest import REGION
from tests.launches.tree import Tree
from tests.releases.kept import Kept, kept


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedAws]:
    """An embedded AWS that only this module uses; empty at its start."""
    with EmbeddedAws.start(region=REGION) as aws:
        yield aws


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A copy of the working tree that a program may write to."""
    return Tree(tmp_path_factory.mktemp("clone") / "carbon-connect")


@pytest.fixture(scope="session")
def previous() -> Kept:
    """The release before this one: it protects its database and load balancer, and no stack, and deletes its buckets."""
    return kept()
