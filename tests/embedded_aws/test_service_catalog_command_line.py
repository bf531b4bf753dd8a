"""Service Catalog with the real AWS CLI, as the documentation shows it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from tests.embedded_aws.conftest import Account
from tests.embedded_aws.service_catalog import ROLE, ROOT, make_role, queue_template

AWS = str(Path(sys.executable).with_name("aws"))


class CommandLine:
    """`aws servicecatalog` against the embedded AWS."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self._environment = os.environ | aws.environment() | {"AWS_PAGER": ""}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [AWS, "--output", "json", "servicecatalog", *words],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def __call__(self, *words: str) -> Any:
        """The answer of a command that succeeds."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "{}")

    def settled(self, *words: str) -> dict[str, Any]:
        """The last answer of describe-record for what a command has started."""
        identifier = self(*words)["RecordDetail"]["RecordId"]
        for _ in range(50):
            record: dict[str, Any] = self("describe-record", "--id", identifier)
            if record["RecordDetail"]["Status"] in ("SUCCEEDED", "FAILED"):
                return record
            time.sleep(0.1)
        raise AssertionError(f"{identifier} does not end")


@pytest.fixture
def catalog(embedded: EmbeddedAws) -> CommandLine:
    return CommandLine(embedded)


def publish(catalog: CommandLine, account: Account) -> tuple[str, str]:
    """Product and portfolio, made with the command line."""
    make_role(account)
    url = account.put_template(queue_template())
    portfolio = catalog(
        *("create-portfolio", "--display-name", "Queues", "--provider-name", "Platform")
    )["PortfolioDetail"]["Id"]
    product = catalog(
        *("create-product", "--name", "queue, small", "--owner", "Platform"),
        *("--product-type", "CLOUD_FORMATION_TEMPLATE"),
        "--provisioning-artifact-parameters",
        f"Name=1.0.0,Type=CLOUD_FORMATION_TEMPLATE,Info={{LoadTemplateFromURL={url}}}",
    )["ProductViewDetail"]["ProductViewSummary"]["ProductId"]
    pair = ("--portfolio-id", portfolio, "--product-id", product)
    catalog("associate-product-with-portfolio", *pair)
    catalog(
        *("associate-principal-with-portfolio", "--portfolio-id", portfolio),
        *("--principal-arn", ROOT, "--principal-type", "IAM"),
    )
    local = json.dumps({"LocalRoleName": ROLE})
    catalog("create-constraint", *pair, "--type", "LAUNCH", "--parameters", local)
    return product, portfolio


def test_from_publication_to_termination(catalog: CommandLine, account: Account) -> None:
    product, _ = publish(catalog, account)

    found = catalog("search-products", "--filters", "FullTextSearch=queue")
    assert [view["ProductId"] for view in found["ProductViewSummaries"]] == [product]
    version = ("--product-id", product, "--provisioning-artifact-name", "1.0.0")
    described = catalog("describe-provisioning-parameters", *version)
    assert [p["ParameterKey"] for p in described["ProvisioningArtifactParameters"]] == [
        "Environment",
        "Delay",
    ]
    record = catalog.settled(
        *("provision-product", *version, "--provisioned-product-name", "queue"),
        *("--provisioning-parameters", "Key=Environment,Value=dev"),
    )
    assert record["RecordDetail"]["Status"] == "SUCCEEDED"
    outputs = catalog(*("get-provisioned-product-outputs", "--provisioned-product-name", "queue"))[
        "Outputs"
    ]
    assert [o["OutputKey"] for o in outputs] == ["CloudformationStackARN", "Url"]

    url = account.put_template(queue_template(60))
    catalog(
        *("create-provisioning-artifact", "--product-id", product, "--parameters"),
        f"Name=2.0.0,Type=CLOUD_FORMATION_TEMPLATE,Info={{LoadTemplateFromURL={url}}}",
    )
    record = catalog.settled(
        *("update-provisioned-product", "--provisioned-product-name", "queue"),
        *("--product-id", product, "--provisioning-artifact-name", "2.0.0"),
        *("--provisioning-parameters", "Key=Environment,UsePreviousValue=true"),
    )
    assert record["RecordDetail"]["Status"] == "SUCCEEDED"
    query = ("--filters", "SearchQuery=name:queue")
    found = catalog("search-provisioned-products", *query)["ProvisionedProducts"]
    assert [one["ProvisioningArtifactName"] for one in found] == ["2.0.0"]

    record = catalog.settled("terminate-provisioned-product", "--provisioned-product-name", "queue")
    assert record["RecordDetail"]["Status"] == "SUCCEEDED"
    assert account.client("cloudformation").describe_stacks()["Stacks"] == []


def test_refusals_are_told(catalog: CommandLine, account: Account) -> None:
    product, portfolio = publish(catalog, account)

    again = catalog.run(
        *("create-constraint", "--portfolio-id", portfolio, "--product-id", product),
        *("--type", "LAUNCH", "--parameters", json.dumps({"LocalRoleName": ROLE})),
    )
    unknown = catalog.run("list-budgets-for-resource", "--resource-id", product)

    assert "(DuplicateResourceException)" in again.stderr
    assert "(UnknownOperationException)" in unknown.stderr
    assert (again.returncode, unknown.returncode) == (255, 255)
