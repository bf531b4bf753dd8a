"""What a step changes: one class per kind of change, with the data that applying it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.catalog.desired.bootstrap_stacks import BootstrapStack
from pipeline.catalog.desired.catalog import DesiredConstraint, DesiredPortfolio, DesiredProduct
from pipeline.catalog.observed.boundaries import EnvironmentRole
from pipeline.catalog.observed.model import (
    ObservedConstraint,
    ObservedPortfolio,
    ObservedProduct,
    ObservedVersion,
)
from pipeline.catalog.spec.shares import Share


@dataclass(frozen=True)
class StackChange:
    """The stack of a launch role or of the release bucket is created or updated."""

    bootstrap_stack: BootstrapStack


@dataclass(frozen=True)
class BoundaryChange:
    """A role gets this boundary, and the mark that lets a rollback remove it; without a boundary it loses the mark."""

    role: EnvironmentRole
    boundary: str = ""
    mark: bool = False


@dataclass(frozen=True)
class ReleaseUpload:
    """The missing files of the release are uploaded."""


@dataclass(frozen=True)
class TemplateUpload:
    """The template of a product's version is uploaded."""

    product: DesiredProduct


@dataclass(frozen=True)
class TagOptionCreation:
    """A tag option of the account is created."""

    key: str
    value: str


@dataclass(frozen=True)
class PortfolioChange:
    """A portfolio is created, or updated if it was observed."""

    desired: DesiredPortfolio
    observed: ObservedPortfolio | None = None


@dataclass(frozen=True)
class ProductChange:
    """A product is created, or updated if it was observed."""

    desired: DesiredProduct
    observed: ObservedProduct | None = None


@dataclass(frozen=True)
class VersionChange:
    """A version is created, gets these fields if it was observed, or is deleted if the step retires it."""

    product: DesiredProduct
    fields: Mapping[str, str]
    observed: ObservedVersion | None = None


@dataclass(frozen=True)
class MemberAddition:
    """A product is added to a portfolio; both by their keys."""

    portfolio: str
    product: str


@dataclass(frozen=True)
class MemberRemoval:
    """A product leaves a portfolio, by the key of the portfolio and the ID of the product."""

    portfolio: str
    product_id: str


@dataclass(frozen=True)
class ConstraintChange:
    """A constraint is created, updated if it was observed, or deleted if none is desired."""

    desired: DesiredConstraint | None
    observed: ObservedConstraint | None = None


@dataclass(frozen=True)
class TagOptionAssociation:
    """A portfolio gets a tag option, by the key of the portfolio and the option's key and value."""

    portfolio: str
    option: tuple[str, str]


@dataclass(frozen=True)
class PrincipalAssociation:
    """A principal gets access to the products of a portfolio, by the key of the portfolio."""

    portfolio: str
    arn: str
    type: str


@dataclass(frozen=True)
class ShareChange:
    """A portfolio is shared, or an existing share is updated; by the key of the portfolio."""

    portfolio: str
    share: Share
    exists: bool


AccessChange = (
    TagOptionCreation
    | MemberAddition
    | MemberRemoval
    | ConstraintChange
    | TagOptionAssociation
    | PrincipalAssociation
    | ShareChange
)
Change = (
    StackChange
    | BoundaryChange
    | ReleaseUpload
    | TemplateUpload
    | PortfolioChange
    | ProductChange
    | VersionChange
    | AccessChange
)
