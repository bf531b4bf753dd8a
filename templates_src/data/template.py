"""The data layer: PostgreSQL, Valkey, the two buckets, the search volume, and the connection URLs of database and cache."""

from __future__ import annotations

from templates_src.core.layer import Layer
from templates_src.data.buckets import add_buckets
from templates_src.data.cache import add_cache
from templates_src.data.cache_parameters import require_resilient_cache_in_prod
from templates_src.data.connection_urls import allow_ecs_to_read
from templates_src.data.database import add_database
from templates_src.data.database_parameters import require_resilient_database_in_prod
from templates_src.data.extensions import add_extensions
from templates_src.data.search_volume import add_search_volume


def data() -> Layer:
    """The data layer."""
    layer = Layer("data", "Carbon Connect: PostgreSQL, Valkey, the buckets and the search volume")
    require_resilient_database_in_prod(layer)
    require_resilient_cache_in_prod(layer)
    database_url = add_database(layer)
    add_extensions(layer)
    cache_url = add_cache(layer)
    allow_ecs_to_read(layer, database_url, cache_url)
    add_buckets(layer)
    add_search_volume(layer)
    return layer
