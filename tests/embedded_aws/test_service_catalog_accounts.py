"""Portfolios shared between accounts, and what outlives the process."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from embedded_aws.server import EmbeddedAws
from tests.embedded_aws.conftest import REGION, Account, template
from tests.embedded_aws.service_catalog import PROD, ROLE, RULES, Shelf, code, make_role

OTHER = "111122223333"
OTHER_ROOT = f"arn:aws:iam::{OTHER}:root"


class OtherAccount(Account):
    """The account with which something is shared: the emulator takes an account for a key."""

    def __init__(self, aws: EmbeddedAws) -> None:
        super().__init__(aws, REGION)
        self._endpoint = aws.endpoint_url

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self._endpoint,
            aws_access_key_id=OTHER,
            aws_secret_access_key="secret",
        )


class Guest(Shelf):
    """Another account that launches from a shelf."""

    def __init__(self, embedded: EmbeddedAws, shelf: Shelf) -> None:
        self.account = OtherAccount(embedded)
        self.api = self.account.client("servicecatalog")
        self.product, self.artifact, self.portfolio = shelf.product, shelf.artifact, shelf.portfolio

    def admit(self, arn: str = OTHER_ROOT) -> None:
        self.api.associate_principal_with_portfolio(
            PortfolioId=self.portfolio, PrincipalARN=arn, PrincipalType="IAM"
        )


@pytest.fixture
def shelf(account: Account) -> Shelf:
    """A shelf with every constraint that a guest must keep to as well."""
    made = Shelf(account)
    make_role(account)
    made.constrain("LAUNCH", {"LocalRoleName": ROLE})
    made.constrain("TEMPLATE", RULES)
    return made


@pytest.fixture
def guest(embedded: EmbeddedAws, shelf: Shelf) -> Guest:
    return Guest(embedded, shelf)


def test_share_is_imported_before_it_can_be_used(shelf: Shelf, guest: Guest) -> None:
    here = {"PortfolioId": shelf.portfolio}
    assert code(guest.api.accept_portfolio_share, **here) == "ResourceNotFoundException"
    shelf.api.create_portfolio_share(**here, AccountId=OTHER)
    assert code(guest.api.describe_portfolio, Id=shelf.portfolio) == "ResourceNotFoundException"

    guest.api.accept_portfolio_share(**here)

    listed = guest.api.list_accepted_portfolio_shares()["PortfolioDetails"]
    assert [portfolio["Id"] for portfolio in listed] == [shelf.portfolio]
    assert guest.api.list_portfolios()["PortfolioDetails"] == []
    shares = shelf.api.describe_portfolio_shares(**here, Type="ACCOUNT")["PortfolioShareDetails"]
    assert [share["Accepted"] for share in shares] == [True]
    assert guest.api.list_principals_for_portfolio(**here)["Principals"] == []
    guest.admit()
    principals = shelf.api.list_principals_for_portfolio(**here)["Principals"]
    assert OTHER_ROOT not in json.dumps(principals)
    guest.api.reject_portfolio_share(**here)
    assert guest.api.search_products()["ProductViewSummaries"] == []


def test_guest_launches_with_its_own_role_under_the_owners_rules(
    shelf: Shelf, guest: Guest
) -> None:
    shelf.api.create_portfolio_share(PortfolioId=shelf.portfolio, AccountId=OTHER)
    guest.api.accept_portfolio_share(PortfolioId=shelf.portfolio)
    guest.admit()

    without_role = guest.launch(ProvisioningParameters=PROD)
    assert "Access denied while assuming" in without_role["RecordErrors"][0]["Description"]
    role = make_role(guest.account)
    assert f"::{OTHER}:" in role
    launched = guest.launch("other", ProvisioningParameters=PROD)
    assert (launched["Status"], launched["LaunchRoleArn"]) == ("SUCCEEDED", role)
    assert launched["Outputs"]["CloudformationStackARN"].split(":")[4] == OTHER
    assert guest.launch("third")["Status"] == "FAILED"
    # What a guest uses stays, and is not the guest's to change.
    version = {"ProductId": shelf.product, "ProvisioningArtifactId": shelf.artifact}
    shelf.api.create_provisioning_artifact(
        ProductId=shelf.product,
        Parameters=shelf.version(
            "2.0.0", json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
        ),
    )
    assert code(shelf.api.delete_provisioning_artifact, **version) == "ResourceInUseException"
    changed = code(guest.api.update_product, Id=shelf.product, Owner="me")
    assert changed == "ResourceNotFoundException"


def test_state_directory_keeps_the_catalog(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "embedded_aws", "--port", "0", "--state-dir", str(tmp_path)]
    seen: list[Any] = []
    for run in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            _, _, pasted = process.stdout.readline().partition("export ")
            settings = dict(pair.split("=", 1) for pair in pasted.split())
            account = Foreground(settings)
            if run == 0:
                shelf = Shelf(account)
                shelf.launch()
                start_what_waits(shelf)
            api = account.client("servicecatalog")
            found = api.search_provisioned_products()["ProvisionedProducts"]
            seen.append({(one["Name"], one["Status"], one["ProductName"]) for one in found})
            if run == 1:
                shelf.api = api
                seen.append(shelf.terminate()["Status"])
            process.send_signal(signal.SIGTERM)
        assert process.returncode == 0
    launched = ("queue", "AVAILABLE", "Queues")
    assert seen == [
        {launched, ("waiting", "UNDER_CHANGE", "Queues")},
        {launched, ("waiting", "ERROR", "Queues")},
        "SUCCEEDED",
    ]


def start_what_waits(shelf: Shelf) -> None:
    """Launch a product whose stack waits for a minute."""
    waiting = {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "60"},
        },
    }
    shelf.api.provision_product(
        ProductId=shelf.product,
        ProvisioningArtifactId=shelf.add_version("2.0.0", template(waiting)),
        ProvisionedProductName="waiting",
    )


class Foreground(Account):
    """The account of a process that printed these settings."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.region, self.bucket = REGION, f"templates-{REGION}"
        self._settings = settings

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self._settings["AWS_ENDPOINT_URL"],
            aws_access_key_id=self._settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self._settings["AWS_SECRET_ACCESS_KEY"],
        )


def test_reset_stops_what_is_under_way(embedded: EmbeddedAws, account: Account) -> None:
    shelf = Shelf(account)
    started = shelf.api.provision_product(
        ProductId=shelf.product,
        ProvisioningArtifactId=shelf.artifact,
        ProvisionedProductName="queue",
        ProvisioningParameters=PROD,
    )
    embedded.reset()
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        shelf.api.describe_record(Id=started["RecordDetail"]["RecordId"])
    assert shelf.api.scan_provisioned_products()["ProvisionedProducts"] == []
    assert Shelf(account).launch()["Status"] == "SUCCEEDED"
