"""Share a portfolio, and wait until the accounts of an organization have received it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.aws import code_of, reason_of
from pipeline.catalog.apply.tokens import LONGEST_CREATION
from pipeline.catalog.spec.shares import ACCOUNT, Share
from pipeline.errors import PipelineError

_FAILED = ("COMPLETED_WITH_ERRORS", "ERROR")


@dataclass(frozen=True)
class Sharing:
    """A portfolio, by its ID, and its desired share; ``subject`` names both in messages."""

    catalog: Any
    portfolio: str
    share: Share
    subject: str
    wait: float

    def create(self) -> None:
        """Create the share."""
        self._carry_out(self.catalog.create_portfolio_share)

    def update(self) -> None:
        """Change what the share includes."""
        self._carry_out(self.catalog.update_portfolio_share)

    def _carry_out(self, call: Callable[..., Mapping[str, Any]]) -> None:
        from botocore.exceptions import ClientError

        try:
            answer = self._in_turn(call)
        except ClientError as error:
            if self.share.kind == ACCOUNT or code_of(error) != "OperationNotSupportedException":
                raise
            raise PipelineError(
                f"Could not share {self.subject}: {reason_of(error)} The management account must run "
                "`aws servicecatalog enable-aws-organizations-access`; it, or a delegated administrator, must publish."
            ) from error
        # A recipient account imports the share, and only managers of the organization may query its status.
        if self.share.kind == ACCOUNT:
            self._require_success(answer)
        elif answer.get("PortfolioShareToken"):
            self._wait(answer["PortfolioShareToken"])

    def _in_turn(self, call: Callable[..., Mapping[str, Any]]) -> Mapping[str, Any]:
        """Make the call when no other share is in progress: Service Catalog processes one share at a time."""
        from botocore.exceptions import ClientError

        began = time.monotonic()
        while True:
            try:
                return call(PortfolioId=self.portfolio, **self.share.request)
            except ClientError as error:
                waited = time.monotonic() - began
                if code_of(error) != "InvalidStateException" or waited > LONGEST_CREATION:
                    raise
            time.sleep(self.wait)

    def _wait(self, token: str) -> None:
        """Wait until the share has reached the organization's accounts."""
        began = time.monotonic()
        while time.monotonic() - began < LONGEST_CREATION:
            answer = self.catalog.describe_portfolio_share_status(PortfolioShareToken=token)
            self._require_success(answer)
            if answer["Status"] == "COMPLETED":
                return
            time.sleep(self.wait)
        raise PipelineError(
            f"The share of {self.subject} takes longer than {LONGEST_CREATION / 60:.0f} minutes and continues in Service Catalog; "
            f"`aws servicecatalog describe-portfolio-share-status --portfolio-share-token {token}` shows its status."
        )

    def _require_success(self, answer: Mapping[str, Any]) -> None:
        if answer.get("Status") not in _FAILED:
            return
        failed = answer.get("ShareDetails", {}).get("ShareErrors", [])
        reasons = (
            "; ".join(share_failures(error) for error in failed)
            or f"it ended in {answer['Status']}"
        )
        # A share that failed for some accounts still exists, and Service Catalog does not retry it.
        raise PipelineError(
            f"Could not share {self.subject}: {reasons}. Fix the cause, delete the share with `{self._stop()}`, "
            "and publish again."
        )

    def _stop(self) -> str:
        node = self.share.request.get("OrganizationNode")
        whom = (
            f"--organization-node Type={node['Type']},Value={node['Value']}"
            if node
            else f"--account-id {self.share.node}"
        )
        return (
            f"aws servicecatalog delete-portfolio-share --portfolio-id {self.portfolio} {whom} "
            f"--region {self.catalog.meta.region_name}"
        )


def share_failures(error: Mapping[str, Any]) -> str:
    """The failures, with the accounts that they concern."""
    message = str(error.get("Message") or error.get("Error") or "no reason given").rstrip(".")
    accounts = ", ".join(error.get("Accounts", ()))
    return f"{message} ({accounts})" if accounts else message
