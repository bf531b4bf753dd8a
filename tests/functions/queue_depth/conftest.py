"""Fixtures: a server in both modes, and the function's environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from embedded_aws.server import EmbeddedAws
from tests.engines.valkey import Valkey
from tests.functions.queue_depth.queues import PREFIX, Celery, Fleet, Store


@pytest.fixture
def fleet(client: Any) -> Fleet:
    name = f"c{uuid4().hex[:8]}"
    ecs = client("ecs")
    ecs.create_cluster(clusterName=name)
    task = ecs.register_task_definition(
        family=name, containerDefinitions=[{"name": "worker", "image": "worker", "memory": 64}]
    )
    definition = task["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(
        cluster=name, serviceName="worker", taskDefinition=definition, desiredCount=2
    )
    return Fleet(client, f"Carbon/{name}", name, "worker")


@pytest.fixture(params=["cluster", "node"])
def server(request: pytest.FixtureRequest) -> Valkey:
    chosen: Valkey = request.getfixturevalue(f"valkey_{request.param}")
    chosen.clear()
    return chosen


@pytest.fixture
def settings(
    server: Valkey,
    fleet: Fleet,
    store: Store,
    lambda_environment: EmbeddedAws,
    monkeypatch: pytest.MonkeyPatch,
) -> pytest.MonkeyPatch:
    """The function's environment, complete."""
    del lambda_environment
    for name, value in {
        "CACHE_HOST": server.host,
        "CACHE_PORT": str(server.port),
        "CACHE_USER": server.user,
        "CACHE_SECRET_ARN": store(server.password),
        "CACHE_KEY_PREFIX": PREFIX,
        "CACHE_CA_FILE": str(server.identity.root),
        "QUEUES": "celery,reports",
        "CLUSTER": fleet.cluster,
        "SERVICE": fleet.service,
        "METRIC_NAMESPACE": fleet.namespace,
        "CLUSTER_MODE": "true" if server.cluster else "false",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def newest(server: Valkey, tmp_path: Path) -> Celery:
    return Celery(server, tmp_path, None)
