"""The template of each product: what the console shows is what will be launched."""

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
from pipeline.release.assemble import PRODUCT as PROJECT_NAME
from pipeline.release.assemble import Release, serialize, template_path
from templates_src.core.shared import (
    ENVIRONMENT,
    PERMISSIONS_BOUNDARY,
    PROJECT,
    RELEASE_BUCKET,
    RELEASE_PREFIX,
)
from templates_src.environment import TEMPLATE_SUFFIX

# A launcher chooses neither the source of templates and code nor what bounds the roles that a launch creates. An update
# keeps no previous version's value of them either.
WRITTEN_IN = (RELEASE_BUCKET, RELEASE_PREFIX, PERMISSIONS_BOUNDARY)


def product_templates(
    release: Release, catalog: Catalog, bucket: str, profiles: Path = PARAMETERS
) -> dict[str, bytes]:
    """The template of each product by its key; each reads nested templates and function code from ``bucket`` only.

    Raises PipelineError for a profile, layer or parameter that catalog.yaml names and the release has not.
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
    """One product's template: a layer's, or the root's with the profile's values as defaults.

    ``role`` is the launch role: the environments that it launches are a layer's only choices, and its boundary bounds
    every role of the product. ``project`` is the only choice of Project. Without a role there is no boundary, and without a
    project Project stays open.
    """
    if product.layer:
        layers = [layer.name for layer in release.layers]
        if product.layer not in layers:
            raise product.refuse(
                product.layer, f"which is no layer of the release; there are {listed(layers)}."
            )
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
    # The launch role creates nothing of another project or environment.
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


def restrict_values(
    body: dict[str, Any], name: str, values: Sequence[str], product: Product
) -> None:
    """Leave some values as a parameter's only choices: development's stack must not end up as production, for instance.

    The default is one of them.
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
    """The rules that hold a product's parameters to its profile, as a TEMPLATE constraint takes them; None without."""
    if not product.fixed:
        return None
    values = profile_values(release, product, profiles)
    for name in product.fixed:
        if name in {source.name for source in WRITTEN_IN}:
            raise product.refuse(
                name, "which is written into the product and is no parameter of it; remove it."
            )
        if name not in values:
            raise product.refuse(name, "which is no parameter of an environment.")
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
    """Where a product's template is kept in the release bucket.

    The key holds the version and no hash: whoever writes it first has taken the version, and other bytes under it
    are refused by S3 itself, also to two publishers at once.
    """
    return f"{products_prefix(version)}{product}{TEMPLATE_SUFFIX}"


def products_prefix(version: str) -> str:
    """Prefix of a version's product templates."""
    return f"{PROJECT_NAME}/products/{version}/"


def template_digest(body: bytes) -> str:
    """Sixteen hexadecimal digits that stand in a version's description and say which bytes it is."""
    return hashlib.sha256(body).hexdigest()[:16]
