"""cfn-lint finds nothing in templates and environments, and finds planted faults."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.checks import lint
from pipeline.checks.regions.readiness import readiness, ready_regions
from pipeline.checks.render import Rendered
from pipeline.errors import PipelineError
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release, serialize, template_path
from templates_src.environment import ROOT, TEMPLATE_SUFFIX, stack_title

# One process, so that the environments are linted once, in parallel.

REGIONS = ("eu-north-1", "eu-west-1", "us-east-1")
Template = dict[str, Any]


def test_templates_and_environments_are_clean_in_every_region(release: Release) -> None:
    ready = ready_regions(readiness(release))
    report = lint.lint(release, REGIONS, environments=ready)
    assert report.findings == ()
    # Each environment once: the ready regions differ only in their names.
    assert report.targets == 1 + len(release.bootstrap_stacks) + 3
    assert all(set(REGIONS) < set(regions) for regions in ready.values())
    assert lint.lint(release, REGIONS, environments=ready).linted == 0


def test_environments_that_differ_only_in_the_region_are_linted_once(release: Release) -> None:
    regions = ["eu-north-1", "cn-north-1", "ap-southeast-2", "cn-northwest-1"]

    commercial, chinese = lint.rendered_targets(release, "dev", regions, PARAMETERS)

    assert commercial.regions == ("eu-north-1", "ap-southeast-2")
    assert chinese.regions == ("cn-north-1", "cn-northwest-1")
    for target, longest in ((commercial, b"ap-southeast-2"), (chinese, b"cn-northwest-1")):
        (network,) = [body for name, body in target.files if name.startswith("network.")]
        assert longest in network


def test_other_environments_are_linted_separately(
    release: Release,
) -> None:
    path = template_path("network")
    network: Template = json.loads(release.files[path])
    network["Conditions"]["IsFar"] = {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}
    network["Resources"]["InternetGateway"]["Condition"] = "IsFar"
    planted = dataclasses.replace(release, files={**release.files, path: serialize(network)})

    targets = lint.rendered_targets(planted, "dev", REGIONS, PARAMETERS)

    assert [target.regions for target in targets] == [REGIONS[:2], REGIONS[2:]]
    assert len({target.name for target in targets}) == 2


def test_a_fault_in_one_of_many_regions_is_found_and_names_it(dev: Rendered) -> None:
    target = target_of(dev.layers["data"], "data", "eu-north-1")

    findings = lint.lint_target(dataclasses.replace(target, regions=("eu-north-1", "ca-west-1")))

    assert [finding.rule for finding in findings] == ["E3025"]
    assert findings[0].message.endswith("in 'ca-west-1'")


def test_a_region_that_does_not_exist_is_refused(dev: Rendered) -> None:
    with pytest.raises(PipelineError, match="eu-north-9"):
        lint.lint_target(target_of(dev.layers["network"], "network", "eu-north-9"))


def target_of(template: Template, layer: str, region: str) -> lint.Target:
    """One template, to be linted by itself."""
    return lint.Target(layer, (region,), ((f"{layer}{TEMPLATE_SUFFIX}", serialize(template)),))


def messages(findings: tuple[lint.Finding, ...]) -> list[str]:
    """Rule, template, place and message of findings, each as a line."""
    return [f"{each.rule} {each.template} {each.place} {each.message}" for each in findings]


def parameters_of(root: Template, layer: str) -> Template:
    """The parameters that the root passes to a nested stack."""
    given: Template = root["Resources"][stack_title(layer)]["Properties"]["Parameters"]
    return given


# Faults in the nested templates: between stacks, and an unknown property.


def pass_an_unknown_parameter(root: Template) -> None:
    parameters_of(root, "edge")["Certificate"] = "arn"


def forget_a_parameter(root: Template) -> None:
    del parameters_of(root, "security")["VpcId"]


def read_an_unknown_output(root: Template) -> None:
    parameters_of(root, "data")["KeyArn"] = {
        "Fn::GetAtt": [stack_title("security"), "Outputs.KeyArm"]
    }


def misspell_a_property_of_the_vpc(network: Template) -> None:
    network["Resources"]["Vpc"]["Properties"]["CidrBlocks"] = "10.0.0.0/16"


NESTED_FAULTS: tuple[tuple[str, Callable[[Template], None], str], ...] = (
    (ROOT, pass_an_unknown_parameter, 'parameter "Certificate" doesn\'t exist'),
    (ROOT, forget_a_parameter, 'parameter "VpcId" is not specified'),
    (ROOT, read_an_unknown_output, "'Outputs.KeyArm' is not one of"),
    ("network", misspell_a_property_of_the_vpc, "'CidrBlocks'"),
)


@pytest.fixture(scope="module")
def remembered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of clean targets in the lint of the faulty release."""
    return tmp_path_factory.mktemp("clean")


