"""`environments` lists what was launched from the catalog and without it, with what an update would lose."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

import build
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.spec.document import load_catalog
from pipeline.environments.account.launched import (
    CURRENT,
    NOTHING,
    Launched,
    in_regions,
    launched_in,
)
from pipeline.environments.account.requirements import require_product_launch
from pipeline.environments.provisioning.operations import (
    DesiredEnvironment,
    OperationResult,
    launch,
)
from pipeline.errors import PipelineError
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release, assemble, serialize
from tests.account.test_check import user
from tests.conftest import REGION
from tests.documentation.blocks import Place, block
from tests.provisioning.catalog import DEVELOPMENT, Catalog

NAME = "carbon-connect-dev"
DATA = "templates/data.template.json"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedAws]:
    with EmbeddedAws.start(region=REGION) as running:
        yield running


@pytest.fixture(scope="module")
def catalog(running: EmbeddedAws, release: Release) -> Catalog:
    """The release as a product, and a launched environment of it."""
    made = Catalog(running)
    made.publish(release)
    wanted = DesiredEnvironment(
        NAME,
        DEVELOPMENT.name,
        tags={"Project": "carbon-connect", "Environment": "dev"},
    )
    assert launch(made.user, wanted, lambda _operation: None, lambda _text: None).succeeded
    return made


def listed(catalog: Catalog, release: Release) -> dict[str, Launched]:
    found = launched_in(catalog.user, release, load_catalog())
    return {each.name: each for each in found}


def test_environment_of_the_newest_version(catalog: Catalog, release: Release) -> None:
    found = listed(catalog, release)[NAME]

    assert (found.source, found.version, found.newest) == (
        DEVELOPMENT.name,
        release.version,
        release.version,
    )
    assert found.status == "AVAILABLE"
    assert found.operation.startswith("PROVISION_PRODUCT SUCCEEDED, 20")
    assert float(found.monthly_usd) > 100
    assert found.loses == CURRENT


def test_update_that_loses_nothing_and_one_that_loses_the_database(
    catalog: Catalog, release: Release
) -> None:
    catalog.publish(assemble("98.0.0"))
    found = listed(catalog, release)[NAME]
    assert (found.version, found.newest, found.loses) == (release.version, "98.0.0", NOTHING)

    later = assemble("99.0.0")
    data = json.loads(later.files[DATA])
    data["Resources"]["Database"]["Properties"]["DBName"] = "other"
    catalog.publish(replace(later, files={**later.files, DATA: serialize(data)}))
    found = listed(catalog, release)[NAME]
    assert (found.newest, found.loses) == ("99.0.0", "Data.Database")


def test_stack_without_service_catalog_is_recognised(catalog: Catalog, release: Release) -> None:
    """Other stacks, nested ones and those of products among them, are left out."""
    cloudformation = catalog.aws.client("cloudformation")
    body = {
        "Description": "Carbon Connect 1.1.0: a whole environment as nested stacks",
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    }
    cloudformation.create_stack(StackName="mine-dev", TemplateBody=json.dumps(body))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="mine-dev", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    found = {each.name: each for each in launched_in(catalog.aws, release, load_catalog())}

    assert found.keys() == {NAME, "mine-dev"}
    direct = found["mine-dev"]
    assert (direct.source, direct.version, direct.newest) == ("stack", "1.1.0", release.version)
    assert direct.operation.startswith("CREATE_COMPLETE, 20")


def test_region_that_does_not_answer_is_one_sentence(catalog: Catalog, release: Release) -> None:
    """The other regions are listed."""

    def connect(region: str) -> Aws:
        if region == REGION:
            return catalog.user
        nowhere = {**catalog.aws.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
        return Aws(region, nowhere)

    regions = [REGION, "eu-west-1"]
    found = dict(in_regions(regions, connect, release, load_catalog()))

    (environment,) = [each for each in found[REGION] if each.name == NAME]  # type: ignore[union-attr]
    assert environment.region == REGION
    assert isinstance(found["eu-west-1"], PipelineError)
    assert "check the network" in str(found["eu-west-1"])


def test_user_without_permissions_gets_one_sentence(catalog: Catalog, release: Release) -> None:
    with pytest.raises(PipelineError, match=r"read the provisioned products of eu-north-1"):
        launched_in(user(catalog.aws, None), release, load_catalog())


def administrator(catalog: Catalog) -> Aws:
    """A user of the product who can read everything in the account, and so the names that are taken."""
    person = user(catalog.aws, EVERYTHING)
    catalog.admit(f"arn:aws:iam::{catalog.aws.account()}:user/person")
    return person


def test_launch_from_a_product_examines_the_account(catalog: Catalog, release: Release) -> None:
    person = administrator(catalog)
    catalog.aws.client("logs").create_log_group(logGroupName="aws-waf-logs-other-dev")

    def examine(project: str, version: str = release.version) -> None:
        wanted = DesiredEnvironment(
            f"{project}-dev", DEVELOPMENT.name, version, settings={"Project": project}
        )
        require_product_launch(person, release, "dev", wanted)

    with pytest.raises(PipelineError, match=r"log group aws-waf-logs-other-dev"):
        examine("other")
    # A version of another release and an existing environment are not examined.
    examine("other", "99.0.0")
    examine("carbon-connect")
    examine("fourth")


def test_launch_follows_another_that_begins_while_the_account_is_examined(
    catalog: Catalog, release: Release
) -> None:
    """The other launch takes the names of the environment, which is no reason to refuse this one."""
    wanted = DesiredEnvironment(
        "late-dev", DEVELOPMENT.name, release.version, settings={"Project": "late"}
    )
    late = administrator(catalog)
    with ThreadPoolExecutor(1) as pool:
        others: list[Future[OperationResult]] = []

        def begin(**_answer: Any) -> None:
            """The first answer is that the environment does not exist; the other launch begins right after it."""
            if not others:
                others.append(pool.submit(launch, catalog.user, wanted, _quiet, _quiet))
                _wait_until_taken(catalog, "aws-waf-logs-late-dev")

        events = late.client("servicecatalog").meta.events
        events.register("after-call.service-catalog.DescribeProvisionedProduct", begin)

        require_product_launch(late, release, "dev", wanted)
        notes: list[str] = []
        followed = launch(late, wanted, _quiet, notes.append)
        other = others[0].result()

    assert other.changed
    assert followed.succeeded
    assert not followed.changed


def _quiet(_: object) -> None:
    """Show nothing."""


def _wait_until_taken(catalog: Catalog, log_group: str) -> None:
    """Wait until a launch has created a log group with this name."""
    logs, ends = catalog.aws.client("logs"), time.monotonic() + 60
    while not logs.describe_log_groups(logGroupNamePrefix=log_group)["logGroups"]:
        assert time.monotonic() < ends, f"No launch creates {log_group}."
        time.sleep(0.2)


@pytest.mark.parametrize(
    ("heading", "number", "says"),
    [
        ("Check an account before a launch", 1, "environment carbon-connect-dev"),
        ("Check an account before a launch", 2, "The publication creates it"),
        ("What was launched", 1, NAME),
    ],
)
def test_blocks_of_the_page_work_as_typed(
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    heading: str,
    number: int,
    says: str,
) -> None:
    for name, value in catalog.aws.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(PROJECT_FOLDER)
    (line,) = block(Place("docs/check.md", heading, number)).commands()
    python, program, *arguments = shlex.split(line)
    assert (python, program) == (".venv/bin/python", "build.py")

    build.app(arguments, standalone_mode=False)

    assert says in capsys.readouterr().out
