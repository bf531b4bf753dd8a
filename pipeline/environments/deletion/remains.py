"""The resources that stay in the account: retained ones, snapshots, and those that AWS services created next to the stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from pipeline.changes.updates.facts import BUCKET, DATABASE, KEY
from pipeline.cost import prices
from pipeline.environments.deletion.account import Account
from pipeline.environments.deletion.by_products import by_products
from pipeline.environments.deletion.contents import Contents, StackResource
from pipeline.environments.deletion.costs import stored
from pipeline.environments.deletion.kinds import LOOKS, Look, look
from pipeline.environments.deletion.remaining import Remaining
from pipeline.environments.deletion.removal_commands import REMOVE

# The root parameter with which a launch uses existing buckets, and the outputs that name them.
ADOPTS, BUCKET_OUTPUTS = "ExistingBuckets", ("DocumentsBucketName", "MediaBucketName")


def remaining(account: Account, contents: Contents) -> list[Remaining]:
    """The resources that stay in the account; the key is last, because the others cannot be read without it.

    Snapshots that these credentials cannot list are entries that are not verified.
    """
    found = [
        *retained(account, contents),
        *adopted(account, contents),
        *by_products(account, contents),
    ]
    return sorted(found, key=lambda each: each.kind == KEY)


def retained(account: Account, contents: Contents) -> Iterator[Remaining]:
    """Resources that the templates retain, if they still exist."""
    for resource in contents.resources:
        # A policy or an attachment stays with the resource that it belongs to.
        if resource.is_retained and resource.kind in REMOVE:
            seen = look(account, resource.kind, resource.physical_id, f"whether {resource} exists")
            if seen.exists is not False:
                yield _of(account, resource, seen, f"{resource}, retained")


def adopted(account: Account, contents: Contents) -> Iterator[Remaining]:
    """Buckets that existed before the launch, which uses them without owning them."""
    if contents.values.get(ADOPTS) != "true":
        return
    for name in filter(None, map(contents.outputs.get, BUCKET_OUTPUTS)):
        seen = look(account, BUCKET, name, f"whether bucket {name} exists")
        if seen.exists is not False:
            commands = REMOVE[BUCKET](account.aws.region, name)
            verified = seen.exists is not None
            origin = "existed before the launch"
            yield Remaining(BUCKET, name, origin, seen.size, seen.cost, commands, verified)


def undeleted(account: Account, contents: Contents) -> Iterator[Remaining]:
    """Resources that the deletion should have deleted and that exist."""
    for resource in contents.resources:
        if not resource.is_retained and not resource.is_gone and resource.kind in LOOKS:
            seen = look(account, resource.kind, resource.physical_id, str(resource))
            if seen.exists:
                yield _of(account, resource, seen, f"{resource}, not deleted")


def _of(account: Account, resource: StackResource, seen: Look, origin: str) -> Remaining:
    return Remaining(
        resource.kind,
        resource.physical_id,
        origin,
        seen.size,
        seen.cost,
        REMOVE[resource.kind](account.aws.region, resource.physical_id),
        seen.exists is not None,
    )


def expected_snapshots(contents: Contents, looks: Mapping[str, Look]) -> Iterator[str]:
    """The final snapshots that the deletion creates, one per line."""
    for resource in contents.resources:
        if resource.leaves_snapshot and not resource.is_gone:
            size, seen = "", looks.get(str(resource))
            if seen and seen.exists and resource.kind == DATABASE:
                stays = Decimal(seen.size.split()[0])
                size = f": {stored(stays, prices.DATABASE_SNAPSHOT_GB_MONTH, is_limit=True)}"
            yield f"A final snapshot of {resource} ({resource.physical_id}){size}"
