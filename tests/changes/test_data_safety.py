"""Each row of docs/data-safety.md agrees with the engine, and each resource and parameter that concerns data has a row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch

import pytest

from pipeline.changes.change import Action, Change, Fate
from pipeline.changes.engine import compare
from pipeline.changes.sides import Side, of_release
from pipeline.changes.state import Resource, evaluate
from pipeline.changes.updates import facts
from pipeline.changes.updates.fates import fate_of_deletion, fate_of_replacement
from pipeline.pages.reference.effects import Effect, Effects, Kind
from pipeline.parameters.profiles import load_profile, profile_names
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from templates_src.core.parameters import groups
from tests.changes.cases import SNAPSHOT_ID
from tests.conftest import REGION

PAGE = (PROJECT_FOLDER / "docs" / "data-safety.md").read_text(encoding="utf-8")
F = Fate
# The words on the page for each fate of data.
WORDS: Mapping[Fate, str] = {
    F.RETAINED: r"\bstays?\b|\bstops\b",
    F.SNAPSHOT: r"\bsnapshot\b",
    F.LOST: r"\bdeleted\b|\bempty\b|\bnew value\b|\bnever\b",
    F.NONE: "",
    F.REFUSED: r"\brefused\b",
}
REPLACED, DELETED = 2, 5
# All resources with data, or that data depends on, in any environment.
EVERYTHING: Mapping[str, Mapping[str, str]] = {
    "dev": {
        "AccessLogs": "true",
        "GitHubRepository": "acme/app",
        "EnableExecuteCommand": "true",
        "ReadonlyRootFilesystem": "false",
    },
    "prod": {"SearchSnapshotId": SNAPSHOT_ID},
}


@dataclass(frozen=True)
class Row:
    """A row of the first table: its resources, by patterns of their names, and the fate of their data."""

    resources: tuple[str, ...]
    replaced: Fate
    deleted: Fate


# Rows in the order of the page; None, with the reason, for a row without a resource in the templates.
ROWS: Mapping[str, Row | str] = {
    "KMS key": Row(("Security.Key",), F.RETAINED, F.RETAINED),
    "database": Row(("Data.Database",), F.SNAPSHOT, F.SNAPSHOT),
    "cache, serverless": Row(("Data.ServerlessCache",), F.REFUSED, F.LOST),
    "cache, replication group": Row(("Data.CacheReplicationGroup",), F.SNAPSHOT, F.SNAPSHOT),
    "cache, another mode": "the change of CacheMode, below",
    "documents, media": Row(("Data.DocumentsBucket", "Data.MediaBucket"), F.RETAINED, F.RETAINED),
    "access logs": Row(("Edge.AccessLogBucket",), F.RETAINED, F.RETAINED),
    "search volume": Row(("Data.*SearchVolume",), F.RETAINED, F.RETAINED),
    "snapshots of the search volume": "a lifecycle policy makes them",
    "generated secrets": Row(("Security.*[!y]Secret", "Security.S*KeySecret"), F.LOST, F.LOST),
    "API keys that you set": Row(("Security.*ApiKeySecret",), F.LOST, F.LOST),
    "roles in the database, and the owners of its objects": "the database holds them",
    "URLs of database and cache": Row(("Data.DatabaseUrl", "Data.CacheUrl"), F.NONE, F.NONE),
    "self-signed certificate": "a function makes it",
    "image repository": Row(("Compute.ImageRepositoryOfEnvironment",), F.RETAINED, F.RETAINED),
    "GitHub's OIDC provider": Row(("Security.GitHubOidcProvider",), F.RETAINED, F.RETAINED),
    "log groups of the stack": Row(
        ("[CDEM]*LogGroup", "LaunchCheckLogGroup", "Security.VpcFlowLogGroup"), F.LOST, F.LOST
    ),
    "flow logs of 1.0 and 1.1": Row(("Network.FlowLogGroup",), F.LOST, F.LOST),
    "log groups that RDS creates": "RDS makes them",
}


NEVER = "never"
# The resources of rows that ROWS leaves out.
MADE: Mapping[str, tuple[str, ...]] = {"self-signed certificate": ("Edge.DevelopmentCertificate",)}
# The words that the page uses for each effect, and only for it.
EFFECTS: Mapping[Kind, str] = {
    Kind.LOSES: r"\bempty\b|\bdeleted\b|\bdeletes\b|\breplaces\b|\bother\b",
    Kind.REFUSED: r"\bfails\b|^refused:",
    Kind.STAYS: r"\bstays?\b",
}
# Parameters that replace a secret: docs/rotation.md and the row of generated secrets describe them together.
ROTATION = re.compile(r"(?!ApplicationSettings)\w+Version")


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by their first cell."""
    below = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in below.splitlines() if line.startswith("|")][2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row for row in rows}


@pytest.fixture(scope="module")
def side(release: Release) -> Side:
    """The release of the working tree."""
    return of_release(release, {name: load_profile(release.root, name) for name in profile_names()})


@pytest.fixture(scope="module")
def stateful(side: Side) -> dict[str, list[Resource]]:
    """All resources with data in dev and prod, by name."""
    found: dict[str, list[Resource]] = {}
    for environment, values in EVERYTHING.items():
        for name, resource in evaluate(side.state(environment, REGION, **values)).resources.items():
            if resource.kind in facts.STATEFUL:
                found.setdefault(str(name), []).append(resource)
    return found


