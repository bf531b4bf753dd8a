"""Role sessions on the embedded AWS, which evaluates the roles' policies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os.path import commonprefix

from pipeline.aws import Aws, aws_errors, code_of, partition_of
from pipeline.catalog.apply.stacks import ensure_stack
from pipeline.catalog.desired.bootstrap_stacks import LAUNCHER_STACK, BootstrapStack
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.principals import role_exists
from pipeline.catalog.spec.model import Catalog
from pipeline.release.assemble import Release, template_path
from templates_src.access import launcher as launcher_template
from templates_src.access import publisher as publisher_template
from templates_src.access import taskcat as taskcat_template
from templates_src.access.launcher import LAUNCHER_ROLE_NAME
from templates_src.access.publisher import PLAN_ROLE_NAME, PUBLISHER_ROLE_NAME
from templates_src.access.publisher_grants import ROLE_PREFIX
from templates_src.access.taskcat import TASKCAT_ROLE_NAME
from templates_src.access.trust import TRUSTED_PRINCIPALS
from templates_src.core.parameters.declaration import Declaration

# The user who assumes the roles, and has no other permission.
PERSON = "person"


def launcher(aws: Aws, release: Release, role: str) -> Aws:
    """The embedded AWS in a session of the release's launcher role, which is created if it does not exist."""
    if not role_exists(aws, role):
        make_launcher(aws, release, role)
    return session(aws, role)


def make_launcher(aws: Aws, release: Release, role: str, trusted: str = "") -> None:
    """Create the stack of a launcher role that trusts these principals, or without any, the whole account."""
    values = {LAUNCHER_ROLE_NAME: role, TRUSTED_PRINCIPALS: trusted}
    make_roles(aws, release, launcher_template.NAME, f"{LAUNCHER_STACK}-{role}", values)


def publisher(aws: Aws, release: Release, roles: str = "", *, plans: bool = False) -> Aws:
    """The embedded AWS as a session of the release's publisher role, which is created if it does not exist.

    ``roles`` is the prefix of the names of the catalog's roles; empty for the default. With ``plans``, the session is
    of the plan role, which the same template creates.
    """
    role = str((PLAN_ROLE_NAME if plans else PUBLISHER_ROLE_NAME).default)
    if not role_exists(aws, role):
        values = {ROLE_PREFIX: roles or str(ROLE_PREFIX.default)}
        make_roles(aws, release, publisher_template.NAME, str(PUBLISHER_ROLE_NAME.default), values)
    return session(aws, role)


def role_prefix(catalog: Catalog) -> str:
    """Return the prefix of the names of a catalog's roles: the default, or the common beginning of the names."""
    names = [portfolio.launch_role for portfolio in catalog.portfolios]
    usual = str(ROLE_PREFIX.default)
    alike = all(name.startswith(usual) for name in names)
    return usual if alike else commonprefix(names)  # noqa: RUF071 - names, and no paths


def taskcat(aws: Aws, release: Release) -> Aws:
    """The embedded AWS as a session of the release's taskcat role, which is created if it does not exist."""
    role = str(TASKCAT_ROLE_NAME.default)
    if not role_exists(aws, role):
        make_roles(aws, release, taskcat_template.NAME, role, {})
    return session(aws, role)


def make_roles(
    aws: Aws, release: Release, template: str, stack: str, values: Mapping[Declaration, str]
) -> None:
    """Create a stack from one of the release's templates of roles."""
    given = {known.name: value for known, value in values.items() if value != known.default}
    body = release.bootstrap_stacks[template_path(template)]
    ensure_stack(aws, BootstrapStack(Kind.LAUNCH_ROLE, stack, body, given), lambda _text: None)


def session(aws: Aws, role: str, name: str = PERSON) -> Aws:
    """The embedded AWS in a session of a role, assumed by a user without other permissions; ``name`` is the session's.

    Raises PipelineError if the role does not exist or does not trust the user.
    """
    arn = f"arn:{partition_of(aws.region)}:iam::{aws.account()}:role/{role}"
    with aws_errors(f"assume role {role} in the embedded AWS"):
        credentials = (
            user_without_permissions(aws)
            .client("sts")
            .assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
        )
    return with_credentials(
        aws,
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        credentials["SessionToken"],
    )


def user_without_permissions(aws: Aws) -> Aws:
    """The embedded AWS as a user who can only assume roles; the root user cannot assume a role."""
    from botocore.exceptions import ClientError

    iam = aws.client("iam")
    try:
        iam.create_user(UserName=PERSON)
    except ClientError as error:
        if code_of(error) != "EntityAlreadyExists":
            raise
    allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName=PERSON, PolicyName="assume-roles", PolicyDocument=document)
    key = iam.create_access_key(UserName=PERSON)["AccessKey"]
    return with_credentials(aws, key["AccessKeyId"], key["SecretAccessKey"])


def with_credentials(aws: Aws, key: str, secret: str, token: str = "") -> Aws:
    """The same AWS and region with other credentials."""
    credentials = {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        **({"AWS_SESSION_TOKEN": token} if token else {}),
    }
    return Aws(aws.region, {**aws.environment, **credentials})
