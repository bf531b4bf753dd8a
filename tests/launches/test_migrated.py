"""Updates with a migration on the embedded AWS: real programs as images, and the reasons that CloudFormation shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from pipeline.stacks.deploy import Launched
from tests.embedded_aws.tasks import push_program
from tests.launches.environments import Environment

COMMAND = "sh migrate.sh"


class Migrated(Environment):
    """An environment of dev, whose images are programs in a folder for each tag."""

    folder: Path

    def push(self, tag: str, script: str) -> None:
        """Push an image whose migration is a shell script. It appends its tag to the file `ran`."""
        directory = self.folder / tag
        directory.mkdir()
        (directory / "migrate.sh").write_text(f"echo {tag} >> {self.folder}/ran\n{script}\n")
        repository = self.outputs()["RepositoryUri"].partition("/")[2]
        push_program(self.client("ecr"), repository, tag, directory)

    def ran(self) -> list[str]:
        """The tags whose migration has started, in order."""
        file = self.folder / "ran"
        return file.read_text().split() if file.exists() else []

    def forget(self) -> None:
        """Forget which migrations ran."""
        (self.folder / "ran").unlink(missing_ok=True)

    def images(self) -> set[str]:
        """The tags that the services run."""
        ecs = self.client("ecs")
        cluster = self.outputs()["ClusterName"]
        services = ecs.describe_services(
            cluster=cluster, services=ecs.list_services(cluster=cluster)["serviceArns"]
        )["services"]
        assert len(services) == 3
        images = set()
        for service in services:
            definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
            container = definition["taskDefinition"]["containerDefinitions"][0]
            images.add(container["image"].rpartition(":")[2])
        return images

    def events(self) -> list[str]:
        """The resources of the compute layer in the order in which the last operation began to change them."""
        pages = self.client("cloudformation").get_paginator("describe_stack_events")
        begun: list[str] = []
        for page in pages.paginate(StackName=self.stacks()["Compute"]["StackId"]):
            for event in page["StackEvents"]:
                if event["PhysicalResourceId"] == event["StackId"]:
                    if event["ResourceStatus"] == "UPDATE_IN_PROGRESS":
                        return begun[::-1]
                elif event["ResourceStatus"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                    begun.append(event["LogicalResourceId"])
        return begun[::-1]

    def migration_tasks(self) -> list[dict[str, Any]]:
        """The tasks of the newest migration."""
        ecs, cluster = self.client("ecs"), self.outputs()["ClusterName"]
        found = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in ecs.list_tasks(
                cluster=cluster, family="carbon-connect-dev-migration", desiredStatus=status
            )["taskArns"]
        ]
        described = ecs.describe_tasks(cluster=cluster, tasks=found)["tasks"]
        newest = max(task["createdAt"] for task in described)
        return [task for task in described if task["createdAt"] == newest]

    def finished_runs(self) -> int:
        """How many invocations of the migration's function have ended."""
        pages = self.client("logs").get_paginator("filter_log_events")
        return sum(
            event["message"].startswith("REPORT")
            for page in pages.paginate(
                logGroupName=self.physical_id("Compute.RunMigrationLogGroup")
            )
            for event in page["events"]
        )

    def update(self, **changes: str) -> Launched:
        """Update with these values and keep them."""
        launched = self.launch(**changes)
        self.settings.update(changes)
        return launched


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for at most a minute."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("a minute was not enough")


@pytest.fixture(scope="module")
def dev(
    running: EmbeddedAws, release: Release, tmp_path_factory: pytest.TempPathFactory
) -> Migrated:
    environment = Migrated(running, release, "dev")
    environment.folder = tmp_path_factory.mktemp("images")
    assert environment.launch().succeeded
    return environment


def test_first_launch_has_no_function_and_runs_nothing(dev: Migrated) -> None:
    assert "Compute.RunMigrationFunction" not in dev.resources()
    assert "Compute.Migration" not in dev.resources()

    assert dev.update(MigrationCommand=COMMAND).succeeded

    assert "Compute.Migration" not in dev.resources()
    assert dev.ran() == []


def test_migration_runs_before_the_services_change(dev: Migrated) -> None:
    dev.push("1", "echo migrating")

    assert dev.update(MigrationCommand=COMMAND, ImageTag="1").succeeded

    assert dev.ran() == ["1"]
    assert dev.images() == {"1"}
    begun = dev.events()
    for service in ("ApiService", "WorkerService", "BeatService"):
        assert begun.index("Migration") < begun.index(service)


def test_same_image_and_command_run_nothing(dev: Migrated) -> None:
    dev.forget()

    # A new revision of the migration's task definition: its image and command stay.
    assert dev.update(WorkerMemory="4096").succeeded

    assert dev.ran() == []
    assert dev.update(MigrationCommand=f"{COMMAND} again").succeeded
    assert dev.ran() == ["1"]
    assert dev.update(MigrationCommand=COMMAND).succeeded
    dev.forget()


def test_failure_has_exit_code_and_lines_and_changes_no_service(dev: Migrated) -> None:
    dev.push(
        "2",
        "echo adding a column; echo url=postgresql://carbon_app_1:hidden@db:5432/x >&2;"
        " printf 'line %s\\n' 1 2 3; exit 3",
    )

    failed = dev.launch(ImageTag="2")

    assert not failed.succeeded
    (reason,) = [each.reason for each in failed.failures if each.logical_id == "Migration"]
    assert "failed with exit code 3; no service was changed." in reason
    assert "adding a column | url=postgresql://***@db:5432/x | line 1 | line 2 | line 3" in reason
    assert "hidden" not in reason
    # The rollback ran nothing, and the services were never updated.
    assert dev.ran() == ["2"]
    assert dev.images() == {"1"}
    assert not {"ApiService", "WorkerService", "BeatService"} & set(dev.events())
    # The next attempt begins again.
    assert not dev.launch(ImageTag="2").succeeded
    assert dev.ran() == ["2", "2"]
    dev.forget()


