"""Reading the published versions that are in use, with their templates and the values that their users gave.

It reads only what an update to a new version could break: nothing if the version is already published.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.aws import Aws, code_of
from pipeline.catalog.desired.catalog import Desired, DesiredProduct
from pipeline.catalog.desired.product_templates import product_key
from pipeline.catalog.observed.model import ObservedProduct, ObservedVersion
from pipeline.catalog.observed.version_order import version_order
from pipeline.catalog.observed.versions import provisioned_products
from pipeline.release.assemble import RELEASE_NAME as PROJECT_NAME
from pipeline.stacks.deploy import describe_stack
from templates_src.environment import TEMPLATE_FOLDER, TEMPLATE_SUFFIX

Template = Mapping[str, Any]
# The path of nested templates in a product's template.
_NESTED = re.compile(
    rf"({PROJECT_NAME}/[\w.-]+/{TEMPLATE_FOLDER}/)([\w-]+){re.escape(TEMPLATE_SUFFIX)}"
)


@dataclass(frozen=True)
class User:
    """A provisioned product, and the values of its stack's parameters."""

    name: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class VersionInUse:
    """A published version that an update would leave.

    ``root`` is the product's template, None where it is no longer in the bucket under ``key``; ``nested`` are the others, by
    name. ``users`` are the account's own; a version that is ``shared`` can have others, which are not visible.
    """

    name: str
    key: str
    root: Template | None = field(repr=False)
    nested: Mapping[str, Template] = field(repr=False)
    users: tuple[User, ...]
    shared: bool


def versions_in_use(
    aws: Aws, desired: Desired, products: Mapping[str, ObservedProduct]
) -> dict[str, tuple[VersionInUse, ...]]:
    """The older versions in use of each product that gets a new one, by the product's key."""
    bodies = Bodies(aws, desired.bucket)
    found = {}
    for key, product in products.items():
        wanted = desired.products.get(key)
        if wanted and wanted.version.name not in {version.name for version in product.versions}:
            shared = desired.is_shared(key)
            found[key] = tuple(_of_product(aws, bodies, wanted, product, shared=shared))
    return found


def _of_product(
    aws: Aws, bodies: Bodies, wanted: DesiredProduct, product: ObservedProduct, *, shared: bool
) -> Iterator[VersionInUse]:
    earlier = [version for version in product.versions if _is_older(version, wanted)]
    if not earlier:
        return
    entries = list(provisioned_products(aws.client("servicecatalog"), product.id))
    for version in earlier:
        users = tuple(
            User(entry["Name"], _values(aws, entry.get("PhysicalId", "")))
            for entry in entries
            if entry["ProvisioningArtifactId"] == version.id
        )
        if users or shared:
            key = product_key(version.name, wanted.key)
            root = bodies.read(key)
            yield VersionInUse(version.name, key, root, bodies.nested(root), users, shared)


def _is_older(version: ObservedVersion, wanted: DesiredProduct) -> bool:
    """Whether a version is managed and older than the desired one."""
    return bool(version.digest) and version_order(version.name) < version_order(wanted.version.name)


def _values(aws: Aws, stack: str) -> dict[str, str]:
    """The values of a stack's parameters; none if the launch created no stack, or the stack no longer exists."""
    described = describe_stack(aws, stack) if stack else None
    parameters = described.get("Parameters", []) if described else []
    return {each["ParameterKey"]: each["ParameterValue"] for each in parameters}


class Bodies:
    """The templates in a release bucket; each is read once."""

    def __init__(self, aws: Aws, bucket: str) -> None:
        self.aws, self.bucket = aws, bucket
        self.known: dict[str, Template | None] = {}

    def read(self, key: str) -> Template | None:
        """The template under a key; None if it does not exist."""
        if key not in self.known:
            self.known[key] = self._body(key)
        return self.known[key]

    def nested(self, root: Template | None) -> dict[str, Template]:
        """The templates that a product's template nests, by name, without missing ones."""
        places = set(_NESTED.findall(json.dumps(root)))
        bodies = {name: self.read(f"{place}{name}{TEMPLATE_SUFFIX}") for place, name in places}
        return {name: body for name, body in bodies.items() if body is not None}

    def _body(self, key: str) -> Template | None:
        from botocore.exceptions import ClientError

        try:
            answer = self.aws.client("s3").get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if code_of(error) in {"NoSuchKey", "NoSuchBucket"}:
                return None
            raise
        found: Template = json.loads(answer["Body"].read())
        return found
