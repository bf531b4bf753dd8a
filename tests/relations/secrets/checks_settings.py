"""The application's own settings: what is checked is what the containers get, before they get it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.checks.render import Rendered
from templates_src.compute.tasks.settings import VARIABLE
from templates_src.functions.application_settings.handler import OF_AWS
from tests.relations.registry import relation
from tests.relations.templates.order import existing_before
from tests.relations.text import listed, text_of
from tests.rendering import Resource, resources_of_type, role_statements

TASKS = {"ApiTaskDefinition", "WorkerTaskDefinition", "MigrationTaskDefinition"}
ROLES = ("RunMigrationRole", "ApplicationSettingsRole")


def checks(rendered: Rendered) -> list[Resource]:
    """The custom resource of the check, if the environment has settings."""
    return list(resources_of_type(rendered, "Custom::ApplicationSettings"))


def container(task: Resource) -> Mapping[str, Any]:
    """The container of a task definition."""
    found: Mapping[str, Any] = task.properties["ContainerDefinitions"][0]
    return found


@relation
def services_and_migration_follow_the_settings_check(rendered: Rendered) -> Iterator[str]:
    """Nothing starts with settings that the check refuses."""
    for check in checks(rendered):
        for kind in ("AWS::ECS::Service", "Custom::Migration"):
            for each in resources_of_type(rendered, kind):
                before = existing_before(rendered, each.layer, each.logical_id)
                if (check.layer, check.logical_id) not in before:
                    yield f"{each.logical_id} may start before the settings are checked."


@relation
def containers_get_the_settings_that_are_checked(rendered: Rendered) -> Iterator[str]:
    """api, worker and migration get the file and the secret of the check, beat gets neither."""
    for check in checks(rendered):
        bucket, key, secret = (
            text_of(check.properties[name]) for name in ("Bucket", "Key", "SecretArn")
        )
        for task in resources_of_type(rendered, "AWS::ECS::TaskDefinition"):
            if task.logical_id not in {*TASKS, "BeatTaskDefinition"}:
                continue
            files = [text_of(each["Value"]) for each in container(task).get("EnvironmentFiles", ())]
            secrets = {
                each["Name"]: text_of(each["ValueFrom"]) for each in container(task)["Secrets"]
            }
            gets = task.logical_id in TASKS
            if [each.partition(":s3:::")[2] for each in files] != [f"{bucket}/{key}"] * gets:
                yield f"{task.logical_id} does not read the file that is checked."
            if secrets.get(VARIABLE) != (secret if gets else None):
                yield f"{task.logical_id} does not get the secret that is checked."


@relation
def settings_check_reserves_every_variable(rendered: Rendered) -> Iterator[str]:
    """A setting cannot replace a variable of the package in any container that gets settings."""
    for check in checks(rendered):
        reserved = set(check.properties["Reserved"])
        for task in resources_of_type(rendered, "AWS::ECS::TaskDefinition"):
            if task.logical_id not in TASKS:
                continue
            found = container(task)
            for each in (*found["Environment"], *found["Secrets"]):
                if each["Name"] not in reserved and not each["Name"].startswith(OF_AWS):
                    yield f"A setting can have the name {each['Name']}, which {task.logical_id} uses."


@relation
def rollbacks_are_seen_in_stack_and_root(rendered: Rendered) -> Iterator[str]:
    """The check and the migration read the status of their stack and of the root, by the same statement."""
    present = {each.logical_id for each in resources_of_type(rendered, "AWS::IAM::Role")}
    for role in ROLES:
        if role in present:
            seen = [
                text_of(each)
                for _, statement in role_statements(rendered, role)
                if "cloudformation:DescribeStacks" in listed(statement["Action"])
                for each in listed(statement["Resource"])
            ]
            if len(seen) != 1 or not seen[0].endswith("*"):
                yield f"{role} reads the status of {seen}, not that of its stack and the root."
