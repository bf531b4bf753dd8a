"""What a region's Service Catalog holds now, as far as a publication is concerned."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.catalog.desired.written_in import WRITTEN_IN_TEXT

DEFAULT, DEPRECATED = "DEFAULT", "DEPRECATED"
_DIGEST = re.compile(r"template ([0-9a-f]{16})\b")


def digest_in(description: str) -> str:
    """The digest that a version's description names; empty where it names none."""
    found = _DIGEST.search(description)
    return found[1] if found else ""


def is_open(description: str) -> bool:
    """Whether a version of ours, by its description, lets its launcher choose where templates are read from."""
    return bool(digest_in(description)) and WRITTEN_IN_TEXT not in description


@dataclass(frozen=True)
class ObservedVersion:
    """A version.

    ``digest`` says which template it is, and is empty for a version that this publisher did not make. A version is
    ``open`` when its launcher chooses where templates are read from, as before release 1.2.0. ``users`` are the
    provisioned products that use it, None where nobody asked.
    """

    id: str
    name: str
    description: str
    active: bool
    guidance: str
    digest: str
    open: bool = False
    users: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ObservedProduct:
    """A product of ours, with all its versions."""

    id: str
    fields: Mapping[str, str]
    tags: Mapping[str, str]
    versions: tuple[ObservedVersion, ...] = ()


@dataclass(frozen=True)
class ObservedConstraint:
    """A constraint in one of our portfolios; ``parameters`` is JSON."""

    id: str
    product_id: str
    type: str
    description: str
    parameters: str


@dataclass(frozen=True)
class ObservedShare:
    """A share of one of our portfolios; kinds as in catalog.yaml."""

    kind: str
    node: str
    tag_options: bool
    principals: bool


@dataclass(frozen=True)
class ObservedPortfolio:
    """A portfolio of ours; products by ID, tag options as pairs."""

    id: str
    fields: Mapping[str, str]
    tags: Mapping[str, str]
    product_ids: tuple[str, ...] = ()
    principals: tuple[tuple[str, str], ...] = ()
    tag_options: tuple[tuple[str, str], ...] = ()
    shares: tuple[ObservedShare, ...] = ()
    constraints: tuple[ObservedConstraint, ...] = ()


@dataclass(frozen=True)
class ObservedTagOption:
    """A tag option of the account, whoever made it: tag options say nothing of their maker."""

    id: str
    active: bool


@dataclass(frozen=True)
class ObservedStack:
    """A stack that the publication stands on.

    ``digest`` is that of its template and parameters as it was made, as its tag says; ``parameters`` are those it has.
    ``protected`` says whether CloudFormation refuses to delete it.
    """

    status: str
    digest: str
    parameters: Mapping[str, str]
    protected: bool = False


@dataclass(frozen=True)
class Unmanaged:
    """Something of the same name that this publisher did not make, or a second one that it did."""

    kind: str
    name: str
    id: str
    reason: str


@dataclass(frozen=True)
class Observed:
    """One region's catalog as it is.

    ``portfolios`` and ``products`` are ours by key; ``templates`` holds the digest of each product template that lies
    in the bucket under the version's key, and ``release_missing`` how many of the release's files are not there.
    ``roles`` are the names of the launch roles that exist, and ``role_stacks`` the stacks of launch roles by name;
    both only in the plan of the region that sees to the roles. ``held_back`` says why a product cannot leave a portfolio
    for another one yet, by the product's key.
    """

    roles: frozenset[str] = frozenset()
    role_stacks: Mapping[str, ObservedStack] = field(default_factory=dict)
    bucket_exists: bool = False
    bucket_stack: ObservedStack | None = None
    release_missing: int = 0
    templates: Mapping[str, str] = field(default_factory=dict)
    portfolios: Mapping[str, ObservedPortfolio] = field(default_factory=dict)
    products: Mapping[str, ObservedProduct] = field(default_factory=dict)
    tag_options: Mapping[tuple[str, str], ObservedTagOption] = field(default_factory=dict)
    unmanaged: tuple[Unmanaged, ...] = ()
    held_back: Mapping[str, str] = field(default_factory=dict)
