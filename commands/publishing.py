"""Commands that publish the release to Service Catalog: show the plan, and apply it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from commands.building import written
from commands.common.options import Yes, console

if TYPE_CHECKING:
    from pipeline.aws import Aws
    from pipeline.catalog.publish import RegionPlan
    from pipeline.catalog.spec.model import Catalog
    from pipeline.release.assemble import Release

Regions = Annotated[
    list[str],
    typer.Option("--region", help="AWS region; default: those of catalog.yaml. Repeatable."),
]


def plan(
    regions: Regions = [],  # noqa: B006 - Typer reads the default
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with every step.")] = False,
) -> None:
    """Show what `publish` would change, and why, without changing anything.

    The exit status is 1 if `publish` would refuse the release.
    """
    from pipeline.catalog import show

    plans = release_plans(regions)
    if as_json:
        print(show.plans_as_json(plans))
    else:
        show.plans_as_tables(console(), plans)
    require_publishable(plans)


def publish(
    regions: Regions = [],  # noqa: B006 - Typer reads the default
    yes: Yes = False,
) -> None:
    """Publish the release as Service Catalog products."""
    from pipeline.catalog import show
    from pipeline.catalog.publish import publish as run

    plans = release_plans(regions)
    out = console()
    show.plans_as_tables(out, plans)
    require_publishable(plans)
    steps = sum(len(each.writing) for each in plans)
    if not steps:
        upload_pages(plans)
        print("Nothing to publish.")
        return
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Apply these {steps} steps?", abort=True)
    with show.Bars(out) as progress:
        run(plans, progress)
    upload_pages(plans)
    print(
        f"Published {plans[0].release.version} in {len(plans)} regions."
        if len(plans) > 1
        else f"Published {plans[0].release.version} in {plans[0].region}."
    )


def require_publishable(plans: list[RegionPlan]) -> None:
    """Raise PipelineError for a release that would replace data of a version in use, and for a quota that does not suffice."""
    from pipeline.catalog.publish import refusals
    from pipeline.environments.account.requirements import require_publication
    from pipeline.errors import PipelineError

    refused = refusals(plans)
    if refused:
        raise PipelineError(" ".join(refused))
    require_publication(plans)


def upload_pages(plans: list[RegionPlan]) -> None:
    """Upload the site of the release to the bucket of each region, unless it is there.

    A page that cannot be produced contains the reason, and does not stop the publication.
    """
    from pipeline.pages.site import site_of
    from pipeline.pages.upload import upload_site
    from pipeline.pages.writer import files

    for plan in plans:
        found = files(site_of(plan.release, plan.region))
        address, written = upload_site(plan.aws, plan.release, plan.desired.bucket, found.contents)
        if written:
            print(f"The pages are at {address}.")
        for title, reason in found.failures.items() if written else ():
            print(f"The page {title} could not be produced: {reason}")


def release_plans(regions: list[str]) -> list[RegionPlan]:
    """The plans for the working tree's release, which is built and written first."""
    from pipeline.aws import Aws, require_region
    from pipeline.catalog.publish import plan_regions
    from pipeline.catalog.spec.document import load_catalog
    from pipeline.checks.regions.requirements import require_ready_profiles
    from pipeline.release.assemble import assemble

    for region in regions:
        require_region(region)
    catalog = load_catalog()
    release = assemble()
    chosen = tuple(dict.fromkeys(regions))
    require_ready_profiles(release, profiles_of(catalog), chosen or catalog.regions)
    written(release)
    return plan_regions(Aws(catalog.regions[0]).in_region, release, catalog, chosen)


def profiles_of(catalog: Catalog) -> list[str]:
    """The profiles that products are published of."""
    return [product.profile for product in catalog.products if product.profile]


def publish_everything(aws: Aws, release: Release) -> None:
    """Publish to one region without confirmation, for an empty embedded AWS."""
    from pipeline.catalog import show
    from pipeline.catalog.publish import plan_regions
    from pipeline.catalog.publish import publish as run
    from pipeline.catalog.spec.document import load_catalog
    from pipeline.checks.regions.requirements import require_ready_profiles

    catalog = load_catalog()
    require_ready_profiles(release, profiles_of(catalog), (aws.region,))
    plans = plan_regions(lambda _region: aws, release, catalog, (aws.region,))
    out = console()
    with show.Bars(out) as progress:
        run(plans, progress)
    desired = plans[0].desired
    out.print(
        f"Published {len(desired.products)} products of {release.version} in {len(desired.portfolios)} portfolios.",
        soft_wrap=True,
    )
