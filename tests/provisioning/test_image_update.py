"""The function that deploys an image, as a session of its role: it updates only ImageTag of the product of its environment."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.checks.iam.policies import Request, allows
from pipeline.environments.provisioning import environments
from pipeline.environments.provisioning.operations import DesiredEnvironment, launch
from pipeline.paths import FUNCTIONS
from tests.conftest import REGION
from tests.provisioning.catalog import DEVELOPMENT, Catalog
from tests.provisioning.deployments import NAME, OWNER, Deployable, deployable, statements
from tests.provisioning.recording import recording

UPDATE = {"Action": "Update", "ProvisionedProduct": NAME, "ImageTag": "v2", "UpdateToken": "t-1"}
CALL = (
    "import json, sys; from functions.image_update.handler import handler;"
    " print(json.dumps(handler(json.load(sys.stdin), None)))"
)

Ask = Callable[[Mapping[str, Any]], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def environment(catalog: Catalog) -> Deployable:
    """dev, launched with its own values."""
    return deployable(catalog)


def called(
    environment: Deployable, package: Path, upstream: str, event: Mapping[str, Any], as_: Aws
) -> tuple[subprocess.CompletedProcess[str], list[tuple[str, bytes]]]:
    """The result of the packed function in a Python process, and its requests."""
    with recording(upstream) as recorded:
        done = subprocess.run(
            [sys.executable, "-c", CALL],
            input=json.dumps(event),
            env={
                **as_.environment,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_ENDPOINT_URL": recorded.endpoint_url,
                **environment.function_variables(),
                "PYTHONPATH": str(package),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    return done, recorded.actions


def finished(environment: Deployable, record: str) -> str:
    """The final status of an update."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        answer = environment.catalog.catalog.describe_record(Id=record)
        status: str = answer["RecordDetail"]["Status"]
        if status in ("SUCCEEDED", "FAILED"):
            return status
        time.sleep(0.1)
    raise TimeoutError(record)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed zip, unpacked."""
    folder = tmp_path_factory.mktemp("function")
    with zipfile.ZipFile(FUNCTIONS / "image_update.zip") as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def ask(environment: Deployable, package: Path, running: EmbeddedAws) -> Ask:
    """Call the function as its role."""
    return lambda event: called(
        environment, package, running.endpoint_url, event, environment.updater
    )[0]


def test_role_of_the_function_has_exactly_the_needed_permissions(
    environment: Deployable, package: Path, running: EmbeddedAws
) -> None:
    before = environment.parameters()
    granted = list(statements(environment.catalog.aws, environment.updater_name))

    done, actions = called(environment, package, running.endpoint_url, UPDATE, environment.updater)
    record = json.loads(done.stdout)["RecordId"]

    assert finished(environment, record) == "SUCCEEDED"
    assert environment.parameters() == {**before, "ImageTag": "v2"}
    asked = {action for action, _ in actions}
    product = f"arn:aws:catalog:{REGION}:123456789012:product/prod-a"
    for action in asked:
        arn = product if action.endswith("Parameters") else "*"
        assert allows(granted, Request(action, arn, OWNER)), action
    calls = {action for each in granted for action in each["Action"]}
    assert {each for each in calls if each.startswith("servicecatalog:")} == asked


def test_reasons_need_exactly_the_other_permissions(
    environment: Deployable, package: Path, running: EmbeddedAws, ask: Ask
) -> None:
    running.fail_service("api", image_tag="v-bad", exit_code=3, log=["no [database]"])
    granted = list(statements(environment.catalog.aws, environment.updater_name))
    started = ask({**UPDATE, "ImageTag": "v-bad", "UpdateToken": "t-bad"})
    record = json.loads(started.stdout)["RecordId"]
    assert finished(environment, record) == "FAILED"
    question = {"Action": "Why", "RecordId": record}

    done, actions = called(
        environment, package, running.endpoint_url, question, environment.updater
    )

    reasons = json.loads(done.stdout)["Reasons"].splitlines()
    assert any("ROLLBACK_SUCCESSFUL; 3 failed tasks, and 3 end the" in each for each in reasons)
    assert any("container api exited with 3." in each for each in reasons)
    assert reasons[-1] == "  | no [database]"
    calls = {action for each in granted for action in each["Action"]}
    own_log = {"logs:CreateLogStream", "logs:PutLogEvents"}
    of_updates = {each for each in calls if each.startswith("servicecatalog:")}
    assert {action for action, _ in actions} == calls - own_log - (
        of_updates - {"servicecatalog:DescribeRecord"}
    )


def test_reasons_of_a_successful_update_are_empty(environment: Deployable, ask: Ask) -> None:
    started = ask({**UPDATE, "ImageTag": "v-good", "UpdateToken": "t-good"})
    record = json.loads(started.stdout)["RecordId"]
    assert finished(environment, record) == "SUCCEEDED"

    done = ask({"Action": "Why", "RecordId": record})

    assert json.loads(done.stdout) == {"Reasons": ""}


def test_an_update_names_every_parameter_and_keeps_version_path_and_tags(
    environment: Deployable, package: Path, running: EmbeddedAws
) -> None:
    found = environments.existing_environment(environment.catalog.aws, NAME)

    _, actions = called(environment, package, running.endpoint_url, UPDATE, environment.updater)
    (request,) = (json.loads(body) for action, body in actions if "UpdateProv" in action)

    assert set(request) == {
        *("ProvisionedProductId", "ProductId", "ProvisioningArtifactId", "PathId"),
        *("ProvisioningParameters", "UpdateToken"),
    }
    assert request["ProvisionedProductId"] == found.id
    assert request["ProductId"] == found.product_id
    assert request["ProvisioningArtifactId"] == found.artifact_id
    chosen = [each for each in request["ProvisioningParameters"] if "Value" in each]
    kept = [each["Key"] for each in request["ProvisioningParameters"] if "Value" not in each]
    assert chosen == [{"Key": "ImageTag", "Value": "v2"}]
    assert {*kept, "ImageTag"} == set(environment.parameters())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"WorkerCommand": "sh"}, "Update takes the fields"),
        ({"ProvisioningArtifactId": "pa-evil"}, "Update takes the fields"),
        ({"Tags": [{"Key": "Owner", "Value": "me"}]}, "Update takes the fields"),
        ({"UpdateToken": None}, "Update takes the fields"),
        ({"Action": "Terminate"}, "Action must be one of Describe, Update, Status, Why"),
        ({"Action": ["Update"]}, "Action must be one of"),
        ({"ImageTag": {"Value": "v2"}}, "Update takes the fields"),
        ({"ImageTag": ""}, "Update takes the fields"),
        ({"ImageTag": "v2,Key=WorkerCommand"}, "ImageTag must be the tag of an image"),
        ({"ImageTag": "../other@sha256"}, "ImageTag must be the tag of an image"),
        ({"ImageTag": "v2\n"}, "ImageTag must be the tag of an image"),
    ],
    ids=str,
)
def test_invalid_tag_is_refused(
    environment: Deployable, ask: Ask, change: Mapping[str, Any], sentence: str
) -> None:
    before = environment.parameters()

    done = ask({**UPDATE, "UpdateToken": "t-2", **change})

    assert done.returncode == 1
    assert f"RefusedError: {sentence}" in done.stderr
    assert environment.parameters() == before


@pytest.mark.parametrize("event", [None, [], "Update", {}])
def test_an_event_of_another_shape_is_refused(ask: Ask, event: Any) -> None:
    done = ask(event)

    assert "RefusedError: Action must be one of" in done.stderr


def test_a_product_of_another_environment_is_refused_even_when_the_role_owns_it(
    environment: Deployable, ask: Ask
) -> None:
    catalog = environment.catalog
    other = "carbon-connect-other"
    settings = {"Environment": "dev", "Project": "carbon-other"}
    wanted = DesiredEnvironment(other, DEVELOPMENT.name, settings=settings)
    assert launch(catalog.user, wanted, lambda _: None, lambda _: None).succeeded
    found = environments.existing_environment(catalog.user, other)
    before = ask({**UPDATE, "ProvisionedProduct": other})
    catalog.catalog.update_provisioned_product_properties(
        ProvisionedProductId=found.id,
        ProvisionedProductProperties={"OWNER": environment.updater_arn},
    )

    after = ask({**UPDATE, "ProvisionedProduct": other})

    assert "not authorized to perform" in before.stderr
    assert f"belongs to another provisioned product than {other}" in after.stderr


def test_describing_gives_the_repository(environment: Deployable, ask: Ask) -> None:
    done = ask({"Action": "Describe", "ProvisionedProduct": NAME})

    assert json.loads(done.stdout) == {"RepositoryUri": environment.repository_uri}


def test_the_deploy_role_itself_cannot_use_service_catalog(
    environment: Deployable, package: Path, running: EmbeddedAws
) -> None:
    done, _ = called(environment, package, running.endpoint_url, UPDATE, environment.role)

    assert done.returncode == 1
    assert "not authorized to perform: servicecatalog:DescribeProvisionedProduct" in done.stderr
