"""catalog.yaml keeps what docs/publishing.md promises; each planted fault breaks a promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.release.assemble import Release
from tests.publishing.catalog_promises import broken_promises, document

Catalog = dict[str, Any]
Plant = Callable[[Catalog], object]


def portfolio(name: str, key: str, value: Any) -> Plant:
    return lambda catalog: catalog["portfolios"][name].update({key: value})


def product(name: str, key: str, value: Any) -> Plant:
    return lambda catalog: catalog["products"][name].update({key: value})


@pytest.mark.parametrize(
    ("plant", "says"),
    [
        pytest.param(
            product("staging", "profile", "dev"), "staging launches dev", id="another profile"
        ),
        pytest.param(
            lambda catalog: catalog["products"]["production"].pop("fixed"),
            "production fixes []",
            id="no fixed parameters",
        ),
        pytest.param(
            lambda catalog: catalog["products"]["production"]["fixed"].remove("AccessLogs"),
            "production fixes",
            id="one fixed parameter less",
        ),
        pytest.param(
            portfolio("production", "launch_role", "carbon-connect-launch-development"),
            "Two portfolios share a launch role",
            id="the launch role of others",
        ),
        pytest.param(
            portfolio("environments", "launch_role", "connect-launch-environments"),
            "which a publisher cannot deploy",
            id="a launch role that no publisher deploys",
        ),
        pytest.param(
            portfolio("environments", "launch_role", "carbon-connect-launcher-environments"),
            "not carbon-connect-launch with a suffix",
            id="a launch role with the name of a launcher role",
        ),
        pytest.param(
            portfolio("layers", "launcher_role", "carbon-connect-launch-layers"),
            "not carbon-connect-launcher with a suffix",
            id="a launcher role with the name of a launch role",
        ),
        pytest.param(
            portfolio("production", "launcher_role", "carbon-connect-launcher"),
            "launch prod and other products",
            id="users of development who launch production",
        ),
        pytest.param(
            lambda catalog: catalog["portfolios"]["layers"].pop("launcher_role"),
            "launcher_role ''",
            id="a portfolio that no role uses",
        ),
    ],
)
def test_broken_promise_is_found(release: Release, plant: Plant, says: str) -> None:
    catalog = document()
    assert list(broken_promises(catalog, release)) == []

    plant(catalog)

    found = list(broken_promises(catalog, release))
    assert [each for each in found if says in each], found
