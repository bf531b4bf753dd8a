"""Role sessions on the embedded AWS, which evaluates the roles' policies."""

from __future__ import annotations

import json

from pipeline.aws import Aws, aws_errors, code_of, partition_of
from pipeline.catalog.apply.stacks import ensure_stack
from pipeline.catalog.desired.bootstrap_stacks import BootstrapStack
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.principals import role_exists
from pipeline.release.assemble import Release, template_path
from templates_src.access.launcher import LAUNCHER_ROLE_NAME, NAME
from templates_src.access.trust import TRUSTED_PRINCIPALS

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
    given = {known.name: value for known, value in values.items() if value != known.default}
    template = release.bootstrap_stacks[template_path(NAME)]
    stack = BootstrapStack(Kind.LAUNCH_ROLE, f"{role}-role", template, given)
    ensure_stack(aws, stack, lambda _text: None)


def session(aws: Aws, role: str, name: str = PERSON) -> Aws:
    """The embedded AWS in a session of a role, assumed by a user without other permissions; ``name`` is the session's.

    Raises PipelineError if the role does not exist or does not trust the user.
    """
    arn = f"arn:{partition_of(aws.region)}:iam::{aws.account()}:role/{role}"
    with aws_errors(f"assume role {role} in the embedded AWS"):
        credentials = (
            person(aws).client("sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
        )
    return signed_in(
        aws,
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        credentials["SessionToken"],
    )


def person(aws: Aws) -> Aws:
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
    return signed_in(aws, key["AccessKeyId"], key["SecretAccessKey"])


def signed_in(aws: Aws, key: str, secret: str, token: str = "") -> Aws:
    """The same AWS and region with other credentials."""
    credentials = {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        **({"AWS_SESSION_TOKEN": token} if token else {}),
    }
    return Aws(aws.region, {**aws.environment, **credentials})
