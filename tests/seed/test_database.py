"""Service Details: RDS PostgreSQL."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipeline.checks.render import Rendered
from pipeline.cost.prices import DATABASE_HOUR, saving_percent
from tests.rendering import id_of, named, only
from tests.seed.rendered_architecture import extensions, is_true

INTEL = "db.t3.medium"
PROTECTION = "Custom::DeletionProtection"


def database(rendered: Rendered) -> Mapping[str, Any]:
    """Properties of the instance."""
    return only(rendered, "AWS::RDS::DBInstance").properties


def test_instance_class_is_graviton(rendered: Rendered) -> None:
    assert database(rendered)["DBInstanceClass"] == "db.t4g.medium"


def test_instance_class_saves_12_percent_over_intel(rendered: Rendered) -> None:
    chosen, standby = database(rendered)["DBInstanceClass"], is_true(database(rendered)["MultiAZ"])
    saved = saving_percent(DATABASE_HOUR[chosen, standby], DATABASE_HOUR[INTEL, standby])
    assert saved == Decimal("12.2")


def test_engine_version_is_postgresql_16(rendered: Rendered) -> None:
    layer, _, properties = only(rendered, "AWS::RDS::DBInstance")
    assert properties["Engine"] == "postgres"
    assert properties["EngineVersion"] == "16"
    assert properties["AllowMajorVersionUpgrade"] is False
    group = named(rendered, id_of(rendered, layer, properties["DBParameterGroupName"]))
    assert group.properties["Family"] == "postgres16"


def test_storage_is_50_gb_of_gp3_that_grows_to_200(rendered: Rendered) -> None:
    properties = database(rendered)
    assert properties["StorageType"] == "gp3"
    assert int(properties["AllocatedStorage"]) == 50
    assert int(properties["MaxAllocatedStorage"]) == 200


def test_multi_az_is_false_in_dev_and_true_in_prod(
    dev: Rendered, staging: Rendered, prod: Rendered
) -> None:
    assert not is_true(database(dev)["MultiAZ"])
    assert not is_true(database(staging)["MultiAZ"])
    assert is_true(database(prod)["MultiAZ"])


def test_backup_retention_is_7_days_of_daily_backups(rendered: Rendered) -> None:
    properties = database(rendered)
    assert int(properties["BackupRetentionPeriod"]) == 7
    assert properties["PreferredBackupWindow"] == "01:00-02:00"


def test_deletion_protection_is_false_in_dev_and_true_in_prod(
    dev: Rendered, staging: Rendered, prod: Rendered
) -> None:
    """The function of the root turns it on, after everything else exists."""
    assert not is_true(only(dev, PROTECTION).properties["ProtectDatabase"])
    assert not is_true(only(staging, PROTECTION).properties["ProtectDatabase"])
    assert is_true(only(prod, PROTECTION).properties["ProtectDatabase"])


def test_extensions_are_vector_and_uuid_ossp(rendered: Rendered) -> None:
    assert extensions(rendered) == ["vector", "uuid-ossp"]
