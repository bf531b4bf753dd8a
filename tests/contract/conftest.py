"""dev and prod launched on an embedded AWS, and real engines behind their URLs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.checks.render import Rendered
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.contract.application import (
    TAG,
    Deployment,
    History,
    Stack,
    cache_user,
    deploy_in_two_steps,
    make_database,
)
from tests.contract.containers import Machine
from tests.engines.rds import Rds
from tests.engines.valkey import Valkey
from tests.launches.environments import Environment
from tests.rendering import named


@pytest.fixture(scope="session")
def contract_aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws.start(region=REGION) as running:
        yield running


@pytest.fixture(scope="session")
def history(contract_aws: EmbeddedAws, release: Release) -> History:
    """dev, launched without an image, then updated with one."""
    return deploy_in_two_steps(Environment(contract_aws, release, "dev"))


@pytest.fixture(scope="session")
def serverless(history: History) -> Deployment:
    """dev, whose cache is serverless."""
    return history.image


@pytest.fixture(scope="session")
def nodes(contract_aws: EmbeddedAws, release: Release) -> Deployment:
    """prod, whose cache is a replication group."""
    environment = Environment(contract_aws, release, "prod")
    assert environment.launch(ImageTag=TAG).status == "CREATE_COMPLETE"
    return Deployment.of(environment)


@pytest.fixture(scope="module", params=["serverless", "nodes"])
def stack(
    request: pytest.FixtureRequest, rds_server: Rds, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The application in each cache mode, without running processes."""
    deployment: Deployment = request.getfixturevalue(request.param)
    engine = "valkey_cluster" if request.param == "serverless" else "valkey_node"
    valkey: Valkey = request.getfixturevalue(engine)
    rendered: Rendered = request.getfixturevalue(deployment.environment.profile["Environment"])
    access = named(rendered, "CacheUser").properties["AccessString"]
    trusted = {
        "SSL_CERT_FILE": str(valkey.identity.root),
        "PGSSLROOTCERT": str(rds_server.identity.root),
    }
    machine = Machine(tmp_path_factory.mktemp("application"), trusted)
    stack = Stack(deployment, rds_server, valkey, machine)
    urls = stack.secrets("worker")
    make_database(rds_server, urls["DATABASE_URL"])
    with cache_user(valkey, urls["CELERY_BROKER_URL"], access):
        try:
            yield stack
        finally:
            machine.stop()
