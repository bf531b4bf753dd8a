"""Compute the plan: steps from the observed to the desired catalog; a pure function."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping

from pipeline.catalog.desired.catalog import TEMPLATE, Desired, DesiredConstraint, DesiredPortfolio
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.model import (
    Observed,
    ObservedConstraint,
    ObservedPortfolio,
    ObservedShare,
)
from pipeline.catalog.plan.changes import (
    ConstraintChange,
    PortfolioChange,
    PrincipalAssociation,
    ProductChange,
    ShareChange,
    TagOptionAssociation,
    TagOptionCreation,
    TemplateUpload,
)
from pipeline.catalog.plan.members import leaving_products, member_steps
from pipeline.catalog.plan.steps import Action, Step, in_order, surplus_step
from pipeline.catalog.plan.versions import version_steps


def catalog_steps(desired: Desired, observed: Observed) -> tuple[Step, ...]:
    """The steps for a region's Service Catalog, in the order of application."""
    members = list(member_steps(desired, observed))
    return in_order(
        [
            *template_steps(desired, observed),
            *tag_option_steps(desired, observed),
            *portfolio_steps(desired, observed),
            *product_steps(desired, observed),
            *members,
            *constraint_steps(desired, observed, leaving_products(members)),
            *access_steps(desired, observed),
            *share_steps(desired, observed),
            *unmanaged_steps(observed),
        ]
    )


def template_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    """The template of each product's version in the bucket; its key can be written once."""
    for product in desired.products.values():
        version = product.version
        there = observed.templates.get(version.key)
        subject = f"s3://{version.bucket}/{version.key}"
        if there is None:
            yield Step(Action.CREATE, Kind.TEMPLATE, subject, "missing", TemplateUpload(product))
        elif there == version.digest:
            yield Step(Action.UNCHANGED, Kind.TEMPLATE, subject, "exists")
        else:
            reason = f"has other content than {product.name} {version.name} of this release; raise the version in setup.cfg"
            yield Step(Action.REFUSE, Kind.TEMPLATE, subject, reason)


def tag_option_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    """Tag options belong to the account: an existing one is used unchanged."""
    for pair in desired.tag_options:
        seen = observed.tag_options.get(pair)
        subject = "=".join(pair)
        if seen is None:
            yield Step(Action.CREATE, Kind.TAG_OPTION, subject, "missing", TagOptionCreation(*pair))
        elif seen.active:
            yield Step(Action.UNCHANGED, Kind.TAG_OPTION, subject, "exists")
        else:
            reason = f"deactivated ({seen.id}); activate it, or remove it from catalog.yaml"
            yield Step(Action.REPORT, Kind.TAG_OPTION, subject, reason)


def differences(
    wanted_fields: Mapping[str, str],
    wanted_tags: Mapping[str, str],
    fields: Mapping[str, str],
    tags: Mapping[str, str],
) -> list[str]:
    """The names of the texts and tags that differ; a text that is empty in the desired state matches any."""
    changed = [
        name for name, value in wanted_fields.items() if value and fields.get(name, "") != value
    ]
    changed += [
        f"tag {key}" for key in {**wanted_tags, **tags} if wanted_tags.get(key) != tags.get(key)
    ]
    return changed


def portfolio_or_product_step(kind: Kind, change: PortfolioChange | ProductChange) -> Step:
    """The step for a portfolio or product."""
    wanted, seen = change.desired, change.observed
    if seen is None:
        return Step(Action.CREATE, kind, wanted.name, "missing", change)
    changed = differences(wanted.fields, wanted.tags, seen.fields, seen.tags)
    if not changed:
        return Step(Action.UNCHANGED, kind, wanted.name, "up to date")
    reason = f"differs in {', '.join(changed)}"
    return Step(Action.UPDATE, kind, wanted.name, reason, change)


