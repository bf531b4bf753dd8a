"""The regions in which environments can be launched: missing features are named, and unknown ones do not count as available."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.checks.regions import schemas
from pipeline.checks.regions.readiness import (
    PRODUCT_TYPES,
    ROOTS,
    VERIFIER,
    VERIFIER_ZIP,
    Readiness,
    Reason,
    readiness,
    ready_regions,
    reasons_against,
)
from pipeline.checks.regions.uses import UNTOLD, resources, unlisted
from pipeline.checks.render import Rendered, render
from pipeline.errors import PipelineError
from pipeline.parameters.profiles import NAME, VALUE, rejection
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release
from tests.conftest import ENVIRONMENTS, REGION

HERE, FAR = REGION, "us-east-1"
# One region of each kind without types in cfn-lint: with a copy of us-east-1's file, and without a file.
UNKNOWN = ("us-iso-east-1", "eusc-de-east-1", "me-south-1")


@pytest.fixture(scope="module")
def everywhere(release: Release) -> list[Readiness]:
    """Every environment in every region."""
    return readiness(release)


def profiles_with(folder: Path, environment: str, **values: str) -> Path:
    """A folder with the profile of one environment, with some other values."""
    pairs: list[dict[str, str]] = json.loads((PARAMETERS / f"{environment}.json").read_text())
    for pair in pairs:
        pair[VALUE] = values.get(pair[NAME], pair[VALUE])
    assert values.keys() <= {pair[NAME] for pair in pairs}
    (folder / f"{environment}.json").write_text(json.dumps(pairs))
    return folder


def reasons_in(
    release: Release, region: str, environment: str, profiles: Path = PARAMETERS
) -> tuple[Reason, ...]:
    (found,) = readiness(release, [region], [environment], profiles)
    return found.reasons[environment]


def planted(rendered: Rendered, layer: str, logical_id: str, body: Mapping[str, Any]) -> Rendered:
    """A rendered environment with an additional or changed resource."""
    layers = copy.deepcopy(rendered.layers)
    layers[layer]["Resources"][logical_id] = dict(body)
    return dataclasses.replace(rendered, layers=layers)


def texts(reasons: Any) -> list[str]:
    return [reason.text for reason in reasons]


@pytest.mark.parametrize("region", [HERE, "eu-west-1", FAR])
def test_ready_for_every_environment(everywhere: list[Readiness], region: str) -> None:
    (found,) = [each for each in everywhere if each.region == region]
    assert found.reasons == dict.fromkeys(ENVIRONMENTS, ())
    assert found.everywhere
    assert found.products


def test_every_region_of_cfn_lint_is_answered(everywhere: list[Readiness]) -> None:
    from cfnlint.helpers import REGIONS

    assert [each.region for each in everywhere] == sorted(REGIONS)
    assert all(each.reasons.keys() == set(ENVIRONMENTS) for each in everywhere)


def test_unknown_region_is_refused(release: Release) -> None:
    with pytest.raises(PipelineError, match="AWS has no region 'eu-north-9'"):
        readiness(release, [HERE, "eu-north-9"])


# Features that a region does not offer.


@pytest.mark.parametrize(
    ("environment", "parameter", "kind"),
    [
        ("dev", "DatabaseInstanceClass", "AWS::RDS::DBInstance"),
        ("prod", "CacheNodeType", "AWS::ElastiCache::ReplicationGroup"),
        ("dev", "SearchInstanceType", "AWS::EC2::LaunchTemplate"),
    ],
)
def test_missing_class_is_named(
    release: Release, tmp_path: Path, environment: str, parameter: str, kind: str
) -> None:
    ((file, properties),) = [
        (file, used.properties)
        for listed, _, file in schemas.LISTS
        for used in resources(render(release, environment, HERE))
        if used.kind == kind == listed
    ]
    there = schemas.offered_values(file, FAR, properties) or frozenset()
    here = schemas.offered_values(file, HERE, properties) or frozenset()
    declaration = release.root.declarations[parameter]
    lacking = next(value for value in sorted(there - here) if not rejection(declaration, value))
    profiles = profiles_with(tmp_path, environment, **{parameter: lacking})

    (reason,) = reasons_in(release, HERE, environment, profiles)

    assert reason.known
    for named in (kind, lacking, HERE):
        assert named in reason.text
    assert reasons_in(release, FAR, environment, profiles) == ()


def test_class_of_another_engine_is_named(release: Release, dev: Rendered) -> None:
    file = "aws_rds_dbinstance/dbinstanceclass_enum.json"
    oracle = {"Engine": "oracle-ee", "LicenseModel": "bring-your-own-license"}
    theirs = schemas.offered_values(file, HERE, {**oracle, "DBInstanceClass": ""}) or frozenset()
    ours = (
        schemas.offered_values(file, HERE, {"Engine": "postgres", "DBInstanceClass": ""})
        or frozenset()
    )
    lacking = min(theirs - ours)
    database = copy.deepcopy(dev.layers["data"]["Resources"]["Database"])
    database["Properties"]["DBInstanceClass"] = lacking

    (reason,) = reasons_against(release, planted(dev, "data", "Database", database))

    assert reason.known
    assert lacking in reason.text


def test_class_of_an_unlisted_engine_is_unknown(release: Release, dev: Rendered) -> None:
    database = copy.deepcopy(dev.layers["data"]["Resources"]["Database"])
    database["Properties"]["Engine"] = "postgres-next"

    (reason,) = reasons_against(release, planted(dev, "data", "Database", database))

    assert not reason.known
    assert "db.t4g.medium is in no list" in reason.text


def test_missing_resource_type_is_named(release: Release) -> None:
    region = "ap-southeast-7"
    there, here = schemas.resource_types(FAR) or {}, schemas.resource_types(region) or {}
    kind = min(set(there) - set(here))
    before = texts(reasons_against(release, render(release, "dev", region)))

    after = texts(
        reasons_against(
            release, planted(render(release, "dev", region), "data", "Planted", {"Type": kind})
        )
    )

    assert set(after) - set(before) == {f"{region} has no {kind}, which Planted needs."}
    far = planted(render(release, "dev", FAR), "data", "Planted", {"Type": kind})
    assert texts(reasons_against(release, far)) == []


def test_missing_property_is_named(release: Release, dev: Rendered) -> None:
    vpc = copy.deepcopy(dev.layers["network"]["Resources"]["Vpc"])
    vpc["Properties"]["CidrBlocks"] = "10.0.0.0/16"

    (reason,) = reasons_against(release, planted(dev, "network", "Vpc", vpc))

    assert "AWS::EC2::VPC.CidrBlocks" in reason.text


def test_conditions_of_profiles_count(everywhere: list[Readiness]) -> None:
    (found,) = [each for each in everywhere if each.region == "me-central-1"]
    assert found.ready("dev")
    assert found.ready("prod") is False
    assert "cache.t4g.medium" in found.reasons["prod"][0].text
    assert not found.everywhere


@pytest.mark.parametrize(
    ("region", "has_products"),
    [
        (HERE, True),
        ("ap-southeast-6", True),
        ("ap-east-2", False),
        ("ap-southeast-7", False),
        ("mx-central-1", False),
    ],
)
def test_region_without_service_catalog_has_no_products(
    everywhere: list[Readiness], region: str, has_products: bool
) -> None:
    (found,) = [each for each in everywhere if each.region == region]
    assert found.products is has_products
    assert (set(PRODUCT_TYPES) <= set(schemas.resource_types(region) or {})) is has_products


# Zones and values of the region.


@pytest.mark.parametrize("zones", ["", "us-west-1a,us-west-1b,us-west-1c"], ids=["first", "named"])
def test_region_of_two_zones(release: Release, tmp_path: Path, zones: str) -> None:
    profiles = profiles_with(tmp_path, "dev", AvailabilityZones=zones)

    (reason,) = reasons_in(release, "us-west-1", "dev", profiles)

    assert reason.known
    assert "one of 3 zones" in reason.text
    assert "has 2 in us-west-1" in reason.text


def test_zones_of_another_region(release: Release, tmp_path: Path) -> None:
    profiles = profiles_with(tmp_path, "dev", AvailabilityZones="us-east-1a,us-east-1b,us-east-1f")

    (reason,) = reasons_in(release, HERE, "dev", profiles)

    assert "AvailabilityZones names us-east-1a" in reason.text
    assert reasons_in(release, FAR, "dev", profiles) == ()


# Files of the release for a region.


def without(release: Release, member: str) -> Release:
    """A release whose function for the extensions lacks a file."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(release.files[VERIFIER_ZIP])) as full,
        zipfile.ZipFile(packed, "w") as less,
    ):
        assert member in full.namelist()
        for name in full.namelist():
            if name != member:
                less.writestr(name, full.read(name))
    return dataclasses.replace(release, files={**release.files, VERIFIER_ZIP: packed.getvalue()})


