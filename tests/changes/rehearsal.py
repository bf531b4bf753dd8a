"""An environment of a kept release on an embedded AWS, with data, that the cases change one after the other."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from commands.common.embedded_launch import embedded_prerequisites
from pipeline.aws import Aws
from pipeline.release.assemble import Release
from pipeline.release.upload import upload
from pipeline.stacks.deploy import CAPABILITIES, root_url
from pipeline.template.example_values import ACCOUNT
from templates_src.core.parameters.shared import RELEASE_BUCKET, RELEASE_PREFIX
from tests.conftest import REGION
from tests.launches.environments import Environment, Resource
from tests.launches.snapshots import keep_snapshot
from tests.publishing.states import StatefulAws
from tests.updates.faults import Plant
from tests.updates.stored_data import Held, Holdings
from tests.updates.update_paths import planted

UNCHANGED, REFUSED = "UNCHANGED", "REFUSED"
_PAUSE = 0.02
# Snapshots of databases that cases name.
SNAPSHOTS = ("first", "second")
# A permissions boundary that a case names.
BOUNDARY = "boundary"
ANYTHING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)


@dataclass(frozen=True)
class Seen:
    """The state of an environment: every resource by layer and logical ID, and the stored data."""

    status: str
    resources: Mapping[str, Resource]
    held: Held


class Rehearsal:
    """An environment of a release; ``values`` are those of its root parameters, ``beginning`` is how it was launched."""

    def __init__(self, running: StatefulAws, name: str, base: Release, profiles: Path) -> None:
        self.running = running
        self.aws = Aws(REGION, running.environment())
        self.base = base
        self.settings = embedded_prerequisites(self.aws, name, {})
        self.environment = Environment(
            running,
            base,
            name,
            REGION,
            profiles,
            self.aws,
            **self.settings,
        )
        assert self.environment.launch().status == "CREATE_COMPLETE"
        self.values = self.environment.values()
        self.account = self.aws.account()
        self.aws.client("iam").create_policy(PolicyName=BOUNDARY, PolicyDocument=ANYTHING)
        zone = self.aws.client("route53").create_hosted_zone(
            Name="example.com", CallerReference="1"
        )
        for snapshot in SNAPSHOTS:
            keep_snapshot(self.aws.client("rds"), snapshot)
        self.zone = zone["HostedZone"]["Id"].rpartition("/")[2]
        self.holdings = Holdings(self.environment)
        self.stacks = {
            name: stack["StackId"] for name, stack in self.environment.stacks().items() if name
        }
        self.beginning = self.seen("CREATE_COMPLETE")
        running.keep()

    def restart(self) -> None:
        """Bring the environment back to its launch."""
        self.running.restore()

    def seen(self, status: str) -> Seen:
        """The environment now."""
        resources = self.environment.resources()
        return Seen(status, resources, self.holdings.read(resources))

    def release(self, plants: Sequence[Plant]) -> Release:
        """The release with other templates, in its bucket."""
        if not plants:
            return self.base
        changed = planted(self.base, *plants)
        upload(self.aws, changed, self.environment.settings[RELEASE_BUCKET.name])
        return changed

    def own(self, values: Mapping[str, str]) -> dict[str, str]:
        """Values with the ID of this account in place of the example's."""
        return {name: value.replace(ACCOUNT, self.account) for name, value in values.items()}

    def update(self, values: Mapping[str, str], plants: Sequence[Plant] = ()) -> str:
        """Update to values, with other templates; returns the status at the end, or that nothing changed or a rule refused it."""
        release = self.release(plants)
        cloudformation: Any = self.aws.client("cloudformation")
        wanted = {**self.values, **self.own(values), RELEASE_PREFIX.name: release.prefix}
        try:
            cloudformation.update_stack(
                StackName=self.environment.stack,
                TemplateURL=root_url(REGION, release, wanted[RELEASE_BUCKET.name]),
                Parameters=[
                    {"ParameterKey": name, "ParameterValue": value}
                    for name, value in wanted.items()
                ],
                Capabilities=[*CAPABILITIES, "CAPABILITY_NAMED_IAM"],
            )
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return UNCHANGED
            if "Template error: rule" in str(error):
                return REFUSED
            raise
        while True:
            (stack,) = cloudformation.describe_stacks(StackName=self.environment.stack)["Stacks"]
            status: str = stack["StackStatus"]
            if not status.endswith("IN_PROGRESS"):
                return status
            time.sleep(_PAUSE)
