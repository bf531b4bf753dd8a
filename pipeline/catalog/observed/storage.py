"""Read the state below a publication: the stacks of launch roles, the release bucket and its content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.aws import Aws, aws_errors
from pipeline.catalog.desired.bootstrap_stacks import BUCKET_STACK, LAUNCHER_STACK, ROLE_STACK
from pipeline.catalog.desired.catalog import Desired
from pipeline.catalog.desired.product_templates import products_prefix, template_digest
from pipeline.catalog.observed.model import Observed, ObservedStack
from pipeline.catalog.observed.principals import role_exists
from pipeline.release.assemble import Release
from pipeline.release.upload import MANIFEST_NAME, keys_below, owned_bucket_exists
from pipeline.stacks.deploy import describe_stack

# Tag of a stack that records what it was created from, for the next publication.
TEMPLATE_TAG = "carbon-connect:template"


def observe_storage(aws: Aws, desired: Desired, release: Release, home: Aws | None) -> Observed:
    """The existing roles, bucket and files; roles only if ``home``, the region of their stacks, is set."""
    with aws_errors(f"look for bucket {desired.bucket}"):
        has_bucket = owned_bucket_exists(aws, desired.bucket, desired.account)
    s3 = aws.client("s3")
    with aws_errors(f"read bucket {desired.bucket}"):
        keys = keys_below(s3, desired.bucket, release.prefix) if has_bucket else set()
        wanted = {release.prefix + path for path in (*release.files, MANIFEST_NAME)}
        return Observed(
            roles=existing_roles(home, desired) if home else frozenset(),
            role_stacks=observed_role_stacks(home) if home else {},
            launcher_stacks=observed_role_stacks(home, LAUNCHER_STACK) if home else {},
            bucket_exists=has_bucket,
            bucket_stack=observed_stack(aws, BUCKET_STACK),
            release_missing=len(wanted - keys),
            templates=stored_templates(s3, desired, release) if has_bucket else {},
        )


def stored_templates(s3: Any, desired: Desired, release: Release) -> dict[str, str]:
    """The digest of each product template of this version in the bucket, by its key."""
    there = keys_below(s3, desired.bucket, products_prefix(release.version))
    wanted = [product.version.key for product in desired.products.values()]
    return {
        key: template_digest(s3.get_object(Bucket=desired.bucket, Key=key)["Body"].read())
        for key in wanted
        if key in there
    }


def existing_roles(aws: Aws, desired: Desired) -> frozenset[str]:
    """The names of the existing launch roles and launcher roles."""
    names = (*(role.name for role in desired.roles.values()), *desired.launchers)
    return frozenset(name for name in names if role_exists(aws, name))


def observed_role_stacks(aws: Aws, kind: str = ROLE_STACK) -> dict[str, ObservedStack]:
    """The stacks whose names begin with ``kind``, by name, also of roles that catalog.yaml does not name."""
    pages = aws.client("cloudformation").get_paginator("list_stacks").paginate()
    names = {
        entry["StackName"]
        for page in pages
        for entry in page["StackSummaries"]
        if entry["StackStatus"] != "DELETE_COMPLETE" and "ParentId" not in entry
    }
    ours = [name for name in sorted(names) if f"{name}-".startswith(f"{kind}-")]
    seen = {name: observed_stack(aws, name) for name in ours}
    return {name: stack for name, stack in seen.items() if stack}


def observed_stack(aws: Aws, name: str) -> ObservedStack | None:
    """A stack, with the digest of its content. None also for a stack that has only a change set for its creation."""
    stack = describe_stack(aws, name)
    if stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        return None
    return stack_from_description(stack)


def stack_from_description(stack: Mapping[str, Any]) -> ObservedStack:
    """A stack in CloudFormation's description."""
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    parameters = {
        each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])
    }
    protected = stack.get("EnableTerminationProtection", False)
    return ObservedStack(stack["StackStatus"], tags.get(TEMPLATE_TAG, ""), parameters, protected)
