"""Fixtures of most tests: the release, its rendered environments, and an embedded AWS."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from embedded_aws.server import EmbeddedAws
from embedded_aws.settings import without_machine_settings
from pipeline.checks.render import Rendered, render
from pipeline.parameters.profiles import profile_names
from pipeline.release.assemble import Release, assemble
from tests.rendering import with_places

# Clients that a test creates, and the programs that it runs, talk to loopback only.
_isolated = without_machine_settings(os.environ)
os.environ.clear()
os.environ.update(_isolated)

# A shell lets what it runs in the background ignore Ctrl-C, and the programs of the tests would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.engines.fixtures"]

REGION = "eu-north-1"
ENVIRONMENTS = tuple(profile_names())

Render = Callable[[str], Rendered]

# Files whose tests take minutes. They start first, so that no worker runs one alone at the end.
SLOW = (
    "tests/publishing/test_interrupted_",
    "tests/changes/test_executed_",
    "tests/updates/",
    "tests/recovery/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow files first, in the order of the list."""

    def place(item: pytest.Item) -> int:
        places = (number for number, name in enumerate(SLOW) if item.nodeid.startswith(name))
        return next(places, len(SLOW))

    items.sort(key=place)


@cache
def _release() -> Release:
    return assemble()


@cache
def _rendered(environment: str) -> Rendered:
    return with_places(render(_release(), environment, REGION))


@pytest.fixture(scope="session")
def release() -> Release:
    """The release of the working tree."""
    return _release()


@pytest.fixture(params=ENVIRONMENTS)
def rendered(request: pytest.FixtureRequest) -> Rendered:
    """Each environment, rendered; read only."""
    return _rendered(request.param)


@pytest.fixture(scope="session")
def dev() -> Rendered:
    """The dev environment, rendered; read only."""
    return _rendered("dev")


@pytest.fixture(scope="session")
def staging() -> Rendered:
    """The staging environment, rendered; read only."""
    return _rendered("staging")


@pytest.fixture(scope="session")
def prod() -> Rendered:
    """The prod environment, rendered; read only."""
    return _rendered("prod")


@pytest.fixture(scope="session")
def running_aws() -> Iterator[EmbeddedAws]:
    """One embedded AWS for the whole run; use `embedded` for an empty one."""
    with EmbeddedAws.start(region=REGION) as running:
        yield running


@pytest.fixture
def embedded(running_aws: EmbeddedAws) -> EmbeddedAws:
    """An empty embedded AWS."""
    running_aws.reset()
    return running_aws
