"""The folder of the media bucket with the environment files of the application's own settings."""

from __future__ import annotations

from typing import Any

from awacs import s3
from awacs.aws import Allow, Deny, Statement
from troposphere.iam import PolicyType

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters.wiring.security import EXECUTION_ROLE_NAME

FOLDER = "settings"


def let_ecs_read(layer: Layer, bucket: Any, files: Any) -> None:
    """ECS reads the files with the execution role, which needs the location of the bucket too."""
    layer.add(
        PolicyType(
            "SettingsAccess",
            Roles=[layer.parameter(EXECUTION_ROLE_NAME)],
            PolicyName="read-settings",
            PolicyDocument=iam.document(
                Statement(
                    Sid="ReadEnvironmentFiles",
                    Effect=Allow,
                    Action=[s3.GetObject],
                    Resource=[files],
                ),
                Statement(
                    Sid="LocateTheirBucket",
                    Effect=Allow,
                    Action=[s3.GetBucketLocation],
                    Resource=[bucket],
                ),
            ),
        )
    )


def keep_tasks_away(files: Any) -> Statement:
    """Deny tasks the files: a worker could otherwise change what the api runs with."""
    return Statement(
        Sid="KeepAwayFromSettings", Effect=Deny, Action=[s3.Action("*")], Resource=[files]
    )
