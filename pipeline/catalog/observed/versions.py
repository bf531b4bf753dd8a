"""Read the versions of a product, and the provisioned products that use them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pipeline.aws import token_pages
from pipeline.catalog.desired.catalog import Desired, DesiredProduct
from pipeline.catalog.observed.model import Observed, ObservedVersion, digest_in, is_open
from pipeline.catalog.observed.version_order import versions_to_retire

Detail = Mapping[str, Any]


def observed_versions(
    catalog: Any, desired: Desired, stored: Observed, key: str, identity: str
) -> tuple[ObservedVersion, ...]:
    """The versions of a product, and the users of the versions to retire."""
    wanted = desired.products.get(key)
    details = catalog.list_provisioning_artifacts(ProductId=identity)
    versions = tuple(
        observed_version(catalog, stored, wanted, identity, entry)
        for entry in details["ProvisioningArtifactDetails"]
    )
    if wanted and (old := versions_to_retire(versions, wanted, desired.versions_kept)):
        users = users_of(catalog, identity)
        versions = tuple(
            replace(version, users=users.get(version.id, ())) if version in old else version
            for version in versions
        )
    return versions


def observed_version(
    catalog: Any, stored: Observed, wanted: DesiredProduct | None, product: str, entry: Detail
) -> ObservedVersion:
    """A version.

    If its description was changed in the console, the URL of its template identifies the version that this release
    publishes.
    """
    digest = digest_in(entry.get("Description", ""))
    if not digest and wanted and entry["Name"] == wanted.version.name:
        key = wanted.version.key
        if template_url(catalog, product, entry["Id"]).endswith(f"/{key}"):
            digest = stored.templates.get(key, "")
    return ObservedVersion(
        open=is_open(entry.get("Description", "")),
        id=entry["Id"],
        name=entry["Name"],
        description=entry.get("Description", ""),
        active=entry.get("Active", True),
        guidance=entry.get("Guidance", "DEFAULT"),
        digest=digest,
    )


def template_url(catalog: Any, product: str, version: str) -> str:
    """The URL of a version's template; empty if Service Catalog does not return it."""
    info: Mapping[str, str] = catalog.describe_provisioning_artifact(
        ProductId=product, ProvisioningArtifactId=version
    ).get("Info", {})
    return info.get("TemplateUrl") or info.get("LoadTemplateFromURL") or ""


def users_of(catalog: Any, product: str) -> dict[str, tuple[str, ...]]:
    """The names of the provisioned products of each version of a product, by the version's ID."""
    users: dict[str, tuple[str, ...]] = {}
    for entry in provisioned_products(catalog, product):
        version = entry["ProvisioningArtifactId"]
        users[version] = (*users.get(version, ()), f"{entry['Name']} ({entry['Id']})")
    return users


def provisioned_products(catalog: Any, product: str) -> Iterable[Detail]:
    """Every provisioned product of a product, of all users."""
    entries = token_pages(
        catalog.search_provisioned_products,
        "ProvisionedProducts",
        AccessLevelFilter={"Key": "Account", "Value": "self"},
        Filters={"SearchQuery": [f"productId:{product}"]},
        PageSize=100,
    )
    return (entry for entry in entries if entry["ProductId"] == product)
