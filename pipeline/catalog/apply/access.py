"""Connects products and launchers: tag options, products in portfolios, constraints, principals and shares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.aws import ignore_errors
from pipeline.catalog.apply.sharing import Sharing
from pipeline.catalog.apply.tokens import DUPLICATE, NOT_FOUND, create_once
from pipeline.catalog.desired.catalog import LAUNCH, Desired, DesiredConstraint
from pipeline.catalog.observed.catalog import observed_constraints, paginated
from pipeline.catalog.plan.catalog import is_same, matching_constraint
from pipeline.catalog.plan.changes import (
    AccessChange,
    ConstraintChange,
    MemberAddition,
    MemberRemoval,
    PrincipalAssociation,
    ShareChange,
    TagOptionAssociation,
    TagOptionCreation,
)


@dataclass
class Access:
    """Applies the steps that connect existing resources; the three mappings hold IDs by their keys in catalog.yaml."""

    catalog: Any
    desired: Desired
    portfolios: dict[str, str]
    products: dict[str, str]
    tag_options: dict[tuple[str, str], str]
    waits: tuple[float, ...]

    def take(self, change: AccessChange, subject: str) -> None:
        """Apply a change; ``subject`` names it in messages."""
        match change:
            case TagOptionCreation():
                self._tag_option(change)
            case MemberAddition():
                self._member(change)
            case MemberRemoval():
                self._leave(change)
            case ConstraintChange():
                self._constraint(change)
            case TagOptionAssociation():
                self._portfolio_tag_option(change)
            case PrincipalAssociation():
                self._principal(change)
            case ShareChange():
                self._share(change, subject)

    def _tag_option(self, change: TagOptionCreation) -> None:
        key, value = change.key, change.value
        ignore_errors(DUPLICATE, lambda: self.catalog.create_tag_option(Key=key, Value=value))
        wanted = {"Key": key, "Value": value}
        for option in paginated(self.catalog, "list_tag_options", Filters=wanted):
            self.tag_options[key, value] = option["Id"]

    def _member(self, change: MemberAddition) -> None:
        self.catalog.associate_product_with_portfolio(
            PortfolioId=self.portfolios[change.portfolio], ProductId=self.products[change.product]
        )

    def _constraint(self, change: ConstraintChange) -> None:
        wanted, seen = change.desired, change.observed
        if wanted and seen:
            self._update_constraint(wanted, seen.id)
        elif wanted:
            self._create_constraint(wanted)
        elif seen:
            ignore_errors(NOT_FOUND, partial(self.catalog.delete_constraint, Id=seen.id))

    def _update_constraint(self, wanted: DesiredConstraint, identity: str) -> None:
        self.catalog.update_constraint(
            Id=identity, Description=wanted.description, Parameters=wanted.parameters
        )

    def _create_constraint(self, wanted: DesiredConstraint) -> None:
        """Create a constraint; if another publisher has just created it, update it to the desired one."""
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
            there = observed_constraints(self.catalog, **place)
            found = matching_constraint(wanted, place["ProductId"], there)
            if found and not is_same(found.parameters, wanted.parameters):
                self._update_constraint(wanted, found.id)
            return found.id if found else ""

        def make() -> None:
            identity = ("constraint", *place.values(), wanted.type)
            content = wanted.parameters
            create_once(create, read, *identity, find=find, content=content, waits=self.waits)

        if not ignore_errors(DUPLICATE, make):
            find()

    def _portfolio_tag_option(self, change: TagOptionAssociation) -> None:
        ignore_errors(
            DUPLICATE,
            lambda: self.catalog.associate_tag_option_with_resource(
                ResourceId=self.portfolios[change.portfolio],
                TagOptionId=self.tag_options[change.option],
            ),
        )

    def _principal(self, change: PrincipalAssociation) -> None:
        self.catalog.associate_principal_with_portfolio(
            PortfolioId=self.portfolios[change.portfolio],
            PrincipalARN=change.arn,
            PrincipalType=change.type,
        )

    def _leave(self, change: MemberRemoval) -> None:
        """Remove a product from a portfolio, after its constraints in the portfolio.

        The LAUNCH constraint goes first. Without it a launch from this portfolio has the caller's permissions only. Without
        the TEMPLATE constraint a launch could leave the profile.
        """
        place = {
            "PortfolioId": self.portfolios[change.portfolio],
            "ProductId": change.product_id,
        }
        constraints = observed_constraints(self.catalog, **place)
        for constraint in sorted(constraints, key=lambda each: each.type != LAUNCH):
            ignore_errors(NOT_FOUND, partial(self.catalog.delete_constraint, Id=constraint.id))
        ignore_errors(NOT_FOUND, lambda: self.catalog.disassociate_product_from_portfolio(**place))

    def _share(self, change: ShareChange, subject: str) -> None:
        sharing = Sharing(
            self.catalog,
            self.portfolios[change.portfolio],
            change.share,
            subject,
            self.waits[-1],
        )
        if change.exists:
            sharing.update()
        else:
            sharing.create()
