"""The steps for the permissions boundaries of roles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.boundaries import EnvironmentRole
from pipeline.catalog.plan.changes import BoundaryChange
from pipeline.catalog.plan.steps import Action, Step


def boundary_steps(
    roles: Collection[EnvironmentRole],
    boundaries: Mapping[str, str],
    outdated: Collection[str] | None,
) -> Iterator[Step]:
    """The steps for the boundaries of roles.

    ``boundaries`` holds the desired ARN for the roles of each product, ``outdated`` the products of which an environment
    has a version without boundaries; None if not every region was read.
    """
    for role in roles:
        wanted = boundaries.get(role.product, "")
        is_outdated = outdated is None or role.product in outdated
        subject = f"of role {role.name}"
        if not wanted:
            continue
        if role.boundary != wanted:
            action = Action.UPDATE if role.boundary else Action.CREATE
            reason = (
                f"is {role.boundary}, but the product's roles have {wanted}"
                if role.boundary
                else "missing: an older release created the role"
            )
            mark = is_outdated and not role.boundary
            yield Step(action, Kind.BOUNDARY, subject, reason, BoundaryChange(role, wanted, mark))
        elif role.is_marked and not is_outdated:
            reason = (
                "the environment's release has boundaries; only the mark of the role is removed"
            )
            yield Step(Action.RETIRE, Kind.BOUNDARY, subject, reason, BoundaryChange(role))
