"""catalog.yaml: which products, portfolios, principals, tags, tag options, regions and shares a release is published as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.aws import require_region
from pipeline.catalog.nodes import Place, compose
from pipeline.catalog.shares import Share, organization_id, shares
from pipeline.errors import Refusal, listed
from pipeline.parameters.profiles import shown
from pipeline.paths import PROJECT
from templates_src.core.shared import PERMISSIONS_BOUNDARY

CATALOG = PROJECT / "catalog.yaml"
KEY = r"[a-z][a-z0-9-]{0,39}"
KEY_WORDS = "a key of lower-case letters, digits and hyphens, at most 40"
# Longest values, from the service's model (botocore, servicecatalog 2015-12-10); 100 versions and 20 tags are quotas:
# https://docs.aws.amazon.com/servicecatalog/latest/adminguide/limits.html
MAX_PORTFOLIO_NAME = 100
MAX_PORTFOLIO_DESCRIPTION = 2000
MAX_PROVIDER = 50
MAX_VERSIONS = 100
MAX_TAGS = 20
# https://docs.aws.amazon.com/servicecatalog/latest/dg/API_AssociatePrincipalWithPortfolio.html
MAX_PATTERNS = 10
# Values of a tag option's key; a quota as well.
MAX_TAG_OPTION_VALUES = 25
# Tags that the publisher sets itself.
OWN_TAGS = 2
TAG_CHARACTERS = r"[\w .:/=+\-@]+"
RESERVED = "carbon-connect:"
PRINCIPAL = r"arn:aws[a-z-]*:iam::\d{12}:(role|user|group)/[\w+=,.@/-]{1,900}|(role|user|group)/[\w+=,.@/*?-]{1,900}"


@dataclass(frozen=True)
class Product:
    """A product: a whole environment with a profile's values, or one layer; one of the two is named.

    ``places`` says where catalog.yaml gives profile, layer and each fixed parameter, by their values.
    """

    key: str
    name: str
    description: str
    profile: str
    layer: str
    fixed: tuple[str, ...]
    tags: Mapping[str, str]
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    def refuse(self, value: str, reason: str) -> Refusal:
        """The error about one of those values, with its line where the product was read from a file."""
        place = self.places.get(value)
        told = f"is {value!r}, {reason}"
        return place.refuse(told) if place else Refusal(f"Product {self.key} {told}")


@dataclass(frozen=True)
class Portfolio:
    """A portfolio, the keys of its products, and who may launch them."""

    key: str
    name: str
    description: str
    products: tuple[str, ...]
    principals: tuple[str, ...]
    tags: Mapping[str, str]
    tag_options: tuple[tuple[str, str], ...]
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class Support:
    """Where a product's user finds help; empty where catalog.yaml says nothing."""

    description: str
    email: str
    url: str


@dataclass(frozen=True)
class Catalog:
    """All of catalog.yaml.

    ``organization`` is the one whose accounts may read the release bucket, and ``permissions_boundary`` the ARN of the
    policy without which the launch role makes no role; both are empty for none.
    """

    regions: tuple[str, ...]
    versions_kept: int
    launch_role: str
    owner: str
    organization: str
    permissions_boundary: str
    support: Support
    portfolios: tuple[Portfolio, ...]
    products: tuple[Product, ...]


