"""Each module walks one chain on an embedded AWS that is empty at its start."""

from __future__ import annotations

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.operations.operation import Chain, Result
from tests.operations.walk import walk


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest, release: Release) -> list[Result]:
    """How each operation of the module's CHAIN ended."""
    chain: Chain = request.module.CHAIN
    with EmbeddedAws.start(region=REGION) as running:
        return walk(running, release, chain)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each operation of the module's CHAIN, in its order."""
    if "position" in metafunc.fixturenames:
        operations = metafunc.module.CHAIN.operations
        names = [f"{number:02} {each.title}" for number, each in enumerate(operations, 1)]
        metafunc.parametrize("position", range(len(operations)), ids=names)
