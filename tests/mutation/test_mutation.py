"""A small run finds what a full run finds; each survivor in the list has a reason; the promises of both files hold."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipeline.changes.sides import side
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from tests.mutation import survivors
from tests.mutation.__main__ import judge
from tests.mutation.documents_run import mutants
from tests.mutation.environment_checks import Check, first_of, relation_checks
from tests.mutation.environment_run import Job, changes_of, with_change
from tests.mutation.operators import Mutator
from tests.mutation.reasons import EQUIVALENT
from tests.mutation.results import BY_ERROR, Result, area
from tests.mutation.sample import MOST_CHANGED_TEMPLATES, part, template_sample_of_changes
from tests.mutation.template_operators import changes
from tests.mutation.templates_run import ROLE_KIND, template_killers, templates
from tests.mutation.watching import watched
from tests.publishing import catalog_promises
from tests.relations.registry import RELATIONS
from tests.relations.search import checks_boot
from tests.relations.variants import rendered_variant
from tests.releases.kept import folders
from tests.taskcat import promises as taskcat_promises

# The list may only shrink: a run with --write removes entries, and this bound follows.
MOST_SURVIVORS = 35
VARIANT = "complete prod"


def test_every_survivor_has_a_reason() -> None:
    assert [key for key in sorted(survivors.listed()) if not survivors.reason(key)] == []
    assert len(survivors.listed()) <= MOST_SURVIVORS
    for pattern, _ in EQUIVALENT:
        assert any(map(pattern.fullmatch, survivors.listed())), pattern.pattern


def test_the_list_has_no_entry_that_the_former_release_lacks(tmp_path: Path) -> None:
    assert survivors.added_since(folders()[-1] / survivors.FILE.name) == []

    one, *others = sorted(survivors.listed())
    before = tmp_path / survivors.FILE.name
    before.write_text("\n".join(others), encoding="utf-8")
    assert survivors.added_since(before) == [one]


def test_operators_use_the_schema() -> None:
    body = rendered_variant(VARIANT).layers["data"]["Resources"]["Database"]

    found = {
        (each.place, each.operator) for each in Mutator("eu-north-1", lambda _: None).changes(body)
    }

    assert {
        ("StorageEncrypted", "flip"),
        ("BackupRetentionPeriod", "times ten"),
        ("EngineLifecycleSupport", "drop"),
        ("EnableCloudwatchLogsExports/*", "drop element"),
        ("DeletionPolicy", "drop"),
        ("", "remove the resource"),
    } <= found


@pytest.mark.parametrize(
    ("job", "place", "operator"),
    [
        (Job(VARIANT, "data", "DocumentsBucket"), "VersioningConfiguration/Status", "next value"),
        (Job(VARIANT, "compute", "ApiService"), "PropagateTags", "drop"),
        (Job(VARIANT, "security", "ApiTaskRole"), "PermissionsBoundary", "drop"),
        (Job(VARIANT, "monitoring", "DatabaseCpuTooHigh"), "ComparisonOperator", "reverse"),
    ],
    ids=lambda part: str(getattr(part, "logical_id", part)),
)
def test_a_planted_fault_is_found(job: Job, place: str, operator: str) -> None:
    rendered = rendered_variant(job.variant)
    (change,) = (
        each
        for each in changes_of(rendered, job)
        if (each.place, each.operator) == (place, operator)
    )
    (found,) = first_of(relation_checks(), with_change(rendered, job, change))
    assert not found.endswith(BY_ERROR)


def test_a_new_survivor_fails_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    new = Result("AWS::S3::Bucket", "data.DocumentsBucket", "BucketName", "drop", ())

    assert judge([new], write=False, complete=False) == 1
    assert "No check finds AWS::S3::Bucket BucketName: drop" in capsys.readouterr().err


def test_a_low_rate_fails_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        Result("AWS::EC2::Subnet", "network.A", "CidrBlock", "drop", ("network/a",)),
        # It changes nothing, so that it does not count.
        Result("AWS::EC2::EIP", "network.B", "Domain", "drop", ()),
    ]
    assert judge(found, write=False, complete=True) == 0
    assert "network: 100.0% found, wanted 97%; 50.0% with the 1 that" in capsys.readouterr().out

    assert area(ROLE_KIND) == "identity"
    alive = Result("AWS::EC2::Subnet", "network.A", "CidrBlock", "past the length", ())
    assert judge([*found, alive], write=False, complete=True) == 1
    assert "Too few mutants are found: all." in capsys.readouterr().err


ADDED = (
    ("containers_contain_no_password", "compute", "ApiTaskDefinition", "add a password"),
    ("functions_contain_no_password", "compute", "QueueDepthFunction", "add a password"),
    ("host_ports_are_those_of_containers", "compute", "ApiTaskDefinition", "another host port"),
    ("cache_names_are_valid", "data", "CacheUser", "two hyphens"),
    ("cache_names_are_valid", "data", "CacheUserGroup", "end with a hyphen"),
    ("secret_names_do_not_end_like_a_suffix", "data", "CacheUrl", "name like a suffix"),
    ("nested_stacks_create_nothing_protected", "data", "Database", "protect from deletion"),
    ("nested_stacks_create_nothing_protected", "edge", "LoadBalancer", "protect from deletion"),
    ("settings_are_those_of_the_script", "compute", "SearchLaunchTemplate", "add a setting"),
    ("settings_are_those_of_the_script", "compute", "SearchLaunchTemplate", "drop a setting"),
    ("user_data_fits", "compute", "SearchLaunchTemplate", "past the length"),
)


@pytest.mark.parametrize(("check", "layer", "logical_id", "operator"), ADDED)
def test_an_addition_is_found(check: str, layer: str, logical_id: str, operator: str) -> None:
    job = Job(VARIANT, layer, logical_id)
    rendered = rendered_variant(VARIANT)
    change = next(each for each in changes_of(rendered, job) if each.operator == operator)
    checks = {each.__name__: each for each in (*RELATIONS, *checks_boot.CHECKS)}
    assert list(checks[check](with_change(rendered, job, change)))


def test_a_list_of_a_statement_has_no_repeated_element() -> None:
    body = rendered_variant(VARIANT).layers["data"]["Resources"]["DocumentsBucketPolicy"]
    found = {
        each.place
        for each in Mutator("eu-north-1", lambda _: None).changes(body)
        if each.operator == "repeat element"
    }
    assert found == {"PolicyDocument/Statement"}


def test_the_catalog_keeps_its_promises(release: Release) -> None:
    document = catalog_promises.document()
    assert list(catalog_promises.broken_promises(document, release)) == []

    document["products"]["development"]["profile"] = "prod"
    found = list(catalog_promises.broken_promises(document, release))
    assert "The product development launches prod." in found


def test_taskcat_keeps_its_promises(release: Release) -> None:
    document = yaml.safe_load((PROJECT_FOLDER / "taskcat.yml").read_text(encoding="utf-8"))
    assert list(taskcat_promises.broken_promises(document, release)) == []

    document["tests"]["staging"]["parameters"]["Environment"] = "dev"
    found = list(taskcat_promises.broken_promises(document, release))
    assert "staging launches dev." in found


def test_documents_have_mutants() -> None:
    operators = {operator for operator, _, _ in mutants(catalog_promises.document())}
    assert operators == {"drop", "name another"}


@pytest.mark.parametrize(
    ("layer", "place", "operator"),
    [
        ("network", "Rules/*", "drop"),
        ("data", "Parameters/*/AllowedValues", "drop"),
        ("network", "Outputs/*", "drop"),
        ("edge", "Metadata/*/ParameterGroups/*", "drop element"),
    ],
)
def test_a_fault_in_a_template_is_found(layer: str, place: str, operator: str) -> None:
    change = next(
        each
        for each in changes(templates()[layer])
        if (each.place, each.operator) == (place, operator)
    )
    assert list(template_killers(layer, change))


def test_a_run_since_a_release_tries_what_changed_in_templates() -> None:
    assert template_sample_of_changes(str(PROJECT_FOLDER / "dist")) == frozenset()

    found = template_sample_of_changes("1.1.0")
    assert 0 < len(found) <= MOST_CHANGED_TEMPLATES
    former = side("1.1.0").templates
    for layer, _, path in found:
        section, *names = map(str, path[:2])
        if names and section != "Metadata":
            assert part(templates()[layer], path[:2]) != part(former[layer], path[:2])


def test_an_error_counts_only_if_no_check_has_a_finding() -> None:
    def breaks(_: object) -> bool:
        raise KeyError("Database")

    rendered = rendered_variant(VARIANT)
    broken, finding = Check("broken", breaks), Check("finding", lambda _: True)
    assert first_of([broken, finding], rendered) == ("finding",)
    assert first_of([broken], rendered) == (f"broken{BY_ERROR}",)
    assert first_of([], rendered) == ()


def test_a_check_looks_at_what_it_reads() -> None:
    check = Check("backups", lambda each: not each)
    database = watched(rendered_variant(VARIANT), check.reads).layers["data"]["Resources"][
        "Database"
    ]
    assert database["Properties"]["BackupRetentionPeriod"]
    assert check.looks_at("data", "Database", "BackupRetentionPeriod")
    assert not check.looks_at("data", "Database", "StorageEncrypted")
    assert check.looks_at("data", "Database", "")
