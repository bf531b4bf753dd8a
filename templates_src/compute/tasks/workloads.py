"""The container contract: size, command, variables and secrets of api, worker and beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from troposphere import If, Sub
from troposphere.ecs import Secret

from templates_src.compute.search.address import SEARCH_URL
from templates_src.compute.tasks.task_sizes import cpu, memory
from templates_src.core import ports
from templates_src.core.keep_alive import FORMER_KEEP_ALIVE, KEEP_ALIVE
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import new_tasks
from templates_src.core.parameters.wiring.data import (
    CACHE_CREDENTIALS_IN_USE,
    CACHE_HOST,
    CACHE_URL_SECRET_ARN,
    DATABASE_HOST,
    DATABASE_URL_SECRET_ARN,
    DOCUMENTS_BUCKET_NAME,
    MEDIA_BUCKET_NAME,
)
from templates_src.core.parameters.wiring.secrets import (
    CLAUDE_API_KEY_SECRET_ARN,
    CLIMATIQ_API_KEY_SECRET_ARN,
    JWT_SECOND_SECRET_ARN,
    JWT_SECRET_ARN,
    SEARCH_KEY_SECRET_ARN,
    SESSION_KEY_SECRET_ARN,
    SESSION_SECOND_KEY_SECRET_ARN,
)
from templates_src.core.parameters.wiring.security import (
    API_TASK_ROLE_ARN,
    BEAT_TASK_ROLE_ARN,
    WORKER_TASK_ROLE_ARN,
)
from templates_src.core.rotation import (
    API_KEYS_VERSION,
    DATABASE_CREDENTIALS_VERSION,
    JWT_SECRET,
    SESSION_KEY,
    Pair,
)
from templates_src.data.connection_urls import URL_KEY
from templates_src.security.secrets import VALUE

# The longest that Fargate waits; Spot gives the same notice.
WORKER_STOP_SECONDS = 120
# Beat writes only its schedule file.
BEAT_TEMPORARY_MIB = 64
# Answers 200 on the path of the health check.
PLACEHOLDER_API = (
    "sh",
    "-c",
    f"mkdir -p /tmp/public{ports.HEALTH_PATH.rpartition('/')[0]}"
    f" && echo placeholder > /tmp/public{ports.HEALTH_PATH}"
    f" && exec python -m http.server {ports.API} --directory /tmp/public",
)
# uvicorn trusts X-Forwarded-For only from these private ranges, which contain the load balancer. The load balancer
# appends the address of the client to the header, so the last public address is the client's. With *, uvicorn takes the
# first address, which the client chooses.
EVERY_PROXY = "--forwarded-allow-ips *"
PRIVATE_PROXIES = "--forwarded-allow-ips 10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"
# Options of the default ApiCommand of 1.0 and 1.1, and those of this release.
REPLACED_OPTIONS = ((FORMER_KEEP_ALIVE, KEEP_ALIVE), (EVERY_PROXY, PRIVATE_PROXIES))
PLACEHOLDER_IDLE = ("python", "-c", "import signal; signal.pause()")


def command(service: str, default: str) -> Declaration:
    """Command of a service's container.

    It is split at each space, so that it needs no shell in the image and can contain commas, as Celery's queue lists
    do.
    """
    return Declaration(
        name=f"{service}Command",
        group=groups.of_service(service),
        label=f"{service}: command",
        description=f"Command and arguments, separated by single spaces; empty for the command of the image. {new_tasks(service)}",
        default=default,
        pattern=r"(\S+( \S+)*)?",
        message=f"{service}Command must be a command and its arguments, separated by single spaces.",
    )


MIGRATION_COMMAND = Declaration(
    name="MigrationCommand",
    group=groups.IMAGE,
    label="Migration command",
    description="Command of the image that changes the database before any service changes, and its arguments, separated by single spaces; empty for none. It runs once for each new image or command. Clearing it deletes the log of its function, not that of the migrations.",
    default="",
    pattern=r"(\S+( \S+)*)?",
    message="MigrationCommand must be empty or a command and its arguments, separated by single spaces.",
)


@dataclass(frozen=True)
class SecretVariable:
    """An environment variable that ECS fills from a secret: one key of its JSON."""

    variable: str
    secret: Declaration
    key: str
    # For a pair of secrets: the one that replaces the other while the second one is in use.
    second: Declaration | None = None
    pair: Pair | None = None

    def reference(self, layer: Layer) -> Secret:
        """The reference to the secret in a container definition; without the key, the container gets the whole JSON."""
        value: Sub | If = self._part(layer, self.secret)
        if self.pair and self.second:
            value = self.pair.choose(layer, value, self._part(layer, self.second))
        return Secret(Name=self.variable, ValueFrom=value)

    def _part(self, layer: Layer, secret: Declaration) -> Sub:
        layer.parameter(secret)
        return Sub(f"${{{secret.name}}}:{self.key}::")


def signing(
    variable: str, first: Declaration, second: Declaration, pair: Pair
) -> Sequence[SecretVariable]:
    """The secret that signs, and the other secret of its pair, which the api also accepts."""
    return (
        SecretVariable(variable, first, VALUE, second, pair),
        SecretVariable(f"{variable}_SECONDARY", second, VALUE, first, pair),
    )


BROKER = (
    SecretVariable("CELERY_BROKER_URL", CACHE_URL_SECRET_ARN, URL_KEY),
    SecretVariable("CELERY_RESULT_BACKEND", CACHE_URL_SECRET_ARN, URL_KEY),
)
APPLICATION = (
    *BROKER,
    SecretVariable("DATABASE_URL", DATABASE_URL_SECRET_ARN, URL_KEY),
    SecretVariable("MEILISEARCH_MASTER_KEY", SEARCH_KEY_SECRET_ARN, VALUE),
    SecretVariable("ANTHROPIC_API_KEY", CLAUDE_API_KEY_SECRET_ARN, VALUE),
    SecretVariable("CLIMATIQ_API_KEY", CLIMATIQ_API_KEY_SECRET_ARN, VALUE),
)
# Only the api uses tokens and sessions.
SIGNING = (
    *signing("JWT_SECRET", JWT_SECRET_ARN, JWT_SECOND_SECRET_ARN, JWT_SECRET),
    *signing("SESSION_KEY", SESSION_KEY_SECRET_ARN, SESSION_SECOND_KEY_SECRET_ARN, SESSION_KEY),
)
# An environment variable and its value: a parameter, or text that Sub completes. ECS reads a secret only when a task
# starts. A variable that changes with the credentials or the API keys replaces the tasks.
Variables: TypeAlias = tuple[tuple[str, Declaration | Sub], ...]
BROKER_VARIABLES: Variables = (
    ("CACHE_ROTATION", CACHE_CREDENTIALS_IN_USE),
    ("CACHE_HOST", CACHE_HOST),
)
APPLICATION_VARIABLES: Variables = (
    *BROKER_VARIABLES,
    ("API_KEYS_ROTATION", API_KEYS_VERSION),
    ("DATABASE_HOST", DATABASE_HOST),
    ("DATABASE_ROTATION", DATABASE_CREDENTIALS_VERSION),
    ("DOCUMENTS_BUCKET", DOCUMENTS_BUCKET_NAME),
    ("MEDIA_BUCKET", MEDIA_BUCKET_NAME),
    ("MEILISEARCH_URL", SEARCH_URL),
)


@dataclass(frozen=True)
class Workload:
    """What runs from the image: one of the three services, or the migration.

    ``title`` is the prefix of its logical IDs; ``temporary_mib`` is the size of its /tmp if no parameter sets it. A workload
    that ``has_settings`` gets the application's own. One that ``keeps_every_line`` waits for CloudWatch Logs when it is slow, where the others lose lines.
    """

    title: str
    cpu: Declaration
    memory: Declaration
    command: Declaration
    placeholder: tuple[str, ...]
    task_role: Declaration
    secrets: tuple[SecretVariable, ...]
    variables: Variables
    port: int | None = None
    stop_seconds: int | None = None
    temporary_mib: int | None = None
    keeps_every_line: bool = False
    has_settings: bool = False

    @property
    def name(self) -> str:
        """Name of the container, and suffix of the task family."""
        return self.title.lower()


API = Workload(
    "Api",
    cpu("Api", "1024"),
    memory("Api", "2048"),
    command(
        "Api",
        f"uvicorn app.main:app --host 0.0.0.0 --port {ports.API} {KEEP_ALIVE} {PRIVATE_PROXIES}",
    ),
    PLACEHOLDER_API,
    API_TASK_ROLE_ARN,
    secrets=(*APPLICATION, *SIGNING),
    variables=APPLICATION_VARIABLES,
    port=ports.API,
    has_settings=True,
)
WORKER = Workload(
    "Worker",
    cpu("Worker", "1024"),
    memory("Worker", "2048"),
    command("Worker", "celery --app app.worker worker --loglevel INFO"),
    PLACEHOLDER_IDLE,
    WORKER_TASK_ROLE_ARN,
    secrets=APPLICATION,
    variables=APPLICATION_VARIABLES,
    stop_seconds=WORKER_STOP_SECONDS,
    has_settings=True,
)
BEAT = Workload(
    "Beat",
    cpu("Beat", "256"),
    memory("Beat", "512"),
    command(
        "Beat", "celery --app app.worker beat --loglevel INFO --schedule /tmp/celerybeat-schedule"
    ),
    PLACEHOLDER_IDLE,
    BEAT_TASK_ROLE_ARN,
    secrets=BROKER,
    variables=BROKER_VARIABLES,
    temporary_mib=BEAT_TEMPORARY_MIB,
)
# It gets what api and worker both have, because an application often reads its settings while it is imported. The user in
# its DATABASE_URL becomes the role that owns every object of the application.
MIGRATION = Workload(
    "Migration",
    WORKER.cpu,
    WORKER.memory,
    MIGRATION_COMMAND,
    PLACEHOLDER_IDLE,
    WORKER_TASK_ROLE_ARN,
    secrets=APPLICATION,
    variables=APPLICATION_VARIABLES,
    keeps_every_line=True,
    has_settings=True,
)
WORKLOADS = (API, WORKER, BEAT)
