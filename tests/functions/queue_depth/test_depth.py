"""The queue depth, with real Celery workers and a real Valkey behind TLS."""

import json
import socket
import threading
import time
from pathlib import Path

import boto3
import botocore.exceptions
import pytest

from commands.common.embedded_sessions import PERSON, user_without_permissions
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from templates_src.functions.queue_depth import broker
from templates_src.functions.queue_depth.broker import SEPARATOR, BrokerError, queue_keys
from templates_src.functions.queue_depth.handler import ConfigurationError, ServiceError, handler
from tests.engines.processes import free_port
from tests.engines.tls import issue
from tests.engines.valkey import Valkey
from tests.functions.queue_depth.queues import (
    PREFIX,
    Celery,
    Fleet,
    Store,
    depth,
    in_one_mode,
    wait_for,
)


@pytest.mark.parametrize("version", ["5.4", "newest"])
@pytest.mark.usefixtures("settings")
def test_depth_counts_waiting_and_running_jobs(
    server: Valkey, tmp_path: Path, celery_54: Path, version: str
) -> None:
    celery = Celery(server, tmp_path, celery_54 if version == "5.4" else None)
    assert celery.version().startswith("5.4." if version == "5.4" else "5.7.")
    assert depth() == 0

    celery.publish(
        {"queue": "celery", "count": 5, "priorities": [None]},
        {"queue": "celery", "count": 10, "priorities": list(range(10))},
        {"queue": "reports", "count": 3, "priorities": [None]},
        {"queue": "reports", "count": 4, "priorities": [9]},
        {"queue": "elsewhere", "count": 2, "priorities": [None]},
    )
    assert depth() == 22
    with server.client() as client:
        lengths = [client.llen(key) for key in queue_keys(PREFIX, "celery")]
        # 0-2, 3-5, 6-8 and 9 share a list each.
        assert lengths == [5 + 3, 0, 0, 3, 0, 0, 3, 0, 0, 1]

    with celery.worker("celery,reports", 2):
        wait_for(lambda: celery.unacknowledged() >= 2)
        assert depth() == 22
        celery.open_gate()
        wait_for(lambda: celery.done() == 22 and celery.unacknowledged() == 0)
        assert depth() == 0


@pytest.mark.parametrize(
    ("queues", "expected"), [("celery", 3), ("reports", 4), ("reports, celery", 7)]
)
def test_only_the_configured_queues_count(
    newest: Celery, settings: pytest.MonkeyPatch, queues: str, expected: int
) -> None:
    settings.setenv("QUEUES", queues)
    with newest.server.client() as client:
        for name, count in (("celery", 3), ("reports", 4)):
            client.lpush(queue_keys(PREFIX, name)[0], *range(count))

    assert depth() == expected


def test_the_queue_is_celerys_own_by_default(server: Valkey, settings: pytest.MonkeyPatch) -> None:
    settings.delenv("QUEUES")
    with server.client() as client:
        client.lpush(f"{PREFIX}celery", 1, 2)

    assert depth() == 2


@in_one_mode
@pytest.mark.usefixtures("settings")
def test_burst_is_counted_while_workers_process_it(newest: Celery) -> None:
    burst, concurrency = 2000, 4
    newest.publish({"queue": "celery", "count": burst, "priorities": [None, 3]})
    assert depth() == burst

    with newest.worker("celery,reports", concurrency):
        newest.open_gate()
        wait_for(lambda: newest.done() > 0)
        seen = []
        while newest.done() < burst:
            before = newest.done()
            counted = depth()
            after = newest.done()
            # A task leaves its byte before its message is acknowledged, and a worker holds a message for a moment between the
            # two commands that take it from the list and note it as unacknowledged: up to one a process either way.
            assert burst - after - concurrency <= counted <= burst - before + concurrency
            seen.append(counted)
        wait_for(lambda: newest.unacknowledged() == 0)
        assert depth() == 0

    assert len([each for each in seen if 0 < each < burst]) >= 5, seen


