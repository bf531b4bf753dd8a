"""The observed state of a region's Service Catalog that a publication needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.catalog.desired.written_in import WRITTEN_IN_TEXT

DEFAULT, DEPRECATED = "DEFAULT", "DEPRECATED"
_DIGEST = re.compile(r"template ([0-9a-f]{16})\b")


def digest_in(description: str) -> str:
    """The digest in a version's description; empty if it has none."""
    found = _DIGEST.search(description)
    return found[1] if found else ""


def is_open(description: str) -> bool:
    """Whether a managed version, by its description, accepts its template source as a parameter."""
    return bool(digest_in(description)) and WRITTEN_IN_TEXT not in description


@dataclass(frozen=True)
class ObservedVersion:
    """A version.

    ``digest`` identifies the template, and is empty for an unmanaged version. A version is ``open`` if the launcher
    chooses the source of its templates, as before release 1.2.0. ``users`` are the provisioned products that use it,
    None if they were not read.
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
    """A managed product, with all its versions."""

    id: str
    fields: Mapping[str, str]
    tags: Mapping[str, str]
    versions: tuple[ObservedVersion, ...] = ()


@dataclass(frozen=True)
class ObservedConstraint:
    """A constraint in a managed portfolio; ``parameters`` is JSON."""

    id: str
    product_id: str
    type: str
    description: str
    parameters: str


@dataclass(frozen=True)
class ObservedShare:
    """A share of a managed portfolio; kinds as in catalog.yaml."""

    kind: str
    node: str
    tag_options: bool
    principals: bool


@dataclass(frozen=True)
class ObservedPortfolio:
    """A managed portfolio; products by ID, tag options as pairs."""

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
    """A tag option of the account, managed or not: tag options do not record who created them."""

    id: str
    active: bool


@dataclass(frozen=True)
class ObservedStack:
    """A bootstrap stack.

    ``digest`` is the digest of its template and parameters in its tag; ``parameters`` are its current ones.
    ``protected`` says whether termination protection is on.
    """

    status: str
    digest: str
    parameters: Mapping[str, str]
    protected: bool = False


@dataclass(frozen=True)
class Unmanaged:
    """An unmanaged resource with the name of a managed one, or a second resource with the same tags."""

    kind: str
    name: str
    id: str
    reason: str


@dataclass(frozen=True)
class Observed:
    """The observed state of one region.

    ``portfolios`` and ``products`` are the managed ones by key. ``templates`` holds the digest of each product template in
    the bucket under the version's key, and ``release_missing`` the number of missing files of the release. ``roles`` are
    the names of the existing launch roles and launcher roles, ``role_stacks`` and ``launcher_stacks`` their stacks by
    name; all only in the plan that contains the roles. ``held_back`` says why a product cannot move to another portfolio yet, by the product's key.
    """

    roles: frozenset[str] = frozenset()
    role_stacks: Mapping[str, ObservedStack] = field(default_factory=dict)
    launcher_stacks: Mapping[str, ObservedStack] = field(default_factory=dict)
    bucket_exists: bool = False
    bucket_stack: ObservedStack | None = None
    release_missing: int = 0
    templates: Mapping[str, str] = field(default_factory=dict)
    portfolios: Mapping[str, ObservedPortfolio] = field(default_factory=dict)
    products: Mapping[str, ObservedProduct] = field(default_factory=dict)
    tag_options: Mapping[tuple[str, str], ObservedTagOption] = field(default_factory=dict)
    unmanaged: tuple[Unmanaged, ...] = ()
    held_back: Mapping[str, str] = field(default_factory=dict)
