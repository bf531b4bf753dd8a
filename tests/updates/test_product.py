"""An environment from the kept release's product: updated to the next version, and back."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.environments.provisioning.operations import OperationResult
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.launches.environments import Environment
from tests.provisioning.catalog import Catalog
from tests.provisioning.users import User
from tests.releases.kept import Kept
from tests.updates import stateful
from tests.updates.states import State, changed_outputs, left_over, lost, replaced
from tests.updates.stored_data import Holdings

NAME = "carbon-connect-dev"


@dataclass(frozen=True)
class Results:
    """The environment before the update, after it, and after the update back, with both results."""

    before: State
    updated: State
    back: State
    ends: tuple[OperationResult, OperationResult]


@pytest.fixture(scope="module")
def results(running: EmbeddedAws, previous: Kept, release: Release) -> Results:
    catalog = Catalog(running)
    catalog.publish(previous.release, profiles=previous.profiles)
    user = User(catalog.user)
    assert user.launch().succeeded
    environment = Environment(
        running, previous.release, "dev", REGION, previous.profiles, catalog.aws
    )
    environment.stack = user.stack().id
    holdings = Holdings(environment)
    before = State.of(environment, holdings)
    catalog.publish(release)
    update = user.update(release.version)
    updated = State.of(environment, holdings)
    back = user.update(previous.release.version)
    return Results(before, updated, State.of(environment, holdings), (update, back))


def test_both_updates_succeed(results: Results, previous: Kept, release: Release) -> None:
    assert results.ends == tuple(
        OperationResult(NAME, version, changed=True, succeeded=True)
        for version in (release.version, previous.release.version)
    )
    assert results.updated.outputs["ReleaseVersion"] == release.version
    assert results.back.outputs == results.before.outputs


@pytest.mark.parametrize("state", ["updated", "back"])
def test_everything_is_unchanged(results: Results, previous: Kept, state: str) -> None:
    after: State = getattr(results, state)
    names = stateful.names(previous.templates)

    assert list(replaced(results.before, after, names)) == []
    assert list(lost(results.before, after)) == []
    assert list(changed_outputs(results.before, after)) == []
    assert list(left_over(results.before, after)) == []


def test_values_are_kept(results: Results) -> None:
    before = results.before.parameters[""]

    assert before.items() <= results.updated.parameters[""].items()
