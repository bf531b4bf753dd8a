"""The entries of catalog.yaml: each product and portfolio, with tags, tag options and principals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.catalog.spec.model import Portfolio, Product, Support
from pipeline.catalog.spec.nodes import Place
from pipeline.catalog.spec.shares import shares
from templates_src.core.parameters.shared import ENVIRONMENTS, PERMISSIONS_BOUNDARY

# The lists of a portfolio; errors name the line of an entry.
LISTS = ("environments", "principals", "trusted_principals")
KEY = r"[a-z][a-z0-9-]{0,39}"
# Longest values, from the service's model (botocore, servicecatalog 2015-12-10); 20 tags is a quota:
# https://docs.aws.amazon.com/servicecatalog/latest/adminguide/limits.html
MAX_PORTFOLIO_NAME = 100
MAX_PORTFOLIO_DESCRIPTION = 2000
MAX_TAGS = 20
# https://docs.aws.amazon.com/servicecatalog/latest/dg/API_AssociatePrincipalWithPortfolio.html
MAX_PATTERNS = 10
# Number of tags that the publisher sets.
OWN_TAGS = 2
TAG_CHARACTERS = r"[\w .:/=+\-@]+"
RESERVED = "carbon-connect:"
PRINCIPAL = r"arn:aws[a-z-]*:iam::\d{12}:(role|user|group)/[\w+=,.@/-]{1,900}|(role|user|group)/[\w+=,.@/*?-]{1,900}"
ROLE = r"[\w+=,.@-]{1,64}"
# It is also part of a stack's name, which allows fewer characters than a role's.
LAUNCHER_ROLE = r"[A-Za-z0-9-]{1,64}"
TRUSTED = r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=.@/*?-]{1,900}"


# The address of a folder: the link of a product adds a query to it.
PAGES_URL = r"https?://[^\s?#]+"


def support(place: Place | None) -> Support:
    """Support text, address, URL, and the address of the pages."""
    keys = ("description", "email", "url", "pages")
    found = place.mapping((), keys) if place else {}
    description, email, url, pages = (found.get(key) for key in keys)
    return Support(
        description=description.text() if description else "",
        email=email.text(r"[^@\s]+@[^@\s]+", "an e-mail address", 254) if email else "",
        url=url.text(r"https?://\S+", "a URL that begins with https://", 2083) if url else "",
        pages=pages.text(PAGES_URL, "a URL of a folder that begins with https://", 2000)
        if pages
        else "",
    )


def tags(place: Place | None, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Tags by key; they override those of ``base``."""
    own: dict[str, str] = {}
    for key, value in place.entries().items() if place else ():
        if key.startswith((RESERVED, "aws:")):
            raise value.refuse(
                f"begins with {key.split(':')[0]}:, which is reserved; choose another key."
            )
        own[key] = value.text(TAG_CHARACTERS, "a tag's value", 256)
    merged = {**(base or {}), **own}
    if place and len(merged) > MAX_TAGS - OWN_TAGS:
        raise place.refuse(
            f"makes {len(merged)} tags; Service Catalog allows {MAX_TAGS}, of which the publisher sets {OWN_TAGS}."
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
    """The ARN of the permissions boundary, in the form of the parameter PermissionsBoundary; empty for none."""
    what = "the ARN of a managed policy, arn:aws:iam::ACCOUNT:policy/NAME"
    return place.text(PERMISSIONS_BOUNDARY.pattern or "", what) if place else ""


def portfolio(
    key: str, place: Place, shared: Mapping[str, str], organization: str, launch_role: str
) -> Portfolio:
    """One portfolio.

    ``organization`` is the organization that can read the release bucket, ``launch_role`` the role of a portfolio that
    names none; both can be empty.
    """
    optional = ("launch_role", "launcher_role", "trusted_principals", "environments", "principals")
    found = place.mapping(
        ("name", "description", "products"), (*optional, "tags", "tag_options", "shares")
    )
    launcher = launcher_role(found)
    if "launch_role" not in found and not launch_role:
        raise place.refuse("needs the key launch_role: the role that launches its products.")
    return Portfolio(
        key=key,
        name=found["name"].text(what="the portfolio's name", most=MAX_PORTFOLIO_NAME),
        description=found["description"].text(
            what="what the portfolio is for", most=MAX_PORTFOLIO_DESCRIPTION
        ),
        products=found["products"].unique_texts(KEY, "the key of a product"),
        launch_role=found["launch_role"].text(ROLE, "the name of a role")
        if "launch_role" in found
        else launch_role,
        environments=found["environments"].unique_texts("|".join(ENVIRONMENTS), one_environment())
        if "environments" in found
        else (),
        principals=principals(place, found, launcher),
        launcher_role=launcher,
        trusted_principals=trusted_principals(found),
        tags=tags(found.get("tags"), shared),
        tag_options=tag_options(found.get("tag_options")),
        shares=shares(found.get("shares"), organization),
        places={
            "": place,
            **{item.text(): item for item in optional_items(found, *LISTS)},
            **{key: found[key] for key in ("launch_role", "launcher_role") if key in found},
        },
    )


def principals(place: Place, found: Mapping[str, Place], launcher: str) -> tuple[str, ...]:
    """The principals of a portfolio; the launcher role, if there is one, is the first."""
    named = (
        found["principals"].unique_texts(
            PRINCIPAL, "the ARN of a role, user or group, or role/NAME", 1000
        )
        if "principals" in found
        else ()
    )
    known = tuple(dict.fromkeys([*([f"role/{launcher}"] if launcher else []), *named]))
    check_patterns(found.get("principals", place), known)
    return known


def launcher_role(found: Mapping[str, Place]) -> str:
    """The name of the launcher role that `publish` creates for a portfolio; empty for none."""
    if "launcher_role" in found:
        what = "the name of a role, of letters, digits and hyphens"
        return found["launcher_role"].text(LAUNCHER_ROLE, what)
    if "trusted_principals" in found:
        raise found["trusted_principals"].refuse(
            "needs the key launcher_role: the role that these principals may assume."
        )
    return ""


def trusted_principals(found: Mapping[str, Place]) -> tuple[str, ...]:
    """The ARNs that can assume the launcher role; empty for every principal whose policies allow it."""
    what = "the ARN of a role or user, with * and ?"
    place = found.get("trusted_principals")
    return place.unique_texts(TRUSTED, what, 1000) if place else ()


def one_environment() -> str:
    """The description of a valid entry of ``environments``, for messages."""
    return f"one of {', '.join(ENVIRONMENTS)}"


def optional_items(found: Mapping[str, Place], *keys: str) -> list[Place]:
    """The entries of the existing lists."""
    return [item for key in keys if key in found for item in found[key].items()]


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


def check_patterns(place: Place, principals: Iterable[str]) -> None:
    """Refuse more principals without an account than Service Catalog allows, with the line of the first one over the limit."""
    patterns = [each for each in principals if not each.startswith("arn:")]
    if len(patterns) <= MAX_PATTERNS:
        return
    for item in place.items():
        if item.text() == patterns[MAX_PATTERNS]:
            raise item.refuse(
                f"is the {MAX_PATTERNS + 1}th principal without an account; Service Catalog allows "
                f"{MAX_PATTERNS} in a portfolio. Join some in a pattern, or name them by their ARNs."
            )
