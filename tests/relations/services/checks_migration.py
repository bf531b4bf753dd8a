"""The migration: it runs what the services will run, before them, and its function can do only that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.checks.render import Rendered
from tests.relations.registry import relation
from tests.relations.templates.order import existing_before
from tests.relations.text import listed, text_of
from tests.rendering import Resource, id_of, named, resources_of_type, role_statements

ROLE, TASK = "RunMigrationRole", "MigrationTaskDefinition"


def migrations(rendered: Rendered) -> list[Resource]:
    """The custom resource of the migration, if the environment has one."""
    return list(resources_of_type(rendered, "Custom::Migration"))


def container(rendered: Rendered, task: str) -> Mapping[str, Any]:
    """The container of a task definition."""
    found: Mapping[str, Any] = named(rendered, task).properties["ContainerDefinitions"][0]
    return found


@relation
def services_follow_the_migration(rendered: Rendered) -> Iterator[str]:
    """No service changes before the migration has succeeded, and the migration can start when it is asked for."""
    for migration in migrations(rendered):
        for service in resources_of_type(rendered, "AWS::ECS::Service"):
            before = existing_before(rendered, service.layer, service.logical_id)
            if (migration.layer, migration.logical_id) not in before:
                yield f"{service.logical_id} may change before the migration has run."
        before = existing_before(rendered, migration.layer, migration.logical_id)
        for policy in resources_of_type(rendered, "AWS::IAM::Policy"):
            holders = {id_of(rendered, policy.layer, each) for each in policy.properties["Roles"]}
            starts = holders & {ROLE, "ExecutionRole"}
            if starts and (policy.layer, policy.logical_id) not in before:
                yield f"The migration may start before {policy.logical_id} exists."


@relation
def migration_runs_the_image_of_the_api(rendered: Rendered) -> Iterator[str]:
    """Image, platform and database of the migration are those of the api, and its lines are not lost."""
    for migration in migrations(rendered):
        own, api = container(rendered, TASK), container(rendered, "ApiTaskDefinition")
        if text_of(own["Image"]) != text_of(api["Image"]):
            yield "The migration runs another image than the api."
        if text_of(migration.properties["RunsFor"][0]) != text_of(own["Image"]):
            yield "A new image of the migration is not a change of its resource."
        platforms = [
            named(rendered, each).properties["RuntimePlatform"]
            for each in (TASK, "ApiTaskDefinition")
        ]
        if platforms[0] != platforms[1]:
            yield "The migration runs on another platform than the api."
        urls = [
            {each["Name"]: text_of(each["ValueFrom"]) for each in of["Secrets"]}["DATABASE_URL"]
            for of in (own, api)
        ]
        if urls[0] != urls[1]:
            yield "The migration connects to another database than the api."
        if own["LogConfiguration"]["Options"].get("mode") != "blocking":
            yield "The migration loses lines when CloudWatch Logs is slow."


@relation
def migration_has_its_own_log(rendered: Rendered) -> Iterator[str]:
    """Its container writes to the group that its resource names and its function reads, and no other container does."""
    for migration in migrations(rendered):
        group = id_of(rendered, migration.layer, migration.properties["LogGroup"])
        for task in resources_of_type(rendered, "AWS::ECS::TaskDefinition"):
            for each in task.properties["ContainerDefinitions"]:
                options = each["LogConfiguration"]["Options"]
                writes = id_of(rendered, task.layer, options["awslogs-group"]) == group
                if writes != (task.logical_id == TASK):
                    yield f"{task.logical_id} {'writes' if writes else 'does not write'} to {group}."
        readable = {
            id_of(rendered, layer, each)
            for layer, statement in role_statements(rendered, ROLE)
            if "logs:GetLogEvents" in listed(statement["Action"])
            for each in listed(statement["Resource"])
        }
        if readable != {group}:
            yield f"The function of the migration reads {sorted(readable)}, not {group}."


@relation
def migration_function_starts_one_family(rendered: Rendered) -> Iterator[str]:
    """Its role starts tasks of the migration's family only, and passes the roles of that task definition only, to ECS."""
    for _ in migrations(rendered):
        task = named(rendered, TASK)
        wanted = {
            id_of(rendered, task.layer, task.properties[each])
            for each in ("ExecutionRoleArn", "TaskRoleArn")
        }
        for layer, statement in role_statements(rendered, ROLE):
            actions = listed(statement["Action"])
            if "ecs:RunTask" in actions:
                ends = f"task-definition/{text_of(task.properties['Family'])}:*"
                for each in listed(statement["Resource"]):
                    if not text_of(each).endswith(ends):
                        yield f"The function of the migration can run {text_of(each)}."
            if "iam:PassRole" in actions:
                passed = {id_of(rendered, layer, each) for each in listed(statement["Resource"])}
                if passed != wanted:
                    yield f"The function of the migration passes {sorted(passed)}, not {sorted(wanted)}."
                if "iam:PassedToService" not in str(statement.get("Condition")):
                    yield "The function of the migration passes roles to any service."


@relation
def migration_may_take_an_hour(rendered: Rendered) -> Iterator[str]:
    """CloudFormation waits longer than the function, which stops the task before CloudFormation stops waiting."""
    for migration in migrations(rendered):
        function = named(rendered, "RunMigrationFunction").properties
        waits = int(function["Environment"]["Variables"]["WAIT_SECONDS"])
        if not waits + 120 <= int(migration.properties.get("ServiceTimeout", 0)) <= 3600:
            yield f"The migration may take {waits} seconds, and CloudFormation waits {migration.properties.get('ServiceTimeout')}."
