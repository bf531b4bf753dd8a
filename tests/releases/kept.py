"""The releases before this one, read from their folders: templates, profiles, and the version that follows each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.catalog.observed.version_order import version_order
from pipeline.paths import FUNCTIONS, MANIFEST, PARAMETERS
from pipeline.release.assemble import Release, template_path
from templates_src.core.layer import Layer
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import RELEASE_BUCKET, RELEASE_PREFIX
from templates_src.environment import ROOT, TEMPLATE_FOLDER, TEMPLATE_SUFFIX

RELEASES = Path(__file__).parent
# The content of a kept release's folder besides the profiles: the files of `build.py build` and the function zips in dist/.
OF_DIST = (TEMPLATE_FOLDER, FUNCTIONS.name, MANIFEST.name)
SUCCESSOR = "successor"
INTERFACE = "AWS::CloudFormation::Interface"


@dataclass(frozen=True)
class Kept:
    """A kept release."""

    folder: Path
    release: Release

    @property
    def profiles(self) -> Path:
        """Its profiles."""
        return self.folder / PARAMETERS.name

    @property
    def templates(self) -> dict[str, dict[str, Any]]:
        """Every template by its layer's name, as CloudFormation reads it."""
        return templates_of({**self.release.files, **self.release.bootstrap_stacks})


def folders(releases: Path = RELEASES) -> list[Path]:
    """The folders of the kept releases, oldest version first; empty before the second release."""
    found = [path.parent for path in releases.glob(f"*/{MANIFEST.name}")]
    return sorted(found, key=lambda folder: version_order(folder.name))


def kept(releases: Path = RELEASES) -> Kept:
    """The release directly before this one."""
    return read(folders(releases)[-1])


def read(folder: Path) -> Kept:
    """A release from its folder. Its root has only parameters."""
    manifest = json.loads((folder / MANIFEST.name).read_text(encoding="utf-8"))
    files = {path: (folder / path).read_bytes() for path in manifest["Files"]}
    release = Release(
        version=manifest["Version"],
        digest=manifest["Prefix"].rstrip("/").rpartition("-")[2],
        root=declared(json.loads(files[template_path(ROOT)])),
        layers=(),
        files=files,
        bootstrap_stacks={
            found: path.read_bytes()
            for path in (folder / TEMPLATE_FOLDER).iterdir()
            if (found := f"{TEMPLATE_FOLDER}/{path.name}") not in files
        },
    )
    return Kept(folder, release)


def successor_of(folder: Path) -> str:
    """The version that setup.cfg was raised to when the release was kept."""
    return (folder / SUCCESSOR).read_text(encoding="utf-8").strip()


def declared(root: Mapping[str, Any]) -> Layer:
    """A root template's parameters as they were declared."""
    layer = Layer(ROOT, root["Description"], common=())
    for declaration in declarations(root).values():
        layer.parameter(declaration)
    return layer


def declarations(template: Mapping[str, Any]) -> dict[str, Declaration]:
    """The declarations that a template's parameters come from, by name."""
    interface = template["Metadata"][INTERFACE]
    groups = {
        name: group["Label"]["default"]
        for group in interface["ParameterGroups"]
        for name in group["Parameters"]
    }
    return {
        name: Declaration(
            name=name,
            group=groups[name],
            label=interface["ParameterLabels"][name]["default"],
            description=body["Description"],
            type=body["Type"],
            default=body.get("Default"),
            allowed=tuple(body.get("AllowedValues", ())),
            pattern=body.get("AllowedPattern"),
            message=body.get("ConstraintDescription"),
            min_length=body.get("MinLength"),
            max_length=body.get("MaxLength"),
            min_value=body.get("MinValue"),
            max_value=body.get("MaxValue"),
            release=name in {RELEASE_BUCKET.name, RELEASE_PREFIX.name},
        )
        for name, body in template["Parameters"].items()
    }


def templates_of(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """The templates among a release's files, by their layers' names."""
    return {
        path.removeprefix(f"{TEMPLATE_FOLDER}/").removesuffix(TEMPLATE_SUFFIX): json.loads(body)
        for path, body in files.items()
        if path.startswith(f"{TEMPLATE_FOLDER}/")
    }
