"""What a launch from a product needs of a publication: the release bucket, the launch roles, the product; and what a publication needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pipeline.aws import Aws, aws_errors, code_of
from pipeline.catalog.desired.bootstrap_stacks import bootstrap_stacks
from pipeline.catalog.observed.model import ObservedStack
from pipeline.catalog.observed.principals import role_exists
from pipeline.catalog.observed.storage import observed_role_stacks
from pipeline.catalog.plan.steps import Action, Step
from pipeline.catalog.plan.storage import bootstrap_step, lost_environments
from pipeline.catalog.spec.model import Catalog
from pipeline.environments.account.findings import Finding, cannot_tell, no, yes
from pipeline.environments.account.usage import Listing, listing
from pipeline.environments.deletion.account import Account, UnreadableError, is_denied
from pipeline.environments.provisioning.offers import find_product, launch_path
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release
from pipeline.release.upload import bucket_name_problem, owned_bucket_exists

PUBLISH = "`.venv/bin/python build.py publish`"
Answer = TypeVar("Answer")


def told(subject: str, needs: str, read: Callable[[], Answer]) -> tuple[Answer | None, Finding]:
    """The answer of a read, with the line for an answer that is missing: a no, or the permission that is missing."""
    try:
        return read(), yes(subject, "")
    except PipelineError as error:
        cause = error.__cause__
        if cause is not None and is_denied(code_of(cause)):  # type: ignore[arg-type]
            return None, cannot_tell(subject, f"It is not known: needs {needs}.")
        return None, no(subject, str(error))


def release_bucket(aws: Aws, bucket: str, account: str, *, is_named: bool = False) -> Finding:
    """Whether the release bucket exists in this account and region, or can be created; a bucket that the user names must exist."""
    subject = f"release bucket {bucket}"
    if problem := bucket_name_problem(bucket):
        return no(subject, f"{bucket!r} is not a valid bucket name: {problem}.")

    try:
        with aws_errors(f"look for bucket {bucket}"):
            exists = owned_bucket_exists(aws, bucket, account)
    except PipelineError as error:
        return no(subject, str(error))
    if not exists and is_named:
        return no(
            subject,
            f"Bucket {bucket} does not exist; create it with `aws s3 mb s3://{bucket} --region {aws.region}`.",
        )
    if not exists:
        return yes(subject, "It does not exist, and its name is free.")
    try:
        found = Account(aws).read(
            "s3:GetBucketLocation", bucket, lambda s3: s3.get_bucket_location(Bucket=bucket)
        )
    except UnreadableError as error:
        return cannot_tell(subject, f"It exists, but its region is not known: {error}.")
    home = (found or {}).get("LocationConstraint") or "us-east-1"
    if home != aws.region:
        return no(
            subject,
            f"It is in {home}, but the launch is in {aws.region}: use a bucket in {aws.region}.",
        )
    return yes(subject, "It exists.")


def missing_products(aws: Aws, catalog: Catalog) -> int:
    """The number of products that a publication creates; all, without the permission to list products."""
    listed = listing(
        "servicecatalog:SearchProductsAsAdmin", "search_products_as_admin", "ProductViewDetails"
    )
    names = _names(aws, listed, lambda each: each["ProductViewSummary"]["Name"])
    return len({product.name for product in catalog.products} - names)


def missing_portfolios(aws: Aws, catalog: Catalog) -> int:
    """The number of portfolios that a publication creates; all, without the permission to list portfolios."""
    listed = listing("servicecatalog:ListPortfolios", "list_portfolios", "PortfolioDetails")
    names = _names(aws, listed, lambda each: each["DisplayName"])
    return len({portfolio.name for portfolio in catalog.portfolios} - names)


def _names(aws: Aws, listed: Listing, name: Callable[[Any], str]) -> set[str]:
    try:
        return {name(each) for each in listed.entries(Account(aws))}
    except UnreadableError:
        return set()


def product(aws: Aws, release: Release, name: str, portfolio: str = "") -> Finding:
    """Whether these credentials can launch a product."""
    subject = f"product {name}"
    found, missing = told(subject, "servicecatalog:SearchProducts", lambda: find_product(aws, name))
    if found is None:
        return missing
    path, missing = told(
        subject,
        "servicecatalog:ListLaunchPaths",
        lambda: launch_path(aws, found, named=portfolio),
    )
    if path is None:
        return missing
    newest, missing = told(subject, "servicecatalog:DescribeProduct", found.newest)
    if newest is None:
        return missing
    text = f"A launch takes version {newest.name}."
    if newest.name != release.version:
        text += f" This release is {release.version}: {PUBLISH} offers it."
    return yes(subject, text)


def launch_roles(
    home: Aws,
    release: Release,
    catalog: Catalog,
    portfolios: frozenset[str],
    *,
    publishing: bool = False,
) -> Iterator[Finding]:
    """Whether the launch roles of portfolios, by key, exist and are those of this release; a publication creates and updates them."""
    subject = "launch role"

    def read() -> dict[str, ObservedStack]:
        with aws_errors("read the stacks of launch roles"):
            return observed_role_stacks(home)

    seen, missing = told(subject, "cloudformation:ListStacks, cloudformation:DescribeStacks", read)
    if seen is None:
        yield missing
        return
    values = {name: stack.parameters for name, stack in seen.items()}
    for each in bootstrap_stacks(release, catalog, values):
        if each.role and each.role.portfolio in portfolios:
            name, stack = each.role.name, seen.get(each.stack)
            exists, missing = told(f"launch role {name}", "iam:GetRole", lambda: _role(home, name))  # noqa: B023 - called at once
            if exists is None:
                yield missing
                continue
            step = lost_environments(each, name, stack) or bootstrap_step(
                each, name, stack, is_there=exists
            )
            yield _role_finding(f"launch role {name}", step, stack, publishing=publishing)


def _role_finding(
    subject: str, step: Step, stack: ObservedStack | None, *, publishing: bool
) -> Finding:
    if step.action in {Action.UNCHANGED, Action.REPORT}:
        return yes(subject, f"It is ready: {step.reason}.")
    if step.action is Action.REFUSE:
        return no(subject, f"It {step.reason}.")
    if publishing:
        verb = "creates" if step.action is Action.CREATE else "updates"
        return yes(subject, f"The publication {verb} it: {step.reason}.")
    reason = (
        "It does not exist" if stack is None else f"It is not that of this release: {step.reason}"
    )
    return no(subject, f"{reason}. Run {PUBLISH}.", stops=stack is None)


def _role(home: Aws, name: str) -> bool:
    with aws_errors(f"read role {name}"):
        return role_exists(home, name)
