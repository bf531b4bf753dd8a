"""Decide whether an environment can be launched in a region. What no schema states is unknown, and never counts as yes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from pipeline.aws import partition_of
from pipeline.checks.regions import schemas
from pipeline.checks.regions.uses import Used, resources, texts, unlisted, values_at, zones_needed
from pipeline.checks.render import Rendered, pseudo_parameters, render
from pipeline.errors import PipelineError
from pipeline.parameters.profiles import load_profile, profile_names
from pipeline.parameters.relations import check_region
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release
from templates_src.core.function import FUNCTION_FOLDER

# A custom resource exists in every region; its function decides what it does.
CUSTOM = "Custom::"
# The resource whose function verifies the database; its zip contains the root certificates of each region.
VERIFIER = "Custom::DatabaseExtensions"
VERIFIER_ZIP = f"{FUNCTION_FOLDER}/database_extensions.zip"
ROOTS = "functions/database_extensions/rds_roots/{region}.pem"
# Resources of publication, and of launches from a product.
PRODUCT_TYPES = (
    "AWS::ServiceCatalog::CloudFormationProduct",
    "AWS::ServiceCatalog::LaunchRoleConstraint",
    "AWS::ServiceCatalog::Portfolio",
    "AWS::ServiceCatalog::TagOption",
)


@dataclass(frozen=True)
class Reason:
    """The reason why an environment is not ready in a region: in one sentence, and in a few words.

    ``known`` is False if nothing is known to be missing, but the schemas do not answer the question.
    """

    text: str
    short: str
    known: bool = True


@dataclass(frozen=True)
class Readiness:
    """The obstacles of each environment in a region; empty if it is ready.

    ``products`` says whether the region has the services for Service Catalog products, None if that is not known.
    """

    region: str
    reasons: Mapping[str, tuple[Reason, ...]]
    products: bool | None

    def ready(self, environment: str) -> bool | None:
        """Whether the environment can be launched, None if that is not known."""
        return verdict(self.reasons[environment])

    @property
    def everywhere(self) -> bool:
        """Whether all environments can be launched."""
        return not any(self.reasons.values())


def verdict(reasons: Sequence[Reason]) -> bool | None:
    """True without a reason, None if all reasons are unknowns."""
    if not reasons:
        return True
    return False if any(reason.known for reason in reasons) else None


def readiness(
    release: Release,
    regions: Sequence[str] = (),
    environments: Sequence[str] = (),
    profiles: Path = PARAMETERS,
) -> list[Readiness]:
    """The obstacles of the environments in each region; without names, of all environments in all regions.

    Raises PipelineError for a region that AWS does not have, and for an environment that cannot be rendered.
    """
    for region in regions:
        require_known(region)
    return [
        Readiness(
            region,
            {
                name: tuple(reasons(release, name, region, profiles))
                for name in environments or profile_names(profiles)
            },
            has_products(region),
        )
        for region in regions or schemas.zones()
    ]


def ready_regions(found: Sequence[Readiness]) -> dict[str, list[str]]:
    """The regions in which each environment can be launched. Raises PipelineError for an environment without one."""
    regions: dict[str, list[str]] = {name: [] for each in found for name in each.reasons}
    for each in found:
        for name in each.reasons:
            if each.ready(name):
                regions[name].append(each.region)
    for name, ready in regions.items():
        if not ready:
            raise PipelineError(
                f"No region is ready for {name}; run `build.py regions` for the reasons."
            )
    return regions


def require_known(region: str) -> None:
    """Raise PipelineError for a region that AWS does not have."""
    if region not in schemas.zones():
        raise PipelineError(f"AWS has no region {region!r}; `build.py regions` lists all regions.")


def reasons(release: Release, name: str, region: str, profiles: Path) -> Iterator[Reason]:
    """The reasons why the environment cannot be launched in the region, or is not known to be ready."""
    if schemas.resource_types(region) is None:
        yield Reason(
            f"cfn-lint has no schemas of {region}, and uses those of {schemas.REFERENCE} in their place.",
            "no schemas of the region",
            known=False,
        )
        return
    misplaced = check_region(load_profile(release.root, name, profiles), region)
    if misplaced:
        yield Reason(misplaced, "values of another region")
        return
    yield from reasons_against(release, render(release, name, region, profiles=profiles))


def reasons_against(release: Release, rendered: Rendered) -> Iterator[Reason]:
    """The reasons why a rendered environment cannot be launched in its region, or is not known to be ready."""
    found = list(resources(rendered))
    yield from missing_types(rendered.region, found)
    yield from missing_values(rendered.region, found)
    yield from missing_zones(rendered)
    yield from missing_roots(release, rendered.region, found)
    yield from of_another_partition(rendered.region, found)


def missing_types(region: str, found: Sequence[Used]) -> Iterator[Reason]:
    """Resource types and properties that the region's schemas do not have; each once."""
    known = schemas.resource_types(region) or {}
    reported: set[str] = set()
    for kind, logical_id, properties in found:
        if kind.startswith(CUSTOM):
            continue
        names = sorted(set(properties) - schemas.properties(known[kind])) if kind in known else ()
        lacking = [f"{kind}.{name}" for name in names] if kind in known else [kind]
        for what in set(lacking) - reported:
            yield Reason(f"{region} has no {what}, which {logical_id} needs.", f"no {what}")
        reported.update(lacking)


