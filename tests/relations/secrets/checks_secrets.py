"""Secrets: their content, their readers, and that they never change by themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipeline.checks.render import Rendered
from templates_src.environment import ROOT
from tests.relations.identity.iam import allows, granted
from tests.relations.registry import relation
from tests.relations.templates.order import existing_before
from tests.relations.text import text_of
from tests.rendering import (
    containers,
    id_of,
    ids_in,
    named,
    resources,
    resources_of_type,
    role_statements,
)

SECRET = "AWS::SecretsManager::Secret"
# The function that creates the database's extensions and users.
FUNCTION = "DatabaseExtensionsFunction"
READ, DECRYPT = "secretsmanager:GetSecretValue", "kms:Decrypt"
REFERENCE = re.compile(r"(?P<arn>arn:[^:]+:secretsmanager:[^:]+:\d+:secret:[^:]+):(?P<key>[^:]+)::")
RESOLVE = "{{resolve:"
SENSITIVE = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIAL|KEY|_URL$|BACKEND$")
# A prefix of keys in the cache, a URL that is used with the key, and the number of a rotation.
HARMLESS = {"API_KEYS_ROTATION", "CELERY_KEY_PREFIX", "MEILISEARCH_URL"}
URL_WITH_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]+@")


@dataclass(frozen=True)
class Readers:
    """The readers of a secret: roles that IAM allows, containers that get it, resources that resolve it."""

    roles: frozenset[str] = frozenset()
    containers: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()


def readers(roles: str = "", containers: str = "", resources: str = "") -> Readers:
    """Readers by their names, separated by spaces."""
    return Readers(*(frozenset(names.split()) for names in (roles, containers, resources)))


# The readers of each secret while the first ones of the pairs are in use.
READERS = {
    "DatabaseSecret": readers("DatabaseExtensionsRole", resources="Database"),
    "DatabaseUserSecret": readers("DatabaseExtensionsRole", resources="DatabaseUrl"),
    "CacheSecret": readers("QueueDepthRole", resources="CacheUser CacheDefaultUser CacheUrl"),
    "CacheSecondSecret": readers("QueueDepthRole", resources="CacheSecondUser"),
    "DatabaseUrl": readers("ExecutionRole", "api worker migration"),
    "CacheUrl": readers("ExecutionRole", "api worker beat migration"),
    "ApplicationSecret": readers("ExecutionRole ApplicationSettingsRole", "api worker migration"),
    "JwtSecret": readers("ExecutionRole", "api"),
    "JwtSecondSecret": readers("ExecutionRole", "api"),
    "SessionKeySecret": readers("ExecutionRole", "api"),
    "SessionSecondKeySecret": readers("ExecutionRole", "api"),
    "SearchKeySecret": readers("ExecutionRole SearchRole", "api worker migration"),
    "ClaudeApiKeySecret": readers(
        "ExecutionRole ApiTaskRole WorkerTaskRole", "api worker migration"
    ),
    "ClimatiqApiKeySecret": readers(
        "ExecutionRole ApiTaskRole WorkerTaskRole", "api worker migration"
    ),
}


def generation(template: str, key: str, length: int) -> dict[str, Any]:
    """A GenerateSecretString of letters and digits."""
    return {
        "SecretStringTemplate": template,
        "GenerateStringKey": key,
        "PasswordLength": length,
        "ExcludePunctuation": True,
    }


# ANY CHANGE HERE, EVEN A SPACE, CREATES A NEW PASSWORD in every running environment with its next update.
FROZEN = {
    "DatabaseSecret": generation('{"username": "carbon"}', "password", 48),
    "DatabaseUserSecret": generation('{"username": "carbon_app_1"}', "password", 48),
    "CacheSecret": generation('{"username": "carbon"}', "password", 48),
    "CacheSecondSecret": generation('{"username": "carbon-second"}', "password", 48),
    "JwtSecret": generation("{}", "value", 64),
    "JwtSecondSecret": generation("{}", "value", 64),
    "SessionKeySecret": generation("{}", "value", 64),
    "SessionSecondKeySecret": generation("{}", "value", 64),
    "SearchKeySecret": generation("{}", "value", 48),
}
# A CHANGE OVERWRITES THE KEY that a user has set.
PLACEHOLDERS = {
    **dict.fromkeys(("ClaudeApiKeySecret", "ClimatiqApiKeySecret"), '{"value": "unset"}'),
    "ApplicationSecret": "{}",
}
# The application reads all of its secrets from the JSON in this variable.
WHOLE = "APPLICATION_SECRETS"


def injected(rendered: Rendered) -> Iterator[tuple[str, str, str, str]]:
    """Every secret that a container names: task definition, container, variable, reference."""
    for task, container in containers(rendered):
        for secret in container.get("Secrets", ()):
            yield task, container["Name"], secret["Name"], text_of(secret["ValueFrom"])


def keys_of(rendered: Rendered, secret: str) -> set[str]:
    """The JSON keys of a secret."""
    properties = named(rendered, secret).properties
    if "GenerateSecretString" in properties:
        made = properties["GenerateSecretString"]
        return {*json.loads(made["SecretStringTemplate"]), made["GenerateStringKey"]}
    return set(json.loads(text_of(properties["SecretString"])))


@relation
def references_name_a_key(rendered: Rendered) -> Iterator[str]:
    """Without its key a container receives the whole JSON; with a wrong key its task does not start."""
    for task, container, variable, reference in injected(rendered):
        if variable == WHOLE:
            continue
        found = REFERENCE.fullmatch(reference)
        if not found:
            yield f"{variable} of {container} in {task} comes from {reference}, which names no key of a secret."
            continue
        secret = id_of(rendered, named(rendered, task).layer, found["arn"])
        if found["key"] not in keys_of(rendered, secret):
            yield f"{variable} of {container} in {task} comes from the key {found['key']} of {secret}, which it does not have."


@relation
def execution_roles_read_what_tasks_name(rendered: Rendered) -> Iterator[str]:
    """The execution role can read each secret and decrypt it through Secrets Manager; otherwise no task starts."""
    via = {"kms:ViaService": f"secretsmanager.{rendered.region}.amazonaws.com"}
    for task, _, variable, reference in injected(rendered):
        layer = named(rendered, task).layer
        role = id_of(rendered, layer, named(rendered, task).properties["ExecutionRoleArn"])
        for secret in ids_in(rendered, layer, reference):
            if not allows(rendered, role, READ, secret):
                yield f"{role} may not read {secret}, which {task} needs for {variable}."
            found = named(rendered, secret)
            key = id_of(rendered, found.layer, found.properties.get("KmsKeyId"))
            if not allows(rendered, role, DECRYPT, key, via):
                yield f"{role} may not decrypt with {key}, under which {secret} for {task} is."


@relation
def secrets_have_exactly_their_readers(rendered: Rendered) -> Iterator[str]:
    """Every secret has exactly the readers in the table."""
    has_image = bool(rendered.parameters[ROOT]["ImageTag"])
    statements = {
        role.logical_id: list(role_statements(rendered, role.logical_id))
        for role in resources_of_type(rendered, "AWS::IAM::Role")
    }
    secrets = {found.logical_id for found in resources_of_type(rendered, SECRET)}
    for secret in sorted(secrets ^ READERS.keys()):
        yield f"{secret} is in only one of the templates and the table of readers."
    for secret in sorted(secrets & READERS.keys()):
        wanted = _readers_of(rendered, secret)
        found = Readers(
            frozenset(
                role for role, each in statements.items() if granted(rendered, each, READ, secret)
            ),
            frozenset(
                container
                for task, container, _, reference in injected(rendered)
                if secret in ids_in(rendered, named(rendered, task).layer, reference)
            ),
            frozenset(_resolving(rendered, secret)),
        )
        for what, those, these in (
            ("roles", found.roles, wanted.roles),
            ("containers", found.containers, wanted.containers if has_image else frozenset()),
            ("resources", found.resources, wanted.resources),
        ):
            if those != these:
                yield f"{secret} is read by the {what} {sorted(those)}, where {sorted(these)} should."


def _readers_of(rendered: Rendered, secret: str) -> Readers:
    """The readers of a pair of secrets: the URL has the one in use."""
    if (
        secret == "ApplicationSecret"
        and rendered.parameters[ROOT]["ApplicationSettingsVersion"] == "0"
    ):
        return readers("ExecutionRole")
    second = rendered.parameters[ROOT]["CacheCredentials"] == "second"
    if second and secret == "CacheSecret":
        return replace(READERS[secret], resources=READERS[secret].resources - {"CacheUrl"})
    if second and secret == "CacheSecondSecret":
        return replace(READERS[secret], resources=READERS[secret].resources | {"CacheUrl"})
    return READERS[secret]


def _resolving(rendered: Rendered, secret: str) -> Iterator[str]:
    for _, resource in resources(rendered):
        if RESOLVE in str(resource.properties) and secret in _resolved(
            rendered, resource.layer, resource.properties
        ):
            yield resource.logical_id


def _resolved(rendered: Rendered, layer: str, value: Any) -> set[str]:
    """Secrets in the dynamic references of a value."""
    if isinstance(value, str):
        parts = value.split(RESOLVE)[1:]
        return {name for part in parts for name in ids_in(rendered, layer, part.partition("}}")[0])}
    inner = value.values() if hasattr(value, "values") else value if isinstance(value, list) else ()
    return {name for part in inner for name in _resolved(rendered, layer, part)}


@relation
def containers_contain_no_password(rendered: Rendered) -> Iterator[str]:
    """No environment variable or command contains a password, because the console and the API show them."""
    for task, container in containers(rendered):
        name = f"container {container['Name']} of {task}"
        for variable in container.get("Environment", ()):
            key, value = variable["Name"], text_of(variable["Value"])
            if SENSITIVE.search(key) and key not in HARMLESS:
                yield f"{key} of {name} is in its environment, not among its secrets."
            if RESOLVE in value or URL_WITH_PASSWORD.search(value):
                yield f"{key} of {name} holds a password in its environment."
        if any(RESOLVE in text_of(part) for part in container.get("Command", ())):
            yield f"The command of {name} holds a password."


@relation
def generated_secrets_are_frozen(rendered: Rendered) -> Iterator[str]:
    """GenerateSecretString never changes, because CloudFormation would generate a new value."""
    found = {
        secret.logical_id: secret.properties["GenerateSecretString"]
        for secret in resources_of_type(rendered, SECRET)
        if "GenerateSecretString" in secret.properties
    }
    for name in sorted(found.keys() | FROZEN.keys()):
        if found.get(name) != FROZEN.get(name):
            yield f"GenerateSecretString of {name} changed: running environments would get a new password."


@relation
def placeholders_are_constant(rendered: Rendered) -> Iterator[str]:
    """SecretString never changes, because CloudFormation would overwrite the key that a user has set."""
    for name, value in PLACEHOLDERS.items():
        if named(rendered, name).properties.get("SecretString") != value:
            yield f"SecretString of {name} changed: it would overwrite the key that was put in."


@relation
def users_are_those_of_their_secrets(rendered: Rendered) -> Iterator[str]:
    """The user name is the same in the engine, the secret and the URL."""
    for holder, key, secret, url in (
        ("Database", "MasterUsername", "DatabaseSecret", None),
        (FUNCTION, "User", "DatabaseUserSecret", "DatabaseUrl"),
        ("CacheUser", "UserName", "CacheSecret", None),
        ("CacheSecondUser", "UserName", "CacheSecondSecret", None),
    ):
        user = user_of(rendered, secret)
        given = (
            function_variables(rendered)
            if holder == FUNCTION
            else named(rendered, holder).properties
        )
        if given.get(key, user) != user:
            yield f"{holder} has the user {given[key]}, but {secret} {user}."
        if url and f"://{user}:" not in text_of(named(rendered, url).properties["SecretString"]):
            yield f"{url} does not name the user {user}."


@relation
def containers_are_not_the_master_user(rendered: Rendered) -> Iterator[str]:
    """The database's URL contains the application's user, and is written after the function has created that user."""
    master, user = user_of(rendered, "DatabaseSecret"), user_of(rendered, "DatabaseUserSecret")
    if user == master:
        yield f"Containers connect to the database as its master user {master}."
    url = named(rendered, "DatabaseUrl")
    made = named(rendered, "DatabaseExtensions")
    if (made.layer, made.logical_id) not in existing_before(rendered, url.layer, url.logical_id):
        yield "DatabaseUrl may be written before DatabaseExtensions has made the user that it names."
    for key, secret in (("SecretArn", "DatabaseSecret"), ("UserSecretArn", "DatabaseUserSecret")):
        for what, given in (
            ("DatabaseExtensions", made.properties),
            (FUNCTION, function_variables(rendered)),
        ):
            found = ids_in(rendered, made.layer, given.get(key, ""))
            if found != {secret}:
                yield f"{key} of {what} is {sorted(found)}, where {secret} should be."


@relation
def rotations_replace_tasks(rendered: Rendered) -> Iterator[str]:
    """A container with the database's URL also has the version of the credentials: a new version creates a new revision."""
    version = rendered.parameters[ROOT]["DatabaseCredentialsVersion"]
    for task, container in containers(rendered):
        injected = {secret["Name"] for secret in container.get("Secrets", ())}
        variables = {each["Name"]: text_of(each["Value"]) for each in container["Environment"]}
        if "DATABASE_URL" in injected and variables.get("DATABASE_ROTATION") != version:
            yield f"{container['Name']} of {task} keeps the database's old URL when DatabaseCredentialsVersion changes."


def user_of(rendered: Rendered, secret: str) -> str:
    """The user name in a generated secret."""
    template = named(rendered, secret).properties["GenerateSecretString"]["SecretStringTemplate"]
    return str(json.loads(text_of(template))["username"])


def function_variables(rendered: Rendered) -> dict[str, str]:
    """The current user in the environment of the database's function."""
    variables = named(rendered, FUNCTION).properties["Environment"]["Variables"]
    found: dict[str, str] = json.loads(text_of(variables["CURRENT"]))
    return found
