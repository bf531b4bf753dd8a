"""launch and update from a product refuse values that violate a relation with the current ones, before any request."""

from __future__ import annotations

import pytest

from pipeline.environments.provisioning import environments
from pipeline.errors import PipelineError
from tests.provisioning.catalog import Catalog
from tests.provisioning.users import User

BROKEN = [
    ({"WorkerQueues": "a,a"}, r"--set: WorkerQueues \(a,a\) names a 2 times"),
    ({"ApiMinTasks": "11"}, r"ApiMinTasks \(11\) is greater than ApiMaxTasks \(10\)"),
    (
        {"AvailabilityZones": "eu-west-1a,eu-west-1b,eu-west-1c"},
        "eu-west-1a, which is not a zone of eu-north-1",
    ),
    (
        {"DatabaseMaxAllocatedStorage": "54"},
        r"DatabaseMaxAllocatedStorage \(54\) must be at least 10 % above",
    ),
    ({"DocumentsGlacierDays": "30"}, "must be below DocumentsGlacierDays"),
]
UNREACHABLE = [
    ({"DatabaseAllocatedStorage": "40"}, "is 50 and cannot shrink to 40"),
    ({"DatabaseAllocatedStorage": "54"}, "grows by at least 10 %"),
    ({"SearchVolumeGb": "19"}, "is 20 and cannot shrink to 19"),
]


@pytest.mark.parametrize(("settings", "says"), BROKEN, ids=str)
def test_launch_is_not_requested(catalog: Catalog, settings: dict[str, str], says: str) -> None:
    user = User(catalog.user, "carbon-connect-staging")

    with pytest.raises(PipelineError, match=says):
        user.launch(**settings)

    assert environments.find_environment(user.aws, user.name) is None


@pytest.fixture(scope="module")
def launched(catalog: Catalog) -> User:
    user = User(catalog.user)
    assert user.launch().succeeded
    return user


@pytest.mark.parametrize(("settings", "says"), [*BROKEN, *UNREACHABLE], ids=str)
def test_update_is_not_requested(launched: User, settings: dict[str, str], says: str) -> None:
    before = environments.last_record(launched.aws, launched.environment())

    with pytest.raises(PipelineError, match=says):
        launched.update(**settings)

    assert environments.last_record(launched.aws, launched.environment()) == before


def test_values_in_force_count(launched: User) -> None:
    assert launched.update(ApiMaxTasks="12").succeeded

    assert launched.update(ApiMinTasks="11").succeeded
    with pytest.raises(
        PipelineError, match=r"ApiMinTasks \(11\) is greater than ApiMaxTasks \(10\)"
    ):
        launched.update(ApiMaxTasks="10")
