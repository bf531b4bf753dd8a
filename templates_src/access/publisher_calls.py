"""The input for the publisher's permissions: the calls of planning and publishing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from templates_src.launch_role.permissions import by_service, joined

CALLS = Path(__file__).with_name("publisher_calls.json")


@dataclass(frozen=True)
class Calls:
    """Actions such as ``servicecatalog:CreateProduct``.

    ``plan`` are those of planning, ``publish`` the additional ones of publishing, and ``bootstrap`` the additional ones
    for the stacks of roles and release bucket: those of CloudFormation, and of the handlers of the stacks' resource
    types.
    """

    plan: tuple[str, ...]
    publish: tuple[str, ...]
    bootstrap: tuple[str, ...]

    def document(self) -> dict[str, object]:
        """Plain data, the actions by service."""
        return {
            "Plan": by_service(self.plan),
            "Publish": by_service(self.publish),
            "Bootstrap": by_service(self.bootstrap),
        }


@cache
def recorded() -> Calls:
    """The calls that were recorded when the publisher last changed; recording needs a run on the embedded AWS."""
    found = json.loads(CALLS.read_text(encoding="utf-8"))
    return Calls(joined(found["Plan"]), joined(found["Publish"]), joined(found["Bootstrap"]))
