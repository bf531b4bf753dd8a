"""The checks of LaunchCheck as lines: each runs as in a launch, and a call without permission is a line that cannot tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.aws import Aws
from pipeline.environments.account.findings import Finding, cannot_tell, no, yes
from pipeline.environments.account.usage import BUCKETS
from pipeline.environments.deletion.account import Account, UnreadableError, is_denied
from pipeline.environments.preview.launch_checks import launch_of
from templates_src.functions.launch_check import (
    bucket_names,
    hosted_zone,
    network,
    search_volume,
    snapshot,
)
from templates_src.functions.launch_check.launch import Check

# The subject of each check that a creation runs; the others compare an update with what is deployed.
SUBJECTS: Mapping[Check, str] = {
    network.zones_exist: "zones by name",
    bucket_names.buckets_are_available: "buckets",
    snapshot.snapshot_fits: "snapshot of the database",
    hosted_zone.zone_is_delegated: "hosted zone",
    search_volume.snapshot_fits: "snapshot of the search volume",
}
# Operations whose IAM action has another name.
_ACTIONS = {"s3:HeadBucket": "s3:ListBucket"}


class RecordingAws(Aws):
    """Clients that record the calls that AWS denies."""

    denied: list[str]

    def client(self, service: str) -> Any:
        """The client of a service, created once."""
        is_new = service not in self._clients
        client = super().client(service)
        if is_new:
            client.meta.events.register("after-call", self._called)
        return client

    def _called(self, model: Any, parsed: Mapping[str, Any], **_more: Any) -> None:
        code = str(parsed.get("Error", {}).get("Code", ""))
        if code and is_denied(code):
            name = f"{model.service_model.signing_name}:{model.name}"
            self.denied.append(_ACTIONS.get(name, name))


def launch_findings(aws: Aws, values: Mapping[str, str]) -> Iterator[Finding]:
    """Every check of LaunchCheck that applies to a creation with these values."""
    recording = RecordingAws(aws.region, aws.environment, aws.connection)
    for check, subject in SUBJECTS.items():
        yield _finding(recording, check, subject, values)


def _finding(aws: RecordingAws, check: Check, subject: str, values: Mapping[str, str]) -> Finding:
    aws.denied = []
    launch = launch_of(aws, values, {})
    sentence = check(launch)
    if sentence and check is bucket_names.buckets_are_available and aws.denied:
        # S3 denies both a bucket of another account and one that these credentials cannot read.
        own = _own_buckets(aws)
        if own is not None and not own & set(bucket_names.bucket_names(launch)):
            return no(subject, sentence)
    if aws.denied:
        return cannot_tell(subject, f"The check of a launch needs {', '.join(aws.denied)}.")
    return (
        no(subject, sentence) if sentence else yes(subject, "The check of a launch finds nothing.")
    )


def _own_buckets(aws: Aws) -> set[str] | None:
    """The buckets of the account; None without the permission to list them."""
    try:
        return {str(each["Name"]) for each in BUCKETS.entries(Account(aws))}
    except UnreadableError:
        return None
