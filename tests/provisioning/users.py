"""A user of the product: operations by name, with their output."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.aws import Aws
from pipeline.environments.provisioning import environments, operations
from pipeline.environments.provisioning.environments import Environment, Stack
from pipeline.environments.provisioning.operations import DesiredEnvironment, OperationResult
from pipeline.stacks.events import Operation
from tests.provisioning.catalog import DEVELOPMENT


class User:
    """One user and one environment; ``notes`` and ``heard`` have the output of the last operation."""

    def __init__(
        self, aws: Aws, name: str = "carbon-connect-dev", tags: Mapping[str, str] | None = None
    ) -> None:
        self.aws, self.name, self.tags = aws, name, tags or {}
        self.notes: list[str] = []
        self.heard: list[tuple[str, str]] = []

    def launch(
        self,
        version: str = "",
        *,
        product: str = DEVELOPMENT.name,
        portfolio: str = "",
        **settings: str,
    ) -> OperationResult:
        """Launch the environment from the product."""
        self._forget()
        wanted = DesiredEnvironment(self.name, product, version, portfolio, settings, self.tags)
        return operations.launch(self.aws, wanted, self._listen, self.notes.append)

    def update(
        self,
        version: str = "",
        *,
        product: str = DEVELOPMENT.name,
        portfolio: str = "",
        **settings: str,
    ) -> OperationResult:
        """Update it."""
        self._forget()
        wanted = DesiredEnvironment(self.name, product, version, portfolio, settings)
        return operations.update(self.aws, wanted, self._listen, self.notes.append)

    def terminate(self) -> OperationResult:
        """Terminate it."""
        self._forget()
        return operations.terminate(self.aws, self.name, self._listen, self.notes.append)

    def environment(self) -> Environment:
        """The provisioned product."""
        return environments.existing_environment(self.aws, self.name)

    def stack(self) -> Stack:
        """Its stack."""
        found = environments.stack_of(self.aws, self.environment())
        assert found is not None
        return found

    def outputs(self) -> dict[str, str]:
        """Its outputs."""
        return environments.outputs(self.aws, self.environment())

    def _forget(self) -> None:
        self.notes.clear()
        self.heard.clear()

    def _listen(self, operation: Operation) -> None:
        for progress in operation.stacks.values():
            if (progress.name, progress.status) not in self.heard:
                self.heard.append((progress.name, progress.status))
