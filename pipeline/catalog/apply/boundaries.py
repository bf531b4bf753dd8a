"""The permissions boundary of roles that environments of older releases have.

Since release 1.2.0 every role of a product has a boundary, and the launch role changes only roles that have it. A role
that an older release launched gets the boundary from the publisher before its launch role changes. CloudFormation does
not know of it: should the environment's first update to a newer release fail, the rollback removes it again, which the
launch role may do with marked roles only.
"""

from __future__ import annotations

from pipeline.aws import Aws, unless
from pipeline.catalog.observed.boundaries import _DELETED
from pipeline.catalog.plan.changes import BoundaryChange
from templates_src.core.declaration import TRUE
from templates_src.launch_role.template import BOUNDARY_ADDED


def set_boundary(aws: Aws, change: BoundaryChange) -> None:
    """Change the boundary of a role; a role that is gone by now needs none."""
    iam, role = aws.client("iam"), change.role
    if not change.boundary:
        unless(_DELETED, lambda: iam.untag_role(RoleName=role.name, TagKeys=[BOUNDARY_ADDED]))
        return
    if change.mark:
        # Before the boundary: one that is not marked could not be rolled back.
        mark = [{"Key": BOUNDARY_ADDED, "Value": TRUE}]
        if not unless(_DELETED, lambda: iam.tag_role(RoleName=role.name, Tags=mark)):
            return
    unless(
        _DELETED,
        lambda: iam.put_role_permissions_boundary(
            RoleName=role.name, PermissionsBoundary=change.boundary
        ),
    )
