"""The permissions boundary of roles in environments of older releases.

Since release 1.2.0 every role of a product has a boundary, and the launch role changes only roles that have it. The
publisher adds the boundary to a role of an older release before its launch role changes. CloudFormation does not know
about it: if the environment's first update to a newer release fails, the rollback removes the boundary again. The
launch role may do so with marked roles only.
"""

from __future__ import annotations

from pipeline.aws import Aws, ignore_errors
from pipeline.catalog.observed.boundaries import _DELETED
from pipeline.catalog.plan.changes import BoundaryChange
from templates_src.core.parameters.declaration import TRUE
from templates_src.launch_role.template import BOUNDARY_ADDED


def set_boundary(aws: Aws, change: BoundaryChange) -> None:
    """Change the boundary of a role; does nothing if the role no longer exists."""
    iam, role = aws.client("iam"), change.role
    if not change.boundary:
        ignore_errors(
            _DELETED, lambda: iam.untag_role(RoleName=role.name, TagKeys=[BOUNDARY_ADDED])
        )
        return
    if change.mark:
        # Before the boundary: the rollback needs the mark.
        mark = [{"Key": BOUNDARY_ADDED, "Value": TRUE}]
        if not ignore_errors(_DELETED, lambda: iam.tag_role(RoleName=role.name, Tags=mark)):
            return
    ignore_errors(
        _DELETED,
        lambda: iam.put_role_permissions_boundary(
            RoleName=role.name, PermissionsBoundary=change.boundary
        ),
    )
