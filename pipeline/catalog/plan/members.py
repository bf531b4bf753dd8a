"""The products of each portfolio: those that are added, stay, or leave for another portfolio."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.catalog.desired.catalog import Desired
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.model import Observed
from pipeline.catalog.plan.changes import MemberAddition, MemberRemoval
from pipeline.catalog.plan.steps import Action, Step, surplus_step


def member_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    """The steps for the products of each portfolio; unmanaged ones stay."""
    for key, wanted in desired.portfolios.items():
        seen = observed.portfolios.get(key)
        there = seen.product_ids if seen else ()
        expected = set()
        for product in wanted.products:
            known = observed.products.get(product)
            subject = f"{desired.products[product].name} in {wanted.name}"
            if known and known.id in there:
                expected.add(known.id)
                yield Step(Action.UNCHANGED, Kind.MEMBER, subject, "exists")
            else:
                yield Step(
                    Action.CREATE,
                    Kind.MEMBER,
                    subject,
                    "missing",
                    MemberAddition(key, product),
                )
        for identity in sorted(set(there) - expected):
            yield member_surplus(desired, observed, key, identity)


def member_surplus(desired: Desired, observed: Observed, portfolio: str, identity: str) -> Step:
    """The step for a product in a managed portfolio that catalog.yaml does not list there.

    It leaves if it is managed, another portfolio offers it, and its users have access there.
    """
    place = desired.portfolios[portfolio].name
    known = {product.id: key for key, product in observed.products.items()}.get(identity, "")
    name = f"{observed.products[known].fields['Name']} ({identity})" if known else identity
    subject = f"{name} in {place}"
    other = desired.portfolio_of(known) if known else ""
    if not other:
        return surplus_step(Kind.MEMBER, subject)
    if known in observed.held_back:
        return Step(Action.REPORT, Kind.MEMBER, subject, observed.held_back[known])
    reason = f"{desired.portfolios[other].name} offers it now"
    return Step(Action.RETIRE, Kind.LEAVING, subject, reason, MemberRemoval(portfolio, identity))


def leaving_products(steps: Iterable[Step]) -> set[tuple[str, str]]:
    """The products that leave: keys of portfolios with IDs of products."""
    return {
        (step.change.portfolio, step.change.product_id)
        for step in steps
        if isinstance(step.change, MemberRemoval)
    }
