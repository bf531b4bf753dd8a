"""Build a release: the templates as bytes, their content hash, and their prefix in the release bucket."""

from __future__ import annotations

import configparser
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from troposphere.awslambda import Function

from pipeline.errors import PipelineError
from pipeline.paths import DIST, FUNCTIONS, MANIFEST, SETUP_CFG
from pipeline.release.function_packages import build_functions
from pipeline.release.names import check_names_fit
from templates_src import environment
from templates_src.access.launcher import launcher_role
from templates_src.access.publisher import publisher_role
from templates_src.access.taskcat import taskcat_role
from templates_src.core.errors import TemplateError
from templates_src.core.layer import Layer
from templates_src.core.policy_size import check_policies
from templates_src.launch_role.template import launch_role
from templates_src.release_bucket.template import release_bucket

RELEASE_NAME = "carbon-connect"
# CloudFormation's quotas: a template in the request, a template in S3, and the number of its sections' entries.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_REQUEST_BYTES = 51_200
MAX_TEMPLATE_BYTES = 1_000_000
MAX_RESOURCES = 500
MAX_PARAMETERS = 200
MAX_OUTPUTS = 200
LINE_LENGTH = 100
PACKED_LINE_LENGTH = 150
# Placeholder in the root while its own hash is computed; the hash cannot contain itself.
UNNAMED_PREFIX = "unnamed/"


@dataclass(frozen=True)
class Release:
    """Every template and function of one version.

    ``files`` maps a path below the prefix, such as ``templates/network.template.json``, to its bytes. ``bootstrap_stacks``
    holds the templates of the account's bootstrap stacks in the same form: they are deployed once and belong to no release.
    """

    version: str
    digest: str
    root: Layer
    layers: tuple[Layer, ...]
    files: Mapping[str, bytes]
    bootstrap_stacks: Mapping[str, bytes]

    @property
    def prefix(self) -> str:
        """The release's prefix in its bucket: version and content hash, so that different content has a different prefix."""
        return release_prefix(self.version, self.digest)

    @cached_property
    def root_body(self) -> str:
        """The root template as text."""
        return self.files[template_path(self.root.name)].decode()

    def manifest(self) -> bytes:
        """Version, prefix and the SHA-256 of every file, as JSON."""
        return serialize(
            {
                "Generated": "by build.py: do not edit",
                "Version": self.version,
                "Prefix": self.prefix,
                "Files": {
                    path: hashlib.sha256(body).hexdigest() for path, body in self.files.items()
                },
            }
        )


def assemble(version: str | None = None, functions: Path | None = None) -> Release:
    """Build every template, and pack every function that has changed into dist/functions.

    With ``functions`` the release contains the zips of that folder unchanged. Raises PipelineError for a template that
    cannot be built or is too large for CloudFormation, and for a function that cannot be packed or has no zip.
    """
    packages = packed() if functions is None else zips(functions)
    version = version or project_version()
    try:
        layers = environment.layers()
        root = environment.environment(layers, release_prefix=UNNAMED_PREFIX, version=version)
        check_names_fit([root, *layers])
        files = {template_path(layer.name): serialize(layer.document()) for layer in layers}
        files |= {f"{FUNCTIONS.name}/{path.name}": path.read_bytes() for path in packages}
        require_packages([root, *layers], files)
        digest = content_digest({**files, template_path(root.name): serialize(root.document())})
        prefix = release_prefix(version, digest)
        root = environment.environment(layers, release_prefix=prefix, version=version)
        files = {template_path(root.name): serialize(root.document()), **files}
        bases = bootstrap_layers(layers)
        check_policies([root, *layers])
        for base in bases:
            check_policies([base])
        bootstrap_stacks = {
            template_path(base.name): serialize(base.document(), packed=True) for base in bases
        }
    except (TemplateError, AttributeError, ValueError, TypeError) as error:
        # troposphere raises the last three for a missing or unknown property of a resource.
        raise PipelineError(f"{' '.join(str(error).split()).rstrip('.')}.") from error
    for layer in (root, *layers):
        check_quotas(layer, len(files[template_path(layer.name)]), MAX_TEMPLATE_BYTES)
    for base in bases:
        # The request contains them, because the account has no release bucket yet.
        check_quotas(base, len(bootstrap_stacks[template_path(base.name)]), MAX_REQUEST_BYTES)
    return Release(version, digest, root, tuple(layers), files, bootstrap_stacks)


def bootstrap_layers(layers: Sequence[Layer]) -> list[Layer]:
    """The templates of the account's bootstrap stacks."""
    return [
        launch_role(),
        release_bucket(),
        launcher_role(layers),
        publisher_role(),
        taskcat_role(),
    ]


def packed() -> list[Path]:
    """The zips in dist/functions, packed from the working tree's sources."""
    return sorted(build_functions(known=manifest_hashes(DIST)).values())


