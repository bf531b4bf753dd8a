"""The template of each product: what the console shows is what will be launched."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.catalog.document import Catalog, Product
from pipeline.errors import Refusal, listed
from pipeline.parameters.profiles import load_profile, profile_names, shown
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


def product_templates(
    release: Release, catalog: Catalog, bucket: str, profiles: Path = PARAMETERS
) -> dict[str, bytes]:
    """The template of each product by its key; each reads nested templates and function code from ``bucket`` only.

    Raises Refusal for a profile, layer or parameter that catalog.yaml names and the release has not.
    """
    common = {
        PROJECT.name: project_of(release, catalog, profiles),
        PERMISSIONS_BOUNDARY.name: catalog.permissions_boundary,
    }
    return {
        product.key: serialize(product_template(release, product, bucket, profiles, common))
        for product in catalog.products
    }


def product_template(
    release: Release,
    product: Product,
    bucket: str,
    profiles: Path = PARAMETERS,
    common: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """One product's template: a layer's, or the root's with the profile's values as defaults.

    ``common`` is what the launch role is bound to: its Project is the only choice, and all of it the defaults of layers,
    which have no profile. Without it Project stays open.
    """
    if product.layer:
        layers = [layer.name for layer in release.layers]
        if product.layer not in layers:
            raise product.refuse(
                product.layer, f"which is no layer of the release; there are {listed(layers)}."
            )
        name, values = product.layer, dict(common or {})
    else:
        name, values = release.root.name, profile_values(release, product, profiles)
    body: dict[str, Any] = copy.deepcopy(json.loads(release.files[template_path(name)]))
    if product.profile:
        only(body, ENVIRONMENT.name, product.profile, product)
    else:
        body["Description"] = f"{body['Description']} ({PROJECT_NAME} {release.version})"
    for parameter, value in values.items():
        if parameter in body["Parameters"]:
            body["Parameters"][parameter]["Default"] = value
    # The launch role makes nothing of another project.
    if common:
        only(body, PROJECT.name, common[PROJECT.name], product)
    # A launcher chooses no source of templates and code, and an update keeps no previous version's source.
    for source, value in ((RELEASE_BUCKET, bucket), (RELEASE_PREFIX, release.prefix)):
        body = without_parameter(body, source.name, value)
    return body


def without_parameter(body: dict[str, Any], name: str, value: str) -> dict[str, Any]:
    """The template with a value written where it refers to a parameter, which it then no longer has."""
    if name not in body["Parameters"]:
        return body
    del body["Parameters"][name]
    interface = body["Metadata"]["AWS::CloudFormation::Interface"]
    del interface["ParameterLabels"][name]
    for group in interface["ParameterGroups"]:
        group["Parameters"] = [known for known in group["Parameters"] if known != name]
    interface["ParameterGroups"] = [
        group for group in interface["ParameterGroups"] if group["Parameters"]
    ]
    written: dict[str, Any] = _written(body, name, value)
    return written


def _written(part: Any, name: str, value: str) -> Any:
    if part == {"Ref": name}:
        return value
    if isinstance(part, list):
        return [_written(item, name, value) for item in part]
    if not isinstance(part, dict):
        return part
    found = {key: _written(item, name, value) for key, item in part.items()}
    if "Fn::Sub" in found:
        text, reference = found["Fn::Sub"], f"${{{name}}}"
        if isinstance(text, list):
            return {"Fn::Sub": [text[0].replace(reference, value), *text[1:]]}
        text = text.replace(reference, value)
        # cfn-lint wants no Sub without a variable.
        return {"Fn::Sub": text} if "${" in text else text
    return found


def profile_values(
    release: Release, product: Product, profiles: Path = PARAMETERS
) -> dict[str, str]:
    """The values of the product's profile."""
    if product.profile not in profile_names(profiles):
        raise product.refuse(
            product.profile, f"which is no profile; there are {listed(profile_names(profiles))}."
        )
    return load_profile(release.root, product.profile, profiles)


def project_of(release: Release, catalog: Catalog, profiles: Path = PARAMETERS) -> str:
    """The project whose environments are published: the profiles', or the default where there are layers only.

    Raises Refusal for profiles of several, because a launch role launches one.
    """
    found: dict[str, str] = {}
    for product in catalog.products:
        if product.profile:
            found[profile_values(release, product, profiles)[PROJECT.name]] = product.profile
    if len(found) > 1:
        (one, first), (other, second) = list(found.items())[:2]
        raise Refusal(
            f"{shown(profiles / f'{first}.json')} is of {PROJECT.name} {one!r} and {shown(profiles / f'{second}.json')} "
            f"of {other!r}, but a launch role launches one; give both the same, or publish from two accounts."
        )
    return next(iter(found), PROJECT.default or "")


def only(body: dict[str, Any], name: str, value: str, product: Product) -> None:
    """Leave one value as a parameter's only choice: development's stack must not end up as production, for instance."""
    if name in body["Parameters"]:
        body["Parameters"][name]["AllowedValues"] = [value]
        body["Parameters"][name]["ConstraintDescription"] = f"{name} is {value} in {product.name}."


def fixed_rules(
    release: Release, product: Product, profiles: Path = PARAMETERS
) -> dict[str, Any] | None:
    """The rules that hold a product's parameters to its profile, as a TEMPLATE constraint takes them; None without."""
    if not product.fixed:
        return None
    values = profile_values(release, product, profiles)
    unknown = [name for name in product.fixed if name not in values]
    if unknown:
        raise product.refuse(unknown[0], "which is no parameter of an environment.")
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
