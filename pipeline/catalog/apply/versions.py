"""Bringing a product's versions to what they are to be, also while somebody else publishes another one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.aws import aws_errors, unless
from pipeline.catalog.apply.tokens import NOT_FOUND, create_once
from pipeline.catalog.desired.catalog import Desired, DesiredProduct
from pipeline.catalog.observed.model import Observed, ObservedProduct, digest_in
from pipeline.catalog.observed.versions import observed_versions
from pipeline.catalog.plan.changes import VersionChange
from pipeline.catalog.plan.steps import Action, Step
from pipeline.catalog.plan.versions import version_steps
from pipeline.errors import PipelineError


@dataclass(frozen=True)
class Versions:
    """Makes, deprecates and retires the versions of a region's products."""

    catalog: Any
    desired: Desired
    observed: Observed
    waits: tuple[float, ...]

    def apply_version_steps(self, wanted: DesiredProduct, product: str) -> None:
        """Take the steps that follow from the versions that are there now, until none is left to take.

        A plan can be older than another publisher's version. Of several publishers each looks once more after its last
        change; whoever changes something last therefore sees everything, and leaves the newest as the only one that is
        launched. Raises PipelineError when the version is there with other content, or is beyond the number kept by now.
        """
        for wait in (0.0, *self.waits):
            steps = self._left(wanted, product)
            if not steps:
                return
            for step in steps:
                with aws_errors(f"{step.action.value} version {step.subject} in {self._region}"):
                    self._take(step, product)
            time.sleep(wait)
        raise PipelineError(
            f"The versions of {wanted.name} in {self._region} are changed by others at the same time; publish again."
        )

    @property
    def _region(self) -> str:
        return self.desired.region

    def _left(self, wanted: DesiredProduct, product: str) -> list[Step]:
        """The steps that are still to be taken."""
        with aws_errors(f"list the versions of {wanted.name} in {self._region}"):
            versions = observed_versions(
                self.catalog, self.desired, self.observed, wanted.key, product
            )
        seen = ObservedProduct(product, {}, {}, versions)
        shared = self.desired.is_shared(wanted.key)
        steps = list(version_steps(wanted, seen, self.desired.versions_kept, shared=shared))
        for step in steps:
            if step.action is Action.REFUSE:
                raise PipelineError(f"{step.subject} in {self._region} {step.reason}.")
        return [step for step in steps if step.writes]

    def _take(self, step: Step, product: str) -> None:
        change = step.change
        if not isinstance(change, VersionChange):
            return
        if change.seen is None:
            self._update(product, self._create(change.product, product), change.fields)
        elif step.action is Action.RETIRE:
            known = {"ProductId": product, "ProvisioningArtifactId": change.seen.id}
            unless(NOT_FOUND, lambda: self.catalog.delete_provisioning_artifact(**known))
        else:
            self._update(product, change.seen.id, change.fields)

    def _update(self, product: str, version: str, changes: Mapping[str, str]) -> None:
        """Change a version, unless somebody publishing at the same time has retired it."""
        known = {"ProductId": product, "ProvisioningArtifactId": version}
        if changes:
            unless(NOT_FOUND, lambda: self.catalog.update_provisioning_artifact(**known, **changes))

    def _create(self, wanted: DesiredProduct, product: str) -> str:
        """Make the version that is published; returns its ID."""

        def create(token: str) -> str:
            made = self.catalog.create_provisioning_artifact(
                ProductId=product, Parameters=version_properties(wanted), IdempotencyToken=token
            )
            return str(made["ProvisioningArtifactDetail"]["Id"])

        def read(identity: str) -> str:
            described = self.catalog.describe_provisioning_artifact(
                ProductId=product, ProvisioningArtifactId=identity
            )
            return str(described["Status"])

        place = (self.desired.account, self._region, "version", wanted.key, product)
        return create_once(
            create,
            read,
            *place,
            wanted.version.name,
            find=lambda: self._found(wanted, product),
            content=wanted.version.digest,
            waits=self.waits,
        )

    def _found(self, wanted: DesiredProduct, product: str) -> str:
        """The ID of the version, empty where there is none. Raises PipelineError when it is there with other content."""
        details = self.catalog.list_provisioning_artifacts(ProductId=product)
        for entry in details["ProvisioningArtifactDetails"]:
            if entry["Name"] == wanted.version.name:
                if digest_in(entry.get("Description", "")) != wanted.version.digest:
                    raise PipelineError(
                        f"{wanted.name} {wanted.version.name} was published with other content meanwhile ({entry['Id']}); raise the version in setup.cfg."
                    )
                return str(entry["Id"])
        return ""


def version_properties(wanted: DesiredProduct) -> dict[str, Any]:
    """A version as CreateProduct and CreateProvisioningArtifact take it."""
    return {
        "Name": wanted.version.name,
        "Description": wanted.version.description,
        "Type": "CLOUD_FORMATION_TEMPLATE",
        "Info": {"LoadTemplateFromURL": wanted.version.url},
    }
