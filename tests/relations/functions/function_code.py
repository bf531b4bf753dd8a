"""What the code of a function reads: its modules, its settings, and the properties of a request."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import templates_src.functions

FUNCTIONS = Path(templates_src.functions.__path__[0])
PACKAGE = FUNCTIONS.name


def modules_of(folder: str) -> set[Path]:
    """The modules of a function, and those of this project that they import."""
    pending, found = list((FUNCTIONS / folder).glob("*.py")), set()
    while pending:
        path = pending.pop()
        if path in found:
            continue
        found.add(path)
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.ImportFrom):
                pending += imported(path, node)
    return found


@cache
def texts_of(folder: str) -> frozenset[str]:
    """The attributes and texts of a function's modules."""
    return frozenset(word for path in modules_of(folder) for word in words_of(path))


def imported(path: Path, node: ast.ImportFrom) -> list[Path]:
    """The modules of the functions that an import of a module names, relative or by the name of the package."""
    steps = (node.module or "").split(".") if node.module else []
    if node.level:
        folder = path.parents[node.level - 1]
    elif PACKAGE in steps:
        folder, steps = FUNCTIONS, steps[steps.index(PACKAGE) + 1 :]
    else:
        return []
    names = [steps, *([*steps, each.name] for each in node.names)]
    files = (folder.joinpath(*name).with_suffix(".py") for name in names if name)
    return [file for file in files if file.is_file() and FUNCTIONS in file.parents]


@cache
def syntax(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def words_of(path: Path) -> Iterator[str]:
    """Attributes and texts of a module, among which are the calls."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def settings_of(folder: str) -> tuple[frozenset[str], frozenset[str]]:
    """The variables that a function's code requires, and every text in it."""
    needed, texts = set(), set()
    for path in (FUNCTIONS / folder).glob("*.py"):
        constants: dict[str, str] = {}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            if isinstance(node, ast.Assign):
                constants.update(assigned_texts(node))
            key: ast.AST | None = None
            if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
                key = node.slice
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "required":
                key = node.args[-1]
            if isinstance(key, ast.Constant):
                needed.add(str(key.value))
            elif isinstance(key, ast.Name) and key.id in constants:
                needed.add(constants[key.id])
    return frozenset(needed) - {"AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION"}, frozenset(texts)


def assigned_texts(node: ast.Assign) -> Iterator[tuple[str, str]]:
    """The names that an assignment gives to constants; one assignment can have several."""
    for target in node.targets:
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=True))
        for name, value in pairs:
            if isinstance(value, ast.Constant):
                yield ast.unparse(name), str(value.value)


@cache
def properties_of(folder: str) -> frozenset[str]:
    """The properties of a request that a function's code reads, also through its own functions."""
    trees = [syntax(path) for path in (FUNCTIONS / folder).glob("*.py")]
    readers = {name: position for tree in trees for name, position in reading_functions(tree)}
    found = set()
    for tree in trees:
        for node in ast.walk(tree):
            key = property_key(node)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in readers:
                key = node.args[readers[ast.unparse(node.func)]]
            if isinstance(key, ast.Constant) and str(key.value)[:1].isupper():
                found.add(str(key.value))
    return frozenset(found)


def property_key(node: ast.AST) -> ast.AST | None:
    """The key of a property that an expression reads, by subscript or get."""
    if isinstance(node, ast.Subscript) and is_properties(node.value):
        return node.slice
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "get"
        and is_properties(node.func.value)
    ):
        return node.args[0]
    return None


def reading_functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The functions that read the property whose name is an argument, with the position of the argument."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            names = [argument.arg for argument in function.args.args]
            for node in ast.walk(function):
                key = property_key(node)
                if isinstance(key, ast.Name) and key.id in names:
                    yield function.name, names.index(key.id)


def is_properties(node: ast.AST) -> bool:
    """Whether an expression is the properties of the request."""
    return ast.unparse(node).removeprefix("request.").lstrip("_").removeprefix("self._") == (
        "properties"
    )
