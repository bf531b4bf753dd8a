"""The checks, in the order in which they run; the first that fails gives the reason of the refusal."""

from . import (
    bucket_names,
    cache,
    database,
    hosted_zone,
    network,
    search_volume,
    snapshot,
)
from .launch import Check

CHECKS: tuple[Check, ...] = (
    network.zones_exist,
    network.zones_stay,
    network.range_stays,
    bucket_names.buckets_are_available,
    snapshot.snapshot_fits,
    database.storage_grows,
    database.ceiling_is_above,
    cache.failover_has_replica,
    hosted_zone.zone_is_delegated,
    hosted_zone.certificate_fits,
    search_volume.volume_grows,
    search_volume.snapshot_stays,
    search_volume.snapshot_fits,
)
