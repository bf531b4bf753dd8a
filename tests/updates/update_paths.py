"""An environment of the kept release, updated to other releases and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from commands.common.embedded_launch import embedded_prerequisites
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release, content_digest, serialize, template_path
from pipeline.stacks.deploy import CAPABILITIES, newest_event, root_url
from pipeline.stacks.events import Failure, Operation
from templates_src.core.parameters.shared import RELEASE_BUCKET, RELEASE_PREFIX
from tests.conftest import REGION
from tests.launches.environments import Environment
from tests.releases.kept import Kept, templates_of
from tests.updates.states import State
from tests.updates.stored_data import Holdings

Plant = Callable[[dict[str, dict[str, Any]]], object]


class Journey:
    """One environment: launched with the kept release, filled with data, then updated.

    ``before`` is its first state; every operation returns the new state. ``failures`` are those of the last one.
    """

    def __init__(self, running: EmbeddedAws, aws: Aws, previous: Kept, name: str) -> None:
        self.running, self.aws, self.name = running, aws, name
        # One certificate for all operations, because another one would change a value.
        self.settings = embedded_prerequisites(aws, name, {})
        self.former = self._of(previous.release, previous.profiles)
        self.failures: tuple[Failure, ...] = self.former.launch().failures
        self.holdings = Holdings(self.former)
        self.before = self.state()

    def state(self) -> State:
        """The current state of the environment."""
        return State.of(self.former, self.holdings)

    def update(self, release: Release, **changes: str) -> State:
        """Update to a release, with the working tree's profile."""
        environment = self._of(release)
        end = environment.launch(**{RELEASE_PREFIX.name: release.prefix, **changes})
        self.failures = end.failures
        return self.state()

    def take_back(self) -> State:
        """Update to the kept release, with its own profile."""
        self.failures = self.former.launch().failures
        return self.state()

    def update_keeping_values(self, release: Release, *, also_prefix: bool = False) -> State:
        """Update to a release with unchanged values; new parameters have their defaults.

        The location belongs to the release: with the previous prefix, which ``also_prefix`` keeps, its root would nest
        the previous layers.
        """
        environment = self._of(release)
        known = set(self.state().parameters[""])
        if not also_prefix:
            known -= {RELEASE_PREFIX.name}
        since = newest_event(environment.aws, environment.stack)
        stack = environment.client("cloudformation").update_stack(
            StackName=environment.stack,
            TemplateURL=root_url(REGION, release, environment.settings[RELEASE_BUCKET.name]),
            Parameters=[{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(known)],
            Capabilities=CAPABILITIES,
        )["StackId"]
        operation = Operation(environment.aws, stack, since)
        operation.follow(lambda _: None)
        self.failures = tuple(operation.failures())
        return self.state()

    def _of(self, release: Release, profiles: Path = PARAMETERS) -> Environment:
        return Environment(
            self.running, release, self.name, REGION, profiles, self.aws, **self.settings
        )


def planted(release: Release, *plants: Plant) -> Release:
    """A copy of a release with other templates, under another prefix."""
    templates = templates_of(release.files)
    for plant in plants:
        plant(templates)
    changed = {template_path(name): serialize(body) for name, body in templates.items()}
    files = {**release.files, **changed}
    return replace(
        release, version=f"planted-{release.version}", digest=content_digest(files), files=files
    )
