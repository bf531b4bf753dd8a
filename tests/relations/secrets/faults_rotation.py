"""Faults in rotation."""

from __future__ import annotations

from pipeline.checks.render import Rendered
from tests.relations.planting import Plant, body, drop, put
from tests.relations.registry import Fault
from tests.relations.secrets import checks_rotation as rotation

CONTAINER = "ContainerDefinitions/0"
# A variant in which the second secrets are in use.
ROTATED = "dev on what exists"


def swap_signing_secrets(rendered: Rendered) -> None:
    """The api signs with the secret that is not in use."""
    (container,) = body(rendered, "ApiTaskDefinition")["Properties"]["ContainerDefinitions"]
    secrets = {each["Name"]: each for each in container["Secrets"]}
    one, other = secrets["JWT_SECRET"], secrets["JWT_SECRET_SECONDARY"]
    one["ValueFrom"], other["ValueFrom"] = other["ValueFrom"], one["ValueFrom"]


def drop_variable(name: str) -> Plant:
    """Take a variable from the worker."""

    def plant(rendered: Rendered) -> None:
        (container,) = body(rendered, "WorkerTaskDefinition")["Properties"]["ContainerDefinitions"]
        container["Environment"] = [
            each for each in container["Environment"] if each["Name"] != name
        ]

    return plant


FAULTS = (
    Fault(
        "a URL of the user that is not in use",
        rotation.the_cache_is_used_as_the_user_in_use,
        "CacheUrl does not name the user carbon-second",
        put("CacheUrl", "SecretString", '{"url": "rediss://carbon:x@host:6379/0"}'),
        ROTATED,
    ),
    Fault(
        "a function with the secret that is not in use",
        rotation.the_cache_is_used_as_the_user_in_use,
        "QueueDepthFunction signs in as carbon with",
        put("QueueDepthFunction", "Environment/Variables/CACHE_USER", "carbon"),
        ROTATED,
    ),
    Fault(
        "a user of the cache that is not in its group",
        rotation.both_users_of_the_cache_are_accepted,
        "CacheSecondUser is not in CacheUserGroup",
        drop("CacheUserGroup", "UserIds/2"),
    ),
    Fault(
        "a second user with other rights",
        rotation.both_users_of_the_cache_are_accepted,
        "may do different things",
        put("CacheSecondUser", "AccessString", "on ~* &* +@all"),
    ),
    Fault(
        "an api that signs with the secret that is not in use",
        rotation.the_api_signs_with_one_secret_and_accepts_two,
        "JWT_SECRET is JwtSecret, where JwtSecondSecret should be",
        swap_signing_secrets,
        ROTATED,
    ),
    Fault(
        "a worker that keeps the former URL of the cache",
        rotation.a_rotation_replaces_the_tasks_that_read,
        "WorkerTaskDefinition keeps ['CELERY_BROKER_URL', 'CELERY_RESULT_BACKEND']",
        drop_variable("CACHE_ROTATION"),
    ),
    Fault(
        "a worker that keeps API keys",
        rotation.a_rotation_replaces_the_tasks_that_read,
        "WorkerTaskDefinition keeps ['ANTHROPIC_API_KEY', 'CLIMATIQ_API_KEY']",
        drop_variable("API_KEYS_ROTATION"),
    ),
    Fault(
        "a variable that does not follow the rotation",
        rotation.a_rotation_replaces_the_tasks_that_read,
        "CACHE_ROTATION of ApiTaskDefinition is first/1, not second/2",
        put("ApiTaskDefinition", f"{CONTAINER}/Environment/4/Value", "first/1"),
        ROTATED,
    ),
)
