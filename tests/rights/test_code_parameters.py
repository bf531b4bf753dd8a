"""docs/rights.md lists every parameter that decides which code runs, and the permissions of the code."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pipeline.catalog.desired.product_templates import product_templates
from pipeline.catalog.spec.document import load_catalog
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from tests.rights.alphabets import characters
from tests.rights.code_flows import Flows, Sink, Template
from tests.rights.permissions_of_code import Permissions

PAGE = PROJECT_FOLDER / "docs" / "rights.md"
HEADER = "| Parameter | In products | Decides | Runs with the permissions of |"
BUCKET = "carbon-connect-releases-111122223333-eu-north-1"
SOURCES = {"ReleaseBucket", "ReleasePrefix"}
# Characters that a shell does not read as part of a word; '+', '=', '@', '%' and ',' are not among them.
SHELL = set(" \t\n\"'\\`$&|;<>(){}[]*?!#~")

Row = tuple[str, frozenset[str]]


def templates_of(release: Release) -> dict[str, Template]:
    """The root under ``environment``, and the layers by name."""
    found = {
        path.removeprefix("templates/").removesuffix(".template.json"): json.loads(body)
        for path, body in release.files.items()
        if path.startswith("templates/")
    }
    return {name: found[name] for name in sorted(found)}


@pytest.fixture(scope="module")
def templates(release: Release) -> dict[str, Template]:
    return templates_of(release)


@pytest.fixture(scope="module")
def products(release: Release) -> dict[str, Template]:
    """The templates of the products, by key."""
    bodies = product_templates(release, load_catalog(), BUCKET)
    return {key: json.loads(body) for key, body in bodies.items()}


def sinks_of(templates: Mapping[str, Template]) -> dict[str, set[Sink]]:
    """The sinks that each parameter reaches in the templates as they are deployed without Service Catalog."""
    layers = {name: body for name, body in templates.items() if name != "environment"}
    flows = Flows(layers)
    found: dict[str, set[Sink]] = {}
    for name, template in templates.items():
        for parameter, sinks in flows.into_code(template, name).items():
            found.setdefault(parameter, set()).update(sinks)
    return found


def open_in(
    products: Mapping[str, Template], layers: Mapping[str, Template]
) -> dict[str, set[str]]:
    """Each parameter that decides code in a product, and in which kind of product a launcher can choose its value."""
    flows, found = Flows(layers), dict[str, set[str]]()
    of_layers = {product.key: product.layer for product in load_catalog().products}
    for key, template in products.items():
        layer = of_layers[key]
        for parameter in flows.into_code(template, layer or "environment"):
            if len(template["Parameters"][parameter].get("AllowedValues", ())) != 1:
                found.setdefault(parameter, set()).add("layers" if layer else "environments")
    return found


def computed(templates: Mapping[str, Template], products: Mapping[str, Template]) -> dict[str, Row]:
    """The expected row of each parameter: the products in which it is open, and the permissions."""
    layers = {name: body for name, body in templates.items() if name != "environment"}
    permissions = Permissions(templates["environment"], Flows(layers))
    offered = open_in(products, layers)
    return {
        parameter: (
            ", ".join(sorted(offered.get(parameter, ()))) or "no",
            frozenset(permissions.of(sink) for sink in sinks),
        )
        for parameter, sinks in sinks_of(templates).items()
    }


def documented() -> dict[str, Row]:
    """The table of the page."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = lines.index(HEADER) + 2
    found: dict[str, Row] = {}
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        names, offered, _, roles = (cell.strip() for cell in line.strip("|").split(" | "))
        for name in re.findall(r"`(\w+)`", names):
            assert name not in found, f"{name} is in two rows."
            found[name] = offered, frozenset(role.strip("` ") for role in roles.split(","))
    return found


def differences(templates: Mapping[str, Template], products: Mapping[str, Template]) -> list[str]:
    """The rows of the table that differ from the templates."""
    page, wanted = documented(), computed(templates, products)
    return [
        *(f"{name} decides what code runs and is not in docs/rights.md" for name in wanted.keys() - page.keys()),
        *(f"{name} of docs/rights.md decides nothing" for name in page.keys() - wanted.keys()),
        *(
            f"{name}: the page says {page[name]}, the templates {wanted[name]}"
            for name in wanted.keys() & page.keys()
            if page[name] != wanted[name]
        ),
    ]  # fmt: skip


def test_the_page_lists_every_parameter_that_decides_code(
    templates: dict[str, Template], products: dict[str, Template]
) -> None:
    assert differences(templates, products) == []


def test_no_product_lets_a_launcher_choose_the_source_of_templates_and_functions(
    templates: dict[str, Template], products: dict[str, Template]
) -> None:
    layers = {name: body for name, body in templates.items() if name != "environment"}
    for key, product in products.items():
        flows = Flows(layers).into_code(product, key)
        sources = {
            parameter
            for parameter, sinks in flows.items()
            if any(sink.name in {"TemplateURL", "Code"} for sink in sinks)
        }
        assert sources == set(), key
        assert not SOURCES & set(product["Parameters"]), key
    assert set(sinks_of(templates)) >= SOURCES


