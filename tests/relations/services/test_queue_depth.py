"""Queue depth: the function runs with the configuration of the templates, in every variant of an environment, against
real servers.

Its settings, its calls, and the scaling policies and alarms of its metrics must agree. Planted faults prove each
relation.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3
import botocore.session
import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import models
from pipeline.checks.render import Rendered
from pipeline.release.assemble import assemble
from templates_src.functions.queue_depth import handler as measuring
from templates_src.functions.queue_depth.broker import BEAT_ALIVE, WORKERS_ALIVE, queue_keys
from tests.conftest import REGION
from tests.engines.valkey import Valkey
from tests.relations.services.checks_queue import (
    CHECKS,
    CLUSTER,
    JOBS,
    SERVICE,
    Measurement,
    Metric,
    key_prefix,
    listened_to,
    variables,
)
from tests.relations.services.faults_queue import FAULTS, Fault
from tests.relations.variants import VARIANTS

Measure = Callable[[Rendered], Measurement]


@cache
def variant(name: str) -> Rendered:
    return VARIANTS[name].render(assemble())


def action(operation: Any) -> str:
    """The IAM action of an operation of these three services."""
    return f"{operation.service_model.service_name}:{operation.name}"


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    """An embedded AWS with the cluster and the service of the templates, named by their logical IDs."""
    with EmbeddedAws.start(region=REGION) as running:
        ecs = client_of(running, "ecs")
        ecs.create_cluster(clusterName=CLUSTER)
        container = {"name": "worker", "image": "worker", "memory": 64}
        ecs.register_task_definition(family="worker", containerDefinitions=[container])
        ecs.create_service(
            cluster=CLUSTER, serviceName=SERVICE, taskDefinition="worker", desiredCount=1
        )
        yield running


@pytest.fixture(scope="module")
def secret(aws: EmbeddedAws) -> str:
    """The ARN of the secret with the password."""
    text = json.dumps({"username": Valkey.user, "password": Valkey.password})
    return str(
        client_of(aws, "secretsmanager").create_secret(Name="cache", SecretString=text)["ARN"]
    )


def own_session() -> Any:
    """A separate session for each run; the models of the services are read once."""
    session = botocore.session.Session()
    session.register_component("data_loader", models())
    return boto3.session.Session(botocore_session=session)


@cache
def client_of(aws: EmbeddedAws, service: str) -> Any:
    """A client of the embedded AWS."""
    return boto3.client(
        service,
        endpoint_url=aws.endpoint_url,
        region_name=aws.region,
        aws_access_key_id=aws.access_key,
        aws_secret_access_key=aws.secret_key,
    )


@pytest.fixture
def measure(
    aws: EmbeddedAws,
    secret: str,
    valkey_cluster: Valkey,
    valkey_node: Valkey,
    monkeypatch: pytest.MonkeyPatch,
) -> Measure:
    """Run the handler with the environment of a rendered function and the address of the test's cache."""

    def run(rendered: Rendered) -> Measurement:
        given = variables(rendered)
        server = valkey_cluster if given.get("CLUSTER_MODE") == "true" else valkey_node
        server.clear()
        with server.client() as cache:
            for queue in listened_to(rendered):
                cache.lpush(queue_keys(key_prefix(rendered), queue)[0], *range(JOBS))
            # The application shows signs of life.
            cache.set(f"{key_prefix(rendered)}{BEAT_ALIVE}", time.time())
            cache.zadd(f"{key_prefix(rendered)}{WORKERS_ALIVE}", {"worker": time.time()})
        there = {
            "CACHE_HOST": server.host,
            "CACHE_PORT": str(server.port),
            "CACHE_USER": server.user,
            "CACHE_SECRET_ARN": secret,
        }
        launched = {name: there.get(name, value) for name, value in given.items()}
        calls: set[str] = set()
        with monkeypatch.context() as patch:
            for name, value in {
                **aws.environment(),
                **launched,
                "CACHE_CA_FILE": str(server.identity.root),
            }.items():
                patch.setenv(name, value)
            session = own_session()
            patch.setattr(boto3, "DEFAULT_SESSION", session)
            session.events.register("before-call", lambda model, **_: calls.add(action(model)))
            try:
                found = measuring.handler({}, None)
            except (measuring.ConfigurationError, measuring.ServiceError) as refusal:
                return Measurement(refusal=str(refusal))
        listed = client_of(aws, "cloudwatch").list_metrics(Namespace=given["METRIC_NAMESPACE"])
        published = frozenset(
            Metric(
                each["Namespace"],
                each["MetricName"],
                frozenset((pair["Name"], pair["Value"]) for pair in each["Dimensions"]),
            )
            for each in listed["Metrics"]
            if each["MetricName"] in found
        )
        return Measurement(published, found["QueueDepth"], frozenset(calls))

    return run


@pytest.mark.parametrize("name", VARIANTS)
def test_environments_hold_to(name: str, measure: Measure) -> None:
    rendered = variant(name)
    measurement = measure(rendered)
    assert [finding for check in CHECKS for finding in check(rendered, measurement)] == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_found(fault: Fault, measure: Measure) -> None:
    faulty = copy.deepcopy(variant(fault.variant))
    fault.plant(faulty)
    findings = list(fault.found_by(faulty, measure(faulty)))
    assert [finding for finding in findings if fault.says in finding], findings


def test_every_check_is_proven_by_a_fault() -> None:
    assert {fault.found_by for fault in FAULTS} == set(CHECKS)
