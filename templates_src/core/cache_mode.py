"""Cache mode: the parameter that selects the kind of cache, the ports that other layers open, and how clients read from it."""

from __future__ import annotations

from troposphere import Equals

from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import choice

SERVERLESS, REPLICATION_GROUP = "serverless", "replication-group"

MODE = choice(
    "CacheMode",
    group=groups.CACHE,
    label="Cache mode",
    description="Serverless (pay per use) or a replication group (nodes of a fixed size; required in prod). A change creates an empty cache, and waiting tasks are lost; beat pauses meanwhile.",
    allowed=(SERVERLESS, REPLICATION_GROUP),
    default=SERVERLESS,
)


def use_serverless(layer: Layer) -> str:
    """Condition ``UseServerlessCache``: the cache is serverless."""
    return layer.condition("UseServerlessCache", Equals(layer.parameter(MODE), SERVERLESS))
