"""Relations, which checks_*.py register, and the faults by which faults_*.py prove that each can fail."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.checks.render import Rendered

# Templates by layer name, the root under "environment", as CloudFormation reads them.
Templates = dict[str, dict[str, Any]]
Relation = Callable[[Rendered], list[str]]
TemplateRelation = Callable[[Templates], list[str]]


@dataclass(frozen=True)
class Fault:
    """A fault, planted in a copy of a rendered variant, that its relation must find in a sentence that holds ``says``."""

    what: str
    found_by: Relation
    says: str
    plant: Callable[[Rendered], object]
    variant: str = "complete prod"


@dataclass(frozen=True)
class TemplateFault:
    """The same in a copy of the templates."""

    what: str
    found_by: TemplateRelation
    says: str
    plant: Callable[[Templates], object]


RELATIONS: list[Relation] = []
TEMPLATE_RELATIONS: list[TemplateRelation] = []


def relation(check: Callable[[Rendered], Iterable[str]]) -> Relation:
    """Register a relation of rendered environments; what it yields are findings, each a sentence."""

    @functools.wraps(check)
    def findings(rendered: Rendered) -> list[str]:
        return list(check(rendered))

    RELATIONS.append(findings)
    return findings


def template_relation(check: Callable[[Templates], Iterable[str]]) -> TemplateRelation:
    """Register a relation of the templates."""

    @functools.wraps(check)
    def findings(templates: Templates) -> list[str]:
        return list(check(templates))

    TEMPLATE_RELATIONS.append(findings)
    return findings
