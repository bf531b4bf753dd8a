"""The checks that promises name: relations by their IDs on docs/checks.md, tests by file and function, and attempts of docs/rights.md.

An attempt is ``attempt PRINCIPAL: WHAT IT TRIES``: tests/attacks shows that it is refused, and that it succeeds without its guard.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from pipeline.paths import PROJECT_FOLDER
from tests.attacks.products import LAUNCHES
from tests.attacks.table import ATTACKS
from tests.relations.page import identity
from tests.relations.registry import RELATIONS, TEMPLATE_RELATIONS, Relation

TESTS = PROJECT_FOLDER / "tests"
SEPARATOR, ATTEMPT = "::", "attempt "
ATTEMPTS = frozenset(f"{ATTEMPT}{each}" for each in (*ATTACKS, *LAUNCHES))
# What makes a test pass or fail, apart from an assertion.
EXPECTED_ERROR = frozenset({"raises", "fail"})
NEVER_RUN = frozenset({"skip", "skipif", "xfail"})
Function = tuple[Path, str]


@cache
def relations() -> dict[str, Relation]:
    """The relations of rendered environments by ID; importing their page registers them all."""
    return {identity(check): check for check in RELATIONS}


@cache
def template_relations() -> frozenset[str]:
    """The IDs of the relations of templates."""
    return frozenset(identity(check) for check in TEMPLATE_RELATIONS)


def problem(name: str) -> str:
    """What is wrong with the name of a check; empty if the check exists and can fail."""
    if name.startswith(ATTEMPT):
        return "" if name in ATTEMPTS else f"tests/attacks makes no {name!r}."
    if SEPARATOR not in name:
        known = name in relations() or name in template_relations()
        return "" if known else f"docs/checks.md has no relation {name!r}."
    file, _, function = name.partition(SEPARATOR)
    path = TESTS / file
    if not path.is_file():
        return f"tests/{file} does not exist."
    found = functions(path).get(function)
    if found is None or not function.startswith("test_"):
        return f"tests/{file} has no test {function!r}."
    if names(found.decorator_list) & NEVER_RUN:
        return f"tests/{file} does not run {function!r} everywhere."
    return "" if can_fail(path, function) else f"{name} asserts nothing."


@cache
def functions(path: Path) -> dict[str, ast.FunctionDef]:
    """The functions of a module by name, methods among them."""
    return {node.name: node for node in ast.walk(_tree(path)) if isinstance(node, ast.FunctionDef)}


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path: Path) -> dict[str, Path]:
    """The modules of the tests from which a module imports names, by name."""
    found: dict[str, Path] = {}
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
            source = PROJECT_FOLDER / f"{(node.module or '').replace('.', '/')}.py"
            found |= {alias.name: source for alias in node.names if source.is_file()}
    return found


def can_fail(path: Path, name: str, seen: frozenset[Function] = frozenset()) -> bool:
    """Whether a function asserts something, or expects or raises an error, itself or in a function that it calls."""
    function = functions(path).get(name)
    if function is None or (path, name) in seen:
        return False
    nodes = list(ast.walk(function))
    if any(isinstance(node, ast.Assert | ast.Raise) for node in nodes):
        return True
    called = names([node.func for node in nodes if isinstance(node, ast.Call)])
    if called & EXPECTED_ERROR:
        return True
    seen |= {(path, name)}
    # A method can be of a class of any module that is imported.
    others = sorted({path, *imported(path).values()})
    return any(
        can_fail(place, each, seen)
        for each in sorted(called)
        for place in ([imported(path)[each]] if each in imported(path) else others)
    )


def names(expressions: list[ast.expr]) -> set[str]:
    """The names in expressions, such as ``raises`` in ``pytest.raises``."""
    nodes = [node for each in expressions for node in ast.walk(each)]
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)} | {
        node.id for node in nodes if isinstance(node, ast.Name)
    }
