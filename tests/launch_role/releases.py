"""Rendered environments of this release and of the kept ones, for tests of all of them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from pipeline.checks.render import Rendered, render
from pipeline.release.assemble import Release
from templates_src.core.layer import Layer
from templates_src.environment import ROOT
from tests.launch_role.evaluation import REGION
from tests.relations.variants import VARIANTS, rendered_variant
from tests.releases.kept import Kept, declarations, folders, read

KEPT = tuple(folder.name for folder in folders())
ENVIRONMENTS = ("dev", "staging", "prod")
# Each environment of each kept release, and each variant of this one.
EVERY = (
    *((version, name) for version in KEPT for name in ENVIRONMENTS),
    *(("", v) for v in VARIANTS),
)


@cache
def environment_of(version: str, name: str) -> Rendered:
    """An environment of a kept release, or a variant of this one if the version is empty; read only."""
    if not version:
        return rendered_variant(name)
    kept = kept_release(version)
    return render(with_layers(kept), name, REGION, profiles=kept.profiles)


@cache
def kept_release(version: str) -> Kept:
    """A kept release; read only."""
    (folder,) = (folder for folder in folders() if folder.name == version)
    return read(folder)


def with_layers(kept: Kept) -> Release:
    """A kept release whose layers have their parameters, which rendering needs."""
    layers = []
    for name, template in kept.templates.items():
        if name == ROOT or "launch" in name or "release-bucket" in name:
            continue
        layer = Layer(name, template["Description"], common=())
        for declaration in declarations(template).values():
            layer.parameter(declaration)
        layers.append(layer)
    return replace(kept.release, layers=tuple(layers))
