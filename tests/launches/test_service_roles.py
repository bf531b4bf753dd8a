"""A first launch creates the service-linked role of ECS before ECS needs it."""

from __future__ import annotations

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.stacks.service_roles import create_role_of_ecs
from tests.conftest import REGION


@pytest.fixture
def aws(running: EmbeddedAws) -> Aws:
    return Aws(REGION, running.environment())


def test_role_is_created_once(running: EmbeddedAws, aws: Aws) -> None:
    running.reset()
    assert create_role_of_ecs(aws)
    assert not create_role_of_ecs(aws)
    roles = aws.client("iam").list_roles(PathPrefix="/aws-service-role/ecs.amazonaws.com/")
    assert len(roles["Roles"]) == 1


def test_user_without_the_permission_leaves_it_to_ecs(running: EmbeddedAws, aws: Aws) -> None:
    running.reset()
    iam = aws.client("iam")
    iam.create_user(UserName="launcher")
    key = iam.create_access_key(UserName="launcher")["AccessKey"]
    user = running.environment() | {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    assert not create_role_of_ecs(Aws(REGION, user))
    assert not iam.list_roles(PathPrefix="/aws-service-role/ecs.amazonaws.com/")["Roles"]
