"""The region: whether it is ready for an environment, is turned on in the account, and has enough zones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.checks.regions.readiness import Reason, has_products, reasons, reasons_against
from pipeline.checks.render import Rendered
from pipeline.environments.account.findings import Finding, cannot_tell, no, yes
from pipeline.environments.account.needs import Needs
from pipeline.environments.deletion.account import Account, UnreadableError
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release

ENABLED = frozenset({"opt-in-not-required", "opted-in"})


def readiness(release: Release, rendered: Rendered) -> Iterator[Finding]:
    """Whether the region has what the environment uses, by the schemas of cfn-lint."""
    yield from _of_reasons(rendered.region, list(reasons_against(release, rendered)))


def readiness_of_profiles(
    release: Release, region: str, profiles: list[str], folder: Path
) -> Iterator[Finding]:
    """Whether the region has what each profile uses, and the services for products."""
    for name in profiles:
        try:
            found = list(reasons(release, name, region, folder))
        except PipelineError as error:
            found = [Reason(str(error), "values")]
        yield from _of_reasons(region, found, name)
    if has_products(region) is False:
        yield no(f"region {region}", "The region has no Service Catalog: choose another region.")


def _of_reasons(region: str, found: list[Reason], profile: str = "") -> Iterator[Finding]:
    subject = f"region {region}"
    ending = f" for {profile}" if profile else ""
    if not found:
        yield yes(subject, f"The region has every resource type and instance class{ending}.")
    for reason in found:
        if reason.known:
            yield no(
                subject,
                f"Not ready{ending}: {reason.text} Choose another region; `build.py regions` lists them.",
            )
        else:
            yield cannot_tell(subject, f"Not known{ending}: {reason.text}")


def opted_in(region: str, account: Account) -> Finding:
    """Whether the account has turned the region on. ``account`` reads in a region that is always on.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
    """
    subject = f"region {region}"

    def read(client: Any) -> list[Any]:
        found: list[Any] = client.describe_regions(AllRegions=True, RegionNames=[region])["Regions"]
        return found

    try:
        found = account.read("ec2:DescribeRegions", "the regions of the account", read)
    except UnreadableError as error:
        return cannot_tell(
            subject, f"Whether the account has turned the region on is not known: {error}."
        )
    status = found[0].get("OptInStatus", "") if found else ""
    if status in ENABLED:
        return yes(subject, "The account has turned the region on.")
    return no(
        subject,
        f"The account has not turned the region on: run `aws account enable-region --region-name {region}`, and wait some minutes.",
    )


def zones(needs: Needs, account: Account) -> Finding:
    """Whether the region has enough available zones in this account."""
    region = needs.rendered.region
    subject = f"zones of {region}"

    def read(client: Any) -> list[Any]:
        found: list[Any] = client.describe_availability_zones()["AvailabilityZones"]
        return found

    try:
        found = account.read("ec2:DescribeAvailabilityZones", "zones", read) or []
    except UnreadableError as error:
        return cannot_tell(subject, f"The zones of the account are not known: {error}.")
    usable = sorted(
        each["ZoneName"]
        for each in found
        if each.get("State", "available") == "available"
        and each.get("ZoneType", "availability-zone") == "availability-zone"
        and each.get("OptInStatus", "opt-in-not-required") in ENABLED
    )
    if len(usable) >= needs.zones:
        return yes(
            subject, f"{len(usable)} zones, {needs.rendered.environment} uses {needs.zones}."
        )
    return no(
        subject,
        f"The account has {len(usable)} available zones, and {needs.rendered.environment} needs {needs.zones}: choose another region.",
    )
