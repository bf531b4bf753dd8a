"""No rule of the pack finds a fault in an environment, and faults that only the pack knows are found."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.checks.render import Rendered
from tests.engines.places import EngineError
from tests.relations.planting import Plant, put
from tests.relations.variants import rendered_variant
from tests.rule_packs import pack
from tests.rule_packs.pack import RulePack

# Together they have every resource of the layers, and the values that other environments have.
VARIANTS = ("complete prod", "complete dev", "dev on what exists")


@pytest.fixture(scope="module")
def rules() -> Iterator[RulePack]:
    """The rules for the types of all variants."""
    with RulePack(kind for variant in VARIANTS for kind in types(rendered_variant(variant))) as it:
        yield it


def types(rendered: Rendered) -> set[str]:
    return {
        resource["Type"]
        for template in rendered.layers.values()
        for resource in template["Resources"].values()
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_rule_finds_a_fault(rules: RulePack, variant: str) -> None:
    for layer, template in rendered_variant(variant).layers.items():
        assert rules.findings(template) == [], layer


# Kinds of faults that AWS refuses and no other check of the project finds.
FAULTS: tuple[tuple[str, Plant, str], ...] = (
    (
        "a maintenance window inside the backup window",
        put("Database", "PreferredMaintenanceWindow", "sun:01:30-sun:02:30"),
        "pf-rds-window-overlap",
    ),
    (
        "a log that the engine does not have",
        put("Database", "EnableCloudwatchLogsExports", ["audit"]),
        "pf-rds-logs-exports-engine",
    ),
    (
        "an alarm that is evaluated over more than a day",
        put("DatabaseCpuTooHigh", "EvaluationPeriods", 2000),
        "pf-cloudwatch-alarm-evaluation-window",
    ),
    (
        "a managed rule group that does not exist",
        put(
            "WebAcl",
            "Rules/1/Statement/ManagedRuleGroupStatement/Name",
            "AWSManagedRulesCommonRules",
        ),
        "pf-wafv2-managed-rule-group",
    ),
    (
        "a key that nobody can administer",
        put("Key", "KeyPolicy/Statement/0/Action", ["kms:Describe*"]),
        "pf-kms-key-policy-lockout",
    ),
)


@pytest.mark.parametrize(
    ("plant", "rule"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS]
)
def test_found(rules: RulePack, plant: Plant, rule: str) -> None:
    faulty = copy.deepcopy(rendered_variant("complete prod"))
    plant(faulty)
    before = rendered_variant("complete prod")
    found = {
        finding.rule
        for layer, template in faulty.layers.items()
        if template != before.layers[layer]
        for finding in rules.findings(template)
    }
    assert rule in found


def test_missing_pack_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pack, "RULE_PACK", tmp_path / "rule-pack")
    with pytest.raises(EngineError, match="run `make setup`"), RulePack(["AWS::S3::Bucket"]):
        pass
