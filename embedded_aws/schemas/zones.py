"""The availability zones of each region, from the list of cfn-lint."""

import ast
import functools
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

_NAME = "AVAILABILITY_ZONES"


@functools.cache
def _zones() -> Mapping[str, Sequence[str]]:
    # Read from the source: the import of cfn-lint takes seconds.
    package = importlib.util.find_spec("cfnlint")
    if package is None or package.origin is None:
        raise RuntimeError("cfn-lint is not installed: the embedded AWS needs its list of zones")
    source = (Path(package.origin).parent / "helpers.py").read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and _NAME in map(ast.unparse, node.targets):
            zones: Mapping[str, Sequence[str]] = ast.literal_eval(node.value)
            return zones
    raise RuntimeError(f"cfn-lint has no {_NAME}: the embedded AWS needs its list of zones")


def zones_of(region: str) -> list[str]:
    """The names of a region's availability zones; empty if cfn-lint does not know the region."""
    return sorted(_zones().get(region, ()))
