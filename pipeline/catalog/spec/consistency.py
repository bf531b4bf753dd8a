"""Checks across the entries of catalog.yaml: references, names, profiles, launch roles and tag options."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.catalog.spec.model import Portfolio, Product
from pipeline.catalog.spec.nodes import Place
from pipeline.errors import listed

# Values of one tag option key in an account; a quota:
# https://docs.aws.amazon.com/servicecatalog/latest/adminguide/limits.html
MAX_TAG_OPTION_VALUES = 25


def check_tag_options(
    place: Place, portfolios: tuple[Portfolio, ...], products: tuple[Product, ...]
) -> None:
    """Refuse a tag option with the key of a tag, or with too many values in all portfolios together."""
    held = {product.key: product.tags for product in products}
    values: dict[str, set[str]] = {}
    for portfolio, entry in zip(portfolios, place.entries().values(), strict=True):
        options = entry.entries().get("tag_options")
        tagged = {key for product in portfolio.products for key in held[product]} | {
            *portfolio.tags
        }
        for key, option in options.entries().items() if options else ():
            if key in tagged:
                raise option.refuse(
                    f"has the key of a tag of the portfolio or its products; remove {key} from one of the two."
                )
            known = values.setdefault(key, set())
            known.update(item.text() for item in option.items())
            if len(known) > MAX_TAG_OPTION_VALUES:
                raise option.refuse(
                    f"makes {len(known)} values of {key}; Service Catalog allows {MAX_TAG_OPTION_VALUES} in an account."
                )


def check_profiles_differ(products: tuple[Product, ...]) -> None:
    """Refuse two products of one profile, because their environments would have the same name."""
    first: dict[str, str] = {}
    for product in products:
        other = first.setdefault(product.profile, product.key) if product.profile else product.key
        if other != product.key:
            raise product.refuse(
                product.profile, f"which is the profile of {other}; give one of them another."
            )


def check_launch_roles_differ(portfolios: tuple[Portfolio, ...]) -> None:
    """Refuse two portfolios with one launch role, because the role would reach the environments of both."""
    first: dict[str, str] = {}
    for portfolio in portfolios:
        role = portfolio.launch_role
        other = first.setdefault(role, portfolio.key)
        if other != portfolio.key:
            place = "launch_role" if "launch_role" in portfolio.places else ""
            raise portfolio.refuse(
                place,
                f"has the launch role {role} of portfolio {other}, which would reach the environments of both; "
                "give each portfolio its own with launch_role.",
            )


def check_launcher_roles(portfolios: tuple[Portfolio, ...]) -> None:
    """Refuse a launcher role that is also a launch role, and one that two portfolios define differently."""
    launch_roles = {portfolio.launch_role for portfolio in portfolios}
    first: dict[str, Portfolio] = {}
    for portfolio in portfolios:
        role = portfolio.launcher_role
        if role and role in launch_roles:
            raise portfolio.refuse(
                "launcher_role", f"is {role!r}, which is a launch_role; give people another role."
            )
        other = first.setdefault(role, portfolio)
        if role and other.trusted_principals != portfolio.trusted_principals:
            raise portfolio.refuse(
                "launcher_role",
                f"is {role!r}, which portfolio {other.key} has with other trusted_principals; give both the same, "
                "or each portfolio its own launcher_role.",
            )


def check_references(place: Place, products: Mapping[str, Place]) -> None:
    """Refuse a portfolio's product that is not declared, and a product of two portfolios.

    A product's template names the permissions boundary of the launch role of its portfolio.
    """
    offered: dict[str, str] = {}
    for key, entry in place.entries().items():
        for item in entry.entries()["products"].items():
            product = item.text()
            if product not in products:
                raise item.refuse(
                    f"is {product!r}, which is not a product; the products are {listed(list(products))}."
                )
            if product in offered:
                raise item.refuse(
                    f"is {product!r}, which portfolio {offered[product]} offers; a product is in one portfolio."
                )
            offered[product] = key


def check_every_product_is_offered(
    portfolios: tuple[Portfolio, ...], products: Mapping[str, Place]
) -> None:
    """Refuse a product that no portfolio offers, because it would have no launch role."""
    offered = {product for portfolio in portfolios for product in portfolio.products}
    for key, place in products.items():
        if key not in offered:
            raise place.refuse("is in no portfolio; add it to the products of one, or remove it.")


def check_names_differ(place: Place, names: list[str]) -> None:
    """Refuse two entries with the same name."""
    for entry, name in zip(place.entries().values(), names, strict=True):
        if names.count(name) > 1:
            raise entry.refuse(f"has the name {name!r} of another entry; change one of the two.")
