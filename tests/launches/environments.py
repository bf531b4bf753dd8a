"""An environment on an embedded AWS: launched, read and deleted with the functions of the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from commands.common.embedded_launch import embedded_prerequisites
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.parameters.profiles import load_profile, resolve
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release
from pipeline.release.upload import ensure_bucket, release_bucket_name, upload
from pipeline.stacks import deploy as launch
from pipeline.stacks.deploy import Launched
from pipeline.stacks.events import Operation
from pipeline.stacks.reading import outputs_of
from tests.conftest import REGION

STACK_TYPE = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Resource:
    """A resource of a stack."""

    type: str
    physical_id: str


@cache
def aws_of(running: EmbeddedAws, region: str = REGION) -> Aws:
    """The clients of an embedded AWS in a region, created once, because creating one takes longer than most calls."""
    return Aws(region, running.environment())


class Environment:
    """One environment of the release in one region, under its own stack name.

    ``profiles`` is the folder of its profile; ``aws`` has existing clients, if any.
    """

    def __init__(
        self,
        running: EmbeddedAws,
        release: Release,
        name: str,
        region: str = REGION,
        profiles: Path = PARAMETERS,
        aws: Aws | None = None,
        /,
        **settings: str,
    ) -> None:
        self.aws = aws or aws_of(running, region)
        self.release = release
        bucket = release_bucket_name(self.aws.account(), region)
        ensure_bucket(self.aws, bucket)
        upload(self.aws, release, bucket)
        self.settings = {
            **embedded_prerequisites(self.aws, name, settings),
            "ReleaseBucket": bucket,
            **settings,
        }
        self.profile = load_profile(release.root, name, profiles)
        self.stack = launch.stack_name({**self.profile, **self.settings})
        self.notes: list[str] = []
        self.heard: list[tuple[str, str]] = []

    def values(self, **changes: str) -> dict[str, str]:
        """The value of every root parameter, with changes for one launch."""
        return resolve(self.release.root, self.profile, {**self.settings, **changes})

    def launch(self, **changes: str) -> Launched:
        """Create or update; ``notes`` and ``heard`` have the output."""
        self._forget()
        values = self.values(**changes)
        return launch.launch(self.aws, self.release, values, self._listen, self.notes.append)

    def delete(self) -> Launched:
        """Delete the stack."""
        self._forget()
        return launch.delete(self.aws, self.stack, self._listen, self.notes.append)

    def stacks(self) -> dict[str, Mapping[str, Any]]:
        """The existing stacks: the root under "", the nested ones by layer."""
        root = launch.describe_stack(self.aws, self.stack)
        if root is None:
            return {}
        described = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        by_id = {stack["StackId"]: stack for page in described for stack in page["Stacks"]}
        nested = {
            logical_id: by_id[resource.physical_id]
            for logical_id, resource in self._resources_of(root["StackId"]).items()
            if resource.type == STACK_TYPE and resource.physical_id in by_id
        }
        return {"": root, **nested}

    def resources(self) -> dict[str, Resource]:
        """Every resource by layer and logical ID, such as Data.Database; those of the root are Root.LaunchCheck and so on."""
        return {
            f"{layer or 'Root'}.{logical_id}": resource
            for layer, stack in self.stacks().items()
            for logical_id, resource in self._resources_of(stack["StackId"]).items()
            if resource.type != STACK_TYPE
        }

    def physical_id(self, name: str) -> str:
        """The physical ID of Layer.LogicalId."""
        return self.resources()[name].physical_id

    def outputs(self, layer: str = "") -> dict[str, str]:
        """Outputs of the root or of a layer."""
        return outputs_of(self.stacks()[layer])

    def secret_values(self) -> dict[str, str]:
        """The value of each secret of the stacks, by Layer.LogicalId."""
        secrets = self.client("secretsmanager")
        return {
            name: secrets.get_secret_value(SecretId=resource.physical_id)["SecretString"]
            for name, resource in self.resources().items()
            if resource.type == "AWS::SecretsManager::Secret"
        }

    def client(self, service: str) -> Any:
        """A boto3 client of the region."""
        return self.aws.client(service)

    def _resources_of(self, stack_id: str) -> dict[str, Resource]:
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        return {
            listed["LogicalResourceId"]: Resource(
                listed["ResourceType"], listed.get("PhysicalResourceId", "")
            )
            for page in pages.paginate(StackName=stack_id)
            for listed in page["StackResourceSummaries"]
            if listed["ResourceStatus"] != "DELETE_COMPLETE"
        }

    def _forget(self) -> None:
        self.notes.clear()
        self.heard.clear()

    def _listen(self, operation: Operation) -> None:
        for progress in operation.stacks.values():
            if (progress.name, progress.status) not in self.heard:
                self.heard.append((progress.name, progress.status))
