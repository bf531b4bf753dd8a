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
from templates_src.core.layer import DELETED_WITH_THE_STACK, Layer
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import PASSWORD_KEY
from templates_src.core.parameters.wiring.security import EXECUTION_ROLE_NAME, KEY_ARN

Url: TypeAlias = "str | tuple[str, str, str]"
# The JSON key of the URL in the secrets of this module.
URL_KEY = "url"


def password_of(layer: Layer, secret: Declaration) -> str:
    """The dynamic reference, for Sub, that CloudFormation resolves to the password in a wired secret.

    CloudFormation resolves it each time it writes the property, and stores it in no template, event or parameter. If a
    user changes the password only in the secret, the next update that changes the resource reads the new password.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
    """
    layer.parameter(secret)
    return f"{{{{resolve:secretsmanager:${{{secret.name}}}:SecretString:{PASSWORD_KEY}}}}}"


def add_url_secret(
    layer: Layer, title: str, description: str, *, url: Url, **values: Any
) -> Secret:
    """A secret of JSON, ``{"url": …}``; ``url`` is text for Sub, and ``values`` has the names that are not in the
    template. For a pair of credentials, ``url`` is a condition with the URL if it is true and the URL if it is false.

    A new address of the engine writes a new version of the secret under the same ARN. ECS reads a secret only when a
    task starts, so running tasks keep the old one.
    """

    def text(url: str) -> Sub:
        return Sub(json.dumps({URL_KEY: url}), **values)

    return layer.add(
        Secret(
            title,
            **DELETED_WITH_THE_STACK,
            Description=description,
            KmsKeyId=layer.parameter(KEY_ARN),
            SecretString=text(url)
            if isinstance(url, str)
            else If(url[0], text(url[1]), text(url[2])),
        )
    )


def allow_ecs_to_read(layer: Layer, *secrets: Secret) -> None:
    """ECS can pass the URLs to the containers with the execution role.

    The security layer, which has the key, allows the role to decrypt through Secrets Manager.
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