def missing_values(region: str, found: Sequence[Used]) -> Iterator[Reason]:
    """Instance classes, node types and instance types that the region does not offer, or that no list covers."""
    for kind, way, file in schemas.LISTS:
        for used in (each for each in found if each.kind == kind):
            for value in values_at(used.properties, way):
                offered = schemas.offered_values(file, region, used.properties)
                where = f"{kind} {used.logical_id}: {way.rpartition('/')[2]} {value}"
                if offered is None:
                    yield Reason(
                        f"{where} is in no list that cfn-lint has of {region}.",
                        f"{value} not known",
                        known=False,
                    )
                elif value not in offered:
                    yield Reason(f"{where} is not offered in {region}.", f"no {value}")


def missing_zones(rendered: Rendered) -> Iterator[Reason]:
    """Fewer zones than the subnets need."""
    needed, there = zones_needed(rendered), schemas.zones()[rendered.region]
    if there < needed:
        yield Reason(
            f"AWS::EC2::Subnet: AvailabilityZone is one of {needed} zones, but an account has {there} in {rendered.region}.",
            f"{there} of {needed} zones",
        )


def missing_roots(release: Release, region: str, found: Sequence[Used]) -> Iterator[Reason]:
    """No root certificate in the release for the function that creates the database's extensions."""
    used = any(each.kind == VERIFIER for each in found)
    if used and ROOTS.format(region=region) not in zip_names(release.files[VERIFIER_ZIP]):
        yield Reason(
            f"{VERIFIER}: the release has no root certificates of Amazon RDS in {region}, "
            "so its function cannot verify the database.",
            "no root certificates of RDS",
        )


@cache
def zip_names(zipped: bytes) -> frozenset[str]:
    """The files in a zip."""
    with zipfile.ZipFile(BytesIO(zipped)) as archive:
        return frozenset(archive.namelist())


def of_another_partition(region: str, found: Sequence[Used]) -> Iterator[Reason]:
    """Names in the form of the partition ``aws``, in a region of another partition; the first of each type."""
    partition = partition_of(region)
    spelt = [(used, text) for used in found for text in texts(used.properties)]
    if partition != "aws":
        for used, text in [each for each in spelt if "arn:aws:" in each[1]][:1]:
            yield Reason(
                f"{used.kind} {used.logical_id} has {text}, but {region} is in the partition {partition}.",
                "ARNs of another partition",
            )
    suffix = pseudo_parameters(region, "")["AWS::URLSuffix"]
    for used, text in [each for each in spelt if each[1].endswith(f".{region}.amazonaws.com")][:1]:
        if not text.endswith(suffix):
            yield Reason(
                f"{used.kind} {used.logical_id} names {text}, and no schema says whether {partition} has that name.",
                f"service names in {partition} not known",
                known=False,
            )


def has_products(region: str) -> bool | None:
    """Whether the region has the services for Service Catalog products; None if that is not known."""
    known = schemas.resource_types(region)
    return None if known is None else all(kind in known for kind in PRODUCT_TYPES)


def unlisted_uses(
    release: Release, environments: Sequence[str] = (), profiles: Path = PARAMETERS
) -> list[str]:
    """The parts of the environments whose regional availability no schema states."""
    found = [
        name
        for environment in environments or profile_names(profiles)
        for name in unlisted(render(release, environment, profiles=profiles))
    ]
    return list(dict.fromkeys(found))
