"""Faults in the migration: its order, what it runs, its log, and the permissions of its function."""

from __future__ import annotations

from typing import Any

from pipeline.checks.render import Rendered
from tests.relations.planting import body, put
from tests.relations.registry import Fault
from tests.relations.services import checks_migration as migration

CONTAINER = "ContainerDefinitions/0"


def start_api_before(rendered: Rendered) -> None:
    """The service of the api does not wait for the migration."""
    del body(rendered, "ApiService")["Metadata"]


def statement_of(rendered: Rendered, sid: str) -> dict[str, Any]:
    """A statement of the function's role."""
    role = body(rendered, "RunMigrationRole")["Properties"]["Policies"][0]
    (found,) = (each for each in role["PolicyDocument"]["Statement"] if each["Sid"] == sid)
    changed: dict[str, Any] = found
    return changed


FAULTS = (
    Fault(
        "a service before the migration",
        migration.services_follow_the_migration,
        "ApiService may change before the migration",
        start_api_before,
    ),
    Fault(
        "a migration before its permissions",
        migration.services_follow_the_migration,
        "before StartPolicy exists",
        put("Migration", "../DependsOn", ["MigrationContinuation"]),
    ),
    Fault(
        "a migration of another image",
        migration.migration_runs_the_image_of_the_api,
        "another image than the api",
        put("MigrationTaskDefinition", f"{CONTAINER}/Image", "public.ecr.aws/x/y:1"),
    ),
    Fault(
        "a migration that a new image does not run",
        migration.migration_runs_the_image_of_the_api,
        "not a change of its resource",
        put("Migration", "RunsFor/0", "the image"),
    ),
    Fault(
        "a migration on another platform",
        migration.migration_runs_the_image_of_the_api,
        "another platform",
        put("MigrationTaskDefinition", "RuntimePlatform", {"CpuArchitecture": "X86_64"}),
    ),
    Fault(
        "a migration that loses lines",
        migration.migration_runs_the_image_of_the_api,
        "loses lines",
        put(
            "MigrationTaskDefinition", f"{CONTAINER}/LogConfiguration/Options/mode", "non-blocking"
        ),
    ),
    Fault(
        "a migration in the log of the api",
        migration.migration_has_its_own_log,
        "MigrationTaskDefinition does not write",
        put(
            "MigrationTaskDefinition",
            f"{CONTAINER}/LogConfiguration/Options/awslogs-group",
            {"Ref": "ApiLogGroup"},
        ),
    ),
    Fault(
        "a function that reads every log",
        migration.migration_has_its_own_log,
        "reads",
        lambda rendered: statement_of(rendered, "ReadTheLogOfTheMigration").update(
            Resource=[{"Fn::GetAtt": ["ApiLogGroup", "Arn"]}]
        ),
    ),
    Fault(
        "a function that runs any task",
        migration.migration_function_starts_one_family,
        "can run *",
        lambda rendered: statement_of(rendered, "RunTheMigration").update(Resource=["*"]),
    ),
    Fault(
        "a function that passes another role",
        migration.migration_function_starts_one_family,
        "ApiTaskRoleArn",
        lambda rendered: statement_of(rendered, "PassTheRolesOfTheTask")["Resource"].append(
            {"Ref": "ApiTaskRoleArn"}
        ),
    ),
    Fault(
        "a function that passes roles to any service",
        migration.migration_function_starts_one_family,
        "to any service",
        lambda rendered: statement_of(rendered, "PassTheRolesOfTheTask").pop("Condition"),
    ),
    Fault(
        "a migration that outlasts CloudFormation",
        migration.migration_may_take_an_hour,
        "CloudFormation waits",
        put("Migration", "ServiceTimeout", 3000),
    ),
)