def manifest_hashes(dist: Path) -> dict[str, str]:
    """The SHA-256 of each function zip in the manifest of the last build, by file name."""
    try:
        files = json.loads((dist / MANIFEST.name).read_bytes())["Files"]
    except (OSError, ValueError, KeyError):
        # The first build, or a manifest with merge conflicts: every zip is read.
        return {}
    return {Path(name).name: digest for name, digest in files.items() if name.endswith(".zip")}


def require_packages(layers: Sequence[Layer], files: Mapping[str, bytes]) -> None:
    """Raise PipelineError for a release without the code of one of its functions."""
    for layer in layers:
        for logical_id, resource in layer.template.resources.items():
            if resource.resource_type == Function.resource_type:
                name = resource.properties["Handler"].split(".")[1]
                if f"{FUNCTIONS.name}/{name}.zip" not in files:
                    raise PipelineError(
                        f"Function {name} ({logical_id} of layer {layer.name}) has no {FUNCTIONS.name}/{name}.zip; run `build`."
                    )


def project_version() -> str:
    """The version in setup.cfg."""
    settings = configparser.ConfigParser()
    settings.read(SETUP_CFG, encoding="utf-8")
    return settings["metadata"]["version"]


def release_prefix(version: str, digest: str) -> str:
    """Prefix of a release in its bucket."""
    return f"{RELEASE_NAME}/{version}-{digest}/"


def template_path(name: str) -> str:
    """Path of a template below the release's prefix."""
    return f"{environment.TEMPLATE_FOLDER}/{name}{environment.TEMPLATE_SUFFIX}"


def zips(folder: Path) -> list[Path]:
    """The function zips in a folder, sorted."""
    return sorted(folder.glob("*.zip"))


def serialize(document: Mapping[str, object], *, packed: bool = False) -> bytes:
    """A template or manifest as the committed bytes, which are the same on every machine.

    A value that fits a line is on one line, for review. ``packed`` fills the lines of a list of texts, indents nothing and
    writes no space after a comma or colon: the many actions of the launch role must fit the 51,200 bytes of a request.
    """
    return (_text(document, "", packed=packed) + "\n").encode()


def _text(value: object, indent: str, *, packed: bool) -> str:
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":") if packed else None)
    length = PACKED_LINE_LENGTH if packed else LINE_LENGTH
    if len(indent) + len(line) <= length or not isinstance(value, dict | list) or not value:
        return line
    inner = "" if packed else indent + " "
    if isinstance(value, list):
        if packed and all(isinstance(item, str) for item in value):
            items = _filled([json.dumps(item) for item in value])
        else:
            items = [inner + _text(item, inner, packed=packed) for item in value]
        return "[\n" + ",\n".join(items) + f"\n{indent}]"
    colon = ":" if packed else ": "
    items = [
        f"{inner}{json.dumps(key)}{colon}{_text(item, inner, packed=packed)}"
        for key, item in value.items()
    ]
    return "{\n" + ",\n".join(items) + f"\n{indent}}}"


def _filled(items: Sequence[str]) -> list[str]:
    """Lines of items, each as full as possible."""
    lines = [items[0]]
    for item in items[1:]:
        if len(lines[-1]) + len(item) + 1 <= PACKED_LINE_LENGTH:
            lines[-1] += f",{item}"
        else:
            lines.append(item)
    return lines


def content_digest(files: Mapping[str, bytes]) -> str:
    """Twelve hexadecimal digits that identify this content."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.encode() + b"\0" + hashlib.sha256(files[path]).digest())
    return digest.hexdigest()[:12]


def check_quotas(layer: Layer, size: int, most_bytes: int) -> None:
    """Raise PipelineError for a template over one of CloudFormation's quotas."""
    template = layer.template
    for what, count, most in (
        ("bytes", size, most_bytes),
        ("resources", len(template.resources), MAX_RESOURCES),
        ("parameters", len(template.parameters), MAX_PARAMETERS),
        ("outputs", len(template.outputs), MAX_OUTPUTS),
    ):
        if count > most:
            raise PipelineError(
                f"Template {layer.name} has {count:,} {what}, but CloudFormation accepts {most:,}; move some to another layer."
            )


def write(release: Release, dist: Path = DIST) -> list[Path]:
    """Write templates and manifest below ``dist``; returns the files whose bytes changed.

    Function zips exist already: a zip counts as changed if its hash in the manifest changed. The template of a removed
    layer is deleted.
    """
    before = manifest_hashes(dist)
    templates = {**release.files, **release.bootstrap_stacks}
    wanted = {dist / path: body for path, body in templates.items() if path.endswith(".json")}
    wanted[dist / "manifest.json"] = release.manifest()
    changed = [
        dist / path
        for path, body in release.files.items()
        if path.endswith(".zip") and before.get(Path(path).name) != hashlib.sha256(body).hexdigest()
    ]
    for path, body in wanted.items():
        if not path.exists() or path.read_bytes() != body:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
            changed.append(path)
    for path in (dist / environment.TEMPLATE_FOLDER).glob(f"*{environment.TEMPLATE_SUFFIX}"):
        if path not in wanted:
            path.unlink()
            changed.append(path)
    return changed
