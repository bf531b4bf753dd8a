"""The order of versions, and the versions to retire."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.catalog.desired.catalog import DesiredProduct
from pipeline.catalog.observed.model import ObservedVersion


def version_order(name: str) -> tuple[tuple[int, ...], int, str]:
    """Sort key of version names by their numbers; 1.2.0-rc1 comes before 1.2.0."""
    found = re.match(r"\d+(?:\.\d+)*", name)
    numbers = tuple(int(number) for number in found[0].split(".")) if found else ()
    rest = name[found.end() :] if found else name
    return numbers, 0 if rest else 1, rest


def own_versions(versions: Iterable[ObservedVersion]) -> list[ObservedVersion]:
    """The managed versions."""
    return [version for version in versions if version.digest]


def newest_first(versions: Iterable[ObservedVersion], wanted: DesiredProduct) -> list[str]:
    """The names of the managed versions, newest first, with the desired one."""
    names = {version.name for version in own_versions(versions)} | {wanted.version.name}
    return sorted(names, key=version_order, reverse=True)


def versions_to_retire(
    versions: Iterable[ObservedVersion], wanted: DesiredProduct, kept: int
) -> list[ObservedVersion]:
    """The managed versions to retire when the desired one exists: those beyond the number kept, or open."""
    known = own_versions(versions)
    names = newest_first(known, wanted)[kept:]
    return [
        version
        for version in known
        if version.name in names or (version.open and version.name != wanted.version.name)
    ]