def rows_of(name: str) -> list[str]:
    return [
        title
        for title, row in ROWS.items()
        if isinstance(row, Row) and any(fnmatch(name, pattern) for pattern in row.resources)
    ]


def test_page_has_the_rows() -> None:
    assert list(ROWS) == list(table("At a glance"))


def test_each_resource_with_data_has_one_row(stateful: dict[str, list[Resource]]) -> None:
    assert {name: rows_of(name) for name in stateful if len(rows_of(name)) != 1} == {}


@pytest.mark.parametrize("title", [title for title, row in ROWS.items() if isinstance(row, Row)])
def test_row_agrees_with_the_engine(title: str, stateful: dict[str, list[Resource]]) -> None:
    row, cells = ROWS[title], table("At a glance")[title]
    assert isinstance(row, Row)
    resources = [
        resource
        for name, found in stateful.items()
        if title in rows_of(name)
        # The page says what deletion protection does below its tables.
        for resource in found
    ]

    assert resources
    for resource in resources:
        assert fate_of_deletion(resource)[0] is row.deleted, resource.name
        replaced = fate_of_replacement(resource, resource)[0]
        # Its name is taken: tests/changes/cases.py has the verdict.
        assert row.replaced in {replaced, Fate.REFUSED}, resource.name
    for column, fate in ((REPLACED, row.replaced), (DELETED, row.deleted)):
        assert re.search(WORDS[fate], cells[column]), (cells[column], fate)


def parameters() -> dict[str, str]:
    """The effect that the page gives for each parameter."""
    return {
        name: row[1]
        for title, row in table("Before you change a parameter").items()
        for name in re.findall(r"`(\w+)`", title)
    }


@pytest.fixture(scope="module")
def every_effect(release: Release) -> dict[str, list[Effect]]:
    """The effects of each parameter."""
    return Effects(release).all()


@pytest.fixture(scope="module")
def effects(every_effect: dict[str, list[Effect]]) -> dict[str, set[Kind]]:
    """The effects on data, and refusals, of each parameter that has some."""
    found = {
        name: {effect.kind for effect in each} & EFFECTS.keys()
        for name, each in every_effect.items()
    }
    return {name: kinds for name, kinds in found.items() if kinds}


def patterns(title: str) -> tuple[str, ...]:
    row = ROWS[title]
    return row.resources if isinstance(row, Row) else MADE[title]


def replaces(effect: Effect) -> bool:
    return effect.kind is Kind.REPLACED or (
        effect.kind is Kind.LOSES and effect.what.startswith(Action.REPLACE.value)
    )


def test_no_parameter_replaces_what_the_page_says_is_never_replaced(
    every_effect: dict[str, list[Effect]],
) -> None:
    never = {title for title, cells in table("At a glance").items() if NEVER in cells[REPLACED]}
    names = [pattern for title in never for pattern in patterns(title)]

    assert len(never) == 5
    assert any(map(replaces, every_effect["DatabaseName"]))
    assert {
        (parameter, name)
        for parameter, found in every_effect.items()
        for effect in found
        if replaces(effect)
        for name in effect.resources
        if any(fnmatch(name, pattern) for pattern in names)
    } == set()


def rotations(release: Release) -> list[str]:
    """The parameters that replace a secret."""
    return [
        name
        for name, each in release.root.declarations.items()
        # The API keys are those of their providers: this version replaces tasks only.
        if each.group == groups.ROTATION and name.endswith("Version") and name != "ApiKeysVersion"
    ]


@pytest.mark.parametrize(("before", "after"), [("1", "2"), ("2", "1")], ids=["new", "used before"])
def test_each_number_of_a_rotation_generates_a_new_value(
    release: Release, side: Side, before: str, after: str
) -> None:
    assert len(rotations(release)) == 9
    for name in rotations(release):
        found = compare(
            side.state("dev", REGION, **{name: before}), side.state("dev", REGION, **{name: after})
        )

        (secret,) = (each for each in found if is_generated_secret(each))
        assert (secret.action, secret.fate) == (Action.REPLACE, Fate.LOST), name
        database = [each for each in found if str(each.name) == "Data.Database"]
        assert all((each.action, each.fate) == (Action.UPDATE, Fate.SAME) for each in database)
        assert bool(database) is (name == "DatabaseMasterCredentialsVersion")


def is_generated_secret(change: Change) -> bool:
    return str(change.name).startswith("Security.") and change.kind == facts.SECRET


def test_each_parameter_that_concerns_data_has_a_row(effects: dict[str, set[Kind]]) -> None:
    rotating = {name for name in effects if ROTATION.fullmatch(name)}

    assert parameters().keys() == effects.keys() - rotating
    assert all(effects[name] == {Kind.LOSES} for name in rotating)


def test_effect_of_a_parameter_agrees_with_the_engine(effects: dict[str, set[Kind]]) -> None:
    def wrong() -> Iterator[str]:
        for name, text in parameters().items():
            for kind in effects[name]:
                if not re.search(EFFECTS[kind], text):
                    yield f"{name}: the page says nothing of: {kind.value}"
            if Kind.REFUSED not in effects[name] and re.search(EFFECTS[Kind.REFUSED], text):
                yield f"{name}: the page says that an update fails"

    assert list(wrong()) == []