def test_no_root_certificates_for_the_region(release: Release) -> None:
    lacking = without(release, ROOTS.format(region=HERE))

    (reason,) = reasons_in(lacking, HERE, "dev")

    assert reason.known
    assert VERIFIER in reason.text
    assert reasons_in(lacking, FAR, "dev") == ()


def test_environment_that_verifies_no_database_needs_no_roots(
    release: Release, dev: Rendered
) -> None:
    lacking = without(release, ROOTS.format(region=HERE))
    layers = copy.deepcopy(dev.layers)
    del layers["data"]["Resources"][VERIFIER.partition("::")[2]]

    assert texts(reasons_against(lacking, dev)) != []
    assert texts(reasons_against(lacking, dataclasses.replace(dev, layers=layers))) == []


def test_names_of_another_partition(release: Release) -> None:
    region = "cn-north-1"
    rendered = render(release, "dev", region)
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": "arn:aws:kms:x"}}

    before = list(reasons_against(release, rendered))
    after = list(reasons_against(release, planted(rendered, "data", "Planted", queue)))

    (added,) = set(after) - set(before)
    assert added.known
    assert "arn:aws:kms:x" in added.text
    (unknown,) = [reason for reason in before if not reason.known]
    assert "aws-cn" in unknown.text


# Unknown features.


