"""The table of operations: four chains, each the life of one environment.

An operation begins in the state in which the one before it ended, so that every state has a way out: the next row.
"""

from __future__ import annotations

from tests.operations.operation import ABSENT, Chain, End, Operation
from tests.operations.rows import (
    delete,
    failing_launches,
    failing_updates,
    launch,
    refused,
    restore,
    update,
)

CREATED, UPDATED, BACK = "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"
REMOVED = "ROLLBACK_COMPLETE"
AVAILABLE, TAINTED, ERROR = "AVAILABLE", "TAINTED", "ERROR"
DATABASE = frozenset({"Data.Database"})

# Resources that outlive an environment. The key stays because only it can read the others.
KEY, VOLUME, REPOSITORY = "AWS::KMS::Key", "AWS::EC2::Volume", "AWS::ECR::Repository"
LOGS, BUCKET = "AWS::Logs::LogGroup", "AWS::S3::Bucket"
DATABASE_SNAPSHOT, CACHE_SNAPSHOT = "AWS::RDS::DBSnapshot", "AWS::ElastiCache::Snapshot"
RETAINED = {REPOSITORY: 1, KEY: 1, DATABASE_SNAPSHOT: 1, VOLUME: 1}
# After a launch that failed in a layer.
UNFINISHED: dict[str, dict[str, int]] = {
    "network": {},
    "security": {},
    "data": {KEY: 1},
    "edge": {KEY: 1, DATABASE_SNAPSHOT: 1, VOLUME: 1},
    "compute": {KEY: 1, DATABASE_SNAPSHOT: 1, VOLUME: 1},
    "monitoring": RETAINED,
}
# The load balancer writes a test object into the bucket of its access logs at once.
PROD_UNFINISHED = {
    layer: found | ({CACHE_SNAPSHOT: 1, BUCKET: 1} if VOLUME in found else {})
    for layer, found in UNFINISHED.items()
}
SHRINKS, LITTLE = "not shrink", "at least 10 %"
PROTECTED = "TerminationProtection|Decommission"


def in_place(done: str, *, protected: bool = False) -> tuple[Operation, ...]:
    """Updates that replace nothing."""
    return (
        Operation("Update the image", update(ImageTag="1.4.2"), End(done, protected=protected)),
        Operation(
            "Increase the database's storage",
            update(DatabaseAllocatedStorage="100"),
            End(done, protected=protected),
        ),
    )


def impossible(early: str, late: str, *, protected: bool = False) -> tuple[Operation, ...]:
    """Updates that AWS cannot make: nothing changes.

    A launcher's command refuses the first two, from the values alone (``early``). LaunchCheck, the first resource of an update,
    refuses the others (``late``), also for users of the console.
    """
    rows: tuple[tuple[str, dict[str, str], str], ...] = (
        ("Reduce the database's storage", {"DatabaseAllocatedStorage": "50"}, SHRINKS),
        (
            "Increase the database's storage by less than 10 %",
            {"DatabaseAllocatedStorage": "105"},
            LITTLE,
        ),
        ("Change the range of the VPC", {"VpcCidr": "10.1.0.0/16"}, "VpcCidr"),
        (
            "Change the order of the zones",
            {"AvailabilityZones": "eu-north-1c,eu-north-1b,eu-north-1a"},
            "AvailabilityZones",
        ),
        (
            "Restore a snapshot that does not exist",
            {"DatabaseSnapshotIdentifier": "unknown"},
            "unknown",
        ),
        ("Reduce the search volume", {"SearchVolumeGb": "10"}, "SearchVolumeGb .*shrink"),
    )
    return tuple(
        refused(
            title,
            update(**values),
            early if said in {SHRINKS, LITTLE} else late,
            said,
            protected=protected,
        )
        for title, values, said in rows
    )


def nodes(done: str, refusal: str) -> tuple[Operation, ...]:
    """From a serverless cache to one node, two nodes, and back to one."""
    return (
        Operation(
            "Change the cache to a replication group of one node",
            update(CacheMode="replication-group", CacheNodes="1"),
            End(done, replaced=frozenset({"Data.ServerlessCache"})),
        ),
        refused(
            "Add a second node and failover in one update",
            update(CacheNodes="2"),
            refusal,
            "CacheFailover",
        ),
        Operation(
            "Add a second node without failover",
            update(CacheNodes="2", CacheFailover="off"),
            End(done),
        ),
        Operation("Turn failover on", update(CacheFailover="auto"), End(done)),
        refused(
            "Remove the second node while failover is on",
            update(CacheNodes="1"),
            refusal,
            "CacheFailover",
        ),
        Operation("Turn failover off", update(CacheFailover="off"), End(done)),
        Operation("Remove the second node", update(CacheNodes="1"), End(done)),
    )


def protection(done: str, status: str) -> tuple[Operation, ...]:
    """Protect, try to delete, lift the protection."""
    on = {"DatabaseDeletionProtection": "true", "LoadBalancerDeletionProtection": "true"}
    return (
        Operation("Turn protection on", update(**on), End(done, protected=True)),
        refused("Delete while protection is on", delete, status, PROTECTED, protected=True),
        Operation(
            "Update after the refused deletion",
            update(ImageTag="1.4.3"),
            End(done, protected=True),
        ),
        Operation("Turn protection off with Decommission", update(Decommission="true"), End(done)),
        Operation(
            "Turn protection on again", update(Decommission="false"), End(done, protected=True)
        ),
        Operation("Turn protection off again", update(Decommission="true"), End(done)),
    )


