"""The project's own checks of rendered environments, as functions; no golden file is among them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType

import tests.seed
from pipeline.checks.render import Rendered
from tests.mutation import other_checks
from tests.mutation.results import BY_ERROR
from tests.mutation.watching import EVERYTHING, USUAL, Read, watched
from tests.relations import proofs
from tests.relations.page import identity
from tests.relations.registry import RELATIONS
from tests.relations.variants import rendered_variant

# Fixtures of tests/conftest.py and tests/seed/conftest.py that are rendered environments. A test gets the mutant for
# its environment, and the others as they are.
ENVIRONMENTS = ("dev", "staging", "prod")
OF_ANY = ("rendered", "complete")
assert proofs  # registers the relations


@dataclass
class Check:
    """A check: its ID, and why a rendered environment does not pass; ``reads`` is what it looked at.

    ``counts`` says whether a resource matters to it whose properties it does not read.
    """

    name: str
    finds: Callable[[Rendered], bool]
    reads: set[Read] = field(default_factory=set)
    counts: bool = True

    def looks_at(self, layer: str, logical_id: str, key: str) -> bool:
        """Whether a change of a property or attribute can change the result; without a key the resource is removed."""
        if not key:
            return self.counts or any(
                read[:2] == (layer, logical_id) and read[2] not in USUAL for read in self.reads
            )
        return (layer, logical_id, key) in self.reads or (
            (layer, logical_id, EVERYTHING) in self.reads and key not in USUAL
        )


def relation_checks() -> list[Check]:
    """The relations of rendered environments."""

    def finds(relation: Callable[[Rendered], list[str]]) -> Callable[[Rendered], bool]:
        return lambda rendered: bool(relation(rendered))

    return [Check(identity(each), finds(each)) for each in RELATIONS]


def seed_checks() -> list[Check]:
    """The tests of the requested architecture that need rendered environments only."""
    found = []
    for module in pkgutil.iter_modules(tests.seed.__path__):
        if module.name.startswith("test_"):
            found += tests_of(importlib.import_module(f"{tests.seed.__name__}.{module.name}"))
    return found


def further_checks() -> list[Check]:
    """The attempts of tests/attacks, the relations of the boot script, and tests of other areas."""
    return [
        *(Check(name, finds, counts=False) for name, finds in other_checks.attempts()),
        *(Check(name, finds) for name, finds in other_checks.boot()),
        *(check for module in other_checks.modules() for check in tests_of(module)),
    ]


def tests_of(module: ModuleType) -> list[Check]:
    """The tests of a module whose arguments are rendered environments."""
    found = []
    for name, test in vars(module).items():
        if not (name.startswith("test_") and callable(test)):
            continue
        arguments = tuple(inspect.signature(test).parameters)
        if arguments and set(arguments) <= {*OF_ANY, *ENVIRONMENTS}:
            area = module.__name__.removeprefix("tests.").replace(".test_", "/")
            found.append(Check(f"{area}.{name.removeprefix('test_')}", fails(test, arguments)))
    return found


def fails(test: Callable[..., None], arguments: tuple[str, ...]) -> Callable[[Rendered], bool]:
    """Whether a test fails with a rendered environment."""

    def finds(rendered: Rendered) -> bool:
        if not {*OF_ANY, rendered.environment} & set(arguments):
            return False
        test(
            *(
                rendered
                if name in OF_ANY or name == rendered.environment
                else rendered_variant(name)
                for name in arguments
            )
        )
        return False

    return finds


def fails_for(check: Check, rendered: Rendered) -> str:
    """How a check finds a fault: by its name with a finding or an assertion, marked if it raises another error; empty if it does not."""
    try:
        return check.name if check.finds(rendered) else ""
    except AssertionError:
        return check.name
    except Exception:
        return f"{check.name}{BY_ERROR}"


def first_of(checks: Iterable[Check], rendered: Rendered) -> tuple[str, ...]:
    """The first check with a finding; only if there is none, the first that raises an error."""
    raised = ""
    for check in checks:
        found = fails_for(check, rendered)
        if found and not found.endswith(BY_ERROR):
            return (found,)
        raised = raised or found
    return (raised,) if raised else ()


@cache
def checks_for(variant: str) -> tuple[Check, ...]:
    """The checks that a variant passes, those that read least first."""
    rendered = rendered_variant(variant)
    found = []
    for check in (*relation_checks(), *seed_checks(), *further_checks()):
        if not fails_for(check, watched(rendered, check.reads)):
            found.append(check)
    return tuple(sorted(found, key=lambda check: (len(check.reads), check.name)))
