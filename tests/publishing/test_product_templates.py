"""The template of a product: the console shows exactly the resources of a launch, and uses only its release."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.catalog.desired.product_templates import product_templates
from pipeline.catalog.spec.document import load_catalog
from pipeline.parameters.profiles import load_profile
from pipeline.release.assemble import MAX_TEMPLATE_BYTES, Release, assemble

BUCKET = "carbon-connect-releases-111122223333-eu-north-1"
POLICIES = "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/"
ROLES = {
    "carbon-connect-launch-development": ("development", "staging"),
    "carbon-connect-launch-production": ("production",),
}
PROFILES = {"development": "dev", "staging": "staging", "production": "prod"}


@pytest.fixture(scope="module")
def templates(release: Release) -> dict[str, bytes]:
    return product_templates(release, load_catalog(), BUCKET)


@pytest.fixture(params=sorted(PROFILES))
def environment(request: pytest.FixtureRequest, templates: dict[str, bytes]) -> dict[str, Any]:
    """The template of a product that is a whole environment, and its key."""
    return {"key": request.param, **json.loads(templates[request.param])}


def test_defaults_are_the_profile(environment: dict[str, Any], release: Release) -> None:
    profile = load_profile(release.root, PROFILES[environment["key"]])
    defaults = {name: p["Default"] for name, p in environment["Parameters"].items()}

    assert defaults == {
        name: value for name, value in profile.items() if name != "PermissionsBoundary"
    }


def test_only_the_environment_of_the_product_is_allowed(environment: dict[str, Any]) -> None:
    parameter = environment["Parameters"]["Environment"]

    assert parameter["AllowedValues"] == [PROFILES[environment["key"]]] == [parameter["Default"]]


def test_only_the_project_of_the_launch_role_is_allowed(templates: dict[str, bytes]) -> None:
    names = {product.key: product.name for product in load_catalog().products}
    for key, body in templates.items():
        parameter = json.loads(body)["Parameters"]["Project"]
        assert parameter["AllowedValues"] == ["carbon-connect"] == [parameter["Default"]], key
        message = f"Project is carbon-connect in {names[key]}."
        assert parameter["ConstraintDescription"] == message


def test_every_parameter_has_its_group_and_label(templates: dict[str, bytes]) -> None:
    for body in templates.values():
        template = json.loads(body)
        interface = template["Metadata"]["AWS::CloudFormation::Interface"]
        grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
        assert sorted(grouped) == sorted(template["Parameters"])
        assert sorted(interface["ParameterLabels"]) == sorted(template["Parameters"])


def test_release_is_fixed_and_not_kept_from_an_older_version(
    templates: dict[str, bytes], release: Release
) -> None:
    for key, body in templates.items():
        for name in ("ReleaseBucket", "ReleasePrefix"):
            assert name not in json.loads(body)["Parameters"], key
            assert f"${{{name}}}".encode() not in body, key
            assert f'{{"Ref": "{name}"}}'.encode() not in body, key
    for key in PROFILES:
        assert f"https://{BUCKET}.s3.".encode() in templates[key]
        assert release.prefix.encode() in templates[key]


def test_only_source_and_boundary_differ_from_the_root(
    environment: dict[str, Any], release: Release
) -> None:
    root = json.loads(release.files["templates/environment.template.json"])
    role = next(r for r in ROLES if environment["key"] in ROLES[r])
    boundary = {"Fn::Sub": f"{POLICIES}{role}-boundary"}
    # The root's own roles name the boundary if there is one, and its functions have their code below the prefix.
    optional = {
        "Fn::If": [
            "HasPermissionsBoundary",
            {"Ref": "PermissionsBoundary"},
            {"Ref": "AWS::NoValue"},
        ]
    }
    written = json.loads(
        re.sub(
            r'{"Fn::Sub": "\${ReleasePrefix}([^"$]+)"}',
            rf'"{release.prefix}\1"',
            json.dumps(root["Resources"]).replace(json.dumps(optional), json.dumps(boundary)),
        )
        .replace("${ReleasePrefix}", release.prefix)
        .replace("${ReleaseBucket}", BUCKET)
        .replace(json.dumps({"Ref": "ReleaseBucket"}), json.dumps(BUCKET))
        .replace(json.dumps({"Ref": "PermissionsBoundary"}), json.dumps(boundary))
        .replace(json.dumps({"Ref": "ReleasePrefix"}), json.dumps(release.prefix))
    )

    assert environment["Resources"] == written
    assert environment["Rules"] == root["Rules"]


def test_templates_fit_the_limit_of_cloudformation_for_s3(templates: dict[str, bytes]) -> None:
    assert all(len(templates[key]) <= MAX_TEMPLATE_BYTES for key in PROFILES)


def test_another_version_has_another_template(templates: dict[str, bytes]) -> None:
    other = product_templates(assemble("9.9.9"), load_catalog(), BUCKET)

    assert all(other[key] != body for key, body in templates.items())


def test_linter_finds_nothing(templates: dict[str, bytes], tmp_path: Path) -> None:
    for key, body in templates.items():
        (tmp_path / f"{key}.json").write_bytes(body)

    found = subprocess.run(
        [
            Path(sys.executable).with_name("cfn-lint"),
            "--regions",
            "eu-north-1",
            "--",
            *tmp_path.iterdir(),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (found.returncode, found.stdout) == (0, ""), found.stderr
