"""Checks outside the relations and the seed: attempts that are refused, the boot of the search server, and tests of environments."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from types import ModuleType

from pipeline.checks.render import Rendered
from tests.attacks.attack import Attack, findings
from tests.attacks.launched import Launched, replaced
from tests.attacks.table import ATTACKS
from tests.relations.search import checks_boot

# Modules outside tests/seed with tests of rendered environments that need nothing else.
MODULES = ("tests.contract.test_document", "tests.functions.test_development_certificate_stack")
Finds = Callable[[Rendered], bool]


def modules() -> Iterator[ModuleType]:
    """The modules of ``MODULES``."""
    return map(importlib.import_module, MODULES)


def attempts() -> Iterator[tuple[str, Finds]]:
    """Each attempt of tests/attacks: it meets the mutant as its environment, with the usual other environments."""
    for attack in ATTACKS:
        yield f"attacks/{attack}", attempt(attack)


def attempt(attack: Attack) -> Finds:
    """Whether an attempt on an environment is not refused exactly by its guards."""

    def finds(rendered: Rendered) -> bool:
        with replaced(_launched(rendered)):
            return bool(findings(attack))

    return finds


# The last environment, since all attempts follow each other with the same one.
_LAST: list[tuple[Rendered, Launched]] = []


def _launched(rendered: Rendered) -> Launched:
    if not _LAST or _LAST[0][0] is not rendered:
        _LAST[:] = [(rendered, Launched(rendered))]
    return _LAST[0][1]


def boot() -> Iterator[tuple[str, Finds]]:
    """The relations between the search server and its boot script."""

    def finds(check: checks_boot.Check) -> Finds:
        return lambda rendered: any(check(rendered))

    for check in checks_boot.CHECKS:
        yield f"boot/{check.__name__.replace('_', '-')}", finds(check)
