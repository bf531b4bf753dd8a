"""What stands between a product and who launches it: tag options, portfolios' contents, constraints, principals, shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.aws import unless
from pipeline.catalog.apply.sharing import Sharing
from pipeline.catalog.apply.tokens import DUPLICATE, NOT_FOUND, once
from pipeline.catalog.desired.catalog import LAUNCH, Desired, WantedConstraint
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.catalog import pages, seen_constraints
from pipeline.catalog.plan.catalog import is_same, matching
from pipeline.catalog.plan.steps import Action, Step


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
            Kind.LEAVING: self._leave,
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

    def _leave(self, step: Step) -> None:
        """Take a product out of a portfolio, after its constraints there.

        The LAUNCH constraint goes first: without it a launch from here has the caller's own permissions, whereas without
        the TEMPLATE constraint it would not be held to the profile.
        """
        portfolio, product = step.wanted
        place = {"PortfolioId": self.portfolios[portfolio], "ProductId": product}
        constraints = seen_constraints(self.catalog, **place)
        for constraint in sorted(constraints, key=lambda each: each.type != LAUNCH):
            unless(NOT_FOUND, partial(self.catalog.delete_constraint, Id=constraint.id))
        unless(NOT_FOUND, lambda: self.catalog.disassociate_product_from_portfolio(**place))

    def _share(self, step: Step) -> None:
        portfolio, share = step.wanted
        sharing = Sharing(
            self.catalog, self.portfolios[portfolio], share, step.subject, self.waits[-1]
        )
        if step.action is Action.UPDATE:
            sharing.update()
        else:
            sharing.create()
