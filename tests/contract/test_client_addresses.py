"""The client address that the api sees, with a real uvicorn and the launched command.

Behind the load balancer the peer of uvicorn has a private address. Here it has 127.0.0.1, so the tests add that address to
the proxies of the command.
"""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.checks.render import render
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.contract.application import TAG, Deployment
from tests.contract.containers import Container, Machine, ServiceSpec, answer
from tests.engines.processes import free_port
from tests.rendering import containers

HEALTH = "/api/v1/health"
OPTION = "--forwarded-allow-ips"
PEER = "127.0.0.1"
# The header of a client, and the address that the load balancer appends.
CLAIMED, SEEN = "1.2.3.4", "198.51.100.7"
# The value of ApiCommand in the profiles of 1.0.0 and 1.1.0.
FORMER_COMMAND = (
    "uvicorn app.main:app --host 0.0.0.0 --port 8000 --timeout-keep-alive 75"
    " --proxy-headers --forwarded-allow-ips *"
)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.stop()


@pytest.fixture
def container(serverless: Deployment) -> Container:
    return serverless.containers["api"]


def trusting(container: Container, proxies: str) -> Container:
    """The container with other proxies."""
    command = list(container.command)
    command[command.index(OPTION) + 1] = proxies
    return replace(container, command=tuple(command))


def proxies_of(container: Container) -> str:
    return container.command[container.command.index(OPTION) + 1]


class Api:
    """The api of a container, running."""

    def __init__(self, deployment: Deployment, machine: Machine, container: Container) -> None:
        self.port = free_port()
        # The health check needs no engines.
        self.running: ServiceSpec = machine.run(
            container, deployment.secrets("api"), {"8000": str(self.port)}
        )
        self.running.wait_for(lambda: answer(self._url())[0] == 200)

    def client_of(self, forwarded: str) -> str:
        """The client's address in the access log, of a request with this X-Forwarded-For."""
        mark = f"?{len(self.running.said())}"
        request = urllib.request.Request(  # noqa: S310
            self._url(mark), headers={"X-Forwarded-For": forwarded}
        )
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            assert response.status == 200
        pattern = rf'(\S+):\d+ - "GET {re.escape(HEALTH + mark)} '
        found = self.running.wait_for(lambda: re.search(pattern, self.running.said()))
        return str(found[1])

    def _url(self, query: str = "") -> str:
        return f"http://{PEER}:{self.port}{HEALTH}{query}"


def test_client_is_the_address_that_the_load_balancer_appends(
    serverless: Deployment, machine: Machine, container: Container
) -> None:
    api = Api(serverless, machine, trusting(container, f"{proxies_of(container)},{PEER}"))

    assert api.client_of(SEEN) == SEEN
    assert api.client_of(f"{CLAIMED}, {SEEN}") == SEEN
    # A client that claims an address of the VPC.
    assert api.client_of(f"10.0.0.9, {SEEN}") == SEEN
    # A proxy of the VPC between the load balancer and the api.
    assert api.client_of(f"{CLAIMED}, {SEEN}, 10.0.20.8") == SEEN


def test_header_of_a_peer_that_is_not_a_proxy_is_ignored(
    serverless: Deployment, machine: Machine, container: Container
) -> None:
    assert Api(serverless, machine, container).client_of(SEEN) == PEER


def test_trusting_every_proxy_lets_the_client_choose_its_address(
    serverless: Deployment, machine: Machine, container: Container
) -> None:
    """With the command of 1.0.0 and 1.1.0, the check above fails."""
    api = Api(serverless, machine, trusting(container, "*"))

    assert api.client_of(f"{CLAIMED}, {SEEN}") == CLAIMED


def test_an_update_that_keeps_the_former_command_gets_the_private_ranges(
    release: Release, container: Container
) -> None:
    rendered = render(release, "dev", REGION, {"ImageTag": TAG, "ApiCommand": FORMER_COMMAND})
    (kept,) = (each for title, each in containers(rendered) if title == "ApiTaskDefinition")

    assert kept["Command"] == list(container.command)
