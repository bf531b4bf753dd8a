"""Values that production accepts and that take a protection away: a launch or an update prints a sentence about each.

They are no errors: an application that inspects uploads itself needs no firewall for bodies, and one whose response times depend on its
users' questions cannot be judged by them. A rule would take both from production.
"""

from __future__ import annotations

from collections.abc import Mapping

from templates_src.compute.deployment_alarms import API_ROLLBACK_ALARMS
from templates_src.core.parameters.declaration import FALSE
from templates_src.core.parameters.shared import ENVIRONMENT, PROD
from templates_src.edge.waf import NONE, WAF_BLOCKED_BODIES

CAUTIONS: Mapping[tuple[str, str], str] = {
    (API_ROLLBACK_ALARMS.name, FALSE): "errors and slow answers of a new version of the api do not roll it back; only tasks that fail do",
    (WAF_BLOCKED_BODIES.name, NONE): "the firewall lets every request body through, also known attacks on Log4j, Java and React; the application must refuse them",
}  # fmt: skip


def cautions(values: Mapping[str, str]) -> list[str]:
    """A sentence for each protection that an environment of production does without; none for other environments."""
    if values.get(ENVIRONMENT.name) != PROD:
        return []
    return [
        f"Note: {name} is {value} in prod: {consequence}."
        for (name, value), consequence in CAUTIONS.items()
        if values.get(name) == value
    ]
