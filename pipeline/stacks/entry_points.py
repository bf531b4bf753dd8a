"""The commands for an environment, with CloudFormation or from its product, and the next step in each failed state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

DECOMMISSION = "Decommission"
PROGRAM = ".venv/bin/python build.py"


@dataclass(frozen=True)
class EntryPoint:
    """The commands for one environment. ``options`` select it, such as ``--set Project=app`` or ``--name mine``."""

    environment: str
    region: str
    is_product: bool
    options: str = ""

    def command(self, verb: str, *words: str) -> str:
        """A command of build.py for this environment, in backquotes."""
        parts = (PROGRAM, verb, self.environment, "--region", self.region, self.options, *words)
        return f"`{' '.join(part for part in parts if part)}`"

    @property
    def delete(self) -> str:
        """The command that deletes the environment."""
        return self.command("terminate" if self.is_product else "delete")

    @property
    def launch(self) -> str:
        """The command that launches the environment."""
        return self.command("launch", *self._direct)

    @property
    def update(self) -> str:
        """The command that updates the environment."""
        return self.command("update") if self.is_product else self.launch

    @property
    def decommission(self) -> str:
        """The update that turns off every protection."""
        verb = "update" if self.is_product else "launch"
        return self.command(verb, *self._direct, "--set", f"{DECOMMISSION}=true")

    @property
    def _direct(self) -> tuple[str, ...]:
        return () if self.is_product else ("--direct",)


def is_updatable(status: str) -> bool:
    """Whether CloudFormation updates a stack in this state.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
    """
    return status.endswith("_COMPLETE") and not status.startswith(("DELETE", "ROLLBACK"))


def way_out(entry: EntryPoint, status: str, stack: str) -> str:
    """The next step in a failed state of a stack, to follow a semicolon; empty for a state from which a launch or an update works."""
    if status == "UPDATE_ROLLBACK_FAILED":
        return f"{_by_administrator(entry)}run {continue_rollback(entry.region, stack)}, and then {entry.update}"
    if status == "DELETE_FAILED":
        return f"its deletion has started and cannot be undone, so complete it with {entry.delete}, and then run {entry.launch}"
    if status in {"CREATE_FAILED", "ROLLBACK_FAILED", "ROLLBACK_COMPLETE"}:
        return f"its creation failed, so remove it with {entry.delete}, and then run {entry.launch}"
    if status in {"UPDATE_FAILED", "IMPORT_ROLLBACK_FAILED"}:
        return f"{_by_administrator(entry)}run {roll_back(entry.region, stack)}, and then {entry.update}"
    return ""


def _by_administrator(entry: EntryPoint) -> str:
    return "let an administrator " if entry.is_product else ""


def continue_rollback(region: str, stack: str) -> str:
    """The AWS CLI command that continues the rollback of a failed update, in backquotes."""
    return f"`aws cloudformation continue-update-rollback --region {region} --stack-name {quote(stack)}`"


def roll_back(region: str, stack: str) -> str:
    """The AWS CLI command that rolls back a failed operation whose resources were preserved, in backquotes."""
    return f"`aws cloudformation rollback-stack --region {region} --stack-name {quote(stack)}`"


def lift_protection(
    entry: EntryPoint, stack: Mapping[str, object], values: Mapping[str, str]
) -> str:
    """How to turn off the protections of a stack in its current state, to follow a semicolon."""
    status, name = str(stack["StackStatus"]), str(stack["StackName"])
    if status == "UPDATE_ROLLBACK_FAILED":
        return f"{_by_administrator(entry)}run {continue_rollback(entry.region, name)}, and then {entry.decommission}"
    if entry.is_product and DECOMMISSION not in values:
        return (
            f"update to a version that has the parameter {DECOMMISSION}, with {entry.decommission}"
        )
    return f"run {entry.decommission}"
