"""Read catalog.yaml: the regions, portfolios and products of a publication."""

from __future__ import annotations

from pathlib import Path

from pipeline.aws import require_region
from pipeline.catalog.spec.consistency import (
    check_every_product_is_offered,
    check_launch_roles_differ,
    check_launcher_roles,
    check_names_differ,
    check_profiles_differ,
    check_references,
    check_tag_options,
)
from pipeline.catalog.spec.entries import ROLE, boundary, portfolio, product, support, tags
from pipeline.catalog.spec.model import Catalog
from pipeline.catalog.spec.nodes import Place, compose
from pipeline.catalog.spec.shares import organization_id
from pipeline.errors import PipelineError
from pipeline.parameters.profiles import display_path
from pipeline.paths import PROJECT_FOLDER

CATALOG = PROJECT_FOLDER / "catalog.yaml"
KEY_WORDS = "a key of lower-case letters, digits and hyphens, at most 40"
# 100 versions is a quota: https://docs.aws.amazon.com/servicecatalog/latest/adminguide/limits.html
MAX_VERSIONS = 100
MAX_PROVIDER = 50


def load_catalog(path: Path = CATALOG) -> Catalog:
    """Read and check catalog.yaml.

    Raises PipelineError with file and line for invalid YAML, a key that is unknown, missing or exists twice, a value
    that Service Catalog would refuse, and a reference to a product that is not declared.
    """
    file = display_path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PipelineError(f"{file} cannot be read: {error}.") from error
    return catalog(compose(text, file))


def catalog(root: Place) -> Catalog:
    """The catalog that a document describes."""
    required = ("regions", "versions_kept", "owner", "portfolios", "products")
    optional = ("launch_role", "support", "tags", "organization", "permissions_boundary")
    found = root.mapping(required, optional)
    organization = organization_id(found.get("organization"))
    shared = tags(found.get("tags"))
    role = found["launch_role"].text(ROLE, "the name of a role") if "launch_role" in found else ""
    products = tuple(
        product(key, place, shared) for key, place in keyed_entries(found["products"]).items()
    )
    portfolios = tuple(
        portfolio(key, place, shared, organization, role)
        for key, place in keyed_entries(found["portfolios"]).items()
    )
    check_references(found["portfolios"], keyed_entries(found["products"]))
    for what, places in (("products", products), ("portfolios", portfolios)):
        check_names_differ(found[what], [place.name for place in places])
    check_profiles_differ(products)
    check_launch_roles_differ(portfolios)
    check_launcher_roles(portfolios)
    check_tag_options(found["portfolios"], portfolios, products)
    check_every_product_is_offered(portfolios, keyed_entries(found["products"]))
    return Catalog(
        regions=regions(found["regions"]),
        versions_kept=found["versions_kept"].whole_number(1, MAX_VERSIONS - 1),
        owner=found["owner"].text(what="the owner of the products", most=MAX_PROVIDER),
        organization=organization,
        permissions_boundary=boundary(found.get("permissions_boundary")),
        support=support(found.get("support")),
        portfolios=portfolios,
        products=products,
        places={key: found[key] for key in ("permissions_boundary",) if key in found},
    )


def keyed_entries(place: Place) -> dict[str, Place]:
    """The entries of a mapping with the keys of products or portfolios, at least one."""
    found = place.entries()
    if not found:
        raise place.refuse("must have at least one entry.")
    for key, entry in found.items():
        named = Place(entry.node, entry.file, entry.path)
        if not key.replace("-", "").isalnum() or key != key.lower() or not key[0].isalpha():
            raise named.refuse(f"must have {KEY_WORDS}.")
        if len(key) > 40:
            raise named.refuse(f"must have {KEY_WORDS}.")
    return found


def regions(place: Place) -> tuple[str, ...]:
    """The regions to publish in; the first one has the stacks of the launch roles."""
    values = place.unique_texts(r"[a-z0-9-]+", "an AWS region")
    if not values:
        raise place.refuse("must name at least one region.")
    for item, region in zip(place.items(), values, strict=True):
        try:
            require_region(region)
        except PipelineError as error:
            raise item.refuse(f"cannot be: {error}") from error
    return values
