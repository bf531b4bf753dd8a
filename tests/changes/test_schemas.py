"""The excerpt of the provider schemas is up to date, and agrees with the facts in facts.py."""

from __future__ import annotations

from pipeline.changes.updates import facts
from pipeline.changes.updates.schemas import SCHEMAS, schema_entry, schemas_text, updates
from pipeline.checks.permissions import resource_types
from pipeline.release.assemble import Release


def test_file_matches_the_schemas(release: Release) -> None:
    assert SCHEMAS.read_bytes() == schemas_text(resource_types(release)), (
        "run `python -m pipeline.changes.updates.schemas`"
    )


def test_facts_contradict_no_schema() -> None:
    """Facts about replacement are conditional in the schema, and properties that cannot change are not create-only there."""
    for kind, keys in (*facts.IN_PLACE.items(), *facts.REPLACING.items()):
        assert keys <= updates(kind).conditional, kind
    for kind, keys in facts.FIXED.items():
        assert not keys & updates(kind).create_only, kind


def test_facts_name_properties_that_exist() -> None:
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

    named = [
        *((kind, key) for kind, keys in facts.FIXED.items() for key in keys),
        *((kind, key) for kind, keys in facts.GROWING.items() for key in keys),
        *((kind, key) for kind, keys in facts.UNIQUE.items() for key in keys),
        *facts.INTERRUPTIONS,
        *facts.RETENTION,
    ]
    for kind, key in named:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-north-1", kind).schema
        assert key in schema["properties"], (kind, key)


def test_type_outside_the_file_is_read_from_its_schema() -> None:
    assert "AWS::SQS::Queue" not in SCHEMAS.read_text()
    assert "QueueName" in updates("AWS::SQS::Queue").create_only
    assert schema_entry("AWS::Nothing::AtAll")["CreateOnly"] == []
