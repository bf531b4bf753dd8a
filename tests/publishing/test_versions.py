"""The steps for versions, and idempotency tokens, without AWS."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from pipeline.catalog.apply.tokens import create_once, token
from pipeline.catalog.desired.catalog import DesiredProduct, desired
from pipeline.catalog.observed.model import ObservedProduct, ObservedVersion
from pipeline.catalog.observed.version_order import version_order
from pipeline.catalog.plan.steps import Action
from pipeline.catalog.plan.versions import version_steps
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release
from tests.publishing.minimal_catalog import small_catalog, small_release


@pytest.fixture(scope="module")
def wanted(release: Release) -> DesiredProduct:
    made = small_release(release, "1.5.0")
    return desired(made, small_catalog(), "1" * 12, "eu-north-1").products["production"]


def seen(name: str, guidance: str = "DEPRECATED", **more: object) -> ObservedVersion:
    values = {"id": f"pa-{name}", "name": name, "description": "", "active": True}
    return ObservedVersion(**{**values, "guidance": guidance, "digest": "d", **more})  # type: ignore[arg-type]


def steps(
    wanted: DesiredProduct, *versions: ObservedVersion, kept: int = 3
) -> dict[str, tuple[Action, str]]:
    product = ObservedProduct("prod-1", {}, {}, versions)
    found = version_steps(wanted, product, kept, shared=False)
    return {step.subject.removeprefix("Production "): (step.action, step.reason) for step in found}


def test_versions_are_ordered_by_number() -> None:
    names = ["1.10.0", "1.2.0", "2.0.0-rc1", "2.0.0", "1.2", "beta"]

    assert sorted(names, key=version_order) == [
        "beta",
        "1.2",
        "1.2.0",
        "1.10.0",
        "2.0.0-rc1",
        "2.0.0",
    ]


def test_new_version_deprecates_and_retires(wanted: DesiredProduct) -> None:
    found = steps(wanted, seen("1.1.0"), seen("1.2.0"), seen("1.3.0"), seen("1.4.0", "DEFAULT"))

    assert {name: action for name, (action, _) in found.items()} == {
        "1.5.0": Action.CREATE,
        "1.4.0": Action.DEPRECATE,
        "1.3.0": Action.UNCHANGED,
        "1.2.0": Action.RETIRE,
        "1.1.0": Action.RETIRE,
    }


def test_used_version_beyond_the_number_kept_is_deprecated_first(wanted: DesiredProduct) -> None:
    old = seen("1.1.0", "DEFAULT", users=("shop (pp-1)", "lab (pp-2)"))

    action, reason = steps(wanted, old, kept=1)["1.1.0"]

    assert action is Action.DEPRECATE
    assert "in use by shop (pp-1) and lab (pp-2)" in reason


def test_hundredth_and_first_version_is_refused(wanted: DesiredProduct) -> None:
    theirs = [seen(f"0.{number}.0", digest="") for number in range(100)]

    action, reason = steps(wanted, *theirs)["1.5.0"]

    assert action is Action.REFUSE
    assert "has 100 versions" in reason


def test_version_that_exists_twice_is_reported(wanted: DesiredProduct) -> None:
    version = wanted.version
    twice = [
        seen("1.5.0", "DEFAULT", id=f"pa-{n}", digest=version.digest, description="d")
        for n in range(2)
    ]

    found = list(
        version_steps(wanted, ObservedProduct("prod-1", {}, {}, tuple(twice)), 3, shared=False)
    )

    assert found[0].action is Action.REPORT
    assert "pa-0 and pa-1" in found[0].reason


class Server:
    """Answers a known token with the resource of its first use, like Service Catalog."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}
        self.dead: set[str] = set()
        self.status = "AVAILABLE"
        self.reads = 0

    def create(self, given: str) -> str:
        return self.made.setdefault(given, f"id-{len(self.made)}")

    def read(self, identity: str) -> str:
        self.reads += 1
        if identity in self.dead:
            code = {"Error": {"Code": "ResourceNotFoundException", "Message": "gone"}}
            raise ClientError(code, "Describe")
        return self.status if self.reads > 2 else "CREATING"

    def once(self) -> str:
        return create_once(
            self.create, self.read, "a", "b", find=lambda: "", content="", waits=(0.0, 0.0)
        )


def test_tokens_identify_resources() -> None:
    assert token("a", "b") == token("a", "b")
    assert len({token("a", "b"), token("ab"), token("a", "c"), token("a", "b", "id")}) == 4


def test_resource_in_creation_is_waited_for() -> None:
    server = Server()

    assert server.once() == "id-0"
    assert server.reads == 3


def test_deleted_resource_is_created_with_the_next_token() -> None:
    server = Server()
    first = server.once()
    server.dead.add(first)

    assert server.once() == server.once() == "id-1"


def test_failed_creation_is_reported() -> None:
    server = Server()
    server.status = "FAILED"

    with pytest.raises(PipelineError, match="could not create a b"):
        server.once()
