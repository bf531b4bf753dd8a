"""Read the roles of environments with their permissions boundaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.aws import Aws, aws_errors, ignore_errors
from pipeline.catalog.desired.catalog import MANAGED_BY, PRODUCT_TAG, PUBLISHER
from templates_src.core.parameters.declaration import TRUE
from templates_src.launch_role.template import BOUNDARY_ADDED

_DELETED = frozenset({"NoSuchEntity"})


@dataclass(frozen=True)
class EnvironmentRole:
    """A role that a product of this publisher created: the product's key, the boundary's ARN (empty for none), and the mark."""

    name: str
    product: str
    boundary: str
    is_marked: bool


def environment_roles(aws: Aws, project: str) -> tuple[EnvironmentRole, ...]:
    """The roles below the project's path that products of this publisher created. Raises PipelineError where AWS denies a read."""
    iam = aws.client("iam")
    found = []
    with aws_errors(f"read the roles below /{project}/"):
        for page in iam.get_paginator("list_roles").paginate(PathPrefix=f"/{project}/"):
            for entry in page["Roles"]:
                # Only GetRole returns boundary and tags.
                if role := observed_role(iam, entry["RoleName"]):
                    found.append(role)
    return tuple(found)


def observed_role(iam: Any, name: str) -> EnvironmentRole | None:
    """A role of a product of this publisher; None for any other role, and for a deleted one."""
    found: dict[str, Any] = {}
    ignore_errors(_DELETED, lambda: found.update(iam.get_role(RoleName=name)["Role"]))
    tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}
    if tags.get(MANAGED_BY) != PUBLISHER or PRODUCT_TAG not in tags:
        return None
    boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    return EnvironmentRole(name, tags[PRODUCT_TAG], boundary, tags.get(BOUNDARY_ADDED) == TRUE)
