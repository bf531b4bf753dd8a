"""Attempts that a property of a resource refuses, and no policy."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.attacks.attack import Attack
from tests.attacks.inside import SEARCH, dev, prod
from tests.attacks.launched import Launched
from tests.attacks.outside import DEPLOY, OUTSIDER
from tests.rendering import named

METADATA = ("LaunchTemplateData", "MetadataOptions")
PUBLIC = ("PublicAccessBlockConfiguration",)


@dataclass(frozen=True)
class Setting:
    """An attempt that succeeds unless a property of a resource has one value; the guard is ``RESOURCE: NAME VALUE``."""

    resource: str
    properties: Mapping[str, Any]
    path: tuple[str, ...]
    value: str

    def reasons(self) -> tuple[str, ...]:
        """The guard if the property has the value."""
        found: Any = self.properties
        for key in self.path:
            found = found.get(key, {})
        return (self._guard(),) if str(found).lower() == self.value.lower() else ()

    def without(self, guard: str) -> Setting:
        """The attempt without the property. Raises ValueError for another guard."""
        if guard != self._guard():
            raise ValueError(f"{self.resource} has no guard {guard}.")
        properties: Any = copy.deepcopy(dict(self.properties))
        holder = properties
        for key in self.path[:-1]:
            holder = holder[key]
        del holder[self.path[-1]]
        return replace(self, properties=properties)

    def _guard(self) -> str:
        return f"{self.resource}: {self.path[-1]} {self.value}"


def setting(
    principal: str,
    name: str,
    resource: str,
    path: tuple[str, ...],
    value: str,
    of: Callable[[], Launched] = prod,
) -> Attack:
    """An attempt on an environment whose resource has a setting."""
    return Attack(
        principal,
        name,
        lambda: Setting(resource, named(of().rendered, resource).properties, path, value),
        (f"{resource}: {path[-1]} {value}",),
    )


SETTINGS = (
    setting(SEARCH, "fetches the credentials of its role for a forged request", "SearchLaunchTemplate", (*METADATA, "HttpTokens"), "required"),
    setting(SEARCH, "fetches the credentials of its role from within the container", "SearchLaunchTemplate", (*METADATA, "HttpPutResponseHopLimit"), "1"),
    setting(DEPLOY, "pushes another image with a running tag", "ImageRepositoryOfEnvironment", ("ImageTagMutability",), "IMMUTABLE", dev),
    setting(OUTSIDER, "connects to the database from the internet", "Database", ("PubliclyAccessible",), "false"),
    setting(OUTSIDER, "reads a document whose access list is public", "DocumentsBucket", (*PUBLIC, "IgnorePublicAcls"), "true"),
    setting(OUTSIDER, "reads media under a policy that is public", "MediaBucket", (*PUBLIC, "RestrictPublicBuckets"), "true"),
)  # fmt: skip