def test_rollback_of_a_later_failure_runs_nothing(dev: Migrated) -> None:
    dev.push("3", "echo good")
    ecs, cluster = dev.client("ecs"), dev.outputs()["ClusterName"]
    providers = {"cluster": cluster, "defaultCapacityProviderStrategy": []}
    # The service of the worker needs FARGATE_SPOT, so that its update fails.
    ecs.put_cluster_capacity_providers(capacityProviders=["FARGATE"], **providers)

    failed = dev.launch(ImageTag="3")

    assert not failed.succeeded
    assert "WorkerService" in {each.logical_id for each in failed.failures}
    assert dev.ran() == ["3"]
    ecs.put_cluster_capacity_providers(capacityProviders=["FARGATE", "FARGATE_SPOT"], **providers)
    assert dev.update(WorkerMemory="4096").succeeded
    assert dev.images() == {"1"}
    assert dev.ran() == ["3"]
    dev.forget()


@pytest.mark.parametrize(
    ("tag", "command", "reason"),
    [
        ("missing", COMMAND, "did not start, and no service was changed. Push"),
        ("4", "no-such-command --now", "exit code 127 (the image has no such command)"),
    ],
)
def test_migration_that_cannot_start(dev: Migrated, tag: str, command: str, reason: str) -> None:
    if tag != "missing":
        dev.push(tag, "")

    failed = dev.launch(ImageTag=tag, MigrationCommand=command)

    (found,) = [each.reason for each in failed.failures if each.logical_id == "Migration"]
    assert reason in found
    assert ("CannotPullContainerError" if tag == "missing" else "no-such-command") in found
    assert dev.images() == {"1"}
    assert dev.ran() == []


def test_cancelled_update_stops_its_migration_and_runs_no_other(dev: Migrated) -> None:
    dev.push("8", "echo waiting; exec sleep 300")
    cloudformation = dev.client("cloudformation")

    with ThreadPoolExecutor(1) as pool:
        update = pool.submit(dev.launch, ImageTag="8")
        wait_until(lambda: "8" in dev.ran())
        cloudformation.cancel_update_stack(StackName=dev.stack)
        cancelled = update.result(timeout=120)

    assert not cancelled.succeeded
    assert dev.stacks()["Compute"]["StackStatus"].startswith("UPDATE_ROLLBACK_COMPLETE")
    assert dev.ran() == ["8"]
    assert dev.images() == {"1"}
    (task,) = dev.migration_tasks()
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "UserInitiated")
    assert task["stoppedReason"] == "The update of the environment ended."
    dev.forget()


def test_migration_outlasts_a_run_of_its_function(dev: Migrated) -> None:
    """The function invokes itself 30 seconds before its time ends."""
    dev.push("9", f"until [ -e {dev.folder}/go ]; do sleep 0.1; done")
    functions, name = dev.client("lambda"), dev.physical_id("Compute.RunMigrationFunction")
    functions.update_function_configuration(FunctionName=name, Timeout=45)
    before = dev.finished_runs()

    with ThreadPoolExecutor(1) as pool:
        update = pool.submit(dev.update, ImageTag="9")
        wait_until(lambda: dev.finished_runs() > before)
        assert not update.done()
        (dev.folder / "go").touch()
        launched = update.result(timeout=120)

    functions.update_function_configuration(FunctionName=name, Timeout=900)
    assert launched.succeeded
    assert dev.finished_runs() >= before + 2
    assert dev.ran() == ["9"]
    assert dev.images() == {"9"}
    dev.forget()


def test_settings_of_the_application_reach_the_migration(dev: Migrated) -> None:
    bucket = dev.outputs()["MediaBucketName"]
    secret = dev.outputs("Security")["ApplicationSecretArn"]
    dev.client("s3").put_object(Bucket=bucket, Key="settings/1.env", Body=b"MODE=live\n")
    dev.client("secretsmanager").put_secret_value(SecretId=secret, SecretString='{"KEY": "k1"}')
    dev.push("5", 'echo "$MODE $ENVIRONMENT $APPLICATION_SECRETS" > seen')

    assert dev.update(ImageTag="5", ApplicationSettingsVersion="1").succeeded

    assert (dev.folder / "5" / "seen").read_text() == 'live dev {"KEY": "k1"}\n'
    dev.forget()


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"DATABASE_URL=x\n", "DATABASE_URL in s3://"), (None, "cannot be read")],
)
def test_wrong_settings_change_no_service(dev: Migrated, body: bytes | None, reason: str) -> None:
    if body is not None:
        bucket = dev.outputs()["MediaBucketName"]
        dev.client("s3").put_object(Bucket=bucket, Key="settings/2.env", Body=body)
    dev.push("6" if body else "7", "")

    failed = dev.launch(
        ImageTag="6" if body else "7", ApplicationSettingsVersion="2" if body else "3"
    )

    (found,) = [each.reason for each in failed.failures if each.logical_id == "ApplicationSettings"]
    assert reason in found
    assert dev.ran() == []
    assert dev.images() == {"5"}
