"""Bootstrap stacks: one per launch role and launcher role in the account, and one for the release bucket in each region."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.desired.launch_roles import LaunchRole, launch_roles
from pipeline.catalog.desired.product_profiles import project_of
from pipeline.catalog.spec.model import Catalog
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release, template_path
from templates_src.access.launcher import LAUNCHER_ROLE_NAME, LOG_ENVIRONMENTS
from templates_src.access.launcher import NAME as LAUNCHER_TEMPLATE
from templates_src.access.trust import TRUSTED_PRINCIPALS
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import ENVIRONMENTS, PERMISSIONS_BOUNDARY, PROJECT
from templates_src.launch_role.environments import LAUNCHED, SEPARATOR
from templates_src.launch_role.template import LAUNCH_ROLE_NAME
from templates_src.launch_role.template import NAME as ROLE_TEMPLATE
from templates_src.release_bucket.template import NAME as BUCKET_TEMPLATE
from templates_src.release_bucket.template import ORGANIZATION_ID

ROLE_STACK = "carbon-connect-launch-role"
LAUNCHER_STACK = "carbon-connect-launcher-role"
BUCKET_STACK = "carbon-connect-release-bucket"


@dataclass(frozen=True)
class BootstrapStack:
    """A bootstrap stack: its name, template, and the parameters that differ from their defaults.

    ``role`` is the launch role of the stack, ``launcher`` the name of its launcher role; the release bucket has neither.
    """

    kind: Kind
    stack: str
    body: bytes
    parameters: Mapping[str, str]
    role: LaunchRole | None = None
    launcher: str = ""

    @property
    def digest(self) -> str:
        """Digest of this template with these parameters."""
        given = "".join(f"{name}={value}\n" for name, value in sorted(self.parameters.items()))
        return hashlib.sha256(self.body + given.encode()).hexdigest()[:16]

    def differing(self, parameters: Mapping[str, str]) -> list[str]:
        """The names of the parameters whose values differ from the desired ones."""
        declared = json.loads(self.body).get("Parameters", {})
        wanted = {name: declared.get(name, {}).get("Default", "") for name in parameters}
        return sorted(
            name
            for name, value in {**wanted, **self.parameters}.items()
            if parameters.get(name) != value
        )


def bootstrap_stacks(
    release: Release,
    catalog: Catalog,
    role_stacks: Mapping[str, Mapping[str, str]] | None,
    profiles: Path = PARAMETERS,
) -> tuple[BootstrapStack, ...]:
    """The bootstrap stacks of a region.

    ``role_stacks`` are the parameters of the existing stacks of launch roles, by name; None in a region whose plan does
    not contain the roles. Raises PipelineError for profiles that no launch role could launch.
    """
    project = project_of(release, catalog, profiles)
    roles = launch_roles(release, catalog, profiles)
    bucket = bootstrap_stack(
        release, BUCKET_STACK, {PROJECT: project, ORGANIZATION_ID: catalog.organization}
    )
    if role_stacks is None:
        return (bucket,)
    # The roles read the release buckets of this account, where the products are published.
    return (
        *(
            bootstrap_stack(
                release,
                role_stack_name(role, role_stacks),
                {
                    PROJECT: project,
                    LAUNCH_ROLE_NAME: role.name,
                    LAUNCHED: SEPARATOR.join(role.environments),
                    PERMISSIONS_BOUNDARY: catalog.permissions_boundary,
                },
                role,
            )
            for role in roles.values()
        ),
        *launcher_stacks(release, catalog, roles, project),
        bucket,
    )


def launcher_stacks(
    release: Release, catalog: Catalog, roles: Mapping[str, LaunchRole], project: str
) -> tuple[BootstrapStack, ...]:
    """The stacks of the launcher roles in catalog.yaml; the name of a stack follows from its role's.

    ``roles`` are the launch roles by the key of their portfolio. A launcher role reads the logs of the environments that its
    portfolios offer.
    """
    launchers = {each.launcher_role: each for each in catalog.portfolios if each.launcher_role}
    return tuple(
        BootstrapStack(
            Kind.LAUNCHER_ROLE,
            f"{LAUNCHER_STACK}-{role}",
            release.bootstrap_stacks[template_path(LAUNCHER_TEMPLATE)],
            changed(
                {
                    PROJECT: project,
                    LAUNCHER_ROLE_NAME: role,
                    LOG_ENVIRONMENTS: SEPARATOR.join(launched_with(role, catalog, roles)),
                    TRUSTED_PRINCIPALS: ",".join(portfolio.trusted_principals),
                }
            ),
            launcher=role,
        )
        for role, portfolio in launchers.items()
    )


def launched_with(
    launcher: str, catalog: Catalog, roles: Mapping[str, LaunchRole]
) -> tuple[str, ...]:
    """The environments that the portfolios of a launcher role offer, in the order of ``ENVIRONMENTS``."""
    offered = {
        environment
        for portfolio in catalog.portfolios
        if portfolio.launcher_role == launcher
        for environment in roles[portfolio.key].environments
    }
    return tuple(each for each in ENVIRONMENTS if each in offered)


def changed(values: Mapping[Declaration, str]) -> dict[str, str]:
    """The values that differ from their parameters' defaults, by the parameters' names."""
    return {known.name: value for known, value in values.items() if value != known.default}


def role_stack_name(role: LaunchRole, seen: Mapping[str, Mapping[str, str]]) -> str:
    """The name of a launch role's stack: the stack that has the role, or a new one.

    A stack never changes its role: CloudFormation would delete the old role while constraints still name it.
    """
    for name, parameters in seen.items():
        if parameters.get(LAUNCH_ROLE_NAME.name) == role.name:
            return name
    name = f"{ROLE_STACK}-{role.portfolio}"
    if name not in seen:
        return name
    return f"{name}-{hashlib.sha256(role.name.encode()).hexdigest()[:6]}"


def bootstrap_stack(
    release: Release, stack: str, values: Mapping[Declaration, str], role: LaunchRole | None = None
) -> BootstrapStack:
    """A stack with the parameters that differ from their defaults; without a role, the stack of the release bucket."""
    kind, template = (Kind.LAUNCH_ROLE, ROLE_TEMPLATE) if role else (Kind.BUCKET, BUCKET_TEMPLATE)
    body = release.bootstrap_stacks[template_path(template)]
    return BootstrapStack(kind, stack, body, changed(values), role)
