"""Actions that handlers declare and the launch role omits: every omission is valid for the templates of every release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from pipeline.checks.iam.conditions import like
from pipeline.checks.permissions import (
    called_actions,
    handler_actions,
    resource_types,
    resources_of,
)
from pipeline.errors import PipelineError
from templates_src.launch_role import unused as module
from templates_src.launch_role.gaps import gap_actions
from templates_src.launch_role.permissions import declared
from templates_src.launch_role.template import launch_role
from templates_src.launch_role.unused import PATTERNS, UNUSED, Unused
from tests.launch_role.evaluation import resources_of as rendered_resources
from tests.launch_role.evaluation import role_statements
from tests.launch_role.releases import KEPT, kept_release
from tests.relations.variants import built


@cache
def all_templates() -> tuple[Mapping[str, Any], ...]:
    """The templates of this release and of the kept ones, without those of the launch role and the bucket."""
    kept = [
        template
        for version in KEPT
        for name, template in kept_release(version).templates.items()
        if name not in {"launch-role", "release-bucket"}
    ]
    return (*(layer.document() for layer in (built().root, *built().layers)), *kept)


def set_properties(kind: str) -> set[str]:
    """The properties that some template sets on a resource of a type."""
    return {
        name
        for template in all_templates()
        for resource in template["Resources"].values()
        if resource["Type"] == kind
        for name in resource.get("Properties", {})
    }


def id_of(one: Unused) -> str:
    return f"{one.kind} {','.join(one.properties) or one.actions[0]}"


@pytest.mark.parametrize("one", UNUSED, ids=id_of)
def test_no_template_sets_the_property(one: Unused) -> None:
    assert set(one.properties) & set_properties(one.kind) == set()
    assert one.properties or one.reason


@pytest.mark.parametrize("one", UNUSED, ids=id_of)
def test_handler_declares_the_action_and_schema_has_the_property(one: Unused) -> None:
    """No omission remains without its reason."""
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

    assert set(one.actions) <= handler_actions(one.kind)
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-north-1", one.kind).schema
    assert set(one.properties) <= set(schema["properties"])


def test_a_property_that_is_set_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = Unused("AWS::RDS::DBInstance", ("MultiAZ",), ("rds:ModifyDBInstance",))
    with pytest.raises(AssertionError):
        test_no_template_sets_the_property(planted)
    monkeypatch.setattr(module, "UNUSED", (planted,))
    assert "rds:ModifyDBInstance" not in called_actions("AWS::RDS::DBInstance")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_pattern_matches_existing_actions(pattern: str) -> None:
    assert any(pattern in handler_actions(kind) for kind in resource_types(built()))
    for action in PATTERNS[pattern]:
        assert like(action, pattern)
        assert resources_of(action) is not None


def test_unknown_pattern_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = "AWS::AutoScaling::AutoScalingGroup"
    monkeypatch.delitem(module.PATTERNS, "ec2:Get*")
    with pytest.raises(
        PipelineError, match=r"AutoScalingGroup declares ec2:Get\*; list the actions"
    ):
        called_actions(kind)


def wildcards() -> Iterator[str]:
    """The wildcards in the actions that the launch role's policies allow."""
    for statement in role_statements(rendered_resources(launch_role())):
        if statement["Effect"] == "Allow":
            yield from (action for action in statement["Action"] if "*" in action)


def test_no_action_that_is_allowed_has_a_wildcard() -> None:
    assert list(wildcards()) == []
    assert not any("*" in action for action in (*declared().bound, *declared().unbound))


@pytest.mark.parametrize(
    "action",
    [
        "autoscaling:ResumeProcesses",
        "autoscaling:SuspendProcesses",
        "autoscaling:TerminateInstanceInAutoScalingGroup",
        "cloudformation:UntagResource",
        "elasticache:CreateSnapshot",
        "rds:CreateDBSnapshot",
    ],
)
def test_calls_of_cloudformation_itself_are_allowed(action: str) -> None:
    assert action in gap_actions()
    statements = role_statements(rendered_resources(launch_role()))
    assert any(action in one["Action"] for one in statements if one["Effect"] == "Allow")
