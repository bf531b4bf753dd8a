"""The application's own settings: an environment file and a secret, which api, worker and migration get."""

from __future__ import annotations

from collections.abc import Iterable

from awacs import s3
from awacs.aws import Allow, Statement
from troposphere import And, Equals, Not, Sub
from troposphere import Condition as Named
from troposphere.ecs import EnvironmentFile, Secret

from templates_src.compute.repository import IMAGE_TAG
from templates_src.core import iam
from templates_src.core.function import add_custom_resource, add_function
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import number
from templates_src.core.parameters.wiring.data import MEDIA_BUCKET_NAME
from templates_src.core.parameters.wiring.secrets import APPLICATION_SECRET_ARN
from templates_src.core.parameters.wiring.security import KEY_ARN
from templates_src.data.settings_file import FOLDER

TIMEOUT_SECONDS = 60
# The variable with the JSON of the application's secret.
VARIABLE = "APPLICATION_SECRETS"

SETTINGS_VERSION = number(
    "ApplicationSettingsVersion",
    group=groups.CONTAINERS,
    label="Application settings: version",
    description=f"Number of the environment file {FOLDER}/NUMBER.env in the media bucket; 0 for none. A change starts new tasks of api and worker; 0 deletes the log of the check, whose resource stays.",
    default="0",
    at_least=0,
    at_most=1_000_000,
)


def use_settings(layer: Layer) -> str:
    """The condition that the application has settings and an image."""
    given = Not(Equals(layer.parameter(SETTINGS_VERSION), "0"))
    return layer.condition("UseApplicationSettings", And(Named(layer.has(IMAGE_TAG)), given))


def key() -> str:
    """The key of the environment file, text for Sub."""
    return f"{FOLDER}/${{{SETTINGS_VERSION.name}}}.env"


def environment_file(layer: Layer) -> EnvironmentFile:
    """The environment file of a container. The variables of the container definition have precedence."""
    layer.parameter(MEDIA_BUCKET_NAME)
    arn = f"arn:${{AWS::Partition}}:s3:::${{{MEDIA_BUCKET_NAME.name}}}/{key()}"
    return EnvironmentFile(Type="s3", Value=Sub(arn))


def application_secret(layer: Layer) -> Secret:
    """The whole JSON of the application's secret in one variable: ECS injects named keys, which a release would have to know."""
    return Secret(Name=VARIABLE, ValueFrom=layer.parameter(APPLICATION_SECRET_ARN))


def add_settings_check(layer: Layer, reserved: Iterable[str]) -> dict[str, str]:
    """The function that checks the settings, and its custom resource; returns its condition by its title."""
    condition = use_settings(layer)
    secret = layer.parameter(APPLICATION_SECRET_ARN)
    function = add_function(
        layer,
        "application_settings",
        description="Checks the application's own settings before tasks get them",
        timeout_seconds=TIMEOUT_SECONDS,
        statements=(
            read_files(layer),
            *iam.read_secrets([secret], layer.parameter(KEY_ARN)),
            # The settings are not checked in a rollback.
            iam.see_own_stack_and_root("SeeWhetherAnUpdateIsRolledBack", "Compute"),
        ),
        condition=condition,
    )
    resource = add_custom_resource(
        layer,
        "ApplicationSettings",
        function,
        condition=condition,
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        Bucket=layer.parameter(MEDIA_BUCKET_NAME),
        Key=Sub(key()),
        SecretArn=secret,
        Reserved=sorted({*reserved, VARIABLE}),
    )
    return {str(resource.title): condition}


def read_files(layer: Layer) -> Statement:
    """Every version of the environment file."""
    layer.parameter(MEDIA_BUCKET_NAME)
    arn = f"arn:${{AWS::Partition}}:s3:::${{{MEDIA_BUCKET_NAME.name}}}/{FOLDER}/*"
    return Statement(
        Sid="ReadTheSettings", Effect=Allow, Action=[s3.GetObject], Resource=[Sub(arn)]
    )
