"""taskcat.yml keeps what docs/testing.md promises; each planted fault breaks a promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from tests.taskcat.promises import broken_promises

Document = dict[str, Any]
Plant = Callable[[Document], object]


def given(test: str, name: str, value: str) -> Plant:
    return lambda document: document["tests"][test]["parameters"].update({name: value})


def project(key: str, value: object) -> Plant:
    return lambda document: document["project"].update({key: value})


@pytest.mark.parametrize(
    ("plant", "says"),
    [
        pytest.param(
            given("staging", "Environment", "dev"), "staging launches dev", id="another environment"
        ),
        pytest.param(
            lambda document: document["tests"]["prod"].update(
                template="dist/templates/network.template.json"
            ),
            "prod launches prod from dist/templates/network",
            id="a layer in place of the environment",
        ),
        pytest.param(
            given("prod", "DatabaseMultiAz", "false"),
            "prod has DatabaseMultiAz false, and its profile true",
            id="a weaker value than the profile's",
        ),
        pytest.param(
            given("prod-two", "VpcCidr", "8.8.8.0/24"),
            "prod-two sets VpcCidr to 8.8.8.0/24, which its template refuses",
            id="a value that the template refuses",
        ),
        pytest.param(
            given("network", "CacheNodes", "1"),
            "network sets CacheNodes, which its template does not have",
            id="a parameter of another template",
        ),
        pytest.param(
            project("role_name", "carbon-connect-launch"),
            "launched by carbon-connect-launch, not by carbon-connect-taskcat-deployment",
            id="another role",
        ),
        pytest.param(
            project("s3_regional_buckets", False),
            "is not in the region of its stack",
            id="functions in another region",
        ),
        pytest.param(project("name", "other"), "uploaded under other", id="another release"),
        pytest.param(
            project("parameters", {"Environment": "dev"}),
            "replace those of the tests",
            id="parameters of every test",
        ),
        pytest.param(
            lambda document: document["project"].pop("prehooks"),
            "the tags of every test",
            id="no hook of the tags",
        ),
    ],
)
def test_broken_promise_is_found(release: Release, plant: Plant, says: str) -> None:
    document = yaml.safe_load((PROJECT_FOLDER / "taskcat.yml").read_text(encoding="utf-8"))
    assert list(broken_promises(document, release)) == []

    plant(document)

    found = list(broken_promises(document, release))
    assert [each for each in found if says in each], found
