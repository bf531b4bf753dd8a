"""Environments in use: with an image, and with deployments from GitHub."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from pipeline.checks.render import Rendered, render
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.rendering import with_places

# Values that an environment's first launch does not have.
LATER = {"ImageTag": "1.2.3", "GitHubRepository": "example/carbon-connect"}

RenderWith = Callable[[str, dict[str, str]], Rendered]


@pytest.fixture(scope="session")
def render_with(release: Release) -> RenderWith:
    """Renders an environment with other values than its profile's."""
    return lambda environment, values: with_places(render(release, environment, REGION, values))


@pytest.fixture(scope="session")
def completed(render_with: RenderWith) -> Callable[[str], Rendered]:
    """Renders an environment as it is after its first update, once."""
    return cache(lambda environment: render_with(environment, LATER))


@pytest.fixture
def complete(rendered: Rendered, completed: Callable[[str], Rendered]) -> Rendered:
    """Each environment after its first update; read only."""
    return completed(rendered.environment)
