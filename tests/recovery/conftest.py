"""An embedded AWS with real databases, and the folder of a user."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded_aws.server import EmbeddedAws
from tests.conftest import REGION
from tests.engines.database_host import DatabaseHost
from tests.launches.tree import Tree


@pytest.fixture(scope="session")
def host() -> Iterator[DatabaseHost]:
    """What runs the databases."""
    with DatabaseHost() as running:
        yield running


@pytest.fixture(scope="module")
def running(host: DatabaseHost) -> Iterator[EmbeddedAws]:
    """An embedded AWS of the module alone, whose databases are real."""
    with EmbeddedAws.start(
        region=REGION, database_host=host.url, database_ca=host.identity.root
    ) as aws:
        yield aws


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A copy of the working tree that a program may write to."""
    return Tree(tmp_path_factory.mktemp("clone") / "carbon-connect")
