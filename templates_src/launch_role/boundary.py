"""The permissions boundary of an environment's roles: the maximum of their permissions, for any template.

The actions are those of the roles of every template (``Permissions.of_roles``). Their resources are in
``boundary_grants``, because a boundary covers every environment that the launch role launches: it has names, paths and
tags where the policies of the roles name single resources.
"""

from __future__ import annotations

from awacs.aws import (
    PolicyDocument,
)
from troposphere import Sub
from troposphere.iam import ManagedPolicy

from templates_src.core import iam
from templates_src.core.errors import TemplateError
from templates_src.core.layer import Layer
from templates_src.core.parameters.declaration import Declaration
from templates_src.launch_role.boundary_grants import grants
from templates_src.launch_role.permissions import Permissions

BOUNDARY = "EnvironmentBoundary"
# Follows the name of the launch role, so that a template can name the boundary of its launch role.
SUFFIX = "-boundary"


def add_boundary(layer: Layer, role_name: Declaration, permissions: Permissions) -> ManagedPolicy:
    """The boundary as a managed policy, named after the launch role so that a template can compose the name.

    Raises TemplateError for an action of a role that no grant covers.
    """
    return layer.add(
        ManagedPolicy(
            BOUNDARY,
            ManagedPolicyName=Sub(f"${{{role_name.name}}}{SUFFIX}"),
            Description="Carbon Connect: the most that a role of an environment may do",
            PolicyDocument=document(permissions),
        )
    )


def document(permissions: Permissions) -> PolicyDocument:
    """The boundary's policy document. Raises TemplateError for an action that no grant covers."""
    open_, covered, made = list(permissions.of_roles), set[str](), []
    for grant in grants():
        selected = grant.select(open_)
        if selected:
            made.append(grant.statement(selected))
        covered.update(selected)
        if not grant.also:
            open_ = [action for action in open_ if action not in selected]
    if missing := sorted(set(permissions.of_roles) - covered):
        raise TemplateError(
            f"A role of the environment may call {missing[0]}, but its permissions boundary has no grant for it; "
            "add one in templates_src/launch_role/boundary_grants.py."
        )
    return iam.document(*made)
