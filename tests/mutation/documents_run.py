"""Mutants of catalog.yaml and taskcat.yml: what they launch, for whom, and with which values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from pipeline.paths import PROJECT_FOLDER
from tests.mutation.operators import DROP, replaced
from tests.mutation.results import Result
from tests.mutation.schema_nodes import Path
from tests.publishing import catalog_promises
from tests.relations.variants import built
from tests.taskcat import promises as taskcat_promises

Document = dict[str, Any]
# Texts for people, and settings of the programs themselves.
OUTSIDE = frozenset(
    {"description", "name", "owner", "support", "tags", "type"}
    | {"build_submodules", "shorten_stack_name"}
)
OUTSIDE_OPTIONS = frozenset({"shares", "tag_options", "regions", "versions_kept"})


def document_results() -> list[Result]:
    """The mutants of both files with the check that finds each."""
    release = built()
    taskcat = yaml.safe_load((PROJECT_FOLDER / "taskcat.yml").read_text(encoding="utf-8"))
    return [
        *_results(
            "catalog.yaml",
            catalog_promises.document(),
            lambda document: any(catalog_promises.broken_promises(document, release)),
        ),
        *_results(
            "taskcat.yml",
            taskcat,
            lambda document: any(taskcat_promises.broken_promises(document, release)),
        ),
    ]


def _results(kind: str, document: Document, broken: Callable[[Document], bool]) -> Iterator[Result]:
    assert not broken(document), kind
    for operator, path, mutant in mutants(document):
        try:
            found = broken(mutant)
        except Exception:
            found = True
        place = "/".join("*" if isinstance(step, int) else step for step in path)
        yield Result(kind, kind, place, operator, (f"{kind}/promises",) if found else ())


def mutants(document: Document) -> Iterator[tuple[str, Path, Document]]:
    """Every dropped value and element, and every text that names another of its kind."""
    texts = sorted({text for _, text in _texts(document, ())})
    for path, value in _parts(document, ()):
        yield "drop", path, replaced(document, path, DROP)
        if isinstance(value, str):
            other = next(
                (each for each in texts if each != value and each[:3] == value[:3]), "other"
            )
            yield "name another", path, replaced(document, path, other)


def _parts(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    items = (
        value.items()
        if isinstance(value, Mapping)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, part in items:
        if key in OUTSIDE | OUTSIDE_OPTIONS:
            continue
        yield (*path, key), part
        yield from _parts(part, (*path, key))


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    return ((each, part) for each, part in _parts(value, path) if isinstance(part, str))
