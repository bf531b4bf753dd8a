"""How long the api keeps an idle connection, with a real uvicorn and the launched command."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from templates_src.core.keep_alive import MAX_IDLE_SECONDS, OPTION
from tests.contract.application import Deployment
from tests.contract.containers import Container, Machine, answer
from tests.engines.processes import free_port

HEALTH = "/api/v1/health"
# Longer than the keep-alive of the shortened command, and than the 5 seconds of uvicorn's default.
IDLE_SECONDS = 6


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.stop()


def answers_after_a_pause(deployment: Deployment, machine: Machine, container: Container) -> bool:
    """Whether a connection answers a second request after IDLE_SECONDS, as the load balancer expects."""
    port = free_port()
    running = machine.run(container, deployment.secrets("api"), {"8000": str(port)})
    running.wait_for(lambda: answer(f"http://127.0.0.1:{port}{HEALTH}")[0] == 200)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    # Without this, the client opens another connection, which the load balancer does only after the failed request.
    connection.request("GET", HEALTH)
    connection.getresponse().read()
    connection.auto_open = 0
    time.sleep(IDLE_SECONDS)
    try:
        connection.request("GET", HEALTH)
        return connection.getresponse().status == 200
    except (http.client.HTTPException, OSError):
        return False
    finally:
        connection.close()


def test_the_launched_command_keeps_idle_connections(
    serverless: Deployment, machine: Machine
) -> None:
    container = serverless.containers["api"]
    kept = int(container.command[container.command.index(OPTION) + 1])

    assert kept > MAX_IDLE_SECONDS
    assert answers_after_a_pause(serverless, machine, container)


def test_a_command_without_the_option_closes_them(serverless: Deployment, machine: Machine) -> None:
    command = list(serverless.containers["api"].command)
    position = command.index(OPTION)
    del command[position : position + 2]
    shortened = replace(serverless.containers["api"], command=tuple(command))

    assert not answers_after_a_pause(serverless, machine, shortened)