@pytest.fixture(scope="module")
def faulty(
    release: Release, remembered: Path, tmp_path_factory: pytest.TempPathFactory
) -> lint.Report:
    """Lint of a release with all those faults, of which none hides another.

    Without environments, and of the layers between which the faults are: following the others takes longest.
    """
    files = dict(release.files)
    for layer, plant, _ in NESTED_FAULTS:
        template: Template = json.loads(files[template_path(layer)])
        plant(template)
        files[template_path(layer)] = serialize(template)
    named = ("network", "security", "data", "edge")
    layers = tuple(layer for layer in release.layers if layer.name in named)
    return lint.lint(
        dataclasses.replace(release, files=files, layers=layers, bootstrap_stacks={}),
        REGIONS[:1],
        profiles=tmp_path_factory.mktemp("profiles"),
        clean=remembered,
    )


@pytest.mark.parametrize(
    "says",
    [says for *_, says in NESTED_FAULTS],
    ids=[plant.__name__ for _, plant, _ in NESTED_FAULTS],
)
def test_found_in_nested_templates(faulty: lint.Report, says: str) -> None:
    found = messages(faulty.findings)
    assert [message for message in found if says in message], found


def test_found_in_a_bootstrap_template(release: Release) -> None:
    path = template_path("release-bucket")
    template: Template = json.loads(release.bootstrap_stacks[path])
    template["Resources"]["Bucket"]["Properties"]["BucketNames"] = "releases"
    faulty = dataclasses.replace(release, bootstrap_stacks={path: serialize(template)})
    (target,) = lint.bootstrap_templates(faulty, REGIONS[:1])
    found = messages(tuple(lint.lint_target(target)))
    assert [message for message in found if "'BucketNames'" in message], found


def test_target_with_findings_is_linted_again(faulty: lint.Report, remembered: Path) -> None:
    assert (faulty.targets, faulty.linted) == (1, 1)
    assert list(remembered.iterdir()) == []


# Faults that only a rendered environment shows, because parameters hide them.


def ask_for_a_size_that_does_not_exist(compute: Template) -> None:
    compute["Resources"]["ApiTaskDefinition"]["Properties"] |= {"Cpu": "256", "Memory": "8192"}


def keep_logs_for_eleven_days(compute: Template) -> None:
    compute["Resources"]["ApiLogGroup"]["Properties"]["RetentionInDays"] = 11


RENDERED_FAULTS = (
    (ask_for_a_size_that_does_not_exist, "E3047"),
    (keep_logs_for_eleven_days, "11 is not one of"),
)


@pytest.fixture(scope="module")
def faulty_compute(prod: Rendered) -> tuple[lint.Finding, ...]:
    """Lint of a rendered compute layer with those faults."""
    template = copy.deepcopy(prod.layers["compute"])
    for plant, _ in RENDERED_FAULTS:
        plant(template)
    return tuple(lint.lint_target(target_of(template, "compute", prod.region)))


@pytest.mark.parametrize(
    "says",
    [says for _, says in RENDERED_FAULTS],
    ids=[plant.__name__ for plant, _ in RENDERED_FAULTS],
)
def test_found_in_a_rendered_environment(
    faulty_compute: tuple[lint.Finding, ...], says: str
) -> None:
    found = messages(faulty_compute)
    assert [message for message in found if says in message], found
