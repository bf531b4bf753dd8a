"""Apply a plan in one region, step by step; every step is safe to repeat, and safe for two publishers in parallel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.aws import Aws, aws_errors
from pipeline.catalog.apply.access import Access
from pipeline.catalog.apply.stacks import ensure_stack
from pipeline.catalog.apply.tokens import WAITS, create_once
from pipeline.catalog.apply.versions import Versions, version_properties
from pipeline.catalog.desired.catalog import Desired, DesiredProduct
from pipeline.catalog.observed.catalog import our_portfolios, our_products
from pipeline.catalog.observed.model import Observed
from pipeline.catalog.plan.changes import (
    BoundaryChange,
    PortfolioChange,
    ProductChange,
    ReleaseUpload,
    StackChange,
    TemplateUpload,
    VersionChange,
)
from pipeline.catalog.plan.steps import Step
from pipeline.release.assemble import Release
from pipeline.release.upload import put_once, upload


@dataclass
class Applier:
    """Applies the steps of a region; knows the IDs of observed resources and of those that it creates."""

    aws: Aws
    desired: Desired
    release: Release
    observed: Observed
    tell: Callable[[str], None]
    waits: tuple[float, ...] = WAITS
    access: Access = field(init=False)
    products: dict[str, str] = field(init=False)
    versions: Versions = field(init=False)
    settled: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.products = {key: seen.id for key, seen in self.observed.products.items()}
        self.access = Access(
            self.aws.client("servicecatalog"),
            self.desired,
            portfolios={key: seen.id for key, seen in self.observed.portfolios.items()},
            products=self.products,
            tag_options={key: seen.id for key, seen in self.observed.tag_options.items()},
            waits=self.waits,
        )
        self.versions = Versions(self.access.catalog, self.desired, self.observed, self.waits)

    def apply_step(self, step: Step) -> None:
        """Apply one step. Raises PipelineError where AWS rejects it."""
        doing = f"{step.action.value} {step.kind.value} {step.subject} in {self.desired.region}"
        with aws_errors(doing):
            self._apply_step(step)

    def _apply_step(self, step: Step) -> None:
        match step.change:
            case StackChange(bootstrap_stack):
                ensure_stack(self.aws, bootstrap_stack, self.tell)
            case ReleaseUpload():
                upload(self.aws, self.release, self.desired.bucket)
            case TemplateUpload(product):
                self._template(product)
            case PortfolioChange() as change:
                self._portfolio(change)
            case ProductChange() as change:
                self._product(change)
            case VersionChange(product):
                self._version(product)
            case BoundaryChange() | None:
                # Boundaries belong to the account; a step without a change is not applied.
                pass
            case change:
                self.access.take(change, step.subject)

    def _template(self, product: DesiredProduct) -> None:
        version = product.version
        put_once(self.aws.client("s3"), version.bucket, version.key, version.body, present=False)

    def _portfolio(self, change: PortfolioChange) -> None:
        wanted, seen = change.desired, change.observed
        catalog = self.access.catalog
        if seen:
            changes = tag_changes(wanted.tags, seen.tags)
            catalog.update_portfolio(Id=seen.id, **wanted.fields, **changes)
            return

        def create(token: str) -> str:
            made = catalog.create_portfolio(
                **wanted.fields, Tags=tag_list(wanted.tags), IdempotencyToken=token
            )
            return str(made["PortfolioDetail"]["Id"])

        def read(identity: str) -> str:
            catalog.describe_portfolio(Id=identity)
            return "AVAILABLE"

        self.access.portfolios[wanted.key] = create_once(
            create,
            read,
            *self._identity("portfolio", wanted.key),
            find=lambda: found_portfolio(catalog, self.desired, wanted.key),
            content=repr(wanted),
            waits=self.waits,
        )

    def _product(self, change: ProductChange) -> None:
        wanted, seen = change.desired, change.observed
        catalog = self.access.catalog
        given = {name: value for name, value in wanted.fields.items() if value}
        if seen:
            catalog.update_product(Id=seen.id, **given, **tag_changes(wanted.tags, seen.tags))
            return

        def create(token: str) -> str:
            made = catalog.create_product(
                **given,
                ProductType="CLOUD_FORMATION_TEMPLATE",
                Tags=tag_list(wanted.tags),
                ProvisioningArtifactParameters=version_properties(wanted),
                IdempotencyToken=token,
            )
            return str(made["ProductViewDetail"]["ProductViewSummary"]["ProductId"])

        def read(identity: str) -> str:
            described = catalog.describe_product_as_admin(Id=identity)
            return str(described["ProductViewDetail"]["Status"])

        self.products[wanted.key] = create_once(
            create,
            read,
            *self._identity("product", wanted.key),
            find=lambda: found_product(catalog, self.desired, wanted.key),
            content=repr(wanted),
            waits=self.waits,
        )

    def _version(self, wanted: DesiredProduct) -> None:
        """Apply all version steps of the product with the first of them: they follow from the current versions."""
        if wanted.key not in self.settled:
            self.versions.apply_version_steps(wanted, self.products[wanted.key])
            self.settled.add(wanted.key)

    def _identity(self, *parts: str) -> tuple[str, ...]:
        return (self.desired.account, self.desired.region, *parts)


def found_portfolio(catalog: Any, desired: Desired, key: str) -> str:
    """The ID of an observed portfolio of this publisher; empty if it does not exist."""
    described = our_portfolios(catalog, desired)[0].get(key)
    return str(described["PortfolioDetail"]["Id"]) if described else ""


def found_product(catalog: Any, desired: Desired, key: str) -> str:
    """The ID of an observed product of this publisher; empty if it does not exist."""
    described = our_products(catalog, desired)[0].get(key)
    if not described:
        return ""
    return str(described["ProductViewDetail"]["ProductViewSummary"]["ProductId"])


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as a list of keys and values."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_changes(wanted: Mapping[str, str], seen: Mapping[str, str]) -> dict[str, Any]:
    """The tags that an update adds and removes to reach the desired tags."""
    added = {key: value for key, value in wanted.items() if seen.get(key) != value}
    removed = [key for key in seen if key not in wanted]
    changes: dict[str, Any] = {"AddTags": tag_list(added)} if added else {}
    return {**changes, "RemoveTags": removed} if removed else changes
