"""The checks of a launch: each refusal is one sentence that says what to do, and what can succeed is let through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from templates_src.core.parameters.shared import DATABASE_MASTER_USER
from templates_src.data.database import ENGINE, MAJOR_VERSION
from templates_src.functions.launch_check import deployed, snapshot
from templates_src.functions.launch_check.bucket_names import buckets_are_available
from templates_src.functions.launch_check.checks import CHECKS
from templates_src.functions.launch_check.launch import Launch
from templates_src.guards.launch_check import CHECKED
from templates_src.guards.launch_check_reads import LAYERS

REGION, ACCOUNT = "eu-north-1", "111122223333"
# test_launch_check_buckets.py tests the check of the buckets on real ones.
OF_VALUES = [check for check in CHECKS if check is not buckets_are_available]
ROOT = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/carbon-connect-dev/1"
ZONES = f"{REGION}a,{REGION}b,{REGION}c"
VALUES = {
    "Project": "carbon-connect",
    "Environment": "dev",
    "AvailabilityZones": ZONES,
    "VpcCidr": "10.0.0.0/16",
    "DatabaseSnapshotIdentifier": "",
    "DatabaseAllocatedStorage": "50",
    "DatabaseMaxAllocatedStorage": "200",
    "CacheMode": "replication-group",
    "CacheNodes": "2",
    "CacheFailover": "auto",
    "SearchVolumeGb": "20",
    "SearchSnapshotId": "",
    "BucketNamespace": "global",
}
SNAPSHOT = {
    "DBSnapshotIdentifier": "before",
    "Engine": "postgres",
    "EngineVersion": "16.9",
    "Encrypted": True,
    "Status": "available",
    "AllocatedStorage": 80,
    "MasterUsername": "carbon",
    "KmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1",
}


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Call")


@dataclass
class Facts:
    """What AWS answers; an exception in the place of an answer is raised. ``asked`` names the calls."""

    allocated: int | Exception = 50
    snapshot: Mapping[str, Any] | Exception = field(default_factory=lambda: SNAPSHOT)
    key: str | Exception = "Enabled"
    search_snapshot: Mapping[str, Any] | Exception = field(
        default_factory=lambda: {"State": "completed", "VolumeSize": 20}
    )
    zones: str | Exception = ZONES
    nested: Mapping[str, str] | Exception = field(default_factory=lambda: {"CacheNodes": "2"})
    asked: list[str] = field(default_factory=list)

    def clients(self, service: str) -> Any:
        return Client(self, service)


@dataclass
class Client:
    """A client that answers from the facts."""

    facts: Facts
    service: str

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        answers: dict[str, tuple[Any, Callable[[Any], Any]]] = {
            "describe_db_instances": (
                self.facts.allocated,
                lambda gib: {"DBInstances": [{"AllocatedStorage": gib}]},
            ),
            "describe_db_snapshots": (self.facts.snapshot, lambda one: {"DBSnapshots": [one]}),
            "describe_key": (self.facts.key, lambda state: {"KeyMetadata": {"KeyState": state}}),
            "describe_snapshots": (self.facts.search_snapshot, lambda one: {"Snapshots": [one]}),
            "describe_availability_zones": (
                self.facts.zones,
                lambda text: {
                    "AvailabilityZones": [{"ZoneName": zone} for zone in text.split(",")]
                },
            ),
            "describe_stack_resources": (
                self.facts.nested,
                lambda _: {
                    "StackResources": [
                        {"ResourceType": deployed.NESTED, "PhysicalResourceId": "arn:nested"}
                    ]
                },
            ),
            "describe_stacks": (
                self.facts.nested,
                lambda values: {
                    "Stacks": [
                        {
                            "Parameters": [
                                {"ParameterKey": name, "ParameterValue": value}
                                for name, value in values.items()
                            ],
                            "Outputs": [
                                {"OutputKey": "DatabaseInstanceId", "OutputValue": "database"}
                            ],
                        }
                    ]
                },
            ),
        }
        found, shape = answers[operation]

        def call(**_: Any) -> Any:
            self.facts.asked.append(operation)
            if isinstance(found, Exception):
                raise found
            return shape(found)

        return call


def created(facts: Facts | None = None, **values: str) -> str | None:
    """The refusal of a creation with these values."""
    known = facts or Facts()
    return refusal(Launch({**VALUES, **values}, {}, True, ROOT, known.clients))


def updated(before: Mapping[str, str], facts: Facts | None = None, /, **values: str) -> str | None:
    """The refusal of an update from some values to others."""
    known, old = facts or Facts(), {**VALUES, **before}
    return refusal(Launch({**old, **values}, old, False, ROOT, known.clients))


def refusal(launch: Launch) -> str | None:
    found = next((text for check in OF_VALUES if (text := check(launch))), None)
    if found:
        assert found.endswith((".", "do."))
        assert len(found) <= 600  # What custom_resource.py keeps of a reason.
        assert "\n" not in found
    return found


def test_constants_are_those_of_the_template() -> None:
    assert (snapshot.ENGINE, snapshot.MAJOR_VERSION) == (ENGINE, MAJOR_VERSION)
    assert snapshot.MASTER_USER == DATABASE_MASTER_USER
    assert deployed.LAYERS == LAYERS
    assert VALUES.keys() <= {declaration.name for declaration in CHECKED}


def test_what_succeeds_is_let_through() -> None:
    assert created() is None
    assert created(DatabaseSnapshotIdentifier="before") is None
    assert updated({}) is None
    assert updated({"DatabaseSnapshotIdentifier": "before"}) is None
    assert updated({}, DatabaseAllocatedStorage="55") is None
    assert updated({}, DatabaseMaxAllocatedStorage="55") is None
    assert updated({}, CacheNodes="3", SearchVolumeGb="40") is None
    assert updated({}, CacheMode="serverless", CacheNodes="1") is None
    assert updated({"CacheNodes": "1"}, CacheNodes="2", CacheFailover="off") is None
    assert updated({"CacheFailover": "off"}, CacheFailover="auto") is None
    assert updated({"CacheFailover": "off"}, CacheNodes="1") is None
    assert updated({"SearchVolumeGb": "40"}, SearchSnapshotId="snap-1", SearchVolumeGb="20") is None


SHARED = f"arn:aws:rds:{REGION}:444455556666:snapshot:before"
ELSEWHERE = f"arn:aws:rds:eu-west-1:{ACCOUNT}:snapshot:before"
OWN = f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:before"


@pytest.mark.parametrize(
    ("facts", "named", "words"),
    [
        (Facts(snapshot={**SNAPSHOT, "Engine": "mysql"}), "before", ("is of mysql",)),
        (
            Facts(snapshot={**SNAPSHOT, "EngineVersion": "15.7"}),
            "before",
            ("postgres 15.7", "postgres 16"),
        ),
        (Facts(snapshot={**SNAPSHOT, "Encrypted": False}), "before", ("not encrypted", "copy it")),
        (Facts(snapshot={**SNAPSHOT, "Encrypted": False}), OWN, ("not encrypted",)),
        (Facts(snapshot={**SNAPSHOT, "Status": "creating"}), "before", ("is creating",)),
        (Facts(snapshot={**SNAPSHOT, "MasterUsername": "admin"}), "before", ("master user admin",)),
        (
            Facts(snapshot={**SNAPSHOT, "AllocatedStorage": 190}),
            "before",
            ("190 GiB", "DatabaseMaxAllocatedStorage (200)", "at least 209"),
        ),
        (Facts(key="PendingDeletion"), "before", ("PendingDeletion", "cancel-key-deletion")),
        (Facts(key="Disabled"), "before", ("Disabled", "enable-key")),
        (Facts(snapshot=error("DBSnapshotNotFound")), "before", ("does not exist",)),
        (Facts(snapshot=error("AccessDenied")), "before", ("cannot be checked (AccessDenied)",)),
        (
            Facts(snapshot=EndpointConnectionError(endpoint_url="https://rds")),
            "before",
            ("cannot be checked",),
        ),
        (Facts(), SHARED, ("account 444455556666", "copy-db-snapshot --kms-key-id")),
        (Facts(), ELSEWHERE, ("in eu-west-1", "--source-region eu-west-1")),
    ],
)
def test_snapshot_is_refused(facts: Facts, named: str, words: tuple[str, ...]) -> None:
    for found in (
        created(facts, DatabaseSnapshotIdentifier=named),
        updated({}, facts, DatabaseSnapshotIdentifier=named),
    ):
        assert found is not None
        assert all(word in found for word in ("DatabaseSnapshotIdentifier", *words))


def test_snapshot_that_was_restored_earlier_is_not_read_again() -> None:
    """It can be deleted by then, and the database stays."""
    facts = Facts(snapshot=error("DBSnapshotNotFound"))
    before = {"DatabaseSnapshotIdentifier": "before"}
    assert updated(before, facts, CacheNodes="3") is None
    assert "describe_db_snapshots" not in facts.asked


def test_key_that_cannot_be_read_is_left_to_rds() -> None:
    assert created(Facts(key=error("AccessDenied")), DatabaseSnapshotIdentifier="before") is None


@pytest.mark.parametrize(
    ("allocated", "wanted", "words"),
    [
        (50, "40", ("has 50 GiB and storage does not shrink", "keep 50 or set at least 55")),
        (50, "54", ("grows by at least 10 %", "keep 50 or set at least 55")),
        (100, "80", ("has 100 GiB (it grew from 50 GiB)", "set 100 or at least 110")),
        (100, "109", ("has 100 GiB", "at least 110")),
        (error("AccessDenied"), "40", ("has 50 GiB",)),
    ],
)
def test_storage_is_refused(
    allocated: int | Exception, wanted: str, words: tuple[str, ...]
) -> None:
    found = updated({}, Facts(allocated=allocated), DatabaseAllocatedStorage=wanted)
    assert found is not None
    assert all(word in found for word in ("DatabaseAllocatedStorage", *words))


def test_storage_that_grew_is_no_reason_to_refuse_another_change() -> None:
    facts = Facts(allocated=190)
    assert updated({}, facts, CacheNodes="3") is None
    assert (
        updated({}, facts, DatabaseAllocatedStorage="190", DatabaseMaxAllocatedStorage="400")
        is None
    )


def test_storage_after_a_restore_is_at_least_that_of_the_snapshot() -> None:
    restored = {"DatabaseSnapshotIdentifier": "before"}
    facts = Facts(allocated=80)
    found = updated(restored, facts, DatabaseSnapshotIdentifier="restored")
    assert found is not None
    assert "has 80 GiB" in found
    assert (
        updated(
            restored,
            facts,
            DatabaseSnapshotIdentifier="restored",
            DatabaseAllocatedStorage="80",
        )
        is None
    )


@pytest.mark.parametrize(
    ("allocated", "storage", "ceiling", "least"),
    [(50, "100", "105", "110"), (180, "50", "190", "198")],
)
def test_limit_of_storage_is_refused(
    allocated: int, storage: str, ceiling: str, least: str
) -> None:
    values = {"DatabaseAllocatedStorage": storage, "DatabaseMaxAllocatedStorage": ceiling}
    found = updated({}, Facts(allocated=allocated), **values)
    assert found is not None
    assert f"set at least {least}" in found


def test_limit_of_storage_of_a_first_launch() -> None:
    found = created(DatabaseAllocatedStorage="190")
    assert found is not None
    assert "DatabaseMaxAllocatedStorage (200)" in found
    assert "209" in found


def test_network_stays() -> None:
    found = updated({}, VpcCidr="10.9.0.0/16")
    assert found is not None
    assert "VpcCidr cannot change from 10.0.0.0/16 to 10.9.0.0/16" in found
    found = updated({}, AvailabilityZones=f"{REGION}b,{REGION}a,{REGION}c")
    assert found is not None
    assert "cannot be reordered" in found
    assert f"set it to {ZONES}" in found
    found = updated({}, AvailabilityZones=f"{REGION}a,{REGION}b,{REGION}d")
    assert found is not None
    assert "cannot change" in found


def test_zones_of_a_first_launch_exist() -> None:
    found = created(AvailabilityZones=f"{REGION}a,{REGION}b,{REGION}q")
    assert found is not None
    assert f"names {REGION}q" in found
    found = created(AvailabilityZones=f"{REGION}a,{REGION}a,{REGION}b")
    assert found is not None
    assert "3 different zones" in found
    assert created(Facts(zones=error("UnauthorizedOperation"))) is None


@pytest.mark.parametrize(
    ("before", "values", "words"),
    [
        ({"CacheNodes": "1"}, {"CacheNodes": "2"}, ("CacheFailover to off in this update",)),
        (
            {"CacheNodes": "1", "CacheFailover": "off"},
            {"CacheNodes": "3", "CacheFailover": "auto"},
            ("from 1 to 3",),
        ),
        ({}, {"CacheNodes": "1"}, ("keeps the last replica", "earlier update")),
        ({}, {"CacheNodes": "1", "CacheFailover": "off"}, ("earlier update",)),
    ],
)
def test_failover_is_refused(
    before: Mapping[str, str], values: Mapping[str, str], words: tuple[str, ...]
) -> None:
    found = updated(before, **values)
    assert found is not None
    assert all(word in found for word in words)


def test_search_volume_is_refused() -> None:
    found = updated({"SearchVolumeGb": "40"}, SearchVolumeGb="20")
    assert found is not None
    assert "SearchVolumeGb cannot change from 40 to 20" in found
    found = updated({"SearchSnapshotId": "snap-1"}, SearchSnapshotId="snap-2")
    assert found is not None
    assert "empty SearchSnapshotId first" in found
    large = Facts(search_snapshot={"State": "completed", "VolumeSize": 30})
    found = updated({}, large, SearchSnapshotId="snap-1")
    assert found is not None
    assert "at least 30" in found
    gone = Facts(search_snapshot=error("InvalidSnapshot.NotFound"))
    found = created(gone, SearchSnapshotId="snap-1")
    assert found is not None
    assert "does not exist" in found
    denied = Facts(search_snapshot=error("UnauthorizedOperation"))
    assert created(denied, SearchSnapshotId="snap-1") is None


def test_update_from_a_release_without_the_check_reads_the_nested_stacks() -> None:
    """It has no properties before, so the values of the nested stacks, which wait for it, are those in force."""
    old = {"CacheMode": "replication-group", "CacheNodes": "1", "VpcCidr": "10.0.0.0/16"}
    facts = Facts(nested=old)
    launch = Launch({**VALUES, "CacheNodes": "2"}, {}, False, ROOT, facts.clients)
    found = refusal(launch)
    assert found is not None
    assert "CacheNodes cannot change from 1 to 2" in found
    # Nothing is known, so nothing is compared.
    blind = Facts(nested=error("AccessDenied"), snapshot=error("DBSnapshotNotFound"))
    named = {**VALUES, "CacheNodes": "2", "DatabaseSnapshotIdentifier": "before"}
    assert refusal(Launch(named, {}, False, ROOT, blind.clients)) is None
