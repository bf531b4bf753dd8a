"""Launches that a product does not offer are refused by the named guard, and succeed without it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from tests.attacks.products import LAUNCHES, ProductAttack, Published
from tests.conftest import REGION


@pytest.fixture(scope="module")
def published(release: Release) -> Iterator[Published]:
    """An embedded AWS with the published catalog.yaml."""
    with EmbeddedAws.start(region=REGION) as running:
        yield Published(running, release)


@pytest.mark.parametrize("attack", LAUNCHES, ids=str)
def test_launch_is_refused_by_its_guard(published: Published, attack: ProductAttack) -> None:
    attempt = attack.attempt(published)

    reasons = attempt.reasons()

    assert reasons == (attack.guard,), reasons
    assert attempt.without(attack.guard).reasons() == ()
