"""The checked content of catalog.yaml: products, portfolios and the keys at the top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.catalog.spec.nodes import Place
from pipeline.catalog.spec.shares import Share
from pipeline.errors import PipelineError


@dataclass(frozen=True)
class Product:
    """A product: a whole environment with a profile's values, or one layer; one of the two is named.

    ``places`` has the position in catalog.yaml of profile, layer and each fixed parameter, by their values.
    """

    key: str
    name: str
    description: str
    profile: str
    layer: str
    fixed: tuple[str, ...]
    tags: Mapping[str, str]
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    def refuse(self, value: str, reason: str) -> PipelineError:
        """The error about one of these values, with its line if the product was read from a file."""
        place = self.places.get(value)
        text = f"is {value!r}, {reason}"
        return place.refuse(text) if place else PipelineError(f"Product {self.key} {text}")


@dataclass(frozen=True)
class Portfolio:
    """A portfolio, the keys of its products, and the principals that can launch them.

    ``launch_role`` is the role that launches its products. ``launcher_role`` is the role that `publish` creates for
    people who launch, which is also one of the ``principals``; empty for none. ``trusted_principals`` can assume it.
    ``environments`` are those that its single layers can be launched for, empty if catalog.yaml has none. ``places``
    has the position in catalog.yaml of the portfolio (under ""), the keys of roles, and each environment and principal,
    by their values.
    """

    key: str
    name: str
    description: str
    products: tuple[str, ...]
    launch_role: str
    environments: tuple[str, ...]
    principals: tuple[str, ...]
    tags: Mapping[str, str]
    tag_options: tuple[tuple[str, str], ...]
    shares: tuple[Share, ...]
    launcher_role: str = ""
    trusted_principals: tuple[str, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    def refuse(self, value: str, reason: str) -> PipelineError:
        """The error about one of these values, with its line."""
        return self.places[value].refuse(reason)


@dataclass(frozen=True)
class Support:
    """Support details of a product; empty if catalog.yaml has none.

    ``pages`` is the address that serves the site of `build.py pages`.
    """

    description: str
    email: str
    url: str
    pages: str = ""

    def link(self, profile: str) -> str:
        """The support link of a product: ``url``, or the site with the environment of the profile selected."""
        if self.url or not self.pages:
            return self.url
        site = f"{self.pages.rstrip('/')}/"
        return f"{site}?environment={profile}" if profile else site


@dataclass(frozen=True)
class Catalog:
    """All of catalog.yaml.

    ``organization`` is the organization whose accounts can read the release bucket. ``permissions_boundary`` is the ARN
    of the policy that is the boundary of every role of an environment; empty for the one that each launch role's
    template creates.
    """

    regions: tuple[str, ...]
    versions_kept: int
    owner: str
    organization: str
    permissions_boundary: str
    support: Support
    portfolios: tuple[Portfolio, ...]
    products: tuple[Product, ...]
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    def product(self, key: str) -> Product:
        """The product with a key."""
        return next(product for product in self.products if product.key == key)

    def portfolio_of(self, product: str) -> Portfolio:
        """The portfolio that offers a product. A product is in at most one portfolio; a product without a portfolio is not created."""
        return next(each for each in self.portfolios if product in each.products)
