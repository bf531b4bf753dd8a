"""Checks that find no mutant first: whether each finds any, among the mutants of what it reads."""

from __future__ import annotations

from collections.abc import Iterable

from tests.mutation.environment_checks import checks_for, fails_for
from tests.mutation.environment_run import VARIANTS, with_change
from tests.mutation.results import BY_ERROR
from tests.mutation.sample import mutants_of
from tests.relations.variants import rendered_variant


def idle(first: Iterable[str]) -> list[str]:
    """The checks of environments beside ``first``, the ones that find a mutant first."""
    known = set(first)
    return sorted({check.name for each in VARIANTS for check in checks_for(each)} - known)


def finds_any(name: str) -> str:
    """The first mutant that a check finds, by its key; empty if it finds none."""
    for variant in VARIANTS:
        rendered = rendered_variant(variant)
        for check in checks_for(variant):
            if check.name != name:
                continue
            for kind, job, change in mutants_of(variant):
                key = str((*change.path, "", "")[1 if change.path[:1] == ("Properties",) else 0])
                if not check.looks_at(job.layer, job.logical_id, key):
                    continue
                found = fails_for(check, with_change(rendered, job, change))
                if found and not found.endswith(BY_ERROR):
                    return f"{kind} {change.place or '(resource)'}: {change.operator}"
    return ""