def test_values_for_the_boot_script_are_shell_words(
    templates: dict[str, Template],
) -> None:
    """The values are in a file that the script reads as shell text."""
    typed = 0
    for name, template in templates.items():
        layers = {key: body for key, body in templates.items() if key != "environment"}
        for parameter, sinks in Flows(layers).into_code(template, name).items():
            if not any(sink.name == "UserData" for sink in sinks):
                continue
            declared = template["Parameters"][parameter]
            if declared["Type"].startswith("AWS::"):
                typed += 1
                continue
            allowed = declared.get("AllowedValues")
            found = set("".join(allowed)) if allowed else characters(declared["AllowedPattern"])
            assert not found & SHELL, f"{parameter} of {name}"
    assert typed


@pytest.mark.parametrize("pattern", ["arn:.+", r"[^;]+", r"a\Sb", "x{2,} y"])
def test_pattern_that_allows_more_than_a_word_is_found(pattern: str) -> None:
    assert characters(pattern) & SHELL


def compute_of(templates: dict[str, Any]) -> Any:
    return templates["compute"]["Resources"]


def plant(templates: dict[str, Any], layer: str) -> None:
    """A parameter of the root that is passed to a layer."""
    for name in ("environment", layer):
        templates[name]["Parameters"]["Planted"] = {"Type": "String"}
    stack = templates["environment"]["Resources"][layer.capitalize()]["Properties"]
    stack["Parameters"]["Planted"] = {"Ref": "Planted"}


def as_image(templates: dict[str, Any]) -> None:
    plant(templates, "compute")
    container = compute_of(templates)["ApiTaskDefinition"]["Properties"]["ContainerDefinitions"][0]
    container["Image"] = {"Fn::Sub": "${Planted}:1"}


def as_health_check(templates: dict[str, Any]) -> None:
    plant(templates, "compute")
    container = compute_of(templates)["ApiTaskDefinition"]["Properties"]["ContainerDefinitions"][0]
    container["HealthCheck"] = {"Command": ["CMD-SHELL", {"Fn::Join": ["", [{"Ref": "Planted"}]]}]}


def as_variable(templates: dict[str, Any]) -> None:
    plant(templates, "compute")
    container = compute_of(templates)["BeatTaskDefinition"]["Properties"]["ContainerDefinitions"][0]
    container["Environment"].append({"Name": "PYTHONPATH", "Value": {"Ref": "Planted"}})


def as_condition(templates: dict[str, Any]) -> None:
    plant(templates, "compute")
    templates["compute"]["Conditions"]["HasPlanted"] = {"Fn::Equals": [{"Ref": "Planted"}, ""]}
    container = compute_of(templates)["ApiTaskDefinition"]["Properties"]["ContainerDefinitions"][0]
    container["Image"] = {"Fn::If": ["HasPlanted", "one", "other"]}


def as_output_of_another_layer(templates: dict[str, Any]) -> None:
    plant(templates, "network")
    templates["network"]["Outputs"]["Planted"] = {"Value": {"Ref": "Planted"}}
    templates["compute"]["Parameters"]["Passed"] = {"Type": "String"}
    stack = templates["environment"]["Resources"]["Compute"]["Properties"]
    stack["Parameters"]["Passed"] = {"Fn::GetAtt": ["Network", "Outputs.Planted"]}
    data = compute_of(templates)["SearchLaunchTemplate"]["Properties"]["LaunchTemplateData"]
    data["ImageId"] = {"Ref": "Passed"}


def as_function_code(templates: dict[str, Any]) -> None:
    plant(templates, "edge")
    function = templates["edge"]["Resources"]["DevelopmentCertificateFunction"]["Properties"]
    function["Code"]["S3ObjectVersion"] = {"Ref": "Planted"}


def as_nested_template(templates: dict[str, Any]) -> None:
    plant(templates, "network")
    templates["environment"]["Resources"]["Network"]["Properties"]["TemplateURL"] = {
        "Ref": "Planted"
    }


def as_trust(templates: dict[str, Any]) -> None:
    plant(templates, "security")
    role = templates["security"]["Resources"]["ApiTaskRole"]["Properties"]
    role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": {"Ref": "Planted"}}


def as_metadata(templates: dict[str, Any]) -> None:
    plant(templates, "compute")
    compute_of(templates)["SearchGroup"]["Metadata"] = {
        "AWS::CloudFormation::Init": {
            "config": {"commands": {"a": {"command": {"Ref": "Planted"}}}}
        }
    }


@pytest.mark.parametrize(
    "planted",
    [
        as_image,
        as_health_check,
        as_variable,
        as_condition,
        as_output_of_another_layer,
        as_function_code,
        as_nested_template,
        as_trust,
        as_metadata,
    ],
)
def test_a_new_parameter_that_decides_code_is_noticed(
    templates: dict[str, Template], planted: Callable[[dict[str, Any]], None]
) -> None:
    changed = copy.deepcopy(templates)
    planted(changed)

    new = set(sinks_of(changed)) - set(documented())

    assert "Planted" in new
    assert new <= {"Planted", "Passed"}
