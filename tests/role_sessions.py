"""Sessions of launched roles that GitHub Actions and AWS services assume."""

from __future__ import annotations

import base64
import json
from typing import Any

from commands.common.embedded_sessions import with_credentials
from pipeline.aws import Aws

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"


def token(subject: str, audience: str = AUDIENCE, issuer: str = ISSUER) -> str:
    """A web identity token. The embedded AWS verifies its claims against the trust policy, and no signature."""
    claims = {"iss": f"https://{issuer}", "aud": audience, "sub": subject}
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (*parts, b""))


def job(aws: Aws, role: str, subject: str, audience: str = AUDIENCE) -> Aws:
    """The embedded AWS as a job that assumed a role, by its ARN. Raises botocore's AccessDenied without permission."""
    credentials = aws.client("sts").assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="job-4711", WebIdentityToken=token(subject, audience)
    )["Credentials"]
    return with_credentials(
        aws,
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        credentials["SessionToken"],
    )


def service(aws: Aws, role: str) -> Aws:
    """The embedded AWS as the service that a role trusts, with the policies of the role; ``role`` is its ARN.

    No client can call as a service, so the role trusts the account while the credentials are created.
    """
    iam, name = aws.client("iam"), role.rpartition("/")[2]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    account = {"AWS": f"arn:aws:iam::{aws.account()}:root"}
    statement = {"Effect": "Allow", "Principal": account, "Action": "sts:AssumeRole"}
    replace_trust(iam, name, {"Version": "2012-10-17", "Statement": [statement]})
    try:
        credentials = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="service")
    finally:
        replace_trust(iam, name, trust)
    keys = credentials["Credentials"]
    return with_credentials(aws, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def replace_trust(iam: Any, name: str, document: Any) -> None:
    """Give a role another trust policy."""
    text = document if isinstance(document, str) else json.dumps(document)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=text)
