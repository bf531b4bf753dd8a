"""Read the templates of a product's version from the release bucket."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from pipeline.aws import Aws, aws_errors
from pipeline.catalog.desired.product_templates import product_key
from pipeline.changes.state import STACK, State, template_name, with_defaults
from pipeline.checks.render import scope_of
from pipeline.environments.preview.deployed import Deployed
from pipeline.errors import PipelineError
from templates_src.environment import ROOT

_BUCKET = re.compile(r"https://([a-z0-9][a-z0-9.-]+)\.s3[.-]")

Template = Mapping[str, Any]


def offered_state(
    aws: Aws, deployed: Deployed, product: str, version: str, values: Mapping[str, str]
) -> State:
    """The state of a deployed environment after an update to a version of a product.

    ``product`` is the product's key in catalog.yaml. The version is in the bucket that the environment was launched from.
    Raises PipelineError if the credentials cannot read the bucket, or the version is not in it.
    """
    bucket = bucket_of(deployed)
    root = template(aws, bucket, product_key(version, product))
    templates: dict[str, Template] = {ROOT: root}
    given = with_defaults(root, known_values(root, values), "")
    for address in addresses(root, given, aws.region, deployed.stack):
        key = unquote(urlsplit(address).path).lstrip("/")
        templates[template_name(address)] = template(aws, bucket_in(address) or bucket, key)
    return State(templates, given, aws.region, ROOT)


def known_values(root: Template, values: Mapping[str, str]) -> dict[str, str]:
    """The values of parameters that a template has."""
    return {name: value for name, value in values.items() if name in root.get("Parameters", {})}


def bucket_of(deployed: Deployed) -> str:
    """The bucket that an environment was launched from. Raises PipelineError if its templates name none."""
    root = deployed.state.templates[ROOT]
    values = with_defaults(root, deployed.state.values, "")
    found = addresses(root, values, deployed.state.region, deployed.stack)
    bucket = next(filter(None, map(bucket_in, found)), "")
    if not bucket:
        raise PipelineError(
            f"Stack {deployed.stack} names no bucket of its nested templates, so the templates of another version cannot be found; launch with --direct."
        )
    return bucket


def addresses(root: Template, values: Mapping[str, str], region: str, stack: str) -> list[str]:
    """The TemplateURL of each nested stack of a root."""
    scope = scope_of(root, values, region, stack)
    return [
        str(scope.evaluate(resource["Properties"]["TemplateURL"]))
        for resource in root["Resources"].values()
        if resource["Type"] == STACK
    ]


def bucket_in(address: str) -> str:
    """The bucket of a virtual-hosted-style URL; empty for any other URL."""
    found = _BUCKET.match(address)
    return found.group(1) if found else ""


def template(aws: Aws, bucket: str, key: str) -> Template:
    """A template in a bucket. Raises PipelineError if it is missing, cannot be read or is not JSON."""
    with aws_errors(f"read template s3://{bucket}/{key}"):
        body = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        found: Template = json.loads(body)
    except ValueError as error:
        raise PipelineError(
            f"s3://{bucket}/{key} cannot be read as JSON: {error}; publish the version again."
        ) from error
    return found
