"""Releases in which one layer fails at its end, after all of its other resources."""

from __future__ import annotations

from functools import cache
from typing import Any

from pipeline.release.assemble import Release
from templates_src.environment import ROOT
from tests.relations.variants import built
from tests.updates.faults import TAKEN
from tests.updates.update_paths import planted

FAULT = "Taken"


@cache
def failing(layer: str) -> Release:
    """The release with a log group in this layer whose name is taken."""

    def plant(templates: dict[str, dict[str, Any]]) -> None:
        resources = templates[layer]["Resources"]
        resources[FAULT] = {
            "Type": "AWS::Logs::LogGroup",
            "DependsOn": sorted(resources),
            "Properties": {"LogGroupName": TAKEN},
        }

    release = planted(built(), plant)
    return Release(
        version=f"{release.version}-{layer}",
        digest=release.digest,
        root=release.root,
        layers=release.layers,
        files=release.files,
        bootstrap_stacks=release.bootstrap_stacks,
    )


LAYERS = tuple(layer.name for layer in built().layers)
assert ROOT not in LAYERS
