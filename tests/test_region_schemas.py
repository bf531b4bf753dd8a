"""The schemas of regions are read like in cfn-lint, and every relevant list is used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.checks.regions import schemas
from pipeline.checks.regions.readiness import PRODUCT_TYPES
from pipeline.checks.regions.uses import resources, values_at
from pipeline.checks.render import Rendered
from tests.conftest import REGION as HERE


def test_zones_are_those_of_cfn_lint() -> None:
    from cfnlint.helpers import AVAILABILITY_ZONES

    assert schemas.zones() == {name: len(zones) for name, zones in AVAILABILITY_ZONES.items()}


def test_types_are_those_of_cfn_lint() -> None:
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

    for region in (HERE, schemas.REFERENCE, "ap-southeast-7"):
        theirs = {
            kind
            for kind in PROVIDER_SCHEMA_MANAGER.get_resource_types(region)
            if not kind.startswith("AWS::Serverless::")
        }
        assert set(schemas.resource_types(region) or {}) == theirs
    assert set(PRODUCT_TYPES) <= set(schemas.resource_types(HERE) or {})


def test_every_list_of_cfn_lint_for_a_used_type_is_read(prod: Rendered) -> None:
    import cfnlint.rules
    from cfnlint.helpers import load_plugins
    from cfnlint.rules.jsonschema.CfnLintJsonSchemaRegional import CfnLintJsonSchemaRegional

    # Such as Resources/AWS::EC2::LaunchTemplate/Properties/LaunchTemplateData/InstanceType.
    about = {
        keyword.split("/")[1]
        for rule in load_plugins(str(Path(cfnlint.rules.__file__).parent / "resources"))
        if isinstance(rule, CfnLintJsonSchemaRegional)
        for keyword in rule.keywords
    }
    # cfn-lint has a list and does not apply it.
    ours = about | {"AWS::ElastiCache::ReplicationGroup"}

    assert {each.kind for each in resources(prod)} & ours == {kind for kind, *_ in schemas.LISTS}


def test_every_list_applies_to_a_resource_of_prod(prod: Rendered) -> None:
    for kind, way, file in schemas.LISTS:
        values = [
            (value, used.properties)
            for used in resources(prod)
            if used.kind == kind
            for value in values_at(used.properties, way)
        ]
        assert values
        for value, properties in values:
            assert value in (schemas.offered_values(file, HERE, properties) or ())


def test_conditions_of_the_lists_are_presence_and_constants() -> None:
    import cfnlint.data.schemas

    folder = Path(cfnlint.data.schemas.__file__).parent / "extensions"
    for *_, file in schemas.LISTS:
        for region, entry in json.loads((folder / file).read_text()).items():
            if region not in schemas.zones():
                continue
            assert entry.keys() in ({"enum"}, {"allOf"})
            for clause in entry.get("allOf", ()):
                assert clause.keys() == {"if", "then"}
                assert clause["if"].keys() == {"properties", "required"}
                for wanted in clause["if"]["properties"].values():
                    assert wanted is False or wanted.keys() <= {"const", "type"}
                assert [then.keys() for then in clause["then"]["properties"].values()] == [{"enum"}]


@pytest.mark.parametrize("region", ["ap-northeast-3", "ap-east-2", "cn-north-1"])
def test_class_must_be_in_every_list_that_applies(region: str) -> None:
    import cfnlint.data.schemas

    file = "aws_rds_dbinstance/dbinstanceclass_enum.json"
    path = Path(cfnlint.data.schemas.__file__).parent / "extensions" / file
    # cfn-lint has two different lists for PostgreSQL without a licence in these regions.
    first, second = (
        frozenset(clause["then"]["properties"]["DBInstanceClass"]["enum"])
        for clause in json.loads(path.read_text())[region]["allOf"]
        if clause["if"]["properties"]["Engine"] == {"const": "postgres"}
        and clause["if"]["properties"]["LicenseModel"] is False
    )
    assert first != second

    resource = {"Engine": "postgres", "DBInstanceClass": "db.t4g.medium"}

    assert schemas.offered_values(file, region, resource) == first & second
