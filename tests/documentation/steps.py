"""The steps of a test that runs blocks of the pages, one after the other, in one launched environment."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from tests.conftest import REGION
from tests.documentation.blocks import Place, block
from tests.documentation.shell import Shell
from tests.gate import Gate
from tests.launches.environments import Environment
from tests.launches.tree import PATIENCE, Tree

COMMENT = re.compile(r"(^|\s+)# .*$", re.MULTILINE)


@dataclass
class Scene:
    """An environment and the shell of its user.

    ``running`` has the environment, which ``reader`` reads once it is launched. ``launcher`` has the variables of the people
    who launch products, ``done`` the commands of build.py that have run.
    """

    running: EmbeddedAws
    tree: Tree
    shell: Shell
    launcher: Mapping[str, str] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    reader: Environment | None = None

    @property
    def aws(self) -> Aws:
        """The account as its administrator."""
        return Aws(REGION, self.running.environment())

    def client(self, service: str) -> Any:
        """A client of the account's administrator."""
        return self.aws.client(service)

    def physical_id(self, name: str) -> str:
        """The physical ID of Layer.LogicalId."""
        assert self.reader is not None
        return self.reader.physical_id(name)

    def output(self, name: str) -> str:
        """An output of the root."""
        assert self.reader is not None
        return self.reader.outputs()[name]


def physical_id(name: str) -> Callable[[Scene], str]:
    """The physical ID of Layer.LogicalId, for a step."""
    return lambda scene: scene.physical_id(name)


Value = str | Callable[[Scene], str]


@dataclass(frozen=True)
class Step:
    """A block to run.

    ``values`` replaces examples of the page, such as ARN, with values of the scene. ``lines`` chooses commands of the
    block, from 0; without it, the whole block runs. ``as_launcher`` runs it with the permissions of the launcher role.
    ``settles`` is an action of CloudFormation, whose response waits until its stack is stable: the waiters of the AWS CLI
    read a stack every 30 seconds.
    """

    place: Place
    values: Mapping[str, Value] = field(default_factory=dict)
    lines: tuple[int, ...] = ()
    as_launcher: bool = False
    settles: str = ""
    before: Callable[[Scene], object] | None = None

    def __str__(self) -> str:
        lines = f", command {', '.join(str(each + 1) for each in self.lines)}" if self.lines else ""
        return f"{self.place}{lines}"

    def text(self, scene: Scene) -> str:
        """The commands with the values of the scene. Raises AssertionError if an example is not in them."""
        found = block(self.place)
        commands = found.commands()
        text = "\n".join(commands[each] for each in self.lines) if self.lines else found.text
        for example, value in self.values.items():
            assert example in text, f"{self.place} has no {example!r}"
            text = text.replace(example, value if isinstance(value, str) else value(scene))
        return text


def run(scene: Scene, step: Step) -> str:
    """Run a step; returns what it prints. A command of build.py that has run in the scene does not run again."""
    if step.before:
        step.before(scene)
    text = step.text(scene)
    command = COMMENT.sub("", text).strip()
    if command in scene.done:
        return ""
    if "build.py" in command:
        scene.done.add(command)
    endpoint = scene.running.endpoint_url
    gate = (
        Gate(
            endpoint,
            lambda request: request.asks_for(step.settles),
            lambda: settle(scene),
            after=True,
        )
        if step.settles
        else nullcontext()
    )
    with gate as opened:
        environment = {**(scene.launcher if step.as_launcher else {})}
        if opened:
            environment["AWS_ENDPOINT_URL"] = opened.endpoint_url
        return scene.shell.run_as(text, environment)


def settle(scene: Scene) -> None:
    """Wait until no stack is in progress."""
    for _ in range(PATIENCE * 20):
        stacks = scene.client("cloudformation").describe_stacks()["Stacks"]
        if not any(stack["StackStatus"].endswith("_IN_PROGRESS") for stack in stacks):
            return
        time.sleep(0.05)
    raise AssertionError(f"A stack is still in progress after {PATIENCE} s")
