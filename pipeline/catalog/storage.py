"""What a publication stands on in an account and region: the stacks of launch roles, the release bucket, and its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.aws import Aws, code_of, sentences
from pipeline.catalog.desired import MANAGED_BY, PUBLISHER, Desired
from pipeline.catalog.launch_roles import LaunchRole
from pipeline.catalog.observed import Observed, SeenStack
from pipeline.catalog.principals import role_exists
from pipeline.catalog.product_templates import products_prefix, template_digest
from pipeline.catalog.steps import Action, Kind, Step
from pipeline.errors import Refusal, listed
from pipeline.release.assemble import MAX_REQUEST_BYTES, Release
from pipeline.release.upload import MANIFEST_NAME, keys_below, owned_bucket_exists
from pipeline.stacks.deploy import describe, newest_event, settle
from pipeline.stacks.events import Operation
from templates_src.launch_role.environments import LAUNCHED, SEPARATOR

ROLE_STACK = "carbon-connect-launch-role"
BUCKET_STACK = "carbon-connect-release-bucket"
# Tag of a stack, in which the next publication finds what it was made from.
TEMPLATE_TAG = "carbon-connect:template"
CAPABILITIES = ["CAPABILITY_NAMED_IAM"]


@dataclass(frozen=True)
class Foundation:
    """A stack that a publication makes for itself: its name, template, and the parameters that are not as by default.

    ``role`` is the launch role of the stack; None for the release bucket's.
    """

    kind: Kind
    stack: str
    body: bytes
    parameters: Mapping[str, str]
    role: LaunchRole | None = None

    @property
    def digest(self) -> str:
        """Names this template with these parameters."""
        given = "".join(f"{name}={value}\n" for name, value in sorted(self.parameters.items()))
        return hashlib.sha256(self.body + given.encode()).hexdigest()[:16]

    def differing(self, parameters: Mapping[str, str]) -> list[str]:
        """The names of a stack's parameters whose values are not as they are to be."""
        declared = json.loads(self.body).get("Parameters", {})
        wanted = {name: declared.get(name, {}).get("Default", "") for name in parameters}
        return sorted(
            name
            for name, value in {**wanted, **self.parameters}.items()
            if parameters.get(name) != value
        )


def stored(aws: Aws, desired: Desired, release: Release, home: Aws | None) -> Observed:
    """What is there of roles, bucket and files; of the roles only where ``home``, the region of their stacks, is given."""
    with sentences(f"look for bucket {desired.bucket}"):
        has_bucket = owned_bucket_exists(aws, desired.bucket, desired.account)
    s3 = aws.client("s3")
    with sentences(f"read bucket {desired.bucket}"):
        keys = keys_below(s3, desired.bucket, release.prefix) if has_bucket else set()
        wanted = {release.prefix + path for path in (*release.files, MANIFEST_NAME)}
        return Observed(
            roles=existing_roles(home, desired) if home else frozenset(),
            role_stacks=seen_role_stacks(home) if home else {},
            bucket_exists=has_bucket,
            bucket_stack=seen_stack(aws, BUCKET_STACK),
            release_missing=len(wanted - keys),
            templates=stored_templates(s3, desired, release) if has_bucket else {},
        )


def stored_templates(s3: Any, desired: Desired, release: Release) -> dict[str, str]:
    """The digest of each product template of this version that is in the bucket, by its key."""
    there = keys_below(s3, desired.bucket, products_prefix(release.version))
    wanted = [product.version.key for product in desired.products.values()]
    return {
        key: template_digest(s3.get_object(Bucket=desired.bucket, Key=key)["Body"].read())
        for key in wanted
        if key in there
    }


def existing_roles(aws: Aws, desired: Desired) -> frozenset[str]:
    """The names of the launch roles that exist."""
    names = (role.name for role in desired.roles.values())
    return frozenset(name for name in names if role_exists(aws, name))


def seen_role_stacks(aws: Aws) -> dict[str, SeenStack]:
    """The stacks of launch roles by name, also of those that catalog.yaml no longer names."""
    pages = aws.client("cloudformation").get_paginator("list_stacks").paginate()
    names = {
        entry["StackName"]
        for page in pages
        for entry in page["StackSummaries"]
        if entry["StackStatus"] != "DELETE_COMPLETE" and "ParentId" not in entry
    }
    ours = [name for name in sorted(names) if f"{name}-".startswith(f"{ROLE_STACK}-")]
    seen = {name: seen_stack(aws, name) for name in ours}
    return {name: stack for name, stack in seen.items() if stack}


def seen_stack(aws: Aws, name: str) -> SeenStack | None:
    """A stack, with what it was made from."""
    stack = describe(aws, name)
    if stack is None:
        return None
    return seen_in(stack)


def seen_in(stack: Mapping[str, Any]) -> SeenStack:
    """A stack as CloudFormation describes it."""
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    parameters = {
        each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])
    }
    protected = stack.get("EnableTerminationProtection", False)
    return SeenStack(stack["StackStatus"], tags.get(TEMPLATE_TAG, ""), parameters, protected)


def storage_steps(
    desired: Desired, observed: Observed, foundations: tuple[Foundation, ...]
) -> Iterator[Step]:
    """The steps for roles, bucket and release files."""
    for foundation in foundations:
        if foundation.role:
            subject = f"{foundation.role.name} (stack {foundation.stack})"
            seen, is_there = (
                observed.role_stacks.get(foundation.stack),
                foundation.role.name in observed.roles,
            )
            yield lost_environments(foundation, subject, seen) or foundation_step(
                foundation, subject, seen, is_there=is_there
            )
        else:
            subject = f"{desired.bucket} (stack {foundation.stack})"
            yield foundation_step(
                foundation, subject, observed.bucket_stack, is_there=observed.bucket_exists
            )
    missing = observed.release_missing
    if missing:
        reason = f"{missing} files are not there"
        yield Step(Action.CREATE, Kind.RELEASE, f"s3://{desired.bucket}", reason)
    else:
        yield Step(Action.UNCHANGED, Kind.RELEASE, f"s3://{desired.bucket}", "are there")


