"""The engines as pytest fixtures, started once a session. Loaded by `pytest_plugins = ["tests.engines.fixtures"]`.

A missing engine is an error that says to run `make setup`, never a skip.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.places import CELERY_54, present
from tests.engines.postgres import Postgres
from tests.engines.rds import Rds
from tests.engines.valkey import Valkey


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL 16, running, with no extension created. A test that creates some drops them."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def rds_server() -> Iterator[Rds]:
    """PostgreSQL 16 with the roles of RDS, running, without a master user."""
    with Rds() as server:
        yield server


@pytest.fixture
def rds(rds_server: Rds) -> Rds:
    """The same with a new master user and a new, empty database."""
    if not rds_server.is_new():
        rds_server.make_instance()
    return rds_server


@pytest.fixture(scope="session")
def valkey_cluster() -> Iterator[Valkey]:
    """Valkey in cluster mode, as ElastiCache Serverless."""
    with Valkey(cluster=True) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_node() -> Iterator[Valkey]:
    """Valkey with cluster mode disabled, as the replication group of prod."""
    with Valkey(cluster=False) as server:
        yield server


@pytest.fixture(scope="session")
def celery_54() -> Path:
    """The folder of Celery 5.4, for the first place of PYTHONPATH."""
    return present(CELERY_54)
