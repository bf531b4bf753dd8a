"""Deployments of services that fail, as a test registers them: no container runs here, so that every deployment succeeds otherwise.

A registered outcome is about the container of one name, with any image or with the image of one tag. `EmbeddedAws.fail_service`
registers one, and a reset removes all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class ServiceOutcome:
    """How the tasks of a service fail. One of the five causes is given.

    ``exit_code``: the container ends by itself with it, after it has written the lines of ``log``.
    ``start_error``: the task cannot start; the text is its stoppedReason.
    ``health_status``: the container answers the load balancer's health check with this HTTP status.
    ``no_capacity``: the capacity provider that has none.
    ``alarm``: part of the name of an alarm that the version raises. The deployment fails if the service reads the alarm, and none of the
    alarms of the service is raised before.

    Each attempt takes ``seconds``. ``image_tag`` is empty for any image.
    """

    container: str
    image_tag: str = ""
    exit_code: int | None = None
    start_error: str = ""
    health_status: int = 0
    no_capacity: str = ""
    alarm: str = ""
    log: tuple[str, ...] = ()
    seconds: float = 0.0

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> ServiceOutcome:
        """An outcome from JSON. Raises ValueError for an unknown name and for not exactly one cause."""
        if unknown := sorted(values.keys() - {field.name for field in fields(cls)}):
            raise ValueError(f"A service outcome has no {unknown[0]}")
        outcome = cls(**{**values, "log": tuple(values.get("log", ()))})
        causes = (
            outcome.exit_code is not None,
            bool(outcome.start_error),
            bool(outcome.health_status),
            bool(outcome.no_capacity),
            bool(outcome.alarm),
        )
        if sum(causes) != 1:
            raise ValueError(
                "A service outcome has one of exit_code, start_error, health_status, no_capacity and alarm"
            )
        return outcome

    def concerns(self, task_definition: Mapping[str, Any], providers: set[str]) -> bool:
        """Whether the tasks of this task definition, on these capacity providers, have the outcome."""
        if self.no_capacity and self.no_capacity not in providers:
            return False
        return any(
            container["name"] == self.container
            and (not self.image_tag or container["image"].endswith(f":{self.image_tag}"))
            for container in task_definition["containerDefinitions"]
        )


REGISTERED: list[ServiceOutcome] = []


def outcome_of(
    task_definition: Mapping[str, Any], strategy: Sequence[Mapping[str, Any]]
) -> ServiceOutcome | None:
    """The registered outcome of a service with this task definition and capacity provider strategy; the last one wins."""
    providers = {item["capacityProvider"] for item in strategy}
    found = [each for each in REGISTERED if each.concerns(task_definition, providers)]
    return found[-1] if found else None
