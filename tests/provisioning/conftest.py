"""A separate embedded AWS for every module, with a catalog that contains the release."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release, assemble
from tests.conftest import REGION
from tests.launches.tree import Tree
from tests.provisioning.catalog import Catalog


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedAws]:
    """A separate embedded AWS for the module; empty at its start."""
    with EmbeddedAws.start(region=REGION) as aws:
        yield aws


@pytest.fixture(scope="session")
def later() -> Release:
    """The next release, which differs only in its version."""
    return assemble("99.0.0")


@pytest.fixture(scope="module")
def catalog(running: EmbeddedAws, release: Release) -> Catalog:
    """A catalog with the release as its product's first version."""
    made = Catalog(running)
    made.publish(release)
    return made


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A writable copy of the working tree."""
    return Tree(tmp_path_factory.mktemp("clone") / "carbon-connect")
