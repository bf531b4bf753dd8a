"""The stacks that a publication stands on: the launch role's, once an account, and the release bucket's, in each region."""

from __future__ import annotations

from pathlib import Path

from pipeline.catalog.document import CATALOG, Catalog
from pipeline.catalog.product_templates import profile_values, project_of
from pipeline.catalog.steps import Kind
from pipeline.catalog.storage import BUCKET_STACK, ROLE_STACK, Foundation
from pipeline.errors import Refusal
from pipeline.parameters.profiles import shown
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release, template_path
from templates_src.core.declaration import Declaration
from templates_src.core.shared import PERMISSIONS_BOUNDARY, PROJECT
from templates_src.launch_role.template import LAUNCH_ROLE_NAME
from templates_src.launch_role.template import NAME as ROLE_TEMPLATE
from templates_src.release_bucket.template import NAME as BUCKET_TEMPLATE
from templates_src.release_bucket.template import ORGANIZATION_ID


def foundations(
    release: Release, catalog: Catalog, *, has_role: bool, profiles: Path = PARAMETERS
) -> tuple[Foundation, ...]:
    """The stacks that a region stands on.

    Raises Refusal for profiles that the launch role could not launch, of several projects or with another boundary.
    """
    project = project_of(release, catalog, profiles)
    require_boundary(release, catalog, profiles)
    bucket = foundation(
        release, Kind.BUCKET, {PROJECT: project, ORGANIZATION_ID: catalog.organization}
    )
    if not has_role:
        return (bucket,)
    # The buckets that the role reads are this account's, as is what is published.
    role = foundation(
        release,
        Kind.LAUNCH_ROLE,
        {
            PROJECT: project,
            LAUNCH_ROLE_NAME: catalog.launch_role,
            PERMISSIONS_BOUNDARY: catalog.permissions_boundary,
        },
    )
    return role, bucket


def foundation(release: Release, kind: Kind, values: dict[Declaration, str]) -> Foundation:
    """A stack with the parameters whose values are not the template's defaults."""
    stack, template = {
        Kind.LAUNCH_ROLE: (ROLE_STACK, ROLE_TEMPLATE),
        Kind.BUCKET: (BUCKET_STACK, BUCKET_TEMPLATE),
    }[kind]
    given = {known.name: value for known, value in values.items() if value != known.default}
    return Foundation(kind, stack, release.foundations[template_path(template)], given)


def require_boundary(release: Release, catalog: Catalog, profiles: Path = PARAMETERS) -> None:
    """Refuse a profile that cannot be launched, because the launch role makes roles within another boundary only."""
    wanted = catalog.permissions_boundary
    for product in catalog.products if wanted else ():
        if not product.profile:
            continue
        given = profile_values(release, product, profiles)[PERMISSIONS_BOUNDARY.name]
        if given != wanted:
            raise Refusal(
                f"{shown(profiles / f'{product.profile}.json')} has {PERMISSIONS_BOUNDARY.name} {given!r}, but the launch "
                f"role makes roles within permissions_boundary of {shown(CATALOG)} only; give {wanted!r} there too."
            )
