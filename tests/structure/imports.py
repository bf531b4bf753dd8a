"""Imports between the project's modules, read from the source, and the rules that they break."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from tests.structure.rooms import BUILDINGS, MOST_IN_A_FOLDER, NEVER_IMPORTED, Building

# The modules that each module imports, those in functions and for type checkers included.
Graph = Mapping[str, frozenset[str]]


def graph_of(project: Path, appended: Mapping[str, str] | None = None) -> Graph:
    """Return the imports of every module of the buildings, by dotted name.

    ``appended`` holds source to read at the end of a file, by the path from the project; a new path is a new module.
    """
    more = appended or {}
    files = {name: path for path in _files(project, more) if (name := _name(project, path))}
    sources = {
        name: (path.read_text(encoding="utf-8") if path.exists() else "")
        + f"\n{more.get(str(path.relative_to(project)), '')}\n"
        for name, path in files.items()
    }
    return {name: frozenset(_imported(name, text, files)) for name, text in sources.items()}


def broken_rules(graph: Graph) -> list[str]:
    """Return a sentence for each import and each room that violates the table; empty if none does."""
    return [*_unknown_rooms(graph), *_wrong_imports(graph), *_cycles(graph)]


def crowded_folders(project: Path) -> list[str]:
    """Return a sentence for each folder with too many modules and subfolders."""
    found = []
    for building in _whole_buildings():
        root = project / building.name
        for folder in (each.parent for each in root.rglob("__init__.py")):
            entries = [each.name for each in folder.iterdir() if _is_entry(each)]
            if len(entries) > MOST_IN_A_FOLDER:
                found.append(
                    f"{folder.relative_to(project)} holds {len(entries)} modules and subfolders; "
                    f"split it, {MOST_IN_A_FOLDER} are the most."
                )
    return sorted(found)


def _whole_buildings() -> list[Building]:
    """The buildings that are not in another one."""
    return [building for building in BUILDINGS if "." not in building.name]


def _is_entry(path: Path) -> bool:
    if path.is_dir():
        return (path / "__init__.py").exists()
    return path.suffix == ".py" and path.name != "__init__.py"


def _files(project: Path, more: Iterable[str]) -> Iterator[Path]:
    for building in _whole_buildings():
        single = project / f"{building.name}.py"
        yield from [single] if single.exists() else (project / building.name).rglob("*.py")
    yield from (project / path for path in more)


def _name(project: Path, path: Path) -> str:
    parts = path.relative_to(project).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(importer: str, source: str, known: Mapping[str, Path]) -> Iterator[str]:
    for module, member in _imports(source):
        whole = f"{module}.{member}" if member else module
        name = whole if whole in known else module
        if (name in known and name != importer) or name.partition(".")[0] in NEVER_IMPORTED:
            yield name


@cache
def _imports(source: str) -> tuple[tuple[str, str], ...]:
    """Each import of a source as module and member; a source without changes is parsed once."""
    found: list[tuple[str, str]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [(node.module, alias.name) for alias in node.names]
    return tuple(found)


def _rooms(module: str) -> dict[str, str]:
    """The room of a module by the name of each of its buildings; a building itself has no room."""
    return {
        building.name: module[len(building.name) + 1 :].partition(".")[0]
        for building in BUILDINGS
        if module.startswith(f"{building.name}.")
    }


def _floors() -> dict[tuple[str, str], int]:
    return {
        (building.name, room): number
        for building in BUILDINGS
        for number, floor in enumerate(building.floors)
        for room in floor
    }


def _unknown_rooms(graph: Graph) -> Iterator[str]:
    floors = _floors()
    rooms = {place for module in graph for place in _rooms(module).items()}
    for building, room in sorted(rooms - floors.keys()):
        yield f"{building}.{room} is not in the table of tests/structure/rooms.py; give it a floor."
    for building, room in sorted(floors.keys() - rooms - {("build", "build")}):
        yield f"{building}.{room} is in the table of tests/structure/rooms.py and does not exist."


def _wrong_imports(graph: Graph) -> Iterator[str]:
    floors, uses = _floors(), {building.name: building.uses for building in BUILDINGS}
    for importer, imported in sorted(graph.items()):
        building, rooms = importer.partition(".")[0], _rooms(importer)
        for module in sorted(imported):
            there = module.partition(".")[0]
            if there != building:
                if not {there, ".".join(module.split(".")[:2])} & uses[building]:
                    yield f"{importer} imports {module}: {building} must not use {there}."
                continue
            for shared, its_room in _rooms(module).items():
                room = rooms.get(shared, its_room)
                if room != its_room and floors.get((shared, its_room), 0) >= floors.get(
                    (shared, room), 0
                ):
                    yield f"{importer} imports {module}: {its_room} is not on a lower floor than {room}."


def _cycles(graph: Graph) -> Iterator[str]:
    """Every module in an import cycle."""
    for module in sorted(graph):
        reached = _reachable(graph[module], graph)
        if module in reached:
            circle = sorted(
                each for each in reached if module in _reachable(graph.get(each, ()), graph)
            )
            if module == circle[0]:
                yield f"{', '.join(circle)} import one another."


def _reachable(start: Iterable[str], graph: Graph) -> set[str]:
    reached: set[str] = set()
    waiting = list(start)
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting.extend(graph.get(module, ()))
    return reached
