"""Rotation: of two accepted secrets, every reader has the one in use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pipeline.checks.render import Rendered
from templates_src.environment import ROOT
from tests.relations.registry import relation
from tests.relations.secrets.checks_secrets import injected
from tests.relations.text import text_of
from tests.rendering import containers, id_of, ids_in, named

SECOND = "second"
# By the parameter that says which one is in use: the first and the second secret.
PAIRS = {
    "CacheCredentials": ("CacheSecret", "CacheSecondSecret"),
    "JwtSigningSecret": ("JwtSecret", "JwtSecondSecret"),
    "SessionSigningKey": ("SessionKeySecret", "SessionSecondKeySecret"),
}
# Variables of the secret in use, and of the other one, with which the api accepts former signatures.
SIGNING = {
    "JwtSigningSecret": ("JWT_SECRET", "JWT_SECRET_SECONDARY"),
    "SessionSigningKey": ("SESSION_KEY", "SESSION_KEY_SECONDARY"),
}
CACHE_USERS = ("CacheUser", "CacheSecondUser")
# By the variable that a rotation changes: the secrets that tasks read only at their start.
ROTATIONS = {
    "CACHE_ROTATION": {"CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"},
    "API_KEYS_ROTATION": {"ANTHROPIC_API_KEY", "CLIMATIQ_API_KEY"},
}


def in_use(rendered: Rendered, parameter: str) -> tuple[str, str]:
    """The secret of a pair that is in use, and the other one."""
    first, second = PAIRS[parameter]
    if rendered.parameters[ROOT][parameter] == SECOND:
        return second, first
    return first, second


@relation
def the_cache_is_used_as_the_user_in_use(rendered: Rendered) -> Iterator[str]:
    """The URL and the queue-depth function use the name and password of the same user."""
    secret, _ = in_use(rendered, "CacheCredentials")
    user = _user_of(rendered, secret)
    url = named(rendered, "CacheUrl")
    text = text_of(url.properties["SecretString"])
    if f"://{user}:" not in text:
        yield f"CacheUrl does not name the user {user} of {secret}."
    function = named(rendered, "QueueDepthFunction")
    variables = function.properties["Environment"]["Variables"]
    read_secret = id_of(rendered, function.layer, variables["CACHE_SECRET_ARN"])
    if (text_of(variables["CACHE_USER"]), read_secret) != (user, secret):
        yield f"QueueDepthFunction signs in as {text_of(variables['CACHE_USER'])} with {read_secret}."


def _user_of(rendered: Rendered, secret: str) -> str:
    made = named(rendered, secret).properties["GenerateSecretString"]
    return str(json.loads(made["SecretStringTemplate"])["username"])


@relation
def both_users_of_the_cache_are_accepted(rendered: Rendered) -> Iterator[str]:
    """Both users of the cache stay valid, so that readers that are not replaced yet are accepted."""
    group = named(rendered, "CacheUserGroup")
    members = {id_of(rendered, group.layer, user) for user in group.properties["UserIds"]}
    for user in CACHE_USERS:
        if user not in members:
            yield f"{user} is not in CacheUserGroup."
    one, other = (named(rendered, user).properties for user in CACHE_USERS)
    if one["AccessString"] != other["AccessString"]:
        yield "The two users of the cache may do different things."


@relation
def the_api_signs_with_one_secret_and_accepts_two(rendered: Rendered) -> Iterator[str]:
    """New tasks accept signatures of former ones, and vice versa."""
    secrets = {
        variable: next(iter(ids_in(rendered, named(rendered, task).layer, reference)))
        for task, container, variable, reference in injected(rendered)
        if container == "api"
    }
    for parameter, variables in SIGNING.items():
        for variable, secret in zip(variables, in_use(rendered, parameter), strict=True):
            if secrets and secrets.get(variable) != secret:
                yield f"{variable} is {secrets.get(variable)}, where {secret} should be."


@relation
def a_rotation_replaces_the_tasks_that_read(rendered: Rendered) -> Iterator[str]:
    """A variable changes with the secret: ECS reads secrets only when tasks start."""
    for task, container in containers(rendered):
        variables = {each["Name"] for each in container["Environment"]}
        read = {secret["Name"] for secret in container.get("Secrets", ())}
        for rotation, secrets in ROTATIONS.items():
            if read & secrets and rotation not in variables:
                yield f"{task} keeps {sorted(read & secrets)} of before a rotation."
    for task, container in containers(rendered):
        for variable, expected in _rotations(rendered).items():
            given: Any = {each["Name"]: text_of(each["Value"]) for each in container["Environment"]}
            if given.get(variable, expected) != expected:
                yield f"{variable} of {task} is {given[variable]}, not {expected}."


def _rotations(rendered: Rendered) -> dict[str, str]:
    """The expected values of rotation variables: the secret in use, and its version."""
    given = rendered.parameters[ROOT]
    which = given["CacheCredentials"]
    version = "CacheSecondCredentialsVersion" if which == SECOND else "CacheCredentialsVersion"
    return {
        "CACHE_ROTATION": f"{which}/{given[version]}",
        "API_KEYS_ROTATION": given["ApiKeysVersion"],
    }
