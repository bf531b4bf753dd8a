"""The products of each portfolio: which come, which stay and which leave for another portfolio."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.catalog.desired.catalog import Desired
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.model import Observed
from pipeline.catalog.plan.changes import MemberAddition, MemberRemoval
from pipeline.catalog.plan.steps import Action, Step, surplus_step


def member_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    """The products of each portfolio; one that somebody else put there is left."""
    for key, wanted in desired.portfolios.items():
        seen = observed.portfolios.get(key)
        there = seen.product_ids if seen else ()
        expected = set()
        for product in wanted.products:
            known = observed.products.get(product)
            subject = f"{desired.products[product].name} in {wanted.name}"
            if known and known.id in there:
                expected.add(known.id)
                yield Step(Action.UNCHANGED, Kind.MEMBER, subject, "is there")
            else:
                yield Step(
                    Action.CREATE,
                    Kind.MEMBER,
                    subject,
                    "is not there",
                    MemberAddition(key, product),
                )
        for identity in sorted(set(there) - expected):
            yield member_surplus(desired, observed, key, identity)


def member_surplus(desired: Desired, observed: Observed, portfolio: str, identity: str) -> Step:
    """The step for a product that is in one of our portfolios and that catalog.yaml does not ask for there.

    It leaves when it is ours, another portfolio offers it, and whoever uses it can use it there.
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
    reason = f"is offered by {desired.portfolios[other].name} now"
    return Step(Action.RETIRE, Kind.LEAVING, subject, reason, MemberRemoval(portfolio, identity))


def leaving_products(steps: Iterable[Step]) -> set[tuple[str, str]]:
    """The products that leave: keys of portfolios with IDs of products."""
    return {
        (step.change.portfolio, step.change.product_id)
        for step in steps
        if isinstance(step.change, MemberRemoval)
    }
