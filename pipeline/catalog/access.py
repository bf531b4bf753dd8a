"""What stands between a product and who launches it: tag options, portfolios' contents, constraints, principals, shares."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.catalog.desired import Desired, WantedConstraint
from pipeline.catalog.document import Share
from pipeline.catalog.observe import SHARE_TYPES, pages, seen_constraints
from pipeline.catalog.plan import is_same, matching
from pipeline.catalog.steps import Action, Kind, Step
from pipeline.catalog.tokens import DUPLICATE, LONGEST_CREATION, NOT_FOUND, once, unless
from pipeline.errors import Refusal


@dataclass
class Access:
    """Takes the steps that connect what is there; the three mappings hold IDs by what catalog.yaml calls them."""

    catalog: Any
    desired: Desired
    portfolios: dict[str, str]
    products: dict[str, str]
    tag_options: dict[tuple[str, str], str]
    waits: tuple[float, ...]

    def steps(self) -> Mapping[Kind, Callable[[Step], None]]:
        """What takes a step of each kind."""
        return {
            Kind.TAG_OPTION: self._tag_option,
            Kind.MEMBER: self._member,
            Kind.CONSTRAINT: self._constraint,
            Kind.PORTFOLIO_TAG_OPTION: self._portfolio_tag_option,
            Kind.PRINCIPAL: self._principal,
            Kind.SHARE: self._share,
        }

    def _tag_option(self, step: Step) -> None:
        key, value = step.wanted
        unless(DUPLICATE, lambda: self.catalog.create_tag_option(Key=key, Value=value))
        wanted = {"Key": key, "Value": value}
        for option in pages(self.catalog, "list_tag_options", Filters=wanted):
            self.tag_options[key, value] = option["Id"]

    def _member(self, step: Step) -> None:
        portfolio, product = step.wanted
        self.catalog.associate_product_with_portfolio(
            PortfolioId=self.portfolios[portfolio], ProductId=self.products[product]
        )

    def _constraint(self, step: Step) -> None:
        if step.action is Action.RETIRE:
            unless(NOT_FOUND, lambda: self.catalog.delete_constraint(Id=step.seen.id))
        elif step.action is Action.UPDATE:
            self._update_constraint(step.wanted, step.seen.id)
        else:
            self._create_constraint(step.wanted)

    def _update_constraint(self, wanted: WantedConstraint, identity: str) -> None:
        self.catalog.update_constraint(
            Id=identity, Description=wanted.description, Parameters=wanted.parameters
        )

    def _create_constraint(self, wanted: WantedConstraint) -> None:
        """Make a constraint; one that somebody publishing at the same time made is brought to what is wanted."""
        place = {
            "PortfolioId": self.portfolios[wanted.portfolio],
            "ProductId": self.products[wanted.product],
        }

        def create(token: str) -> str:
            made = self.catalog.create_constraint(
                **place,
                Type=wanted.type,
                Description=wanted.description,
                Parameters=wanted.parameters,
                IdempotencyToken=token,
            )
            return str(made["ConstraintDetail"]["ConstraintId"])

        def read(identity: str) -> str:
            return str(self.catalog.describe_constraint(Id=identity)["Status"])

        def find() -> str:
            there = seen_constraints(self.catalog, **place)
            found = matching(wanted, place["ProductId"], there)
            if found and not is_same(found.parameters, wanted.parameters):
                self._update_constraint(wanted, found.id)
            return found.id if found else ""

        def make() -> None:
            identity = ("constraint", *place.values(), wanted.type)
            content = wanted.parameters
            once(create, read, *identity, find=find, content=content, waits=self.waits)

        if not unless(DUPLICATE, make):
            find()

    def _portfolio_tag_option(self, step: Step) -> None:
        portfolio, pair = step.wanted
        unless(
            DUPLICATE,
            lambda: self.catalog.associate_tag_option_with_resource(
                ResourceId=self.portfolios[portfolio], TagOptionId=self.tag_options[pair]
            ),
        )

    def _principal(self, step: Step) -> None:
        portfolio, (arn, kind) = step.wanted
        self.catalog.associate_principal_with_portfolio(
            PortfolioId=self.portfolios[portfolio], PrincipalARN=arn, PrincipalType=kind
        )

    def _share(self, step: Step) -> None:
        portfolio, share = step.wanted
        call = (
            self.catalog.update_portfolio_share
            if step.action is Action.UPDATE
            else self.catalog.create_portfolio_share
        )
        answer = call(
            PortfolioId=self.portfolios[portfolio],
            **share_node(share),
            ShareTagOptions=share.tag_options,
            SharePrincipals=share.principals,
        )
        if answer.get("PortfolioShareToken"):
            self._wait_for_share(answer["PortfolioShareToken"], step.subject)

    def _wait_for_share(self, token: str, subject: str) -> None:
        """Wait until a share with an organization has reached its accounts."""
        began = time.monotonic()
        while time.monotonic() - began < LONGEST_CREATION:
            answer = self.catalog.describe_portfolio_share_status(PortfolioShareToken=token)
            if answer["Status"] == "COMPLETED":
                return
            if answer["Status"] in {"COMPLETED_WITH_ERRORS", "ERROR"}:
                failed = answer.get("ShareDetails", {}).get("ShareErrors", [])
                reasons = "; ".join(error.get("Message", "no reason given") for error in failed)
                raise Refusal(
                    f"Could not share {subject}: {reasons or answer['Status']}; mend the cause and publish again."
                )
            time.sleep(self.waits[-1])
        raise Refusal(
            f"Sharing {subject} takes longer than {LONGEST_CREATION / 60:.0f} minutes; publish again later to see it through."
        )


def share_node(share: Share) -> dict[str, Any]:
    """Whom a share is with, as Service Catalog takes it."""
    if share.kind == "account":
        return {"AccountId": share.node}
    types = {kind: type_ for type_, kind in SHARE_TYPES.items()}
    return {"OrganizationNode": {"Type": types[share.kind], "Value": share.node}}
