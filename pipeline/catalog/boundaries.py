"""The permissions boundary of roles that environments of older releases have.

Since release 1.2.0 every role of a product has a boundary, and the launch role changes only roles that have it. A role
that an older release launched gets the boundary from the publisher before its launch role changes. CloudFormation does
not know of it: should the environment's first update to a newer release fail, the rollback removes it again, which the
launch role may do with marked roles only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.aws import Aws, sentences
from pipeline.catalog.desired import MANAGED_BY, PRODUCT_TAG, PUBLISHER
from pipeline.catalog.steps import Action, Kind, Step
from pipeline.catalog.tokens import unless
from templates_src.core.declaration import TRUE
from templates_src.launch_role.template import BOUNDARY_ADDED

_DELETED = frozenset({"NoSuchEntity"})


@dataclass(frozen=True)
class EnvironmentRole:
    """A role that a product of ours launched: the product's key, the boundary's ARN (empty for none), and the mark."""

    name: str
    product: str
    boundary: str
    is_marked: bool


@dataclass(frozen=True)
class Bound:
    """What a role is to have: the boundary, and whether the rollback of an update may remove it."""

    boundary: str
    mark: bool


def environment_roles(aws: Aws, project: str) -> tuple[EnvironmentRole, ...]:
    """The roles below the project's path that products of ours launched. Raises Refusal where AWS does not let it read."""
    iam = aws.client("iam")
    found = []
    with sentences(f"read the roles below /{project}/"):
        for page in iam.get_paginator("list_roles").paginate(PathPrefix=f"/{project}/"):
            for entry in page["Roles"]:
                # Only GetRole tells boundary and tags.
                if role := seen_role(iam, entry["RoleName"]):
                    found.append(role)
    return tuple(found)


def seen_role(iam: Any, name: str) -> EnvironmentRole | None:
    """A role of a product of ours; None for any other, and for one that is gone."""
    found: dict[str, Any] = {}
    unless(_DELETED, lambda: found.update(iam.get_role(RoleName=name)["Role"]))
    tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}
    if tags.get(MANAGED_BY) != PUBLISHER or PRODUCT_TAG not in tags:
        return None
    boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    return EnvironmentRole(name, tags[PRODUCT_TAG], boundary, tags.get(BOUNDARY_ADDED) == TRUE)


def boundary_steps(
    roles: Collection[EnvironmentRole],
    boundaries: Mapping[str, str],
    outdated: Collection[str] | None,
) -> Iterator[Step]:
    """The steps for the boundaries of roles.

    ``boundaries`` holds the ARN that the roles of each product are to have, ``outdated`` the products of which an
    environment has a version without boundaries; None where not every region was looked at.
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
                f"is {role.boundary}, and the product's roles have {wanted} now"
                if role.boundary
                else "an older release launched the role without one"
            )
            mark = is_outdated and not role.boundary
            yield Step(action, Kind.BOUNDARY, subject, reason, Bound(wanted, mark), role)
        elif role.is_marked and not is_outdated:
            reason = "the environment's release has boundaries; only the mark of the role goes"
            yield Step(Action.RETIRE, Kind.BOUNDARY, subject, reason, seen=role)


def set_boundary(aws: Aws, step: Step) -> None:
    """Take a step; a role that is gone by now needs none."""
    iam, role = aws.client("iam"), step.seen
    if step.action is Action.RETIRE:
        unless(_DELETED, lambda: iam.untag_role(RoleName=role.name, TagKeys=[BOUNDARY_ADDED]))
        return
    if step.wanted.mark:
        # Before the boundary: one that is not marked could not be rolled back.
        mark = [{"Key": BOUNDARY_ADDED, "Value": TRUE}]
        if not unless(_DELETED, lambda: iam.tag_role(RoleName=role.name, Tags=mark)):
            return
    unless(
        _DELETED,
        lambda: iam.put_role_permissions_boundary(
            RoleName=role.name, PermissionsBoundary=step.wanted.boundary
        ),
    )
