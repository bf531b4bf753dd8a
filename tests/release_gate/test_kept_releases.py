"""The working tree against every kept release: each breaking change has its reason, the version is high enough, the pages exist."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pipeline.changes.sides import Side, kept_versions, of_release
from pipeline.errors import PipelineError
from pipeline.gate import build_check
from pipeline.gate.assessment import Assessment, assess, kept_side, predecessor, require_version
from pipeline.gate.build_check import check_release
from pipeline.gate.findings import Level
from pipeline.gate.notes import CHANGE, Notes, Reason, load_notes
from pipeline.gate.pages import pages
from pipeline.parameters.profiles import load_profile, profile_names
from pipeline.paths import RELEASE_PAGES
from pipeline.release.assemble import Release
from templates_src.environment import ROOT
from tests.changes.cases import KEY_ARN, put_property, remove_with_references
from tests.relations.planting import TemplatePlant, drop_from_template, put_in_template
from tests.updates.faults import add_parameter, rename_resource

NO_NOTES = Notes("notes/1.2.0.yaml")


def profiles(release: Release) -> dict[str, dict[str, str]]:
    return {name: load_profile(release.root, name) for name in profile_names()}


@pytest.fixture(scope="module")
def present(release: Release) -> Side:
    """The working tree."""
    return of_release(release, profiles(release))


@pytest.fixture(scope="module")
def kept() -> Side:
    """Release 1.1.0."""
    return kept_side("1.1.0")


@pytest.mark.parametrize("version", kept_versions())
def test_every_break_has_a_reason(version: str, present: Side, release: Release) -> None:
    found = assess(kept_side(version), present)

    without = load_notes(release.version).without_reason(found.breaking)
    assert [(each.change, each.details) for each in without] == [], (
        f"undo it, or write the reason into notes/{release.version}.yaml"
    )


def test_version_is_high_enough(present: Side, release: Release) -> None:
    found = assess(kept_side(predecessor(release.version)), present)

    require_version(release.version, found, load_notes(release.version))


def test_pages_are_up_to_date(present: Side, release: Release) -> None:
    before = kept_side(predecessor(release.version))
    wanted = pages(release.version, assess(before, present), before, present)
    found = {path.name: path.read_text("utf-8") for path in RELEASE_PAGES.glob("*.md")}

    assert found == wanted, "run `python build.py build` and commit docs/releases"


def planted(kept: Side, *plants: TemplatePlant) -> Assessment:
    """The changes of a release that differs from 1.1.0 by the planted faults."""
    templates: dict[str, dict[str, Any]] = copy.deepcopy(dict(kept.templates))  # type: ignore[arg-type]
    for plant in plants:
        plant(templates)
    return assess(kept, Side("planted", templates, kept.profiles))


def remove_rate_limit(templates: dict[str, dict[str, Any]]) -> None:
    """Remove WafRateLimit from the root, which then passes the current value to its layer."""
    drop_from_template(ROOT, "Parameters/WafRateLimit")(templates)
    put_in_template(ROOT, "Resources/Edge/Properties/Parameters/WafRateLimit", "2000")(templates)


BREAKS = (
    (put_property("data", "Database/KmsKeyId", KEY_ARN), "Data.Database is replaced"),
    (rename_resource("data", "Database", "PostgresDatabase"), "Data.Database is deleted"),
    (remove_with_references("compute", "ImageRepositoryOfEnvironment"), "leaves the stack"),
    (put_property("security", "JwtSecret/GenerateSecretString/PasswordLength", 40), "loses data"),
    (put_property("data", "SearchVolume/Encrypted", False), "Data.SearchVolume fails"),
    (remove_rate_limit, "Parameter WafRateLimit is removed"),
    (add_parameter("CostCenter"), "Parameter CostCenter is required"),
    (
        put_in_template(ROOT, "Parameters/NatGateways/AllowedValues", ["single"]),
        "Parameter NatGateways is narrowed",
    ),
    (drop_from_template(ROOT, "Outputs/DashboardUrl"), "Output DashboardUrl is removed"),
    (
        drop_from_template("monitoring", "Outputs/DashboardUrl"),
        "Layer monitoring has an incompatible interface",
    ),
)
ADDED = (
    add_parameter("CostCenter", Default=""),
    put_in_template(ROOT, "Parameters/WafRateLimit/Default", "3000"),
    put_in_template("network", "Resources/Topic", {"Type": "AWS::SNS::Topic"}),
)
CORRECTED = (
    put_in_template(ROOT, "Parameters/WafRateLimit/Description", "Other words."),
    put_in_template("network", "Description", "Other words"),
    put_property("monitoring", "DatabaseCpuTooHigh/Threshold", 70),
)


@pytest.mark.parametrize(("plant", "change"), BREAKS, ids=[change for _, change in BREAKS])
def test_break_is_found_and_needs_a_major_version(
    kept: Side, plant: TemplatePlant, change: str
) -> None:
    found = planted(kept, plant)

    assert [each.change for each in found.breaking if change in each.change], found.breaking
    assert all(CHANGE.fullmatch(each.change) for each in found.breaking)
    assert found.level(NO_NOTES) is Level.MAJOR
    with pytest.raises(PipelineError) as refused:
        require_version("1.2.0", found, NO_NOTES)
    assert "Version 1.2.0 in setup.cfg is too low" in str(refused.value)
    assert "since 1.1.0, so the version must be at least 2.0.0; or" in str(refused.value)
    require_version("2.0.0", found, NO_NOTES)


def test_notes_can_say_why_a_minor_version_suffices(kept: Side) -> None:
    found = planted(kept, BREAKS[0][0])
    names = [each.change for each in found.breaking]

    assert found.level(Notes("", reasons=dict.fromkeys(names, Reason("x")))) is Level.MAJOR
    assert found.level(Notes("", reasons=dict.fromkeys(names, Reason("x", "y")))) is Level.MINOR


@pytest.mark.parametrize("plant", ADDED)
def test_addition_needs_a_minor_version(kept: Side, plant: TemplatePlant) -> None:
    found = planted(kept, plant)

    assert (found.breaking, found.level(NO_NOTES)) == ((), Level.MINOR)
    with pytest.raises(PipelineError, match=r"at least 1\.2\.0\."):
        require_version("1.1.1", found, NO_NOTES)
    require_version("1.2.0", found, NO_NOTES)


@pytest.mark.parametrize("plant", CORRECTED)
def test_correction_needs_a_patch_version(kept: Side, plant: TemplatePlant) -> None:
    found = planted(kept, plant)

    assert found.level(NO_NOTES) is Level.PATCH
    require_version("1.1.1", found, NO_NOTES)
    with pytest.raises(PipelineError, match=r"at least 1\.1\.1\."):
        require_version("1.1.0", found, NO_NOTES)


def test_build_compares_again_only_after_a_change(
    release: Release, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_check, "RESULT", tmp_path / "gate.json")
    first = check_release(release, profiles(release))
    result = (tmp_path / "gate.json").read_text("utf-8")
    (tmp_path / "gate.json").write_text(result.replace("# Releases", "# Kept"), "utf-8")

    assert first["README.md"].startswith("# Releases")
    assert check_release(release, profiles(release))["README.md"].startswith("# Kept")
    other = {**profiles(release), "dev": {**profiles(release)["dev"], "WafRateLimit": "3000"}}
    assert check_release(release, other)["README.md"].startswith("# Releases")
