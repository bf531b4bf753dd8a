"""The input for the launch role's permissions: the actions that the handlers of the templates' resource types declare."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PERMISSIONS = Path(__file__).with_name("permissions.json")


@dataclass(frozen=True)
class Permissions:
    """Actions such as ``ecs:CreateService``, each in one of three lists.

    ``bound`` have a resource type, ``unbound`` have none, ``undocumented`` are declared by a handler but missing in the
    service authorization reference. ``passed_to`` are the services that an environment's roles are passed to,
    ``of_roles`` the actions that the policies of these roles allow, and ``secrets`` the logical IDs of the secrets.
    """

    bound: tuple[str, ...]
    unbound: tuple[str, ...]
    undocumented: tuple[str, ...]
    passed_to: tuple[str, ...]
    of_roles: tuple[str, ...]
    secrets: tuple[str, ...]

    def document(self) -> dict[str, object]:
        """Plain data, the actions by service."""
        return {
            "Bound": by_service(self.bound),
            "Unbound": by_service(self.unbound),
            "Undocumented": by_service(self.undocumented),
            "PassedTo": list(self.passed_to),
            "OfRoles": by_service(self.of_roles),
            "Secrets": list(self.secrets),
        }


@cache
def declared() -> Permissions:
    """The permissions that were computed when the templates last changed; computing them takes seconds, too long for each build."""
    found = json.loads(PERMISSIONS.read_text(encoding="utf-8"))
    return Permissions(
        bound=joined(found["Bound"]),
        unbound=joined(found["Unbound"]),
        undocumented=joined(found["Undocumented"]),
        passed_to=tuple(found["PassedTo"]),
        of_roles=joined(found["OfRoles"]),
        secrets=tuple(found["Secrets"]),
    )


def by_service(actions: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the names of the actions by service."""
    services: dict[str, list[str]] = {}
    for action in actions:
        service, _, name = action.partition(":")
        services.setdefault(service, []).append(name)
    return services


def joined(services: dict[str, list[str]]) -> tuple[str, ...]:
    """Return the actions of a mapping of names by service."""
    return tuple(f"{service}:{name}" for service, names in services.items() for name in names)
