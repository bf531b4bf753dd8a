"""docs/parameters.md is up to date, and the descriptions in the console agree with the engine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from pipeline.pages.reference.effects import Effect, Effects, Kind
from pipeline.pages.reference.page import PAGE, grouped, shown, text
from pipeline.pages.reference.transitions import EXAMPLES
from pipeline.parameters import relations
from pipeline.release.assemble import Release
from templates_src.core.parameters.declaration import Declaration

# The words that a description must contain if the engine reports an effect, and must not contain otherwise.
SAYS: tuple[tuple[Kind, str, str], ...] = (
    (Kind.REFUSED, "", r"\brefuses\b|cannot shrink"),
    (Kind.LOSES, "empty|snapshot", r"\bREPLACES\b|empty cache"),
    (Kind.LOSES, "deleted|loses", r"\bdeletes\b|\blost\b"),
    (Kind.LOSES, "another value", r"\b[Aa]nother\b"),
    (Kind.STAYS, "", r"\bstays\b"),
    (Kind.REPLACED, "", r"(?i)\breplaces\b|\brefuses\b"),
    (Kind.INTERRUPTED, "task stops", r"\bbeat pauses\b"),
    (Kind.INTERRUPTED, "search", r"\bsearch is unavailable\b"),
    (Kind.INTERRUPTED, "database", r"\brestarts\b"),
    (Kind.INTERRUPTED, "[Cc]lients", r"\bclients reconnect\b"),
)
# Words that belong to only one effect.
CLAIMS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    (r"\brefuses a change\b|cannot shrink", (Kind.REFUSED,)),
    (r"\bREPLACES\b|empty cache", (Kind.LOSES,)),
    (r"\bdeletes\b", (Kind.LOSES, Kind.DELETED)),
    (r"\bbeat pauses\b|\bis unavailable\b|\brestarts\b|\breconnect\b", (Kind.INTERRUPTED,)),
    (r"\bstarts new tasks\b", (Kind.DEPLOYED,)),
)
# A group with more parameters is split; the versions of all secrets belong together.
MOST_IN_A_GROUP = 8
ROTATION = "Rotation of passwords and keys"


def contradictions(declaration: Declaration, effects: list[Effect]) -> Iterator[str]:
    """The effects that a description omits or invents."""
    kept = shown(effects)
    for effect in kept:
        for kind, what, words in SAYS:
            if (
                effect.kind is kind
                and re.search(what, effect.what)
                and not re.search(words, declaration.description)
            ):
                yield f"{declaration.name}: the description says nothing of: {effect}"
    for words, kinds in CLAIMS:
        claimed = re.search(words, declaration.description)
        if claimed and not any(effect.kind in kinds for effect in kept):
            yield f"{declaration.name}: the description says {claimed.group()!r}, which the engine does not report."
    if "interrupts nothing" in declaration.description and any(
        effect.kind is Kind.INTERRUPTED for effect in kept
    ):
        yield f"{declaration.name}: the description denies an interruption."


@pytest.fixture(scope="module")
def reference(release: Release) -> Effects:
    return Effects(release)


@pytest.fixture(scope="module")
def effects(reference: Effects) -> Mapping[str, list[Effect]]:
    return reference.all()


def test_page_is_current(
    release: Release, reference: Effects, effects: Mapping[str, list[Effect]]
) -> None:
    assert PAGE.read_text(encoding="utf-8") == text(release, effects, reference.profiles), (
        "run python -m pipeline.pages.reference.page"
    )


def test_descriptions_agree_with_the_engine(
    release: Release, effects: Mapping[str, list[Effect]]
) -> None:
    found = [
        sentence
        for name, each in effects.items()
        for sentence in contradictions(release.root.declarations[name], each)
    ]
    assert found == []


@pytest.mark.parametrize(
    "name",
    [
        "VpcCidr",
        "AvailabilityZones",
        "Project",
        "ImageRepository",
        "AlarmEmail",
        "GitHubRepository",
        "DatabaseName",
        "DatabaseInstanceClass",
        "DatabaseBackupRetentionDays",
        "CacheMode",
        "CacheNodeType",
        "SearchKeyVersion",
        "ImageTag",
    ],
)
def test_description_without_an_effect_is_found(
    release: Release, effects: Mapping[str, list[Effect]], name: str
) -> None:
    silent = replace(release.root.declarations[name], description="What it is.")

    assert list(contradictions(silent, effects[name]))


@pytest.mark.parametrize(
    "claim", ["A change REPLACES the database.", "RDS refuses a change.", "The database restarts."]
)
def test_a_wrong_description_is_found(
    release: Release, effects: Mapping[str, list[Effect]], claim: str
) -> None:
    wrong = replace(release.root.declarations["WafRateLimit"], description=claim)

    assert list(contradictions(wrong, effects["WafRateLimit"]))


def test_related_parameters_name_each_other(release: Release) -> None:
    for pair in (*relations.ORDERED, *relations.CEILINGS, *relations.STRICTLY_ORDERED):
        for one, other in (pair, pair[::-1]):
            assert other in release.root.declarations[one].description


def test_groups_have_few_parameters(release: Release) -> None:
    groups = grouped(release.root)

    assert {"Database", "Cache", "Documents and media", "Search", "Image", "API", "Workers"} <= {
        *groups
    }
    crowded = {
        group: len(names)
        for group, names in groups.items()
        if len(names) > MOST_IN_A_GROUP and group != ROTATION
    }
    assert crowded == {}


def test_examples_are_of_parameters(release: Release) -> None:
    assert EXAMPLES.keys() - release.root.declarations.keys() == set()
