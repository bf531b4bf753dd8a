"""The pages of parameters, outputs, alarms and releases follow the templates, the profiles and the notes."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.pages import alarms, outputs, parameters, releases
from pipeline.pages.site import Environment, Site, site_of
from pipeline.release.assemble import Release
from tests.conftest import ENVIRONMENTS, REGION


@pytest.fixture(scope="module")
def site(release: Release) -> Site:
    return site_of(release, REGION)


def with_changed_dev(site: Site) -> tuple[Site, dict[str, Any]]:
    """A site whose environment dev can be changed, and its layers."""
    draft = copy.deepcopy(site.rendered["dev"])
    environments = tuple(
        Environment(each.name, each.values, draft) if each.name == "dev" else each
        for each in site.environments
    )
    return replace(site, environments=environments), draft.layers


def alarm(site: Site, name: str) -> dict[str, Any]:
    (found,) = [each for each in alarms.content(site)["alarms"] if each["name"] == name]
    return dict(found)


def test_every_alarm_says_what_it_means_and_what_to_do(site: Site) -> None:
    rows = alarms.content(site)["alarms"]
    for row in rows:
        assert row["meaning"].endswith(".")
        for each in row["environments"].values():
            assert each["effect"], row["name"]
    names = {row["name"] for row in rows}
    for rendered in site.rendered.values():
        assert alarms.alarms(rendered).keys() <= names


def test_a_threshold_is_the_one_of_the_template(site: Site) -> None:
    changed, layers = with_changed_dev(site)
    layers["monitoring"]["Resources"]["ApiCpuTooHigh"]["Properties"]["Threshold"] = 42

    row = alarm(changed, "ApiCpuTooHigh")["environments"]

    assert "is above 42 for 15 minutes." in row["dev"]["condition"]
    assert "is above 85 for 15 minutes." in row["prod"]["condition"]


def test_a_removed_alarm_disappears_from_its_environment(site: Site) -> None:
    changed, layers = with_changed_dev(site)
    del layers["monitoring"]["Resources"]["ApiCpuTooHigh"]
    assert list(alarm(changed, "ApiCpuTooHigh")["environments"]) == ["staging", "prod"]


def test_an_alarm_names_its_parameter_and_what_it_does(site: Site) -> None:
    assert alarm(site, "WafBlockedTooHigh")["parameter"] == "WafBlockedThreshold"
    effects = alarm(site, "ApiDeploymentErrorsTooHigh")["environments"]["prod"]["effect"]
    assert effects == "ECS rolls back a deployment of api in progress."
    changed, layers = with_changed_dev(site)
    layers["monitoring"]["Resources"]["AlarmEmailSubscription"] = {"Type": "AWS::SNS::Subscription"}
    assert "sends an e-mail" in alarm(changed, "ApiCpuTooHigh")["environments"]["dev"]["effect"]


def test_every_parameter_has_its_values_and_effects(site: Site) -> None:
    rows = {
        row["name"]: row
        for group in parameters.content(site)["groups"]
        for row in group["parameters"]
    }
    assert rows.keys() == site.release.root.declarations.keys()
    assert rows["NatGateways"]["values"] == {
        "dev": "single",
        "staging": "single",
        "prod": "per-zone",
    }
    assert "NatGateway2" in "".join(rows["NatGateways"]["effects"])
    assert rows["NatGateways"]["accepts"]


def test_a_parameter_without_a_row_in_the_reference_is_named(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "parameters.md"
    monkeypatch.setattr(parameters, "REFERENCE", page)
    with pytest.raises(PipelineError, match=r"docs/parameters\.md is missing"):
        parameters.content(site)
    page.write_text("| `Project`<br>Name | a | b | c |\n")
    with pytest.raises(PipelineError, match=r"docs/parameters\.md lacks \w+: run python -m"):
        parameters.content(site)


def test_an_output_disappears_with_the_template(site: Site) -> None:
    changed, layers = with_changed_dev(site)
    del layers["environment"]["Outputs"]["Url"]

    rows = {row["name"]: row["values"] for row in outputs.content(changed)["outputs"]}

    assert rows["Url"]["dev"] == ""
    assert rows["Url"]["prod"].startswith("https://")
    assert all(set(values) == set(ENVIRONMENTS) for values in rows.values())


def test_the_releases_begin_with_this_one(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = releases.content(site)["releases"]
    assert found[0]["version"] == site.release.version
    assert "<h3>Before the update</h3>" in found[0]["text"]
    assert "<!--" not in found[0]["text"]

    monkeypatch.setattr(releases, "RELEASE_PAGES", tmp_path)
    with pytest.raises(PipelineError, match="docs/releases has no page of"):
        releases.content(site)
