"""The way from what is to what is to be, as a list of steps: a pure function of the two."""

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
    """The steps of a region's Service Catalog, in the order of application."""
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
    """The template of each product's version in the bucket, whose key can be taken once."""
    for product in desired.products.values():
        version = product.version
        there = observed.templates.get(version.key)
        subject = f"s3://{version.bucket}/{version.key}"
        if there is None:
            yield Step(
                Action.CREATE, Kind.TEMPLATE, subject, "is not there", TemplateUpload(product)
            )
        elif there == version.digest:
            yield Step(Action.UNCHANGED, Kind.TEMPLATE, subject, "is there")
        else:
            reason = f"holds other bytes than {product.name} {version.name} of this release; raise the version in setup.cfg"
            yield Step(Action.REFUSE, Kind.TEMPLATE, subject, reason)


def tag_option_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    """Tag options are the account's: one that is there is used as it is, whoever made it."""
    for pair in desired.tag_options:
        seen = observed.tag_options.get(pair)
        subject = "=".join(pair)
        if seen is None:
            yield Step(
                Action.CREATE, Kind.TAG_OPTION, subject, "is not there", TagOptionCreation(*pair)
            )
        elif seen.active:
            yield Step(Action.UNCHANGED, Kind.TAG_OPTION, subject, "is there")
        else:
            reason = f"was deactivated ({seen.id}) and may be somebody else's; activate it, or take it out of catalog.yaml"
            yield Step(Action.REPORT, Kind.TAG_OPTION, subject, reason)


def differences(
    wanted_fields: Mapping[str, str],
    wanted_tags: Mapping[str, str],
    fields: Mapping[str, str],
    tags: Mapping[str, str],
) -> list[str]:
    """The names of the texts, and the tags, that are not as they are to be; a text that is not given may be any."""
    changed = [
        name for name, value in wanted_fields.items() if value and fields.get(name, "") != value
    ]
    changed += [
        f"tag {key}" for key in {**wanted_tags, **tags} if wanted_tags.get(key) != tags.get(key)
    ]
    return changed


def own_step(kind: Kind, change: PortfolioChange | ProductChange) -> Step:
    """The step for a portfolio or product itself."""
    wanted, seen = change.wanted, change.seen
    if seen is None:
        return Step(Action.CREATE, kind, wanted.name, "is not there", change)
    changed = differences(wanted.fields, wanted.tags, seen.fields, seen.tags)
    if not changed:
        return Step(Action.UNCHANGED, kind, wanted.name, "is as it is to be")
    reason = f"differs in {', '.join(changed)}"
    return Step(Action.UPDATE, kind, wanted.name, reason, change)


def portfolio_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    """The portfolios, and those of ours that catalog.yaml no longer names."""
    for key, wanted in desired.portfolios.items():
        yield own_step(Kind.PORTFOLIO, PortfolioChange(wanted, observed.portfolios.get(key)))
    for key, seen in observed.portfolios.items():
        if key not in desired.portfolios:
            yield removal_step(Kind.PORTFOLIO, seen.fields["DisplayName"], seen.id)


def product_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    """The products with their versions, and those of ours that catalog.yaml no longer names."""
    for key, wanted in desired.products.items():
        seen = observed.products.get(key)
        yield own_step(Kind.PRODUCT, ProductChange(wanted, seen))
        yield from version_steps(wanted, seen, desired.versions_kept, shared=desired.is_shared(key))
    for key, other in observed.products.items():
        if key not in desired.products:
            yield removal_step(Kind.PRODUCT, other.fields["Name"], other.id)


def removal_step(kind: Kind, name: str, identity: str) -> Step:
    """Something of ours that nobody asks for any more."""
    reason = f"is no longer in catalog.yaml; delete {identity} by hand once nothing uses it"
    return Step(Action.REPORT, kind, name, reason)


def constraint_steps(
    desired: Desired, observed: Observed, leaving_products: Collection[tuple[str, str]] = ()
) -> Iterator[Step]:
    """The constraints of each product in each portfolio; those of a product that leaves it go with the product."""
    for key, portfolio in desired.portfolios.items():
        seen = observed.portfolios.get(key)
        left = list(seen.constraints) if seen else []
        for wanted in desired.constraints:
            if wanted.portfolio == key:
                product = observed.products.get(wanted.product)
                found = matching(wanted, product.id if product else "", left)
                if found:
                    left.remove(found)
                yield constraint_step(desired, wanted, found)
        for constraint in left:
            if (key, constraint.product_id) not in leaving_products:
                yield surplus_constraint_step(desired, portfolio, constraint, observed)


