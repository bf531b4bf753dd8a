"""An organization on the embedded AWS, managed by its first account, with member accounts."""

from __future__ import annotations

import time
from typing import Any

import boto3

from embedded_aws.server import EmbeddedAws
from tests.conftest import REGION


class Organization:
    """The organization of the first account of the embedded AWS; the access key selects an account."""

    def __init__(self, embedded: EmbeddedAws) -> None:
        self.environment = embedded.environment()
        self.api = self.client("organizations")
        found = self.api.describe_organization()["Organization"]
        self.id: str = found["Id"]
        self.arn: str = found["Arn"]
        self.root: str = self.api.list_roots()["Roots"][0]["Id"]

    def allow_sharing(self) -> None:
        """Enable sharing with Service Catalog."""
        self.client("servicecatalog").enable_aws_organizations_access()

    def member(self, name: str, unit: str = "") -> str:
        """A new account, in a unit or at the root; returns its ID."""
        made = self.api.create_account(Email=f"{name}@example.com", AccountName=name)
        identifier: str = made["CreateAccountStatus"]["AccountId"]
        if unit:
            self.move(identifier, self.root, unit)
        return identifier

    def unit(self, name: str, parent: str = "") -> dict[str, str]:
        """A new unit; returns its Id and Arn."""
        made = self.api.create_organizational_unit(ParentId=parent or self.root, Name=name)
        unit: dict[str, str] = made["OrganizationalUnit"]
        return unit

    def move(self, account: str, source: str, destination: str) -> None:
        """Move an account between units and the root."""
        self.api.move_account(
            AccountId=account, SourceParentId=source, DestinationParentId=destination
        )

    def credentials(self, account: str) -> dict[str, str]:
        """The credentials of another account for a process."""
        return {**self.environment, "AWS_ACCESS_KEY_ID": account}

    def client(self, service: str, account: str = "") -> Any:
        """A client of the managing account, or of another one."""
        environment = self.credentials(account) if account else self.environment
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )

    def outcome(self, token: str) -> dict[str, Any]:
        """The result of an operation on a share, after its end."""
        catalog = self.client("servicecatalog")
        for _ in range(1000):
            found: dict[str, Any] = catalog.describe_portfolio_share_status(
                PortfolioShareToken=token
            )
            if found["Status"] != "IN_PROGRESS":
                return found
            time.sleep(0.01)
        raise AssertionError(f"{token} is still in progress after ten seconds")
