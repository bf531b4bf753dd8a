"""Outputs of the security layer that later layers receive: the ARNs of its secrets."""

from __future__ import annotations

from templates_src.core.parameters.groups import SECURITY_OUTPUTS
from templates_src.core.parameters.wiring.identifiers import secret_arn

DATABASE_SECRET_ARN = secret_arn(
    "DatabaseSecretArn",
    group=SECURITY_OUTPUTS,
    label="Database secret",
    description="ARN of the secret that holds the database's master user name and password.",
)
DATABASE_USER_SECRET_ARN = secret_arn(
    "DatabaseUserSecretArn",
    group=SECURITY_OUTPUTS,
    label="Database user's secret",
    description="ARN of the secret that holds the application's database user and its password.",
)
CACHE_SECRET_ARN = secret_arn(
    "CacheSecretArn",
    group=SECURITY_OUTPUTS,
    label="Cache secret",
    description="ARN of the secret that holds the cache's user name and password.",
)
CACHE_SECOND_SECRET_ARN = secret_arn(
    "CacheSecondSecretArn",
    group=SECURITY_OUTPUTS,
    label="Second cache secret",
    description="ARN of the secret that holds the cache's second user name and its password.",
)
JWT_SECOND_SECRET_ARN = secret_arn(
    "JwtSecondSecretArn",
    group=SECURITY_OUTPUTS,
    label="Second JWT secret",
    description="ARN of the second secret for tokens that the api accepts.",
)
SESSION_SECOND_KEY_SECRET_ARN = secret_arn(
    "SessionSecondKeySecretArn",
    group=SECURITY_OUTPUTS,
    label="Second session key",
    description="ARN of the second secret for sessions that the api accepts.",
)
JWT_SECRET_ARN = secret_arn(
    "JwtSecretArn",
    group=SECURITY_OUTPUTS,
    label="JWT secret",
    description="ARN of the secret that signs the api's tokens.",
)
SESSION_KEY_SECRET_ARN = secret_arn(
    "SessionKeySecretArn",
    group=SECURITY_OUTPUTS,
    label="Session key",
    description="ARN of the secret that signs sessions.",
)
SEARCH_KEY_SECRET_ARN = secret_arn(
    "SearchKeySecretArn",
    group=SECURITY_OUTPUTS,
    label="Search key",
    description="ARN of the secret that holds Meilisearch's master key.",
)
CLAUDE_API_KEY_SECRET_ARN = secret_arn(
    "ClaudeApiKeySecretArn",
    group=SECURITY_OUTPUTS,
    label="Claude API key",
    description="ARN of the secret that holds the Claude API key.",
)
CLIMATIQ_API_KEY_SECRET_ARN = secret_arn(
    "ClimatiqApiKeySecretArn",
    group=SECURITY_OUTPUTS,
    label="Climatiq API key",
    description="ARN of the secret that holds the Climatiq API key.",
)
APPLICATION_SECRET_ARN = secret_arn(
    "ApplicationSecretArn",
    group=SECURITY_OUTPUTS,
    label="Application's secret",
    description="ARN of the secret with the application's own secrets.",
)