def matching(
    wanted: DesiredConstraint, product_id: str, among: list[ObservedConstraint]
) -> ObservedConstraint | None:
    """The constraint that is the wanted one.

    Of launch and tag update constraints a product has one at most in a portfolio; of template constraints it may have
    others that somebody else made.
    """
    of_type = [seen for seen in among if seen.product_id == product_id and seen.type == wanted.type]
    if wanted.type != TEMPLATE:
        return of_type[0] if of_type else None
    described = [seen for seen in of_type if seen.description == wanted.description]
    same = [seen for seen in of_type if is_same(seen.parameters, wanted.parameters)]
    return next(iter(described + same), None)


def is_same(one: str, other: str) -> bool:
    """Whether two texts are the same JSON."""
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
        return Step(
            Action.CREATE, Kind.CONSTRAINT, subject, "is not there", ConstraintChange(wanted)
        )
    changed = [] if is_same(seen.parameters, wanted.parameters) else ["its parameters"]
    changed += [] if seen.description == wanted.description else ["its description"]
    if not changed:
        return Step(Action.UNCHANGED, Kind.CONSTRAINT, subject, "is as it is to be")
    reason = f"differs in {' and '.join(changed)}"
    return Step(Action.UPDATE, Kind.CONSTRAINT, subject, reason, ConstraintChange(wanted, seen))


def surplus_constraint_step(
    desired: Desired, portfolio: DesiredPortfolio, seen: ObservedConstraint, observed: Observed
) -> Step:
    """A constraint that nobody asks for: ours goes where its product is to stay without it, any other stays.

    A product that is to leave the portfolio leaves it by hand, and until then can be launched: it keeps its rules.
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
        reason = "catalog.yaml fixes no parameter of the product any more"
        return Step(Action.RETIRE, Kind.CONSTRAINT, subject, reason, ConstraintChange(None, seen))
    return surplus_step(Kind.CONSTRAINT, f"{subject} ({seen.id})")


def access_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    """Tag options and principals of each portfolio."""
    for key, wanted in desired.portfolios.items():
        seen = observed.portfolios.get(key) or ObservedPortfolio("", {}, {})
        for pair in wanted.tag_options:
            option = observed.tag_options.get(pair)
            subject = f"{'='.join(pair)} of {wanted.name}"
            if pair in seen.tag_options:
                yield Step(Action.UNCHANGED, Kind.PORTFOLIO_TAG_OPTION, subject, "is there")
            # An inactive one cannot be given to a portfolio, and is reported as such.
            elif option is None or option.active:
                yield Step(
                    Action.CREATE,
                    Kind.PORTFOLIO_TAG_OPTION,
                    subject,
                    "is not there",
                    TagOptionAssociation(key, pair),
                )
        for pair in seen.tag_options:
            if pair not in wanted.tag_options:
                yield surplus_step(Kind.PORTFOLIO_TAG_OPTION, f"{'='.join(pair)} of {wanted.name}")
        for principal in wanted.principals:
            subject = f"{principal[0]} of {wanted.name}"
            if principal in seen.principals:
                yield Step(Action.UNCHANGED, Kind.PRINCIPAL, subject, "is there")
            else:
                yield Step(
                    Action.CREATE,
                    Kind.PRINCIPAL,
                    subject,
                    "is not there",
                    PrincipalAssociation(key, *principal),
                )
        for arn, kind in seen.principals:
            if (arn, kind) not in wanted.principals:
                yield surplus_step(Kind.PRINCIPAL, f"{arn} of {wanted.name}")


def share_steps(desired: Desired, observed: Observed) -> Iterator[Step]:
    """With whom each portfolio is shared."""
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
                    "is not there",
                    ShareChange(key, share, exists=False),
                )
            elif seen != ObservedShare(share.kind, share.node, share.tag_options, share.principals):
                reason = "differs in what is shared with it"
                yield Step(
                    Action.UPDATE, Kind.SHARE, subject, reason, ShareChange(key, share, exists=True)
                )
            else:
                yield Step(Action.UNCHANGED, Kind.SHARE, subject, "is there")
        for kind, node in there:
            yield surplus_step(Kind.SHARE, f"{wanted.name} with {kind.replace('_', ' ')} {node}")


def unmanaged_steps(observed: Observed) -> Iterator[Step]:
    """What has a name of ours and is not ours."""
    for unmanaged_thing in observed.unmanaged:
        yield Step(
            Action.REPORT,
            Kind(unmanaged_thing.kind),
            f"{unmanaged_thing.name} ({unmanaged_thing.id})",
            unmanaged_thing.reason,
        )
