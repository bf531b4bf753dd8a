"""Relations, which checks_*.py register, and the faults of faults_*.py, which prove that each can fail."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from pipeline.checks.render import Rendered
from tests import planted_faults
from tests.rendering import MissingValueError

# Templates by layer name, the root under "environment", as CloudFormation reads them.
Templates = dict[str, dict[str, Any]]
Relation = Callable[[Rendered], list[str]]
TemplateRelation = Callable[[Templates], list[str]]


Fault = planted_faults.Fault[Rendered, Relation]
TemplateFault = planted_faults.Fault[Templates, TemplateRelation]

# Modules whose name begins with this register relations; the rest of the name is the area of their IDs.
CHECKS = "checks_"
RELATIONS: list[Relation] = []
TEMPLATE_RELATIONS: list[TemplateRelation] = []


def relation(check: Callable[[Rendered], Iterable[str]]) -> Relation:
    """Register a relation of rendered environments; it yields findings, each a sentence.

    A value that it reads and that is missing is its last finding.
    """

    @functools.wraps(check)
    def findings(rendered: Rendered) -> list[str]:
        found: list[str] = []
        try:
            found.extend(check(rendered))
        except MissingValueError as missing:
            found.append(str(missing))
        return found

    RELATIONS.append(findings)
    return findings


def template_relation(check: Callable[[Templates], Iterable[str]]) -> TemplateRelation:
    """Register a relation of the templates."""

    @functools.wraps(check)
    def findings(templates: Templates) -> list[str]:
        return list(check(templates))

    TEMPLATE_RELATIONS.append(findings)
    return findings
