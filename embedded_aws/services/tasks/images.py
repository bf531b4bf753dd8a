"""Images of tasks: whether they exist in ECR, and which program stands for their content.

ECR has the manifests of images here, and no layers. An OCI manifest can carry an annotation with a program of this machine:

    {"schemaVersion": 2, "annotations": {"embedded-aws.program": "{\"directory\": \"/path\", \"environment\": {…}}"}}

A task of such an image runs the command of its container in that directory, with these variables in addition to those of the
task definition. A task of another image prints one line and ends with exit code 0.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from embedded_aws.bridge import tables

ANNOTATION = "embedded-aws.program"
_OF_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<name>[^:@]+)[:@](?P<version>.+)"
)


@dataclass(frozen=True)
class Program:
    """Where the commands of an image run, and the variables that the image itself sets."""

    directory: str
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Image:
    """An image that can be pulled; `repository` is the name of its ECR repository, empty for another registry."""

    digest: str = ""
    repository: str = ""
    program: Program | None = None


def find(reference: str) -> Image | None:
    """The image of a reference, None if its repository has no such tag or digest. Images of other registries exist."""
    of_ecr = _OF_ECR.fullmatch(reference)
    if of_ecr is None:
        return Image()
    images = tables.IMAGES.scoped(of_ecr["account"], of_ecr["region"], of_ecr["name"]) or ()
    for image in images:
        if of_ecr["version"] in (image["imageDigest"], *image.get("imageTags", ())):
            return Image(
                image["imageDigest"], of_ecr["name"], _program(image.get("imageManifest", ""))
            )
    return None


def _program(manifest: str) -> Program | None:
    try:
        document: Any = json.loads(manifest)
        described = json.loads(document["annotations"][ANNOTATION])
    except (ValueError, KeyError, TypeError):
        return None
    return Program(described["directory"], described.get("environment", {}))