@pytest.mark.usefixtures("settings")
def test_an_unused_prefix_reads_zero_with_a_warning(
    server: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    assert depth() == 0
    assert "does not know the queues celery, reports under the prefix {carbon-dev}:" in caplog.text

    caplog.clear()
    with server.client() as client:
        for name in ("celery", "reports"):
            client.sadd(f"{PREFIX}_kombu.binding.{name}", f"{name}{SEPARATOR}{SEPARATOR}{name}")
    assert depth() == 0
    assert "under the prefix" not in caplog.text


def test_celery_itself_leaves_the_bindings_that_the_warning_looks_for(
    newest: Celery, settings: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.setenv("QUEUES", "celery")
    newest.publish({"queue": "celery", "count": 1, "priorities": [None]})

    assert depth() == 1
    assert "under the prefix" not in caplog.text


@pytest.mark.usefixtures("settings")
def test_the_metrics_carry_depth_and_backlog_per_running_task(server: Valkey, fleet: Fleet) -> None:
    with server.client() as client:
        client.lpush(f"{PREFIX}celery", *range(9))

    assert handler({}, None) == {
        "QueueDepth": 9.0,
        "BacklogPerTask": 4.5,
        "DelayedJobs": 0.0,
        "QueueStalledSeconds": 0.0,
        "RunningTasks": 2.0,
    }
    fleet.scale(0)
    assert handler({}, None)["BacklogPerTask"] == 9.0
    fleet.scale(3)
    assert handler({}, None)["BacklogPerTask"] == 3.0

    dimensions = [
        {"Name": "ClusterName", "Value": fleet.cluster},
        {"Name": "ServiceName", "Value": "worker"},
    ]
    always = ("QueueDepth", "BacklogPerTask", "DelayedJobs", "QueueStalledSeconds")
    assert fleet.published() == dict.fromkeys(always, dimensions)

    # One of the three workers shows signs of life, another one has stopped to, and beat did a minute ago.
    now = time.time()
    with server.client() as client:
        client.zadd(f"{PREFIX}{broker.WORKERS_ALIVE}", {"one": now, "another": now - 150})
        client.set(f"{PREFIX}{broker.BEAT_ALIVE}", now - 60)
    answer = handler({}, None)
    assert answer["SilentWorkers"] == 2
    assert answer["BeatSilentSeconds"] == pytest.approx(60, abs=30)
    with_signs = (*always, "SilentWorkers", "BeatSilentSeconds")
    assert fleet.published() == dict.fromkeys(with_signs, dimensions)


@in_one_mode
def test_arns_are_accepted_and_names_published(fleet: Fleet, settings: pytest.MonkeyPatch) -> None:
    ecs = fleet.client("ecs")
    (service,) = ecs.describe_services(cluster=fleet.cluster, services=["worker"])["services"]
    settings.setenv("CLUSTER", service["clusterArn"])
    settings.setenv("SERVICE", service["serviceArn"])

    handler({}, None)

    values = [each["Value"] for each in fleet.published()["QueueDepth"]]
    assert values == [fleet.cluster, "worker"]


def test_password_can_be_in_json(
    server: Valkey, settings: pytest.MonkeyPatch, store: Store
) -> None:
    secret = store(json.dumps({"username": server.user, "password": server.password}))
    settings.setenv("CACHE_SECRET_ARN", secret)

    assert depth() == 0


def test_user_needs_only_the_commands_of_the_contract(
    server: Valkey, settings: pytest.MonkeyPatch, store: Store
) -> None:
    allowed = ["+llen", "+lindex", "+lrange", "+hlen", "+hscan", "+srandmember"]
    allowed += ["+zcount", "+exists", "+get", "+set", "+multi", "+exec"]
    allowed += ["+cluster|slots"] if server.cluster else []
    with server.client() as client:
        client.lpush(f"{PREFIX}celery", 1)
        client.hset(f"{PREFIX}unacked", "tag", "[]")
        client.execute_command("ACL", "SETUSER", "depth", "on", ">only", "~*", *allowed)
    try:
        settings.setenv("CACHE_USER", "depth")
        settings.setenv("CACHE_SECRET_ARN", store("only"))
        assert depth() == 2
    finally:
        with server.client() as client:
            client.execute_command("ACL", "DELUSER", "depth")


def test_a_wrong_password_is_an_error(
    fleet: Fleet,
    settings: pytest.MonkeyPatch,
    store: Store,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.setenv("CACHE_SECRET_ARN", store("hunter2"))

    with pytest.raises(BrokerError, match="invalid username-password pair") as error:
        handler({}, None)

    assert "hunter2" not in f"{error.value!r} {error.value.__cause__!r} {caplog.text}"
    assert fleet.published() == {}


def test_a_cache_shows_no_password() -> None:
    cache = broker.Cache("host", 6379, "user", "hunter2", cluster_mode=True, ca_file=None)

    assert "hunter2" not in f"{cache} {cache!r}"


def test_an_unreachable_cache_is_an_error(fleet: Fleet, settings: pytest.MonkeyPatch) -> None:
    settings.setenv("CACHE_PORT", str(free_port()))

    with pytest.raises(BrokerError, match="refused"):
        handler({}, None)

    assert fleet.published() == {}


@in_one_mode
@pytest.mark.usefixtures("settings")
def test_silent_cache_is_an_error_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("CACHE_PORT", str(silent.getsockname()[1]))
        # A longer wait than the limit would end with another error than a time-out.
        hang_up = threading.Timer(3, silent.shutdown, [socket.SHUT_RDWR])
        hang_up.start()
        try:
            with pytest.raises(BrokerError, match=r"[Tt]imed? ?out"):
                handler({}, None)
        finally:
            hang_up.cancel()
            hang_up.join()


def test_a_certificate_of_another_authority_is_an_error(
    fleet: Fleet, settings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.setenv("CACHE_CA_FILE", str(issue(tmp_path, "localhost").root))

    with pytest.raises(BrokerError, match="certificate verify failed"):
        handler({}, None)

    settings.delenv("CACHE_CA_FILE")
    with pytest.raises(BrokerError, match="certificate verify failed"):
        handler({}, None)
    assert fleet.published() == {}


def test_a_certificate_of_another_name_is_an_error(
    fleet: Fleet, settings: pytest.MonkeyPatch
) -> None:
    settings.setenv("CACHE_HOST", "127.0.0.1")

    with pytest.raises(BrokerError, match="IP address mismatch"):
        handler({}, None)

    assert fleet.published() == {}


@in_one_mode
@pytest.mark.usefixtures("settings")
def test_a_node_of_another_name_is_an_error(server: Valkey, fleet: Fleet) -> None:
    """The client also verifies the node that the cluster redirects it to, not only the first connection."""
    with server.client() as client:
        client.config_set("cluster-preferred-endpoint-type", "ip")
        try:
            with pytest.raises(BrokerError, match="IP address mismatch"):
                handler({}, None)
        finally:
            client.config_set("cluster-preferred-endpoint-type", "hostname")

    assert fleet.published() == {}


def test_a_missing_service_is_an_error(fleet: Fleet, settings: pytest.MonkeyPatch) -> None:
    settings.setenv("SERVICE", "gone")
    with pytest.raises(ServiceError, match=r"service gone is not in the cluster c\w+: MISSING"):
        handler({}, None)

    settings.setenv("SERVICE", fleet.service)
    fleet.client("ecs").delete_service(cluster=fleet.cluster, service=fleet.service, force=True)
    with pytest.raises(ServiceError, match="is not in the cluster"):
        handler({}, None)

    settings.setenv("CLUSTER", "gone")
    with pytest.raises(botocore.exceptions.ClientError, match="ClusterNotFound"):
        handler({}, None)
    assert fleet.published() == {}


@in_one_mode
def test_a_missing_permission_is_an_error(
    fleet: Fleet, settings: pytest.MonkeyPatch, lambda_environment: EmbeddedAws
) -> None:
    aws = Aws(lambda_environment.region, lambda_environment.environment())
    user = user_without_permissions(aws)
    allowed = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    aws.client("iam").put_user_policy(UserName=PERSON, PolicyName="own", PolicyDocument=document)
    for name, value in user.environment.items():
        settings.setenv(name, value)
    # boto3 keeps the credentials of its first client.
    settings.setattr(boto3, "DEFAULT_SESSION", None)

    with pytest.raises(
        botocore.exceptions.ClientError, match="not authorized to perform: ecs:DescribeServices"
    ):
        handler({}, None)
    assert fleet.published() == {}


@in_one_mode
@pytest.mark.parametrize("text", ["{hunter2", "{}", '{"password": 7}', '{"password": ""}'])
def test_a_secret_without_a_password_is_an_error(
    fleet: Fleet, settings: pytest.MonkeyPatch, store: Store, text: str
) -> None:
    settings.setenv("CACHE_SECRET_ARN", store(text))

    with pytest.raises(ServiceError, match=r"^The secret") as error:
        handler({}, None)

    assert "hunter2" not in repr(error.value)
    assert fleet.published() == {}


@in_one_mode
@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        *((name, "", f"{name} is not set") for name in ("CACHE_HOST", "CACHE_PORT", "CACHE_USER")),
        *((name, "", f"{name} is not set") for name in ("CACHE_SECRET_ARN", "CACHE_KEY_PREFIX")),
        *((name, "", f"{name} is not set") for name in ("CLUSTER", "SERVICE", "CLUSTER_MODE")),
        ("METRIC_NAMESPACE", "", "METRIC_NAMESPACE is not set"),
        ("CACHE_PORT", "six", "CACHE_PORT must be"),
        ("CACHE_PORT", "65536", "CACHE_PORT must be"),
        ("CLUSTER_MODE", "True", "CLUSTER_MODE must be"),
        ("QUEUES", "", "QUEUES must be"),
        ("QUEUES", "celery,,reports", "QUEUES must be"),
        ("QUEUES", "celery,celery", "QUEUES must be"),
    ],
)
def test_a_wrong_variable_is_named(
    settings: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    settings.setenv(name, value)

    with pytest.raises(ConfigurationError, match=reason):
        handler({}, None)


@in_one_mode
@pytest.mark.parametrize("prefix", ["carbon-dev:", "{}:", "}{:"])
def test_cluster_mode_needs_a_prefix_with_braces(settings: pytest.MonkeyPatch, prefix: str) -> None:
    settings.setenv("CACHE_KEY_PREFIX", prefix)
    settings.setenv("CLUSTER_MODE", "true")

    with pytest.raises(ConfigurationError, match="part in braces"):
        handler({}, None)
