"""A launcher sees why an update of a product fails, with the permissions of the launcher role."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.environments.provisioning.operations import DesiredEnvironment, launch, update
from pipeline.environments.provisioning.stacks import find_stack
from pipeline.errors import PipelineError
from pipeline.stacks.diagnosis.logs import log_group, read_log, start_of
from pipeline.stacks.diagnosis.one_off_tasks import TaskNotStartedError, start_task
from pipeline.stacks.diagnosis.progress import ServiceWatch
from pipeline.stacks.diagnosis.why import explain
from tests.provisioning.catalog import DEVELOPMENT, Catalog

NAME = "carbon-connect-dev"
LINES = ["no database", "[giving up]"]


def quiet(_: object) -> None:
    """Show nothing."""


@pytest.fixture(scope="module")
def notes(running: EmbeddedAws, catalog: Catalog) -> list[str]:
    """What the launcher sees while an update to a failing image is rolled back."""
    good = DesiredEnvironment(NAME, DEVELOPMENT.name, settings={"ImageTag": "good"})
    assert launch(catalog.user, good, quiet, quiet).succeeded
    running.fail_service("api", image_tag="bad", exit_code=3, log=LINES, seconds=1.5)
    running.fail_service("api", image_tag="sick", health_status=503, seconds=1.5)
    seen: list[str] = []
    for tag in ("bad", "sick"):
        watch = ServiceWatch(catalog.user, quiet, seen.append)
        wanted = DesiredEnvironment(NAME, DEVELOPMENT.name, settings={"ImageTag": tag})
        ended = update(catalog.user, wanted, watch, seen.append)
        assert not ended.succeeded
    return seen


def test_progress_shows_tasks_logs_and_health_checks(notes: list[str]) -> None:
    for part in (
        "container api exited with 3.",
        "    | no database",
        "    | [giving up]",
        "api: unhealthy targets 10.0.48.",
        "Health checks failed with these codes: [503]",
    ):
        assert any(part in note for note in notes), (part, notes)


def test_launcher_role_has_every_permission_that_the_reasons_need(
    catalog: Catalog, notes: list[str]
) -> None:
    lines = explain(catalog.user, find_stack(catalog.user, NAME))

    assert any("ROLLBACK_SUCCESSFUL; 3 failed tasks" in line for line in lines)
    assert not [line for line in (*notes, *lines) if "credentials lack" in line]


@pytest.mark.usefixtures("notes")
def test_launcher_reads_the_logs_and_cannot_run_a_task(catalog: Catalog) -> None:
    stack = find_stack(catalog.user, NAME)
    group = log_group(catalog.user, stack, "api")

    shown = list(read_log(catalog.user, group, start_of("10m", datetime.now(UTC))))

    assert [line.text for line in shown] == LINES * 3
    with pytest.raises(TaskNotStartedError, match=r"ecs:RunTask.*use a role that has the permiss"):
        start_task(catalog.user, stack, "api", ["true"])


def test_other_name_is_one_sentence(catalog: Catalog) -> None:
    with pytest.raises(
        PipelineError,
        match=r"^These credentials see no provisioned product other-dev in .*lack cloudformation:DescribeStacks",
    ):
        find_stack(catalog.user, "other-dev")
