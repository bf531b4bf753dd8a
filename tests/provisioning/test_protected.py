"""A protected environment of a product: its user, with permissions for Service Catalog only, decommissions and terminates it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from commands.common.embedded_sessions import session
from pipeline.aws import Aws
from tests.launches.inventory import inventory
from tests.provisioning.catalog import Catalog
from tests.provisioning.users import User

ROLE = "service-catalog-only"
PROTECTED = {"DatabaseDeletionProtection": "true", "LoadBalancerDeletionProtection": "true"}
SENTENCE = "cannot be deleted while TerminationProtection is enabled"
PAUSE_SECONDS = 0.2


@pytest.fixture(scope="module")
def user(catalog: Catalog) -> User:
    """A user with permissions for Service Catalog only, and a protected environment."""
    iam, account = catalog.aws.client("iam"), catalog.aws.account()
    iam.create_role(
        RoleName=ROLE,
        AssumeRolePolicyDocument=policy(
            {"Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        ),
    )
    allowed = policy({"Action": "servicecatalog:*", "Resource": "*"})
    iam.put_role_policy(RoleName=ROLE, PolicyName="products", PolicyDocument=allowed)
    catalog.admit(f"arn:aws:iam::{account}:role/{ROLE}")
    user = User(session(catalog.aws, ROLE))
    assert user.launch(**PROTECTED).succeeded
    return user


def policy(statement: dict[str, object]) -> str:
    """A policy document with one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def terminate(aws: Aws, name: str) -> dict[str, Any]:
    """Terminate by Service Catalog's API, as its console does; the record at its end."""
    catalog = aws.client("servicecatalog")
    record = catalog.terminate_provisioned_product(ProvisionedProductName=name)["RecordDetail"]
    return ended(aws, record)


def update(aws: Aws, name: str, **changes: str) -> dict[str, Any]:
    """Update by Service Catalog's API, with the previous value of every other parameter; the record at its end."""
    catalog = aws.client("servicecatalog")
    product = catalog.describe_provisioned_product(Name=name)["ProvisionedProductDetail"]
    version = {
        "ProductId": product["ProductId"],
        "ProvisioningArtifactId": product["ProvisioningArtifactId"],
    }
    form = catalog.describe_provisioning_parameters(**version)["ProvisioningArtifactParameters"]
    kept = [each["ParameterKey"] for each in form if each["ParameterKey"] not in changes]
    record = catalog.update_provisioned_product(
        ProvisionedProductName=name,
        **version,
        ProvisioningParameters=[
            *({"Key": key, "Value": value} for key, value in changes.items()),
            *({"Key": key, "UsePreviousValue": True} for key in kept),
        ],
    )["RecordDetail"]
    return ended(aws, record)


def ended(aws: Aws, record: dict[str, Any]) -> dict[str, Any]:
    """The record at its end."""
    catalog = aws.client("servicecatalog")
    while record["Status"] not in {"SUCCEEDED", "FAILED"}:
        time.sleep(PAUSE_SECONDS)
        record = catalog.describe_record(Id=record["RecordId"])["RecordDetail"]
    return record


def test_termination_is_refused_and_deletes_nothing(catalog: Catalog, user: User) -> None:
    before = inventory(catalog.aws)

    record = terminate(user.aws, user.name)

    assert record["Status"] == "FAILED"
    assert SENTENCE in record["RecordErrors"][0]["Description"]
    assert inventory(catalog.aws) == before
    # Stable state, ready to perform any operation: API_ProvisionedProductDetail.
    assert user.environment().status == "TAINTED"


def test_refused_environment_can_be_updated(user: User) -> None:
    assert update(user.aws, user.name, LogRetentionDays="60")["Status"] == "SUCCEEDED"
    assert user.environment().status == "AVAILABLE"


def test_one_update_lets_the_user_terminate(catalog: Catalog, user: User) -> None:
    assert update(user.aws, user.name, Decommission="true")["Status"] == "SUCCEEDED"

    assert terminate(user.aws, user.name)["Status"] == "SUCCEEDED"
    stacks = catalog.aws.client("cloudformation").describe_stacks()["Stacks"]
    assert not [stack for stack in stacks if stack["StackName"].startswith("SC-")]
    assert catalog.aws.client("rds").describe_db_instances()["DBInstances"] == []