def portfolio_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    """The steps for portfolios, and for managed ones that catalog.yaml does not name."""
    for key, wanted in desired.portfolios.items():
        yield portfolio_or_product_step(
            Kind.PORTFOLIO, PortfolioChange(wanted, observed.portfolios.get(key))
        )
    for key, seen in observed.portfolios.items():
        if key not in desired.portfolios:
            yield removal_step(Kind.PORTFOLIO, seen.fields["DisplayName"], seen.id)


def product_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    """The steps for products with their versions, and for managed ones that catalog.yaml does not name."""
    for key, wanted in desired.products.items():
        seen = observed.products.get(key)
        yield portfolio_or_product_step(Kind.PRODUCT, ProductChange(wanted, seen))
        yield from version_steps(wanted, seen, desired.versions_kept, shared=desired.is_shared(key))
    for key, other in observed.products.items():
        if key not in desired.products:
            yield removal_step(Kind.PRODUCT, other.fields["Name"], other.id)


def removal_step(kind: Kind, name: str, identity: str) -> Step:
    """The report of a managed resource that catalog.yaml does not name."""
    reason = f"not in catalog.yaml; delete {identity} when it is not in use"
    return Step(Action.REPORT, kind, name, reason)


def constraint_steps(
    desired: Desired, observed: Observed, leaving_products: Collection[tuple[str, str]] = ()
) -> Iterator[Step]:
    """The steps for constraints of each product in each portfolio; removing a product also removes its constraints."""
    for key, portfolio in desired.portfolios.items():
        seen = observed.portfolios.get(key)
        left = list(seen.constraints) if seen else []
        for wanted in desired.constraints:
            if wanted.portfolio == key:
                product = observed.products.get(wanted.product)
                found = matching_constraint(wanted, product.id if product else "", left)
                if found:
                    left.remove(found)
                yield constraint_step(desired, wanted, found)
        for constraint in left:
            if (key, constraint.product_id) not in leaving_products:
                yield surplus_constraint_step(desired, portfolio, constraint, observed)


def matching_constraint(
    wanted: DesiredConstraint, product_id: str, among: list[ObservedConstraint]
) -> ObservedConstraint | None:
    """The observed constraint that corresponds to the desired one.

    A product has at most one launch constraint and one tag update constraint in a portfolio. It can have several template
    constraints, also unmanaged ones.
    """
    of_type = [seen for seen in among if seen.product_id == product_id and seen.type == wanted.type]
    if wanted.type != TEMPLATE:
        return of_type[0] if of_type else None
    described = [seen for seen in of_type if seen.description == wanted.description]
    same = [seen for seen in of_type if is_same(seen.parameters, wanted.parameters)]
    return next(iter(described + same), None)


