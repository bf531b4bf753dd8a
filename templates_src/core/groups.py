"""The groups of the form: what a launcher looks for, in the order in which the console shows it."""

from __future__ import annotations

ENVIRONMENT = "Environment"
NETWORK = "Network"
DOMAIN = "Domain and certificate"
LOAD_BALANCER = "Load balancer"
IMAGE = "Image"
CONTAINERS = "Containers"
API = "API"
WORKERS = "Workers"
BEAT = "Beat (scheduler)"
DATABASE = "Database"
CACHE = "Cache"
BUCKETS = "Documents and media"
SEARCH = "Search"
ALARMS = "Alarms"
OPERATIONS = "Logs and permissions"
GITHUB = "GitHub"
ROTATION = "Rotation of passwords and keys"
RELEASE = "Release"
LAUNCHING = "Launching"


def outputs_of(layer: str) -> str:
    """The group of the values that a layer outputs; only a layer that is launched alone shows it."""
    return f"Outputs of the {layer} layer"


def of_service(service: str) -> str:
    """The group of a service's parameters: Api, Worker or Beat."""
    return {"Api": API, "Worker": WORKERS, "Beat": BEAT}[service]


# The layers whose outputs a later layer takes.
SOURCES = ("network", "security", "data", "edge", "compute")
ORDER = (
    ENVIRONMENT,
    *map(outputs_of, SOURCES),
    NETWORK,
    DOMAIN,
    LOAD_BALANCER,
    IMAGE,
    CONTAINERS,
    API,
    WORKERS,
    BEAT,
    DATABASE,
    CACHE,
    BUCKETS,
    SEARCH,
    ALARMS,
    OPERATIONS,
    GITHUB,
    ROTATION,
    LAUNCHING,
    RELEASE,
)
