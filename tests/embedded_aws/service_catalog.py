"""Short ways to publish to and launch from the embedded Service Catalog."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import Account, template

ROOT = "arn:aws:iam::123456789012:root"
ROLE = "launch-role"
PROD = [{"Key": "Environment", "Value": "prod"}]
# Permissions that the Administrator Guide requires for a launch role, besides those for the resources.
LAUNCH: list[dict[str, Any]] = [
    {"Effect": "Allow", "Action": ["cloudformation:*"], "Resource": "*"},
    {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "*",
        "Condition": {"StringEquals": {"s3:ExistingObjectTag/servicecatalog:provisioning": "true"}},
    },
]
RULES = {
    "Rules": {
        "OnlyProd": {
            "Assertions": [
                {
                    "Assert": {"Fn::Contains": [["prod"], {"Ref": "Environment"}]},
                    "AssertDescription": "this portfolio is for production",
                }
            ]
        }
    }
}
TAGS_ALLOWED = {"Version": "2.0", "Properties": {"TagUpdateOnProvisionedProduct": "ALLOWED"}}


def queue_template(seconds: int = 30, **sections: Any) -> str:
    """A queue, named by the parameter Environment, and its URL as an output."""
    return template(
        {
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "Properties": {
                    "QueueName": {"Ref": "Environment"},
                    "VisibilityTimeout": seconds,
                    "DelaySeconds": {"Ref": "Delay"},
                },
            }
        },
        **{
            "Parameters": {
                "Environment": {"Type": "String", "AllowedValues": ["dev", "prod"]},
                "Delay": {"Type": "Number", "Default": 0},
            },
            "Outputs": {"Url": {"Description": "Where it is", "Value": {"Ref": "Queue"}}},
            **sections,
        },
    )


class Shelf:
    """A portfolio with one product of one version, which the account may launch."""

    def __init__(self, account: Account, body: str | None = None, principal: str = ROOT) -> None:
        self.account = account
        self.api = account.client("servicecatalog")
        created = self.api.create_product(
            Name="Queues",
            Owner="Platform",
            ProductType="CLOUD_FORMATION_TEMPLATE",
            ProvisioningArtifactParameters=self.version("1.0.0", body or queue_template()),
        )
        self.product = created["ProductViewDetail"]["ProductViewSummary"]["ProductId"]
        self.artifact = created["ProvisioningArtifactDetail"]["Id"]
        self.portfolio = self.new_portfolio("Environments", principal)

    def version(self, name: str, body: str) -> dict[str, Any]:
        """The properties of a version with this template."""
        url = self.account.put_template(body)
        return {
            "Name": name,
            "Type": "CLOUD_FORMATION_TEMPLATE",
            "Info": {"LoadTemplateFromURL": url},
        }

    def add_version(self, name: str, body: str) -> str:
        """The id of another version of the product."""
        created = self.api.create_provisioning_artifact(
            ProductId=self.product, Parameters=self.version(name, body)
        )
        return str(created["ProvisioningArtifactDetail"]["Id"])

    def new_portfolio(self, name: str, principal: str = ROOT) -> str:
        """The id of another portfolio with the product, open to `principal`."""
        created = self.api.create_portfolio(DisplayName=name, ProviderName="Platform")
        portfolio = str(created["PortfolioDetail"]["Id"])
        self.api.associate_product_with_portfolio(ProductId=self.product, PortfolioId=portfolio)
        self.api.associate_principal_with_portfolio(
            PortfolioId=portfolio, PrincipalARN=principal, PrincipalType="IAM"
        )
        return portfolio

    def constrain(self, kind: str, parameters: Any) -> str:
        """The id of a new constraint on the product in the portfolio."""
        created = self.api.create_constraint(
            PortfolioId=self.portfolio,
            ProductId=self.product,
            Type=kind,
            Parameters=json.dumps(parameters),
        )
        return str(created["ConstraintDetail"]["ConstraintId"])

    def launch(self, name: str = "queue", **options: Any) -> dict[str, Any]:
        """Provision the first version by default, and wait; returns the record."""
        options.setdefault("ProvisioningArtifactId", self.artifact)
        options.setdefault("ProvisioningParameters", [{"Key": "Environment", "Value": "dev"}])
        started = self.api.provision_product(
            ProductId=self.product, ProvisionedProductName=name, **options
        )
        return self.settled(started)

    def update(self, name: str = "queue", **options: Any) -> dict[str, Any]:
        """Update with the previous value of every parameter by default, and wait; returns the record."""
        options.setdefault(
            "ProvisioningParameters", [{"Key": "Environment", "UsePreviousValue": True}]
        )
        started = self.api.update_provisioned_product(ProvisionedProductName=name, **options)
        return self.settled(started)

    def terminate(self, name: str = "queue", **options: Any) -> dict[str, Any]:
        """Terminate and wait: the record."""
        started = self.api.terminate_provisioned_product(ProvisionedProductName=name, **options)
        return self.settled(started)

    def settled(self, started: dict[str, Any]) -> dict[str, Any]:
        """The record once nothing works on it, with its outputs by key."""
        identifier = started["RecordDetail"]["RecordId"]
        for _ in range(1000):
            answer = self.api.describe_record(Id=identifier)
            record: dict[str, Any] = answer["RecordDetail"]
            if record["Status"] in ("SUCCEEDED", "FAILED"):
                pairs = answer["RecordOutputs"]
                return {**record, "Outputs": {o["OutputKey"]: o["OutputValue"] for o in pairs}}
            time.sleep(0.01)
        raise AssertionError(f"{identifier} is still {record['Status']} after ten seconds")

    def provisioned(self, name: str = "queue") -> dict[str, Any]:
        """The provisioned product of this name."""
        detail: dict[str, Any] = self.api.describe_provisioned_product(Name=name)[
            "ProvisionedProductDetail"
        ]
        return detail


def make_role(
    account: Account,
    name: str = ROLE,
    *,
    principal: str = "servicecatalog.amazonaws.com",
    statements: list[dict[str, Any]] | None = None,
) -> str:
    """The ARN of a role that a service may assume, with these statements or a launch role's."""
    iam = account.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
    created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy([trust]))
    document = _policy(LAUNCH if statements is None else statements)
    iam.put_role_policy(RoleName=name, PolicyName="launch", PolicyDocument=document)
    return str(created["Role"]["Arn"])


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def stacks(account: Account) -> list[dict[str, Any]]:
    """The stacks of an account."""
    found: list[dict[str, Any]] = account.client("cloudformation").describe_stacks()["Stacks"]
    return found


def problem(record: dict[str, Any]) -> str:
    """What a failed record says."""
    assert record["Status"] == "FAILED"
    return f"{record['RecordErrors'][0]['Code']}: {record['RecordErrors'][0]['Description']}"


def code(call: Callable[..., Any], **request: Any) -> str:
    """The error code with which a call is refused."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    return str(refused.value.response["Error"]["Code"])
