"""Read the results of publications: the steps of plans, and the content of the catalog."""

from __future__ import annotations

import json
from typing import Any

from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.plan.steps import Action
from pipeline.catalog.publish import RegionPlan
from tests.conftest import REGION
from tests.publishing.conftest import Publisher
from tests.publishing.faults import Clients


def writing_steps(plans: list[RegionPlan]) -> list[tuple[Action, Kind]]:
    return [(step.action, step.kind) for plan in plans for step in plan.writing]


def step_texts(plans: list[RegionPlan], action: Action) -> list[str]:
    return [
        f"{step.subject} {step.reason}"
        for plan in plans
        for step in plan.steps
        if step.action is action
    ]


def portfolio_and_product(catalog: Any) -> tuple[str, str]:
    """The IDs of the one portfolio and the one product."""
    portfolio = catalog.list_portfolios()["PortfolioDetails"][0]
    product = catalog.search_products_as_admin()["ProductViewDetails"][0]
    return portfolio["Id"], product["ProductViewSummary"]["ProductId"]


def guidance(publisher: Publisher) -> dict[str, str]:
    [product] = publisher.snapshot()["products"]
    versions = [dict(version) for version in product["versions"]]
    assert len({version["Name"] for version in versions}) == len(versions)
    return {version["Name"]: version["Guidance"] for version in versions}


def launch_product(publisher: Publisher) -> str:
    """Launch the product as the principal of its portfolio."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
    iam = publisher.aws.client("iam")
    made = iam.create_role(RoleName="launcher", AssumeRolePolicyDocument=json.dumps(trust))
    rights = {"Effect": "Allow", "Action": "servicecatalog:*", "Resource": "*"}
    iam.put_role_policy(
        RoleName="launcher",
        PolicyName="launch",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [rights]}),
    )
    session = publisher.aws.client("sts").assume_role(
        RoleArn=made["Role"]["Arn"], RoleSessionName="test"
    )["Credentials"]
    user = Clients(publisher.embedded)(REGION).session.client(
        "servicecatalog",
        endpoint_url=publisher.embedded.endpoint_url,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    user.provision_product(
        ProductName="Production",
        ProvisioningArtifactName="1.0.0",
        ProvisionedProductName="shop",
        ProvisioningParameters=[
            {"Key": "Environment", "Value": "prod"},
            {"Key": "NatGateways", "Value": "per-zone"},
        ],
    )
    return "shop"
