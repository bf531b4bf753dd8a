"""Environments as they are once a team works with them: with an image, and deployed to from GitHub."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from pipeline.assemble import Release
from pipeline.render import Rendered, render
from tests.conftest import REGION

# What an environment's first launch goes without.
LATER = {"ImageTag": "1.2.3", "GitHubRepository": "example/carbon-connect"}

RenderWith = Callable[[str, dict[str, str]], Rendered]


@pytest.fixture(scope="session")
def render_with(release: Release) -> RenderWith:
    """Renders an environment with other values than its profile's."""
    return lambda environment, values: render(release, environment, REGION, values)


@pytest.fixture(scope="session")
def completed(release: Release) -> dict[str, Rendered]:
    """The environments rendered for `complete`, by name."""
    del release
    return {}


@pytest.fixture
def complete(
    rendered: Rendered, render_with: RenderWith, completed: dict[str, Rendered]
) -> Rendered:
    """Each environment after its first update; read only."""
    make = partial(render_with, rendered.environment, LATER)
    return completed.setdefault(rendered.environment, make())