def load_catalog(path: Path = CATALOG) -> Catalog:
    """Read and check catalog.yaml.

    Raises Refusal with file and line for YAML that cannot be read, a key that is unknown, missing or there twice, a
    value that Service Catalog would refuse, and a reference to a product that is not declared.
    """
    file = shown(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{file} cannot be read: {error}.") from error
    return catalog(compose(text, file))


def catalog(root: Place) -> Catalog:
    """The catalog that a document describes."""
    required = ("regions", "versions_kept", "launch_role", "owner", "portfolios", "products")
    optional = ("support", "tags", "organization", "permissions_boundary")
    found = root.mapping(required, optional)
    organization = organization_id(found.get("organization"))
    shared = tags(found.get("tags"))
    products = tuple(product(key, place, shared) for key, place in keyed(found["products"]).items())
    portfolios = tuple(
        portfolio(key, place, shared, organization)
        for key, place in keyed(found["portfolios"]).items()
    )
    check_references(found["portfolios"], products)
    for what, places in (("products", products), ("portfolios", portfolios)):
        check_names_differ(found[what], [place.name for place in places])
    check_profiles_differ(products)
    check_tag_options(found["portfolios"], portfolios, products)
    return Catalog(
        regions=regions(found["regions"]),
        versions_kept=found["versions_kept"].whole_number(1, MAX_VERSIONS - 1),
        launch_role=found["launch_role"].text(r"[\w+=,.@-]{1,64}", "the name of a role"),
        owner=found["owner"].text(what="who answers for the products", most=MAX_PROVIDER),
        organization=organization,
        permissions_boundary=boundary(found.get("permissions_boundary")),
        support=support(found.get("support")),
        portfolios=portfolios,
        products=products,
    )


def keyed(place: Place) -> dict[str, Place]:
    """The entries of a mapping whose keys name things, at least one."""
    found = place.entries()
    if not found:
        raise place.refuse("must hold at least one entry.")
    for key, entry in found.items():
        named = Place(entry.node, entry.file, entry.path)
        if not key.replace("-", "").isalnum() or key != key.lower() or not key[0].isalpha():
            raise named.refuse(f"must have {KEY_WORDS}.")
        if len(key) > 40:
            raise named.refuse(f"must have {KEY_WORDS}.")
    return found


def regions(place: Place) -> tuple[str, ...]:
    """The regions to publish in; the first is where the launch role's stack lives."""
    values = place.unique_texts(r"[a-z0-9-]+", "an AWS region")
    if not values:
        raise place.refuse("must name at least one region.")
    for item, region in zip(place.items(), values, strict=True):
        try:
            require_region(region)
        except Refusal as error:
            raise item.refuse(f"cannot be: {error}") from error
    return values


def support(place: Place | None) -> Support:
    """Support text, address and URL."""
    found = place.mapping((), ("description", "email", "url")) if place else {}
    description, email, url = (found.get(key) for key in ("description", "email", "url"))
    return Support(
        description=description.text() if description else "",
        email=email.text(r"[^@\s]+@[^@\s]+", "an e-mail address", 254) if email else "",
        url=url.text(r"https?://\S+", "a URL that begins with https://", 2083) if url else "",
    )


def tags(place: Place | None, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Tags by key, over those of ``base``."""
    own: dict[str, str] = {}
    for key, value in place.entries().items() if place else ():
        if key.startswith((RESERVED, "aws:")):
            raise value.refuse(
                f"begins with {key.split(':')[0]}:, which is reserved; name the tag otherwise."
            )
        own[key] = value.text(TAG_CHARACTERS, "a tag's value", 256)
    merged = {**(base or {}), **own}
    if place and len(merged) > MAX_TAGS - OWN_TAGS:
        raise place.refuse(
            f"makes {len(merged)} tags; Service Catalog takes {MAX_TAGS}, of which the publisher sets {OWN_TAGS}."
        )
    return merged


def product(key: str, place: Place, shared: Mapping[str, str]) -> Product:
    """One product."""
    found = place.mapping(("name", "description"), ("profile", "layer", "fixed", "tags"))
    if ("profile" in found) == ("layer" in found):
        raise place.refuse(
            "must name either a profile, for a whole environment, or a layer, and not both."
        )
    if "layer" in found and "fixed" in found:
        raise found["fixed"].refuse("needs a profile, whose values it fixes; a layer has none.")
    return Product(
        key=key,
        name=found["name"].text(what="the product's name"),
        description=found["description"].text(what="what the product is for"),
        profile=found["profile"].text(KEY, "a profile in parameters/")
        if "profile" in found
        else "",
        layer=found["layer"].text(KEY, "a layer of the release") if "layer" in found else "",
        fixed=found["fixed"].unique_texts(r"[A-Za-z0-9]+", "a parameter's name")
        if "fixed" in found
        else (),
        tags=tags(found.get("tags"), shared),
        places={
            place.text(): place
            for key in ("profile", "layer", "fixed")
            if key in found
            for place in (found[key].items() if key == "fixed" else [found[key]])
        },
    )


def boundary(place: Place | None) -> str:
    """The ARN of the permissions boundary, as the templates take it; empty for none."""
    what = "the ARN of a managed policy, arn:aws:iam::ACCOUNT:policy/NAME"
    return place.text(PERMISSIONS_BOUNDARY.pattern or "", what) if place else ""


def portfolio(
    key: str, place: Place, shared: Mapping[str, str], organization: str = ""
) -> Portfolio:
    """One portfolio; ``organization`` is the one that may read the release bucket."""
    found = place.mapping(
        ("name", "description", "products"), ("principals", "tags", "tag_options", "shares")
    )
    if "principals" in found:
        check_patterns(found["principals"])
    return Portfolio(
        key=key,
        name=found["name"].text(what="the portfolio's name", most=MAX_PORTFOLIO_NAME),
        description=found["description"].text(
            what="what the portfolio is for", most=MAX_PORTFOLIO_DESCRIPTION
        ),
        products=found["products"].unique_texts(KEY, "the key of a product"),
        principals=found["principals"].unique_texts(
            PRINCIPAL, "the ARN of a role, user or group, or role/NAME", 1000
        )
        if "principals" in found
        else (),
        tags=tags(found.get("tags"), shared),
        tag_options=tag_options(found.get("tag_options")),
        shares=shares(found.get("shares"), organization),
    )


def tag_options(place: Place | None) -> tuple[tuple[str, str], ...]:
    """Key and value of each tag option."""
    pairs = []
    for key, values in place.entries().items() if place else ():
        if key.startswith((RESERVED, "aws:")):
            raise values.refuse(f"begins with {key.split(':')[0]}:, which is reserved.")
        pairs += [
            (key, value)
            for value in values.unique_texts(TAG_CHARACTERS, "a tag option's value", 256)
        ]
    return tuple(pairs)


def check_patterns(place: Place) -> None:
    """Refuse more principals without an account than Service Catalog takes."""
    patterns = [item for item in place.items() if not item.text().startswith("arn:")]
    if len(patterns) > MAX_PATTERNS:
        raise patterns[MAX_PATTERNS].refuse(
            f"is the {MAX_PATTERNS + 1}th principal without an account; Service Catalog takes "
            f"{MAX_PATTERNS} in a portfolio. Join some in a pattern, or name them by their ARNs."
        )


def check_tag_options(
    place: Place, portfolios: tuple[Portfolio, ...], products: tuple[Product, ...]
) -> None:
    """Refuse a tag option whose key is a tag already, or has too many values in all portfolios together."""
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
                    f"has the key of a tag of the portfolio or its products; take {key} out of one of the two."
                )
            known = values.setdefault(key, set())
            known.update(item.text() for item in option.items())
            if len(known) > MAX_TAG_OPTION_VALUES:
                raise option.refuse(
                    f"makes {len(known)} values of {key}; Service Catalog takes {MAX_TAG_OPTION_VALUES} in an account."
                )


def check_profiles_differ(products: tuple[Product, ...]) -> None:
    """Refuse a second product of a profile, whose environment would have the first one's name."""
    first: dict[str, str] = {}
    for product in products:
        other = first.setdefault(product.profile, product.key) if product.profile else product.key
        if other != product.key:
            raise product.refuse(
                product.profile, f"which is the profile of {other}; give one of them another."
            )


def check_references(place: Place, products: tuple[Product, ...]) -> None:
    """Refuse a portfolio's product that is not declared."""
    known = [product.key for product in products]
    for entry in place.entries().values():
        for item in entry.entries()["products"].items():
            if item.text() not in known:
                raise item.refuse(
                    f"is {item.text()!r}, which is no product; there are {listed(known)}."
                )


def check_names_differ(place: Place, names: list[str]) -> None:
    """Refuse two things of one name."""
    for entry, name in zip(place.entries().values(), names, strict=True):
        if names.count(name) > 1:
            raise entry.refuse(f"is named {name!r} like another one; give one another name.")
