"""Secrets with the URL of an engine, including its password, for the containers."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from awacs import secretsmanager as secretsmanager_actions
from awacs.aws import Allow, Statement
from troposphere import If, Ref, Sub
from troposphere.iam import PolicyType
from troposphere.secretsmanager import Secret

from templates_src.core import iam
from templates_src.core.declaration import Declaration
from templates_src.core.layer import Layer
from templates_src.core.shared import PASSWORD_KEY
from templates_src.core.wiring import EXECUTION_ROLE_NAME, KEY_ARN

Url: TypeAlias = "str | tuple[str, str, str]"
# The JSON key of the URL in the secrets of this module.
URL_KEY = "url"


def password_of(layer: Layer, secret: Declaration) -> str:
    """The dynamic reference, for Sub, that CloudFormation resolves to the password in a wired secret.

    It is resolved whenever the property that holds it is written, and kept in no template, event or parameter. A
    password that somebody changes in the secret alone is not noticed: the next update that touches the resource
    takes it over.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
    """
    layer.parameter(secret)
    return f"{{{{resolve:secretsmanager:${{{secret.name}}}:SecretString:{PASSWORD_KEY}}}}}"


def add_url_secret(
    layer: Layer, title: str, description: str, *, url: Url, **values: Any
) -> Secret:
    """A secret of JSON, ``{"url": …}``; ``url`` is for Sub, with ``values`` for the names it does not find itself.

    Where credentials are a pair, ``url`` is a condition and the URLs where it holds and where it does not.

    Whatever moves the engine writes a new version of the secret under the same ARN. ECS reads it only as a task
    starts, so tasks that run go on with the old one.
    """

    def text(url: str) -> Sub:
        return Sub(json.dumps({URL_KEY: url}), **values)

    return layer.add(
        Secret(
            title,
            Description=description,
            KmsKeyId=layer.parameter(KEY_ARN),
            SecretString=text(url)
            if isinstance(url, str)
            else If(url[0], text(url[1]), text(url[2])),
        )
    )


def allow_ecs_to_read(layer: Layer, *secrets: Secret) -> None:
    """ECS can pass the URLs to the containers with the execution role.

    That it may decrypt with the key, through Secrets Manager, stands with the key in the security layer.
    """
    layer.add(
        PolicyType(
            "ConnectionUrlAccess",
            Roles=[layer.parameter(EXECUTION_ROLE_NAME)],
            PolicyName="read-connection-urls",
            PolicyDocument=iam.document(
                Statement(
                    Sid="HandUrlsToContainers",
                    Effect=Allow,
                    Action=[secretsmanager_actions.GetSecretValue],
                    Resource=[Ref(secret) for secret in secrets],
                )
            ),
        )
    )
