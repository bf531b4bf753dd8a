"""The parameter groups of the launch form, in the order in which the console shows them."""

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
    """The group of the values that a layer outputs; the form shows it only for a layer that is launched alone."""
    return f"Outputs of the {layer} layer"


def of_service(service: str) -> str:
    """The group of a service's parameters: Api, Worker or Beat."""
    return {"Api": API, "Worker": WORKERS, "Beat": BEAT}[service]


# The layers whose outputs are parameters of a later layer.
SOURCES = ("network", "security", "data", "edge", "compute")
NETWORK_OUTPUTS, SECURITY_OUTPUTS, DATA_OUTPUTS, EDGE_OUTPUTS, COMPUTE_OUTPUTS = map(
    outputs_of, SOURCES
)
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
