"""The search server's templates match its boot script; planted faults prove each check."""

from __future__ import annotations

import copy
import re
from functools import cache

import pytest

from pipeline.checks.render import Rendered
from pipeline.release.assemble import assemble
from templates_src.compute.search.server import IMAGE
from tests.relations.search.checks_boot import CHECKS, SCRIPT, Check
from tests.relations.search.faults_boot import FAULTS, Fault
from tests.relations.variants import VARIANTS


@cache
def variant(name: str) -> Rendered:
    """A variant as it would be launched; read only."""
    return VARIANTS[name].render(assemble())


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_search_server_holds_to(check: Check, name: str) -> None:
    assert list(check(variant(name))) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_fault_is_found(fault: Fault) -> None:
    faulty = copy.deepcopy(variant(fault.variant))
    fault.plant(faulty)
    findings = list(fault.found_by(faulty))
    assert [finding for finding in findings if fault.says in finding], findings


def test_every_check_is_proven() -> None:
    assert {fault.found_by for fault in FAULTS} == set(CHECKS)


@pytest.mark.parametrize(
    ("image", "good"),
    [
        ("getmeili/meilisearch:v1.56.2", True),
        (f"getmeili/meilisearch:v1.56.2@sha256:{'0' * 64}", True),
        ("registry.example.com/search/meilisearch:v1.12.0", True),
        ("getmeili/meilisearch:v1.56", False),
        ("getmeili/meilisearch:latest", False),
        ("getmeili/meilisearch", False),
        ("getmeili/meilisearch:v1.56.2@sha256:0", False),
        ("getmeili/meilisearch:v1.56.2 --privileged", False),
    ],
)
def test_parameter_and_script_accept_the_same_images(image: str, good: bool) -> None:
    ending = re.search(r"IMAGE =~ (\S+) \]\]", SCRIPT)
    assert ending
    assert IMAGE.pattern
    assert bool(re.fullmatch(IMAGE.pattern, image)) is good
    assert bool(re.search(ending[1], image)) is good
