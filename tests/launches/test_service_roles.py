"""The check of a first launch creates the service-linked roles that the account lacks, once, if it may."""

from __future__ import annotations

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from templates_src.functions.launch_check.service_linked_roles import SERVICES, create_missing
from tests.conftest import REGION

PATH = "/aws-service-role/"


def paths(aws: Aws) -> list[str]:
    """The services that have a service-linked role."""
    roles = aws.client("iam").list_roles(PathPrefix=PATH)["Roles"]
    return sorted(role["Path"].removeprefix(PATH).rstrip("/") for role in roles)


def test_missing_roles_are_created_once(running: EmbeddedAws) -> None:
    running.reset()
    aws = Aws(REGION, running.environment())
    aws.client("iam").create_service_linked_role(AWSServiceName="rds.amazonaws.com")
    assert create_missing(aws.client) == [each for each in SERVICES if each != "rds.amazonaws.com"]
    assert create_missing(aws.client) == []
    assert paths(aws) == list(SERVICES)


def test_without_the_permission_the_launch_continues(running: EmbeddedAws) -> None:
    running.reset()
    aws = Aws(REGION, running.environment())
    iam = aws.client("iam")
    iam.create_user(UserName="function")
    key = iam.create_access_key(UserName="function")["AccessKey"]
    denied = running.environment() | {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    assert create_missing(Aws(REGION, denied).client) == []
    assert paths(aws) == []