DEV_CLOUDFORMATION = Chain(
    "dev",
    "CloudFormation",
    (
        *failing_launches(REMOVED, UNFINISHED),
        Operation("Launch", launch(), End(CREATED)),
        Operation("Launch again with the same values", launch(), End(CREATED)),
        *in_place(UPDATED),
        *failing_updates(BACK),
        *impossible(BACK, BACK),
        *nodes(UPDATED, BACK),
        Operation(
            "Change the database's name",
            update(DatabaseName="other"),
            End(UPDATED, replaced=DATABASE),
        ),
        Operation("Restore a snapshot", restore, End(UPDATED, replaced=DATABASE)),
        Operation(
            "Remove the snapshot from the parameters",
            update(DatabaseSnapshotIdentifier="restored"),
            End(UPDATED),
        ),
        *protection(UPDATED, UPDATED),
        Operation(
            "Delete with documents in the buckets",
            delete,
            # One snapshot for each database: the first one, the one with the other name, and the restored one.
            End(ABSENT, remains=RETAINED | {BUCKET: 2, CACHE_SNAPSHOT: 1, DATABASE_SNAPSHOT: 3}),
        ),
        refused("Launch while the buckets exist", launch(), REMOVED, "ExistingBuckets"),
        Operation("Launch on the existing buckets", launch(ExistingBuckets="true"), End(CREATED)),
        refused(
            "Select BucketRemoval=empty for buckets that the stack did not create",
            update(BucketRemoval="empty"),
            CREATED,
            "ExistingBuckets",
        ),
        Operation(
            "Delete; the existing buckets stay",
            delete,
            End(ABSENT, remains=RETAINED | {CACHE_SNAPSHOT: 1}),
        ),
        refused("Delete an environment that does not exist", delete, ABSENT, ""),
    ),
)
DEV_PRODUCT = Chain(
    "dev",
    "product",
    (
        *failing_launches(ERROR, UNFINISHED),
        Operation("Launch", launch(), End(AVAILABLE)),
        Operation("Launch again with the same values", launch(), End(AVAILABLE)),
        *in_place(AVAILABLE),
        *failing_updates(TAINTED),
        Operation("Update after the failures", update(ImageTag="1.4.3"), End(AVAILABLE)),
        *impossible(AVAILABLE, TAINTED),
        *nodes(AVAILABLE, TAINTED),
        Operation(
            "Change the database's name",
            update(DatabaseName="other"),
            End(AVAILABLE, replaced=DATABASE),
        ),
        Operation("Restore a snapshot", restore, End(AVAILABLE, replaced=DATABASE)),
        Operation(
            "Remove the snapshot from the parameters",
            update(DatabaseSnapshotIdentifier="restored"),
            End(AVAILABLE),
        ),
        *protection(AVAILABLE, TAINTED),
        Operation(
            "Select BucketRemoval=empty for the buckets",
            update(BucketRemoval="empty"),
            End(AVAILABLE),
        ),
        Operation(
            "Delete and empty the buckets",
            delete,
            End(ABSENT, remains=RETAINED | {CACHE_SNAPSHOT: 1, DATABASE_SNAPSHOT: 3}),
        ),
        Operation("Launch again under the same name", launch(), End(AVAILABLE)),
        Operation("Delete", delete, End(ABSENT, remains=RETAINED | {BUCKET: 2})),
    ),
)


def prod(entry: str, removed: str, created: str, done: str, back: str, kept: str) -> Chain:
    """The life of prod, which is the same through both entry points but for the words of the states."""
    return Chain(
        "prod",
        entry,
        (
            *failing_launches(removed, PROD_UNFINISHED),
            Operation("Launch", launch(), End(created, protected=True)),
            *in_place(done, protected=True),
            *failing_updates(back, protected=True),
            Operation(
                "Update after the failures",
                update(ImageTag="1.4.3"),
                End(done, protected=True),
            ),
            *impossible(kept, back, protected=True),
            refused("Delete while protection is on", delete, back, PROTECTED, protected=True),
            refused(
                "Select BucketRemoval=empty for the buckets",
                update(BucketRemoval="empty"),
                back,
                "prod",
                protected=True,
            ),
            Operation(
                "Turn protection off with Decommission", update(Decommission="true"), End(done)
            ),
            Operation(
                "Turn protection on again", update(Decommission="false"), End(done, protected=True)
            ),
            Operation("Turn protection off again", update(Decommission="true"), End(done)),
            Operation(
                "Delete with documents in the buckets",
                delete,
                End(ABSENT, remains=RETAINED | {CACHE_SNAPSHOT: 1, BUCKET: 3}),
            ),
            refused("Launch while the buckets exist", launch(), removed, "ExistingBuckets"),
            Operation(
                "Launch on the existing buckets",
                launch(ExistingBuckets="true", Decommission="false"),
                End(created, protected=True),
            ),
        ),
    )


PROD_CLOUDFORMATION = prod("CloudFormation", REMOVED, CREATED, UPDATED, BACK, BACK)
PROD_PRODUCT = prod("product", ERROR, AVAILABLE, AVAILABLE, TAINTED, AVAILABLE)
CHAINS = (DEV_CLOUDFORMATION, DEV_PRODUCT, PROD_CLOUDFORMATION, PROD_PRODUCT)
