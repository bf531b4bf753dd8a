"""Refuse a launch or a publication that the account cannot have, before anything is created."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.aws import Aws
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.plan.steps import Action
from pipeline.catalog.publish import RegionPlan
from pipeline.checks.render import render_values
from pipeline.environments.account.check import environment_lines, publication_quotas, run
from pipeline.environments.account.findings import Finding, stopping
from pipeline.environments.account.publication import release_bucket
from pipeline.environments.provisioning.environments import find_environment
from pipeline.environments.provisioning.offers import find_product
from pipeline.environments.provisioning.operations import DesiredEnvironment
from pipeline.errors import PipelineError
from pipeline.parameters.profiles import load_profile, resolve
from pipeline.release.assemble import Release
from pipeline.release.upload import release_bucket_name
from templates_src.core.parameters.shared import RELEASE_BUCKET


def require_launch(
    aws: Aws,
    release: Release,
    environment: str,
    values: Mapping[str, str],
    named_bucket: str = "",
) -> None:
    """Raise PipelineError with the first reason why a new environment with these values cannot be launched.

    ``named_bucket`` is the release bucket that the user names. What the credentials cannot read does not stop the launch.
    """
    rendered = render_values(release, environment, aws.region, values)
    lines = environment_lines(aws, release, rendered, values)
    if named_bucket:
        account = aws.account()
        lines.insert(0, lambda: release_bucket(aws, named_bucket, account, is_named=True))
    refuse(run(aws, lines))


def require_product_launch(
    aws: Aws, release: Release, environment: str, wanted: DesiredEnvironment
) -> None:
    """Raise PipelineError where a launch of this release from its product cannot succeed.

    A version of another release is not examined, nor an environment that exists.
    """
    if find_environment(aws, wanted.name):
        return
    version = wanted.version or find_product(aws, wanted.product).newest().name
    if version != release.version:
        return
    bucket = release_bucket_name(aws.account(), aws.region)
    given = {RELEASE_BUCKET.name: bucket, **wanted.settings}
    try:
        values = resolve(release.root, load_profile(release.root, environment), given)
    except PipelineError:
        # The product can have other parameters, and refuses wrong values itself.
        return
    try:
        require_launch(aws, release, environment, values)
    except PipelineError:
        # Another launch of the environment that has just begun takes its names.
        if find_environment(aws, wanted.name) is None:
            raise


def require_publication(plans: Sequence[RegionPlan]) -> None:
    """Raise PipelineError where a quota of Service Catalog does not suffice for the products and portfolios that a plan creates."""
    for plan in plans:
        created = Counter(step.kind for step in plan.steps if step.action is Action.CREATE)
        lines = publication_quotas(
            plan.aws, products=created[Kind.PRODUCT], portfolios=created[Kind.PORTFOLIO]
        )
        refuse(run(plan.aws, lines, ("servicecatalog", "service-quotas")))


def refuse(found: Sequence[Finding]) -> None:
    """Raise PipelineError with the first line that stops a launch or a publication."""
    reasons = stopping(found)
    if reasons:
        more = f" `check` shows {len(reasons) - 1} more." if len(reasons) > 1 else ""
        raise PipelineError(f"{reasons[0].subject}: {reasons[0].text}{more}")