@pytest.mark.parametrize("region", UNKNOWN)
def test_region_without_schemas_is_not_known(everywhere: list[Readiness], region: str) -> None:
    (found,) = [each for each in everywhere if each.region == region]
    assert [found.ready(name) for name in ENVIRONMENTS] == [None] * len(ENVIRONMENTS)
    assert found.products is None
    assert not found.everywhere


def test_unknown_regions_are_not_linted(everywhere: list[Readiness]) -> None:
    ready = ready_regions(everywhere)
    assert not set(UNKNOWN) & {region for regions in ready.values() for region in regions}
    assert "me-central-1" in ready["dev"]
    assert "me-central-1" not in ready["prod"]


def test_environment_that_is_ready_nowhere_is_refused(everywhere: list[Readiness]) -> None:
    nowhere = [each for each in everywhere if each.region in (*UNKNOWN, "me-central-1")]
    with pytest.raises(PipelineError, match="No region is ready for prod"):
        ready_regions(nowhere)


def test_every_unlisted_feature_is_used_by_an_environment(release: Release) -> None:
    used = {name for environment in ENVIRONMENTS for name in unlisted(render(release, environment))}
    assert used == {name for name, *_ in UNTOLD}


def test_unused_features_are_not_required(release: Release) -> None:
    on_intel = unlisted(render(release, "dev", overrides={"CpuArchitecture": "X86_64"}))
    assert "Fargate on ARM64" not in on_intel
    assert "Valkey nodes" not in on_intel
