"""The procedures of docs/rotation.md on a launched environment while the example application serves requests."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
import redis

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from templates_src.core.parameters.shared import RELEASE_PREFIX
from templates_src.functions.queue_depth.broker import Cache, read_jobs
from tests.conftest import REGION
from tests.contract.application import TAG, Deployment, Stack, make_database
from tests.contract.containers import Machine
from tests.contract.service import ROUNDS, Service
from tests.engines.rds import Rds
from tests.engines.valkey import Valkey
from tests.launches.environments import Environment
from tests.updates.faults import TAKEN, unlaunchable
from tests.updates.update_paths import planted

ACCEPTED, REFUSED = (200, 200), 401
NAMES = ("api", "worker", "beat")


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    """A Valkey whose users are those that the embedded AWS has."""
    with Valkey(cluster=True) as server:
        yield server


@pytest.fixture(scope="module")
def running(valkey: Valkey) -> Iterator[EmbeddedAws]:
    with EmbeddedAws.start(region=REGION, cache=valkey.administration_url) as aws:
        yield aws


@pytest.fixture(scope="module")
def service(
    running: EmbeddedAws,
    valkey: Valkey,
    release: Release,
    rds_server: Rds,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """dev with its application under traffic; no request may fail."""
    environment = Environment(running, release, "dev")
    settings = {"ImageTag": TAG}
    assert environment.launch(**settings).status == "CREATE_COMPLETE"
    trusted = {
        "SSL_CERT_FILE": str(valkey.identity.root),
        "PGSSLROOTCERT": str(rds_server.identity.root),
    }
    machine = Machine(tmp_path_factory.mktemp("rotation"), trusted)
    stack = Stack(Deployment.of(environment), rds_server, valkey, machine)
    make_database(rds_server, stack.secrets("worker")["DATABASE_URL"])
    service = Service.start(stack, settings)
    try:
        yield service
    finally:
        service.traffic.stop()
        machine.stop()


@pytest.fixture(autouse=True)
def no_request_fails(service: Service) -> Iterator[None]:
    """Users notice nothing of a rotation."""
    before = service.traffic.rounds
    yield
    assert service.traffic.failed == []
    assert service.traffic.rounds > before


def is_accepted(service: Service, url: str) -> bool:
    """Whether the cache accepts a user and a password."""
    parts = urlsplit(url)
    with redis.Redis(
        host=service.stack.valkey.host,
        port=service.stack.valkey.port,
        username=parts.username,
        password=parts.password,
        ssl=True,
        ssl_ca_certs=str(service.stack.valkey.identity.root),
    ) as client:
        try:
            return bool(client.ping())
        except redis.AuthenticationError:
            return False


def measured(service: Service) -> int:
    """The number of jobs that the queue-depth function finds, with its environment and secret."""
    environment = service.deployment.environment
    name = environment.outputs("Compute")["QueueDepthFunctionName"]
    configuration = environment.client("lambda").get_function_configuration(FunctionName=name)
    given = configuration["Environment"]["Variables"]
    secrets = environment.client("secretsmanager")
    held = json.loads(secrets.get_secret_value(SecretId=given["CACHE_SECRET_ARN"])["SecretString"])
    assert held["username"] == given["CACHE_USER"]
    cache = Cache(
        service.stack.valkey.host,
        service.stack.valkey.port,
        given["CACHE_USER"],
        held["password"],
        cluster_mode=given["CLUSTER_MODE"] == "true",
        ca_file=str(service.stack.valkey.identity.root),
    )
    return read_jobs(cache, given["CACHE_KEY_PREFIX"], given["QUEUES"].split(",")).due


def test_cache_credentials(service: Service) -> None:
    first = service.deployment.secrets("worker")["CELERY_BROKER_URL"]
    before = service.update(CacheCredentials="second")

    second = service.deployment.secrets("worker")["CELERY_BROKER_URL"]
    assert (urlsplit(first).username, urlsplit(second).username) == ("carbon", "carbon-second")
    assert is_accepted(service, first)
    assert is_accepted(service, second)
    assert measured(service) >= 0
    for name in NAMES:
        assert service.deployment.containers[name] != before.containers[name]
        assert service.deployment.secrets(name)["CELERY_RESULT_BACKEND"] == second

    running = service.deployment.containers
    service.update(CacheCredentialsVersion="2")

    assert not is_accepted(service, first)
    assert is_accepted(service, second)
    assert measured(service) >= 0
    assert service.deployment.containers == running, "nothing that runs is replaced"


@pytest.mark.parametrize(
    ("in_use", "version", "variable", "known"),
    [
        ("JwtSigningSecret", "JwtSecretVersion", "JWT_SECRET", lambda token, _: token),
        ("SessionSigningKey", "SessionKeyVersion", "SESSION_KEY", lambda _, session: session),
    ],
)
def test_signing_keys(
    service: Service,
    in_use: str,
    version: str,
    variable: str,
    known: Callable[[int, int], int],
) -> None:
    signed = service.signed_in()
    before = service.update(**{in_use: "second"})
    keys, former = service.deployment.secrets("api"), before.secrets("api")

    assert keys[variable] == former[f"{variable}_SECONDARY"]
    assert keys[f"{variable}_SECONDARY"] == former[variable]
    assert service.known_by(*signed) == ACCEPTED, "what was signed before is accepted"

    now = service.signed_in()
    service.update(**{version: "2"})

    assert known(*service.known_by(*signed)) == REFUSED
    assert service.known_by(*now) == ACCEPTED
    renewed = service.deployment.secrets("api")
    assert renewed[variable] == keys[variable]
    assert renewed[f"{variable}_SECONDARY"] not in (keys[variable], former[variable])


def test_search_key(service: Service) -> None:
    server = service.deployment.environment.physical_id("Compute.SearchGroup")
    key, version = search_key(service), launched(service)
    before = service.update(SearchKeyVersion="2")

    assert search_key(service) != key
    assert launched(service) != version
    assert service.deployment.environment.physical_id("Compute.SearchGroup") == server
    for name in ("api", "worker"):
        assert service.deployment.containers[name] != before.containers[name]
        assert service.deployment.secrets(name)["MEILISEARCH_MASTER_KEY"] == search_key(service)


def launched(service: Service) -> str:
    """The version of the launch template of the search server."""
    environment = service.deployment.environment
    group = environment.physical_id("Compute.SearchGroup")
    described = environment.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[group]
    )
    (found,) = described["AutoScalingGroups"]
    return str(found["LaunchTemplate"]["Version"])


def search_key(service: Service) -> str:
    """The key in the secret that the search server reads at its start."""
    environment = service.deployment.environment
    described = environment.client("ec2").describe_launch_template_versions(
        LaunchTemplateId=environment.physical_id("Compute.SearchLaunchTemplate"),
        Versions=[launched(service)],
    )
    data = described["LaunchTemplateVersions"][0]["LaunchTemplateData"]["UserData"]
    settings = base64.b64decode(data).decode()
    (arn,) = re.findall(r"^SECRET_ARN=(.+)$", settings, re.MULTILINE)
    secrets = environment.client("secretsmanager")
    return str(json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])["value"])


def test_api_keys(service: Service) -> None:
    environment = service.deployment.environment
    environment.client("secretsmanager").put_secret_value(
        SecretId=environment.physical_id("Security.ClaudeApiKeySecret"),
        SecretString='{"value": "another key"}',
    )
    before = service.update(ApiKeysVersion="2")

    for name in ("api", "worker"):
        assert service.deployment.containers[name] != before.containers[name]
        assert service.deployment.secrets(name)["ANTHROPIC_API_KEY"] == "another key"
    assert service.deployment.containers["beat"] == before.containers["beat"]


def test_a_rotation_that_fails_is_rolled_back(
    service: Service, release: Release, running: EmbeddedAws
) -> None:
    """The last layer fails, after every other one has been updated."""
    environment = service.deployment.environment
    environment.client("logs").create_log_group(logGroupName=TAKEN)
    held = environment.secret_values()
    url = service.deployment.secrets("worker")["CELERY_BROKER_URL"]
    changes = {
        "CacheCredentials": "first",
        "JwtSigningSecret": "first",
        "JwtSecondSecretVersion": "9",
        "SearchKeyVersion": "9",
    }
    faulty = Environment(running, planted(release, unlaunchable), "dev", **environment.settings)
    prefix = {RELEASE_PREFIX.name: faulty.release.prefix}
    ended = faulty.launch(**{**service.settings, **changes, **prefix})

    assert ended.status == "UPDATE_ROLLBACK_COMPLETE"
    assert environment.secret_values() == held
    assert Deployment.of(environment) == service.deployment
    assert is_accepted(service, url)
    service.traffic.serve(ROUNDS)
