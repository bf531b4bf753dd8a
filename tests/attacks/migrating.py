"""Attempts around the migration and the application's own settings.

A person who sets MigrationCommand runs any command of the image with the database rights of the owner, as a person who sets the image
does. These attempts go beyond that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.template.example_values import ACCOUNT
from tests.attacks.attack import Attack, attack
from tests.attacks.inside import (
    API,
    BEAT,
    FUNCTION,
    SEARCH,
    TLS,
    WORKER,
    decrypts,
    dev,
    of_account,
    prod,
    reads,
    role_of,
)
from tests.attacks.launched import Launched
from tests.attacks.outside import deploys
from tests.attacks.people import does
from tests.relations.variants import REGION

ROLE, SETTINGS_ROLE = "RunMigrationRole", "ApplicationSettingsRole"
ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}:"
STARTED = "aws:ResourceTag/StartedBy"


def family(name: str, environment: str = "dev") -> Callable[[], str]:
    """A task definition of an environment."""
    return lambda: f"{ECS}task-definition/{dev().project}-{environment}-{name}:1"


def cluster(of: Callable[[], Launched]) -> str:
    """The cluster of an environment."""
    return of().arn("Cluster")


def task(of: Callable[[], Launched] = dev) -> Callable[[], str]:
    """A task in the cluster of an environment."""
    return lambda: f"{ECS}task/{of().value('Cluster')}/1"


def migrates(
    name: str,
    guard: str,
    action: str,
    on: Callable[[], str],
    context: Callable[[], Mapping[str, Any]] = dict,
) -> Attack:
    """An attempt of the function that runs migrations in development."""
    return attack(
        FUNCTION,
        f"that runs migrations {name}",
        guard,
        by=role_of(dev, ROLE),
        action=action,
        arn=on,
        on=of_account,
        context=context,
    )


def invokes(principal: str) -> Attack:
    """An attempt to start a migration without an update."""
    return attack(
        principal,
        "invokes the function that runs migrations",
        "no statement",
        by=role_of(prod, principal),
        action="lambda:InvokeFunction",
        arn=lambda: prod().arn("RunMigrationFunction"),
        on=lambda: prod().resource("RunMigrationFunction"),
    )


def settings(principal: str, name: str, action: str) -> Attack:
    """An attempt of a task on the environment file, in the bucket whose other objects it can use."""
    return attack(
        principal,
        name,
        "use-buckets/KeepAwayFromSettings: Effect",
        by=role_of(dev, principal),
        action=action,
        arn=lambda: f"{dev().arn('MediaBucket')}/settings/1.env",
        on=of_account,
        context=lambda: TLS,
    )


def in_own_cluster() -> dict[str, Any]:
    """The context of a call on the cluster of development."""
    return {"ecs:cluster": cluster(dev)}


MIGRATIONS = (
    migrates("starts a task of the api, whose command and role it could override", "function/RunTheMigration: Resource", "ecs:RunTask", family("api"), in_own_cluster),
    migrates("starts the migration of production", "function/RunTheMigration: Resource", "ecs:RunTask", family("migration", "prod"), in_own_cluster),
    migrates("starts its task in the cluster of production", "function/RunTheMigration: Condition ecs:cluster", "ecs:RunTask", family("migration"), lambda: {"ecs:cluster": cluster(prod)}),
    migrates("registers a task definition with another image", "no statement", "ecs:RegisterTaskDefinition", family("migration")),
    migrates("gives its task the role of the api", "function/PassTheRolesOfTheTask: Resource", "iam:PassRole", lambda: dev().arn("ApiTaskRole"), lambda: {"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
    migrates("gives its task a role of production", "function/PassTheRolesOfTheTask: Resource", "iam:PassRole", lambda: prod().arn("WorkerTaskRole"), lambda: {"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
    migrates("passes the role of the worker to a function", "function/PassTheRolesOfTheTask: Condition iam:PassedToService", "iam:PassRole", lambda: dev().arn("WorkerTaskRole"), lambda: {"iam:PassedToService": "lambda.amazonaws.com"}),
    migrates("stops a task of the api", "function/StopTheTaskThatItStarted: Condition aws:ResourceTag/StartedBy", "ecs:StopTask", task(), dict),
    migrates("stops the migration of production", "function/StopTheTaskThatItStarted: Resource", "ecs:StopTask", task(prod), lambda: {STARTED: "migration"}),
    migrates("marks a task of the api as a migration, to stop it", "function/TagTheTaskThatItStarts: Condition ecs:CreateAction", "ecs:TagResource", task(), dict),
    migrates("opens a shell in a container", "no statement", "ecs:ExecuteCommand", task(), in_own_cluster),
    migrates("reads the log of the api", "function/ReadTheLogOfTheMigration: Resource", "logs:GetLogEvents", lambda: dev().arn("ApiLogGroup")),
    migrates("invokes the function that turns protection off", "continue/InvokeItself: Resource", "lambda:InvokeFunction", lambda: dev().arn("DeletionProtectionFunction")),
    migrates("continues the migration of production", "continue/InvokeItself: Resource", "lambda:InvokeFunction", lambda: prod().arn("RunMigrationFunction")),
    reads(FUNCTION, "that runs migrations reads the password of the database's owner itself", "DatabaseSecret", "no statement", role=ROLE),
    *(invokes(principal) for principal in (API, WORKER, BEAT, SEARCH)),
    deploys("invokes the function that runs migrations", "lambda:InvokeFunction", "update-image/UpdateTheImageOfThisEnvironment: Resource", arn=lambda: dev().arn("RunMigrationFunction"), on=lambda: dev().resource("RunMigrationFunction")),
    does("invokes the function that runs migrations", "lambda:InvokeFunction", "no statement", arn=lambda: dev().arn("RunMigrationFunction"), on=lambda: dev().resource("RunMigrationFunction")),
    does("starts a task with another command, around the product", "ecs:RunTask", "no statement", arn=family("migration")),
    deploys("starts a migration with another command", "ecs:RunTask", "no statement", arn=family("migration")),
    deploys("registers a migration with another image", "ecs:RegisterTaskDefinition", "no statement", arn=family("migration")),
)  # fmt: skip
OF_THE_APPLICATION = (
    settings(WORKER, "changes what the api runs with, in its environment file", "s3:PutObject"),
    settings(API, "reads the environment file of its successor", "s3:GetObject"),
    reads(BEAT, "reads the application's own secret", "ApplicationSecret", "no statement"),
    reads(SEARCH, "reads the application's own secret", "ApplicationSecret", "serve-search/ReadTheSecretsItUses: Resource"),
    reads(FUNCTION, "that checks the application's settings reads the master password", "DatabaseSecret", "function/ReadTheSecretsItUses: Resource", role=SETTINGS_ROLE),
    decrypts(FUNCTION, "that checks the application's settings decrypts with the key directly", "function/DecryptThroughSecretsManagerOnly: Condition kms:ViaService", role=SETTINGS_ROLE),
    attack(FUNCTION, "that checks the application's settings reads an uploaded file", "function/ReadTheSettings: Resource", by=role_of(dev, SETTINGS_ROLE), action="s3:GetObject", arn=lambda: f"{dev().arn('MediaBucket')}/uploads/1.pdf", on=of_account, context=lambda: TLS),
    attack(FUNCTION, "that checks the application's settings changes them", "no statement", by=role_of(dev, SETTINGS_ROLE), action="s3:PutObject", arn=lambda: f"{dev().arn('MediaBucket')}/settings/1.env", on=of_account, context=lambda: TLS),
    deploys("changes the environment file of the application", "s3:PutObject", "no statement", arn=lambda: f"{dev().arn('MediaBucket')}/settings/1.env"),
    deploys("reads the application's own secret", "secretsmanager:GetSecretValue", "no statement", arn=lambda: dev().arn("ApplicationSecret")),
)  # fmt: skip
LINKED = (
    attack(FUNCTION, "that checks launches creates the service-linked role of another service", "function/CreateServiceLinkedRoles: Condition iam:AWSServiceName", by=role_of(dev, "LaunchCheckRole"), action="iam:CreateServiceLinkedRole", arn=lambda: f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/organizations.amazonaws.com/x", on=of_account, context=lambda: {"iam:AWSServiceName": "organizations.amazonaws.com"}),
)  # fmt: skip
