"""Relations of the values that an environment would have: the deployed values with the new ones."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.errors import PipelineError
from pipeline.parameters.relations import check_growth, check_region, check_relations
from templates_src.core.parameters.declaration import Declaration


def with_defaults(declared: Mapping[str, Declaration], values: Mapping[str, str]) -> dict[str, str]:
    """The values, and the default of every parameter that has none."""
    defaults = {
        name: declaration.default
        for name, declaration in declared.items()
        if declaration.default is not None
    }
    return {**defaults, **values}


def require_related(values: Mapping[str, str], region: str, where: str = "--set") -> None:
    """Refuse values of a launch that break a relation or belong to another region. Raises PipelineError."""
    _refuse(where, check_relations(values) or check_region(values, region))


def require_reachable(
    in_force: Mapping[str, str], values: Mapping[str, str], region: str, where: str = "--set"
) -> None:
    """Refuse values that an environment with the values ``in_force`` cannot change to.

    Parameters that are not among ``values`` keep theirs. Raises PipelineError.
    """
    require_related({**in_force, **values}, region, where)
    _refuse(where, check_growth(in_force, values))


def _refuse(where: str, reason: str | None) -> None:
    if reason:
        raise PipelineError(f"{where}: {reason}" if where else reason)
