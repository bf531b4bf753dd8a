"""The template of each product: the console shows exactly what a launch creates."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.catalog.desired.launch_roles import LaunchRole, by_product, launch_roles
from pipeline.catalog.desired.product_profiles import profile_values, project_of
from pipeline.catalog.desired.written_in import without_parameter
from pipeline.catalog.spec.model import Catalog, Product
from pipeline.errors import listed
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import RELEASE_NAME as PROJECT_NAME
from pipeline.release.assemble import Release, serialize, template_path
from templates_src.core.parameters.shared import (
    ENVIRONMENT,
    PERMISSIONS_BOUNDARY,
    PROJECT,
    RELEASE_BUCKET,
    RELEASE_PREFIX,
)
from templates_src.environment import TEMPLATE_SUFFIX

# A launcher chooses neither the source of templates and code nor the permissions boundary of the roles. An update
# does not keep their values of the previous version.
WRITTEN_IN = (RELEASE_BUCKET, RELEASE_PREFIX, PERMISSIONS_BOUNDARY)


def product_templates(
    release: Release, catalog: Catalog, bucket: str, profiles: Path = PARAMETERS
) -> dict[str, bytes]:
    """The template of each product by its key; each reads nested templates and function code only from ``bucket``.

    Raises PipelineError for a profile, layer or parameter that catalog.yaml names and the release does not have.
    """
    project = project_of(release, catalog, profiles)
    roles = by_product(catalog, launch_roles(release, catalog, profiles))
    return {
        product.key: serialize(
            product_template(release, product, bucket, profiles, roles[product.key], project)
        )
        for product in catalog.products
    }


def product_template(
    release: Release,
    product: Product,
    bucket: str,
    profiles: Path = PARAMETERS,
    role: LaunchRole | None = None,
    project: str = "",
) -> dict[str, Any]:
    """One product's template: a layer, or the root with the values of the profile as defaults.

    ``role`` is the launch role: its environments are the only values that a layer accepts, and its boundary limits
    every role of the product. ``project`` is the only value of Project. Without a role there is no boundary; without a
    project, Project accepts any value.
    """
    if product.layer:
        check_layer(release, product)
        name, values = product.layer, dict[str, str]()
        environments: Sequence[str] = role.environments if role else ()
    else:
        name, values = release.root.name, profile_values(release, product, profiles)
        environments = (values[ENVIRONMENT.name],)
    body: dict[str, Any] = copy.deepcopy(json.loads(release.files[template_path(name)]))
    if product.layer:
        body["Description"] = f"{body['Description']} ({PROJECT_NAME} {release.version})"
    for parameter, value in values.items():
        if parameter in body["Parameters"]:
            body["Parameters"][parameter]["Default"] = value
    # The launch role creates resources of this project and environment only.
    if environments:
        restrict_values(body, ENVIRONMENT.name, environments, product)
    if project:
        restrict_values(body, PROJECT.name, (project,), product)
    written = {
        RELEASE_BUCKET: bucket,
        RELEASE_PREFIX: release.prefix,
        PERMISSIONS_BOUNDARY: role.boundary if role else "",
    }
    for source in WRITTEN_IN:
        body = without_parameter(body, source.name, written[source])
    return body


def check_layer(release: Release, product: Product) -> None:
    """Raise PipelineError for a product of a layer that the release does not have."""
    layers = [layer.name for layer in release.layers]
    if product.layer not in layers:
        raise product.refuse(
            product.layer, f"but the release has no such layer; the layers are {listed(layers)}."
        )


def restrict_values(
    body: dict[str, Any], name: str, values: Sequence[str], product: Product
) -> None:
    """Restrict a parameter to some values: the stack of development must not become production, for example.

    The default is one of the values.
    """
    if name not in body["Parameters"]:
        return
    parameter = body["Parameters"][name]
    parameter["AllowedValues"] = list(values)
    if parameter.get("Default") not in values:
        parameter["Default"] = values[0]
    choices = values[0] if len(values) == 1 else f"one of {', '.join(values)}"
    verb = "is" if len(values) == 1 else "must be"
    parameter["ConstraintDescription"] = f"{name} {verb} {choices} in {product.name}."


def fixed_rules(
    release: Release, product: Product, profiles: Path = PARAMETERS
) -> dict[str, Any] | None:
    """The rules that limit a product's parameters to the values of its profile, as the content of a TEMPLATE constraint; None without rules."""
    if not product.fixed:
        return None
    values = profile_values(release, product, profiles)
    for name in product.fixed:
        if name in {source.name for source in WRITTEN_IN}:
            raise product.refuse(
                name,
                "which is a fixed value in the product's template and not a parameter; remove it.",
            )
        if name not in values:
            raise product.refuse(name, "which is not a parameter of an environment.")
    return {
        "Rules": {
            f"{name}IsFixed": {
                "Assertions": [
                    {
                        "Assert": {"Fn::Contains": [[values[name]], {"Ref": name}]},
                        "AssertDescription": f"{name} must be {values[name]} in {product.name}.",
                    }
                ]
            }
            for name in product.fixed
        }
    }


def product_key(version: str, product: str) -> str:
    """The key of a product's template in the release bucket.

    The key contains the version and no hash. The first write takes the version, and S3 itself rejects other bytes under
    the key, also from two publishers at the same time.
    """
    return f"{products_prefix(version)}{product}{TEMPLATE_SUFFIX}"


def products_prefix(version: str) -> str:
    """Prefix of a version's product templates."""
    return f"{PROJECT_NAME}/products/{version}/"


def template_digest(body: bytes) -> str:
    """Sixteen hexadecimal digits that identify the bytes of a template; part of a version's description."""
    return hashlib.sha256(body).hexdigest()[:16]
