"""Sessions of the roles of people and machines on the embedded AWS, which evaluates their policies."""

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

# Who assumes the roles: a user that may do nothing else.
PERSON = "person"


def launcher(aws: Aws, release: Release, role: str) -> Aws:
    """The embedded AWS as a session of the release's launcher role under that name, which is created where it is missing."""
    if not role_exists(aws, role):
        make_launcher(aws, release, role)
    return session(aws, role)


def make_launcher(aws: Aws, release: Release, role: str, trusted: str = "") -> None:
    """Create the stack of a launcher role, which trusts these principals or, without any, all of the account."""
    values = {LAUNCHER_ROLE_NAME: role, TRUSTED_PRINCIPALS: trusted}
    given = {known.name: value for known, value in values.items() if value != known.default}
    template = release.bootstrap_stacks[template_path(NAME)]
    stack = BootstrapStack(Kind.LAUNCH_ROLE, f"{role}-role", template, given)
    ensure_stack(aws, stack, lambda _text: None)


def session(aws: Aws, role: str, name: str = PERSON) -> Aws:
    """The embedded AWS as a session of a role, which a user without other rights assumes; ``name`` is the session's.

    Raises PipelineError where the role does not exist or does not trust the user.
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
    """The embedded AWS as a user who may assume roles and do nothing else; the account's root user assumes no role."""
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
