"""Permissions that roles gain or lose, and changes of a template's parameters and outputs."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pipeline.changes.interface import interface_changes
from pipeline.changes.report import Report, lines, report, rights_sentence
from pipeline.changes.sides import KEPT, Side, of_folder
from pipeline.changes.state import State
from tests.conftest import REGION
from tests.relations.planting import TemplatePlant, drop_from_template, put_in_template
from tests.updates.faults import ROOT

PARAMETERS = "Parameters"
INTERFACE = "Metadata/AWS::CloudFormation::Interface/ParameterLabels"


@pytest.fixture(scope="module")
def release() -> Side:
    """Release 1.1.0."""
    return of_folder(KEPT / "1.1.0", "1.1.0")


def planted(release: Side, *plants: TemplatePlant) -> dict[str, dict[str, Any]]:
    templates: dict[str, dict[str, Any]] = copy.deepcopy(dict(release.templates))  # type: ignore[arg-type]
    for plant in plants:
        plant(templates)
    return templates


def compared(release: Side, *plants: TemplatePlant) -> Report:
    before = release.state("dev", REGION)
    return report("dev", before, State(planted(release, *plants), before.values, REGION, ROOT))


def rename_parameter(templates: dict[str, dict[str, Any]]) -> None:
    """Rename WafRateLimit, with the same label."""
    root = templates[ROOT]
    root[PARAMETERS]["RateLimit"] = root[PARAMETERS].pop("WafRateLimit")
    labels = root["Metadata"]["AWS::CloudFormation::Interface"]["ParameterLabels"]
    labels["RateLimit"] = labels.pop("WafRateLimit")


@pytest.mark.parametrize(
    ("plant", "sentence"),
    [
        (
            drop_from_template(ROOT, f"{PARAMETERS}/AlarmEmail"),
            "Parameter AlarmEmail is removed; an update that names it is refused.",
        ),
        (rename_parameter, "Parameter WafRateLimit is renamed RateLimit;"),
        (
            put_in_template(ROOT, f"{PARAMETERS}/CacheNodes/Default", "3"),
            "Parameter CacheNodes has the default '3' instead of '1'.",
        ),
        (
            put_in_template(ROOT, f"{PARAMETERS}/CacheMode/AllowedValues", ["serverless"]),
            "Parameter CacheMode no longer takes replication-group.",
        ),
        (
            put_in_template(ROOT, f"{PARAMETERS}/ApiMaxTasks/MaxValue", 5),
            "Parameter ApiMaxTasks has the greatest value 5 instead of",
        ),
        (
            put_in_template(ROOT, f"{PARAMETERS}/Project/MinLength", 5),
            "Parameter Project has the least length 5 instead of 2.",
        ),
        (
            put_in_template(ROOT, f"{PARAMETERS}/DomainName/AllowedPattern", "x"),
            "Parameter DomainName has another pattern",
        ),
        (
            put_in_template(ROOT, f"{PARAMETERS}/Added", {"Type": "String"}),
            "Parameter Added is new and has no default; an update must give it.",
        ),
        (
            drop_from_template(ROOT, "Outputs/DashboardUrl"),
            "Output DashboardUrl is removed;",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_interface_change_is_found(release: Side, plant: TemplatePlant, sentence: str) -> None:
    found = interface_changes(release.templates[ROOT], planted(release, plant)[ROOT])

    assert [line for line in found if line.startswith(sentence)], found
    assert len(found) == 1


def test_same_interface_has_no_changes(release: Side) -> None:
    assert interface_changes(release.templates[ROOT], release.templates[ROOT]) == []


def allow(action: str) -> TemplatePlant:
    """Add a permission to the queue-depth function."""

    def plant(templates: dict[str, dict[str, Any]]) -> None:
        role = templates["compute"]["Resources"]["QueueDepthRole"]["Properties"]
        role["Policies"][0]["PolicyDocument"]["Statement"].append(
            {"Effect": "Allow", "Action": [action], "Resource": "*"}
        )

    return plant


def test_gained_action_is_reported(release: Side) -> None:
    found = compared(release, allow("sns:Publish"))

    assert [rights_sentence(each) for each in found.rights] == [
        "Role Compute.QueueDepthRole gains sns:Publish."
    ]
    assert "  Role Compute.QueueDepthRole gains sns:Publish." in list(lines([found]))


def test_removed_policy_is_reported_for_the_role_it_names(release: Side) -> None:
    found = compared(release, drop_from_template("data", "Resources/WorkerBucketAccess"))

    (change,) = found.rights
    assert str(change.role) == "Security.WorkerTaskRole"
    assert "s3:GetObject" in change.lost
    assert change.gained == ()
