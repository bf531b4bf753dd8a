"""Faults in the application's own settings: their order, what containers get, reserved names, and rollbacks."""

from __future__ import annotations

from pipeline.checks.render import Rendered
from tests.relations.planting import body, drop, put
from tests.relations.registry import Fault
from tests.relations.secrets import checks_settings as settings

CONTAINER = "ContainerDefinitions/0"


def forget_database_url(rendered: Rendered) -> None:
    """The check does not reserve the name of the database's URL."""
    body(rendered, "ApplicationSettings")["Properties"]["Reserved"].remove("DATABASE_URL")


def see_own_stack_only(rendered: Rendered) -> None:
    """The function of the check reads the status of its nested stack and not of the root."""
    role = body(rendered, "ApplicationSettingsRole")["Properties"]["Policies"][0]
    for statement in role["PolicyDocument"]["Statement"]:
        if statement["Sid"] == "SeeWhetherAnUpdateIsRolledBack":
            statement["Resource"] = [{"Ref": "AWS::StackId"}]


def give_beat_the_secret(rendered: Rendered) -> None:
    """Beat gets the secret of the application."""
    secret = body(rendered, "ApplicationSettings")["Properties"]["SecretArn"]
    secrets = body(rendered, "BeatTaskDefinition")["Properties"]["ContainerDefinitions"][0]
    secrets["Secrets"].append({"Name": "APPLICATION_SECRETS", "ValueFrom": secret})


FAULTS = (
    Fault(
        "a service before the check of its settings",
        settings.services_and_migration_follow_the_settings_check,
        "WorkerService may start before the settings are checked",
        drop("WorkerService", "../Metadata"),
    ),
    Fault(
        "a migration before the check of its settings",
        settings.services_and_migration_follow_the_settings_check,
        "Migration may start before the settings are checked",
        drop("Migration", "../Metadata"),
    ),
    Fault(
        "a container with another file than the check",
        settings.containers_get_the_settings_that_are_checked,
        "ApiTaskDefinition does not read the file",
        put(
            "ApiTaskDefinition",
            f"{CONTAINER}/EnvironmentFiles/0/Value",
            "arn:aws:s3:::carbon-connect-dev-media/settings/2.env",
        ),
    ),
    Fault(
        "a container without settings",
        settings.containers_get_the_settings_that_are_checked,
        "MigrationTaskDefinition does not read the file",
        drop("MigrationTaskDefinition", f"{CONTAINER}/EnvironmentFiles"),
    ),
    Fault(
        "beat with the application's secret",
        settings.containers_get_the_settings_that_are_checked,
        "BeatTaskDefinition does not get the secret",
        give_beat_the_secret,
    ),
    Fault(
        "a variable that a setting can replace",
        settings.settings_check_reserves_every_variable,
        "A setting can have the name DATABASE_URL",
        forget_database_url,
    ),
    Fault(
        "a check that does not see the rollback of the root",
        settings.rollbacks_are_seen_in_stack_and_root,
        "ApplicationSettingsRole reads the status of",
        see_own_stack_only,
    ),
)
