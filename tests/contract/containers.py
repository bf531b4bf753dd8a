"""Run the containers of the launched task definitions as processes of this machine.

Command, variables and, through Secrets Manager, secrets come from the task definition. The differences from Fargate are
explicit in the code: hosts, the port of the api, /tmp, and the trusted authorities of the image.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.launches.environments import Environment

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
EXAMPLE = PROJECT_FOLDER / "examples" / "app"
DOCKERFILE = EXAMPLE / "Dockerfile"
WORKLOADS = ("Api", "Worker", "Beat")
PATIENCE = 60.0


@dataclass(frozen=True)
class Container:
    """A container: its command, its variables, and the ARN and JSON key of each secret."""

    name: str
    image: str
    command: tuple[str, ...]
    variables: Mapping[str, str]
    secrets: Mapping[str, tuple[str, str]]


def containers_of(environment: Environment) -> dict[str, Container]:
    """The containers of the services, by name."""
    ecs = environment.client("ecs")
    outputs = environment.outputs("Compute")
    found = {}
    for workload in WORKLOADS:
        (service,) = ecs.describe_services(
            cluster=outputs["ClusterName"],
            services=[outputs[f"{workload}ServiceName"]],
        )["services"]
        task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
        (container,) = task["taskDefinition"]["containerDefinitions"]
        found[container["name"]] = Container(
            container["name"],
            container["image"],
            tuple(container.get("command", ())),
            {each["name"]: each["value"] for each in container["environment"]},
            {each["name"]: reference(each["valueFrom"]) for each in container.get("secrets", ())},
        )
    return found


def reference(value_from: str) -> tuple[str, str]:
    """ARN and JSON key of a secret, as ECS reads ``ARN:KEY:STAGE:VERSION``."""
    arn, key, stage, version = value_from.rsplit(":", 3)
    assert (stage, version) == ("", ""), f"{value_from} is bound to one version"
    return arn, key


def injected(environment: Environment, container: Container) -> dict[str, str]:
    """The values that ECS sets for the secrets at the start of a task."""
    secrets = environment.client("secretsmanager")
    return {
        variable: json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])[key]
        for variable, (arn, key) in container.secrets.items()
    }


def image_variables() -> dict[str, str]:
    """The variables of the image: ENV in its Dockerfile."""
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    lines = re.findall(r"^ENV (.*)$", text, re.MULTILINE)
    pairs = [pair.partition("=") for line in lines for pair in shlex.split(line)]
    return {name: value for name, _, value in pairs}


@dataclass
class ServiceSpec:
    """A container that runs as a process."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, condition: Callable[[], Any]) -> Any:
        """The result of the condition when it is true; an error with the end of the container's log if it stays false."""
        end = time.monotonic() + PATIENCE
        while not (found := condition()):
            late = time.monotonic() > end
            assert not late, f"{self.name} did not get there, and said: {self.said()[-3000:]}"
            time.sleep(0.02)
        return found

    def wait_for_words(self, words: str) -> None:
        self.wait_for(lambda: words in self.said())

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@dataclass
class Machine:
    """Runs containers. ``trusted`` names the authorities that the image would have; ``program`` is the folder of the image."""

    folder: Path
    trusted: Mapping[str, str] = field(default_factory=dict)
    running: list[ServiceSpec] = field(default_factory=list)
    program: Path = EXAMPLE

    def run(
        self,
        container: Container,
        secrets: Mapping[str, str],
        replaced: Mapping[str, str],
        *further: str,
    ) -> ServiceSpec:
        """Start a container with its command, in which ``replaced`` is replaced and ``further`` arguments are appended."""
        command = [*container.command, *further]
        for old, new in replaced.items():
            assert any(old in part for part in command), f"{old} is not in {command}"
            command = [part.replace(old, new) for part in command]
        log = self.folder / f"{container.name}-{len(self.running)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                env={
                    "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                    "PYTHONDONTWRITEBYTECODE": "1",
                    **image_variables(),
                    **container.variables,
                    **secrets,
                    **self.trusted,
                },
                cwd=self.program,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.running.append(ServiceSpec(container.name, process, log))
        return self.running[-1]

    def stop(self) -> None:
        """Kill all running processes and their children."""
        for each in self.running:
            if each.process.poll() is None:
                os.killpg(each.process.pid, signal.SIGKILL)
                each.process.wait()


def answer(url: str, body: Any = None) -> tuple[int, Any]:
    """Status and JSON or text of a request, or 0 and None until a server listens."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310
            text = response.read().decode()
            is_json = response.headers.get_content_type() == "application/json"
            return response.status, json.loads(text) if is_json else text
    except urllib.error.HTTPError as error:
        return error.code, None
    except urllib.error.URLError:
        return 0, None
