"""Service Details: Secrets Manager."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pipeline.checks.render import Rendered
from tests.rendering import containers, ids_in, named, only
from tests.seed.rendered_architecture import injected

SENSITIVE = re.compile(
    r"PASSWORD|SECRET|TOKEN|_KEY$|CREDENTIAL|DATABASE_URL|CELERY_.*(URL|BACKEND)"
)
# Meilisearch refuses a shorter master key in production.
SHORTEST_SEARCH_KEY = 16


def generation(rendered: Rendered, secret: str) -> Mapping[str, Any]:
    """The GenerateSecretString of a secret, which has no value in the template."""
    properties = named(rendered, secret).properties
    assert "SecretString" not in properties
    found: Mapping[str, Any] = properties["GenerateSecretString"]
    return found


def is_typed_in(rendered: Rendered, secret: str) -> bool:
    """Whether a secret has no value until a user sets it."""
    value = named(rendered, secret).properties["SecretString"]
    return bool(json.loads(value) == {"value": "unset"})


def test_sensitive_configuration_is_in_secrets_manager(complete: Rendered) -> None:
    for task, container in containers(complete):
        plain = [item["Name"] for item in container["Environment"]]
        assert not [name for name in plain if SENSITIVE.search(name)], task
        for item in container["Secrets"]:
            assert ":secretsmanager:" in item["ValueFrom"]


def test_database_password_is_generated(rendered: Rendered) -> None:
    assert int(generation(rendered, "DatabaseSecret")["PasswordLength"]) >= 32
    layer, _, database = only(rendered, "AWS::RDS::DBInstance")
    password = database["MasterUserPassword"]
    assert password.startswith("{{resolve:secretsmanager:")
    assert password.endswith(":SecretString:password}}")
    assert ids_in(rendered, layer, password) == {"DatabaseSecret"}


def test_application_secrets_are_jwt_secret_and_session_key(complete: Rendered) -> None:
    secrets = injected(complete, "Api")
    assert secrets["JWT_SECRET"] == "JwtSecret"
    assert secrets["SESSION_KEY"] == "SessionKeySecret"
    for secret in ("JwtSecret", "SessionKeySecret"):
        assert int(generation(complete, secret)["PasswordLength"]) >= 32


def test_claude_api_key(complete: Rendered) -> None:
    assert injected(complete, "Api")["ANTHROPIC_API_KEY"] == "ClaudeApiKeySecret"
    assert is_typed_in(complete, "ClaudeApiKeySecret")


def test_climatiq_api_key(complete: Rendered) -> None:
    assert injected(complete, "Api")["CLIMATIQ_API_KEY"] == "ClimatiqApiKeySecret"
    assert is_typed_in(complete, "ClimatiqApiKeySecret")


def test_meilisearch_key(complete: Rendered) -> None:
    assert injected(complete, "Api")["MEILISEARCH_MASTER_KEY"] == "SearchKeySecret"
    length = int(generation(complete, "SearchKeySecret")["PasswordLength"])
    assert length >= SHORTEST_SEARCH_KEY
