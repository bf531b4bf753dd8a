"""Bring a product's versions to the desired state, also while another publisher publishes another version."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.aws import aws_errors, ignore_errors
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
    """Creates, deprecates and retires the versions of a region's products."""

    catalog: Any
    desired: Desired
    observed: Observed
    waits: tuple[float, ...]

    def apply_version_steps(self, wanted: DesiredProduct, product: str) -> None:
        """Apply the steps that follow from the current versions, until none is left.

        A plan can be older than another publisher's version. Each publisher lists the versions again after its last change.
        The publisher that changes a version last therefore sees all versions, and leaves only the newest launchable. Raises
        PipelineError if the version exists with other content, or is beyond the number of versions kept.
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
            f"Other publishers keep changing the versions of {wanted.name} in {self._region}; publish again."
        )

    @property
    def _region(self) -> str:
        return self.desired.region

    def _left(self, wanted: DesiredProduct, product: str) -> list[Step]:
        """The remaining steps."""
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
        if change.observed is None:
            self._update(product, self._create(change.product, product), change.fields)
        elif step.action is Action.RETIRE:
            known = {"ProductId": product, "ProvisioningArtifactId": change.observed.id}
            ignore_errors(NOT_FOUND, lambda: self.catalog.delete_provisioning_artifact(**known))
        else:
            self._update(product, change.observed.id, change.fields)

    def _update(self, product: str, version: str, changes: Mapping[str, str]) -> None:
        """Change a version, unless another publisher has retired it."""
        known = {"ProductId": product, "ProvisioningArtifactId": version}
        if changes:
            ignore_errors(
                NOT_FOUND, lambda: self.catalog.update_provisioning_artifact(**known, **changes)
            )

    def _create(self, wanted: DesiredProduct, product: str) -> str:
        """Create the version of this release; returns its ID."""

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
        """The ID of the version, empty if it does not exist. Raises PipelineError if it exists with other content."""
        details = self.catalog.list_provisioning_artifacts(ProductId=product)
        for entry in details["ProvisioningArtifactDetails"]:
            if entry["Name"] == wanted.version.name:
                if digest_in(entry.get("Description", "")) != wanted.version.digest:
                    raise PipelineError(
                        f"{wanted.name} {wanted.version.name} was published with other content in the meantime ({entry['Id']}); raise the version in setup.cfg."
                    )
                return str(entry["Id"])
        return ""


def version_properties(wanted: DesiredProduct) -> dict[str, Any]:
    """A version as an argument of CreateProduct and CreateProvisioningArtifact."""
    return {
        "Name": wanted.version.name,
        "Description": wanted.version.description,
        "Type": "CLOUD_FORMATION_TEMPLATE",
        "Info": {"LoadTemplateFromURL": wanted.version.url},
    }
