"""dev from the first launch to the application: the placeholder first, then the image, in one update."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.parameters.profiles import load_profile
from tests.contract.application import API_KEY, TAG, Deployment, History
from tests.contract.containers import Machine, answer
from tests.engines.processes import free_port

NAMES = ["api", "worker", "beat"]
OURS = "dkr.ecr"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.stop()


def test_dev_needs_no_settings(serverless: Deployment) -> None:
    """Its profile has no certificate, domain, image, API key or repository."""
    profile = load_profile(serverless.environment.release.root, "dev")
    prerequisites = (
        "CertificateArn",
        "DomainName",
        "HostedZoneId",
        "ImageTag",
        "ImageRepository",
        "GitHubRepository",
        "AlarmEmail",
    )

    assert {name: profile[name] for name in prerequisites} == dict.fromkeys(prerequisites, "")
    assert serverless.environment.settings.keys() == {"ReleaseBucket"}


@pytest.mark.parametrize("name", NAMES)
def test_placeholder_image_gets_no_secret(history: History, name: str) -> None:
    placeholder = history.placeholder.containers[name]

    assert OURS not in placeholder.image
    assert placeholder.secrets == {}


@pytest.mark.parametrize("name", NAMES)
def test_one_update_adds_image_command_and_secrets(history: History, name: str) -> None:
    environment, container = history.image.environment, history.image.containers[name]
    repository = environment.outputs()["RepositoryUri"]

    assert OURS in repository
    assert container.image == f"{repository}:{TAG}"
    command = environment.values()[f"{name.capitalize()}Command"]
    assert list(container.command) == command.split(" ")
    assert container.variables == history.placeholder.containers[name].variables
    assert container.secrets
    assert all(history.image.secrets(name).values())


def test_no_service_is_replaced(history: History) -> None:
    before, after = history.services

    assert before == after
    assert len(before) == len(NAMES)


def test_manually_set_api_key_reaches_the_containers(serverless: Deployment) -> None:
    for name in ("api", "worker"):
        assert f'{{"value": "{serverless.secrets(name)["ANTHROPIC_API_KEY"]}"}}' == API_KEY


def test_only_the_api_gets_its_secrets(serverless: Deployment) -> None:
    secrets = {name: set(container.secrets) for name, container in serverless.containers.items()}

    keys = {"JWT_SECRET", "SESSION_KEY"}
    assert secrets["api"] - secrets["worker"] == keys | {f"{key}_SECONDARY" for key in keys}
    assert secrets["beat"] == {"CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"}


def test_placeholder_of_the_api_answers_the_health_check(
    history: History, machine: Machine
) -> None:
    port = free_port()
    replaced = {"8000": str(port), "/tmp/": f"{machine.folder}/"}  # noqa: S108
    api = machine.run(history.placeholder.containers["api"], {}, replaced)

    health = f"http://127.0.0.1:{port}/api/v1/health"
    assert api.wait_for(lambda: reached(health)) == (200, "placeholder\n")
    assert answer(f"http://127.0.0.1:{port}/etc/passwd")[0] == 404
    assert api.stop() == -signal.SIGTERM


def reached(url: str) -> tuple[int, object] | None:
    """The response, when there is one."""
    found = answer(url)
    return found if found[0] else None


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_placeholder_waits_and_ends_on_a_signal(
    history: History, machine: Machine, name: str
) -> None:
    waiting = machine.run(history.placeholder.containers[name], {}, {})

    waiting.wait_for(lambda: is_asleep(waiting.process.pid))
    assert waiting.process.poll() is None
    assert waiting.stop() == -signal.SIGTERM


def is_asleep(process: int) -> bool:
    """Whether Python has loaded its program and sleeps."""
    listed = subprocess.run(
        ["ps", "-o", "stat=,args=", "-p", str(process)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    return listed.stdout.startswith("S") and "signal.pause" in listed.stdout
