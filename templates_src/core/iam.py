"""Policy documents, written with awacs."""

from __future__ import annotations

from typing import Any

from awacs import s3
from awacs.aws import (
    Allow,
    Bool,
    Condition,
    Deny,
    Policy,
    PolicyDocument,
    Principal,
    Statement,
)
from awacs.sts import AssumeRole
from troposphere import GetAtt, Sub
from troposphere.s3 import Bucket

VERSION = "2012-10-17"


def document(*statements: Statement) -> PolicyDocument:
    """A policy document of the current policy language."""
    return PolicyDocument(Version=VERSION, Statement=list(statements))


def trusted_service(service: str, *, condition: Condition | None = None) -> Policy:
    """Trust policy for one AWS service, such as ``ecs-tasks.amazonaws.com``."""
    extra: dict[str, Any] = {} if condition is None else {"Condition": condition}
    return document(
        Statement(
            Effect=Allow, Principal=Principal("Service", service), Action=[AssumeRole], **extra
        )
    )


def tls_only(bucket: Bucket) -> Statement:
    """The statement of a bucket's policy that refuses whoever does not come over TLS."""
    return Statement(
        Sid="RefusePlainHttp",
        Effect=Deny,
        Principal=Principal("*"),
        # Everything, by everyone: it only denies.
        Action=[s3.Action("*")],
        Resource=[GetAtt(bucket, "Arn"), Sub(f"${{{bucket.title}.Arn}}/*")],
        Condition=Condition(Bool({"aws:SecureTransport": "false"})),
    )