def lost_environments(foundation: Foundation, subject: str, seen: SeenStack | None) -> Step | None:
    """The refusal of a change by which a launch role would lose an environment; None where it loses none.

    What was launched with the role is terminated with it, and a constraint may still name it for that environment. An
    environment that somebody added by hand goes again.
    """
    role = foundation.role
    if role is None or seen is None or seen.digest in {"", foundation.digest}:
        return None
    # A release before 1.2.0 knows no such parameter, and its role launches every environment.
    reached = seen.parameters.get(LAUNCHED.name) or LAUNCHED.default or ""
    lost = [name for name in reached.split(SEPARATOR) if name not in role.environments]
    if not lost:
        return None
    reason = (
        f"launches {listed(lost)} too, and what is launched with it still needs it; "
        f"name a new launch_role for portfolio {role.portfolio} in catalog.yaml"
    )
    return Step(Action.REFUSE, Kind.LAUNCH_ROLE, subject, reason)


def foundation_step(
    foundation: Foundation, subject: str, stack: SeenStack | None, *, is_there: bool
) -> Step:
    """The step for one of the stacks; what was made in another way is used as it is."""
    if stack is None:
        if is_there:
            reason = "is there, not made by this stack; it is used as it is"
            return Step(Action.UNCHANGED, foundation.kind, subject, reason)
        return Step(Action.CREATE, foundation.kind, subject, "is not there", foundation)
    if not stack.digest:
        reason = "is a stack that this publisher did not make; it is used as it is"
        return Step(Action.REPORT, foundation.kind, subject, reason)
    if stack.status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        reason = f"the stack is in {stack.status}"
        return Step(Action.UPDATE, foundation.kind, subject, reason, foundation)
    if stack.digest != foundation.digest:
        reason = "its template or parameters have changed"
        return Step(Action.UPDATE, foundation.kind, subject, reason, foundation)
    if changed := foundation.differing(stack.parameters):
        reason = f"differs in {', '.join(changed)}"
        return Step(Action.UPDATE, foundation.kind, subject, reason, foundation)
    if not stack.protected:
        reason = "has no termination protection"
        return Step(Action.UPDATE, foundation.kind, subject, reason, foundation)
    return Step(Action.UNCHANGED, foundation.kind, subject, "is as it is to be")


def ensure_stack(aws: Aws, foundation: Foundation, tell: Callable[[str], None]) -> None:
    """Create or update the stack, wait for it and protect it; what an interruption left is brought to an end first.

    Raises Refusal for a stack that fails.
    """
    from botocore.exceptions import ClientError

    name = foundation.stack
    before = settle(aws, name, lambda _operation: None, tell)
    if before and before["StackStatus"].endswith("_COMPLETE") and is_made(before, foundation):
        protect(aws, name)
        return
    cloudformation = aws.client("cloudformation")
    # A clock that runs ahead of CloudFormation's would hide the first events.
    since = newest_event(aws, name) if before else datetime.now(UTC) - timedelta(minutes=5)
    with sentences(f"make stack {name}"):
        try:
            if before is None:
                cloudformation.create_stack(**stack_request(foundation))
            else:
                cloudformation.update_stack(**stack_request(foundation))
        except ClientError as error:
            if code_of(error) == "AlreadyExistsException":
                # Somebody publishes at the same time.
                ensure_stack(aws, foundation, tell)
                return
            if "No updates are to be performed" not in str(error):
                raise
        stack = describe(aws, name)
    if stack is None:
        raise Refusal(f"Stack {name} was deleted while it was made; publish again.")
    operation = Operation(aws, stack["StackId"], since)
    status = operation.follow(lambda _operation: None)
    if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        causes = [f"{failure.logical_id}: {failure.reason}" for failure in operation.failures()]
        raise Refusal(
            f"Stack {name} ended in {status}: {'; '.join(causes) or 'no reason given'}. Mend the cause and publish again."
        )
    protect(aws, name)


def protect(aws: Aws, stack: str) -> None:
    """Have CloudFormation refuse to delete a stack, unless it does already.

    Not before it is complete: a stack whose creation failed can only be deleted.
    """
    found = describe(aws, stack)
    if found and found.get("EnableTerminationProtection"):
        return
    with sentences(f"protect stack {stack}"):
        aws.client("cloudformation").update_termination_protection(
            StackName=stack, EnableTerminationProtection=True
        )


def is_made(stack: Mapping[str, Any], foundation: Foundation) -> bool:
    """Whether a stack is made from this template with these parameters."""
    seen = seen_in(stack)
    ended = seen.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    return ended and seen.digest == foundation.digest and not foundation.differing(seen.parameters)


def stack_request(foundation: Foundation) -> dict[str, Any]:
    """The stack as CloudFormation takes it in a request."""
    if len(foundation.body) > MAX_REQUEST_BYTES:
        raise Refusal(
            f"The template of stack {foundation.stack} has {len(foundation.body):,} bytes, but a request takes {MAX_REQUEST_BYTES:,}."
        )
    return {
        "StackName": foundation.stack,
        "TemplateBody": foundation.body.decode(),
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in foundation.parameters.items()
        ],
        "Capabilities": CAPABILITIES,
        "Tags": [
            {"Key": MANAGED_BY, "Value": PUBLISHER},
            {"Key": TEMPLATE_TAG, "Value": foundation.digest},
        ],
    }
