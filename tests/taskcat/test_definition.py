"""taskcat.yml matches the profiles, avoids taskcat's pitfalls, and fits the quotas of an account."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.checks.lint import Target, lint_target
from pipeline.checks.regions.readiness import readiness, ready_regions
from pipeline.parameters.profiles import profile_names, profile_parameters
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from tests.taskcat.contract import promise
from tests.taskcat.costs import (
    ADDRESSES,
    FARGATE,
    INSTANCES,
    QUOTAS,
    TURNS,
    VPCS,
    hourly,
    launched,
    quota_use,
)
from tests.taskcat.definition import CASES, FILE_NAME, OWN, definition, text
from tests.taskcat.existing_vpc import NESTED, existing_vpc, file_name
from tests.taskcat.tree import USUAL_NAME, lay_out

DOCUMENT: dict[str, Any] = yaml.safe_load((PROJECT_FOLDER / FILE_NAME).read_text(encoding="utf-8"))
TESTS: dict[str, dict[str, Any]] = DOCUMENT["tests"]
TESTING = (PROJECT_FOLDER / "docs" / "testing.md").read_text(encoding="utf-8")
# Values in which a test may differ from the profile: names, and values of each launch.
OTHERWISE = {
    "Project",
    "BucketNamespace",
    "CertificateArn",
    "HostedZoneId",
    "DomainName",
    "VpcCidr",
}
LARGEST_TREE = 5_000_000


def template_of(test: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(
        (PROJECT_FOLDER / test["template"]).read_text(encoding="utf-8")
    )
    return body


def test_files_match_the_profiles(release: Release) -> None:
    how = "run `python -m tests.taskcat.definition`"
    assert (PROJECT_FOLDER / FILE_NAME).read_text(encoding="utf-8") == text(release), how
    for name in NESTED:
        assert (PROJECT_FOLDER / OWN / file_name(name)).read_bytes() == existing_vpc(name), how


def test_link_covers_commands_without_an_option() -> None:
    link = PROJECT_FOLDER / f".{FILE_NAME}"

    assert link.is_symlink()
    assert str(link.readlink()) == FILE_NAME


@pytest.mark.parametrize("name", TESTS)
def test_values_are_those_of_the_profile(name: str) -> None:
    """All values of a launch, except names and prerequisites."""
    test = TESTS[name]
    profile = {
        pair["ParameterKey"]: pair["ParameterValue"]
        for pair in json.loads(
            (
                PROJECT_FOLDER / "parameters" / f"{test['parameters']['Environment']}.json"
            ).read_text()
        )
    }
    values = {
        key: test["parameters"].get(key, known.get("Default"))
        for key, known in template_of(test)["Parameters"].items()
    }

    differing = {key for key in values.keys() & profile.keys() if values[key] != profile[key]}
    assert differing <= OTHERWISE
    assert values.keys() - profile.keys() <= {"ReleaseBucket", "ReleasePrefix"}
    assert None not in values.values()


def test_every_profile_is_launched_completely(release: Release) -> None:
    root = "dist/templates/environment.template.json"
    whole = [test for test in TESTS.values() if test["template"] == root]

    assert {test["parameters"]["Environment"] for test in whole} == set(profile_names())
    for test in whole:
        assert set(template_of(test)["Parameters"]) >= set(profile_parameters(release.root))


def test_regions() -> None:
    assert TESTS["dev"]["regions"] == ["eu-north-1", "eu-west-1", "us-east-1"]
    assert TESTS["staging"]["regions"] == TESTS["prod"]["regions"] == ["eu-north-1"]
    assert set(TESTS["prod-two"]["regions"]).isdisjoint(TESTS["prod"]["regions"])


def test_every_region_offers_the_launched_resources(release: Release) -> None:
    regions = sorted({region for case in CASES for region in case.regions})
    ready = ready_regions(readiness(release, regions))

    for case in CASES:
        assert set(case.regions) <= set(ready[case.environment])


def test_dev_and_the_layers_need_no_prerequisites() -> None:
    for name in ("dev", "staging", "network", *NESTED):
        assert "taskcat_ssm" not in str(TESTS[name])


def test_prerequisites_match_the_page() -> None:
    asked = set(re.findall(r"\$\[taskcat_ssm_([^\]]+)\]", str(TESTS)))

    assert asked
    assert asked == set(re.findall(r"put-parameter .*--name (\S+)", TESTING))


def test_parameters_are_in_tests_only_and_are_text() -> None:
    """A project's parameter overrides a test's, and taskcat converts true to True."""
    assert not {"parameters", "regions"} & DOCUMENT["project"].keys()
    assert DOCUMENT.keys() == {"project", "tests"}
    for test in TESTS.values():
        assert all(isinstance(value, str) for value in test["parameters"].values())
        # taskcat cannot set a parameter whose default is not text.
        known = template_of(test)["Parameters"].values()
        assert all(isinstance(parameter.get("Default", ""), str) for parameter in known)


def test_names_differ_between_the_tests_of_a_region() -> None:
    projects = {name: test["parameters"]["Project"] for name, test in TESTS.items()}
    assert set(projects.values()) == {"tcat-$[taskcat_test_name]"}
    for name, test in TESTS.items():
        known = template_of(test)["Parameters"]["Project"]
        project = projects[name].replace("$[taskcat_test_name]", name)
        assert re.fullmatch(known["AllowedPattern"], project)
        assert len(project) <= known["MaxLength"]
        if "BucketNamespace" in template_of(test)["Parameters"]:
            assert test["parameters"]["BucketNamespace"] == "account-regional"


def test_protection_is_turned_off(release: Release) -> None:
    for case in CASES:
        rendered = launched(release, case, case.regions[0])
        assert case.is_protected == ("DeletionProtection': 'true'" in str(rendered.layers))
        hooks = [{"type": "protection"}] if case.is_protected else None
        assert definition(release)["tests"][case.name].get("posthooks") == hooks


def test_test_of_production_uses_its_template(release: Release) -> None:
    (prod,) = (case for case in CASES if case.name == "prod")

    used = quota_use(launched(release, prod, prod.regions[0]))
    assert used == {VPCS: 1, ADDRESSES: 3, INSTANCES: 2, FARGATE: 3}


def test_turns_contain_all_tests() -> None:
    assert sorted(name for turn in TURNS for name in turn) == sorted(case.name for case in CASES)
    for turn in TURNS:
        assert f"tests.taskcat --account {' '.join(turn)}" in TESTING


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn[0])
def test_tests_of_a_turn_fit_the_default_quotas(release: Release, turn: tuple[str, ...]) -> None:
    used: dict[str, Counter[str]] = {}
    for case in (case for case in CASES if case.name in turn):
        for region in case.regions:
            # The account's own.
            counted = used.setdefault(region, Counter({VPCS: 1}))
            counted.update(quota_use(launched(release, case, region)))

    for region, counted in used.items():
        assert all(counted[kind] <= most for kind, most in QUOTAS.items()), (region, counted)


def test_page_has_the_cost_of_a_run(release: Release) -> None:
    total = 0.0
    for case in CASES:
        each = round(float(hourly(launched(release, case, case.regions[0]))), 2)
        total += each * len(case.regions)
        assert f"| `{case.name}` | {', '.join(case.regions)} | {each:.2f} |" in TESTING
    assert f"{total:.2f} USD an hour" in TESTING


def test_tree_has_the_files_for_a_launch(release: Release, tmp_path: Path) -> None:
    tree = lay_out(tmp_path / "tree")

    files = {str(path.relative_to(tree)): path for path in tree.rglob("*") if path.is_file()}
    wanted = {f"dist/{path}" for path in {**release.files, **release.bootstrap_stacks}}
    hooks = {"taskcat_plugin_protection.py", "taskcat_plugin_tags.py"}
    own = {f"{OWN}/{file_name(name)}" for name in NESTED}
    assert files.keys() == {*wanted, FILE_NAME, USUAL_NAME, *own, *hooks}
    assert sum(path.stat().st_size for path in files.values()) < LARGEST_TREE


@pytest.mark.parametrize("name", NESTED)
def test_templates_of_an_existing_vpc_are_clean(name: str) -> None:
    file = file_name(name)
    target = Target(file, tuple(TESTS[name]["regions"]), ((file, existing_vpc(name)),))
    assert lint_target(target) == []


def test_every_layer_is_launched_from_its_template(release: Release) -> None:
    alone = {"network", *(layer for names in NESTED.values() for layer in names)}
    assert alone == {layer.name for layer in release.layers}
    assert TESTS.keys() >= {"network", *NESTED}


def test_every_output_has_a_promise(release: Release) -> None:
    for layer in (release.root, *release.layers):
        for output in layer.template.outputs:
            assert promise(output)


def test_unknown_output_is_refused() -> None:
    with pytest.raises(KeyError, match=r"Unheard has no promise in tests/taskcat/contract\.py"):
        promise("Unheard")