def is_same(one: str, other: str) -> bool:
    """Whether two texts are equal as JSON."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def constraint_step(
    desired: Desired, wanted: DesiredConstraint, seen: ObservedConstraint | None
) -> Step:
    """The step for one constraint."""
    product, portfolio = desired.products[wanted.product], desired.portfolios[wanted.portfolio]
    subject = f"{wanted.type} of {product.name} in {portfolio.name}"
    if seen is None:
        return Step(Action.CREATE, Kind.CONSTRAINT, subject, "missing", ConstraintChange(wanted))
    changed = [] if is_same(seen.parameters, wanted.parameters) else ["its parameters"]
    changed += [] if seen.description == wanted.description else ["its description"]
    if not changed:
        return Step(Action.UNCHANGED, Kind.CONSTRAINT, subject, "up to date")
    reason = f"differs in {' and '.join(changed)}"
    return Step(Action.UPDATE, Kind.CONSTRAINT, subject, reason, ConstraintChange(wanted, seen))


def surplus_constraint_step(
    desired: Desired, portfolio: DesiredPortfolio, seen: ObservedConstraint, observed: Observed
) -> Step:
    """The step for a constraint that catalog.yaml does not require.

    A managed template constraint of a product that stays without one is deleted; any other constraint stays. A product
    that has not left the portfolio yet can still be launched from it, and keeps its rules.
    """
    key = {product.id: key for key, product in observed.products.items()}.get(seen.product_id, "")
    name = observed.products[key].fields["Name"] if key else seen.product_id
    subject = f"{seen.type} of {name} in {portfolio.name}"
    text = DesiredConstraint("", "", TEMPLATE, "").description
    is_free = key in portfolio.products and not any(
        wanted.type == TEMPLATE and (wanted.portfolio, wanted.product) == (portfolio.key, key)
        for wanted in desired.constraints
    )
    if seen.type == TEMPLATE and seen.description == text and is_free:
        reason = "catalog.yaml fixes no parameter of the product"
        return Step(Action.RETIRE, Kind.CONSTRAINT, subject, reason, ConstraintChange(None, seen))
    return surplus_step(Kind.CONSTRAINT, f"{subject} ({seen.id})")


def access_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    """The steps for tag options and principals of each portfolio."""
    for key, wanted in desired.portfolios.items():
        seen = observed.portfolios.get(key) or ObservedPortfolio("", {}, {})
        for pair in wanted.tag_options:
            option = observed.tag_options.get(pair)
            subject = f"{'='.join(pair)} of {wanted.name}"
            if pair in seen.tag_options:
                yield Step(Action.UNCHANGED, Kind.PORTFOLIO_TAG_OPTION, subject, "exists")
            # A deactivated one cannot be associated with a portfolio, and has a report already.
            elif option is None or option.active:
                yield Step(
                    Action.CREATE,
                    Kind.PORTFOLIO_TAG_OPTION,
                    subject,
                    "missing",
                    TagOptionAssociation(key, pair),
                )
        for pair in seen.tag_options:
            if pair not in wanted.tag_options:
                yield surplus_step(Kind.PORTFOLIO_TAG_OPTION, f"{'='.join(pair)} of {wanted.name}")
        for principal in wanted.principals:
            subject = f"{principal[0]} of {wanted.name}"
            if principal in seen.principals:
                yield Step(Action.UNCHANGED, Kind.PRINCIPAL, subject, "exists")
            else:
                yield Step(
                    Action.CREATE,
                    Kind.PRINCIPAL,
                    subject,
                    "missing",
                    PrincipalAssociation(key, *principal),
                )
        for arn, kind in seen.principals:
            if (arn, kind) not in wanted.principals:
                yield surplus_step(Kind.PRINCIPAL, f"{arn} of {wanted.name}")


def share_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    """The steps for the shares of each portfolio."""
    for key, wanted in desired.portfolios.items():
        portfolio = observed.portfolios.get(key)
        there = {(share.kind, share.node): share for share in portfolio.shares} if portfolio else {}
        for share in wanted.shares:
            subject = f"{wanted.name} with {share.kind.replace('_', ' ')} {share.node}"
            seen = there.pop((share.kind, share.node), None)
            if seen is None:
                yield Step(
                    Action.CREATE,
                    Kind.SHARE,
                    subject,
                    "missing",
                    ShareChange(key, share, exists=False),
                )
            elif seen != ObservedShare(share.kind, share.node, share.tag_options, share.principals):
                reason = "differs in what it includes"
                yield Step(
                    Action.UPDATE, Kind.SHARE, subject, reason, ShareChange(key, share, exists=True)
                )
            else:
                yield Step(Action.UNCHANGED, Kind.SHARE, subject, "exists")
        for kind, node in there:
            yield surplus_step(Kind.SHARE, f"{wanted.name} with {kind.replace('_', ' ')} {node}")


def unmanaged_steps(observed: Observed) -> Iterator[Step]:
    """The reports of unmanaged resources with the name of a managed one."""
    for unmanaged_thing in observed.unmanaged:
        yield Step(
            Action.REPORT,
            Kind(unmanaged_thing.kind),
            f"{unmanaged_thing.name} ({unmanaged_thing.id})",
            unmanaged_thing.reason,
        )
