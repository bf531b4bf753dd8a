"""The environments of the relations: those of the profiles, and those with optional values."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from pipeline.checks.render import Rendered, render
from pipeline.release.assemble import Release, assemble
from tests.rendering import with_places

REGION = "eu-north-1"
COMPLETE = {
    "ApplicationSettingsVersion": "1",
    "AlarmEmail": "operations@example.com",
    "AccessLogs": "true",
    "CertificateArn": "",
    "DomainName": "app.example.com",
    "HostedZoneId": "Z0123456789ABCDEFGHIJ",
    "EnableExecuteCommand": "true",
    "ReadonlyRootFilesystem": "false",
    "GitHubRepository": "acme/carbon",
    "GitHubOrganizationId": "101",
    "GitHubRepositoryId": "202",
    "ImageTag": "v1",
    "LoadBalancerIdleTimeout": "4000",
    "MigrationCommand": "alembic upgrade head",
    "MediaCorsOrigins": "https://app.example.com",
    "PermissionsBoundary": "arn:aws:iam::111122223333:policy/boundary",
    "WafBlockedBodies": "none",
    "WorkerCapacity": "base-on-demand",
}
EXISTING = {
    "ApiRollbackAlarms": "false",
    "AvailabilityZones": "eu-north-1a,eu-north-1b,eu-north-1c",
    "BucketNamespace": "account-regional",
    "CacheCredentials": "second",
    "CacheCredentialsVersion": "2",
    "CacheMode": "replication-group",
    "CacheNodes": "1",
    "CacheSecondCredentialsVersion": "2",
    "DatabaseSnapshotIdentifier": "before-the-move",
    "GitHubOidcProviderArn": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
    "GitHubRepository": "acme/carbon",
    "ImageRepository": "acme/carbon",
    "ImageTag": "v1",
    "JwtSecondSecretVersion": "2",
    "JwtSecretVersion": "3",
    "JwtSigningSecret": "second",
    "SearchKeyVersion": "2",
    "SearchSnapshotId": "snap-0123456789abcdef0",
    "SessionKeyVersion": "2",
    "SessionSecondKeyVersion": "2",
    "SessionSigningKey": "second",
    "WafBlockedBodies": "all",
    "WorkerCapacity": "on-demand",
}


@dataclass(frozen=True)
class Variant:
    """An environment, its region, and the values that replace those of its profile."""

    environment: str
    given: dict[str, str] = field(default_factory=dict)
    region: str = REGION
    longest_project: bool = False

    def render(self, release: Release) -> Rendered:
        """The environment as it would be launched."""
        given = dict(self.given)
        if self.longest_project:
            given["Project"] = "p" * (release.root.declarations["Project"].max_length or 0)
        return with_places(render(release, self.environment, self.region, given))


VARIANTS = {
    "dev": Variant("dev"),
    "staging": Variant("staging"),
    "prod": Variant("prod"),
    "complete dev": Variant("dev", {**COMPLETE, "BucketRemoval": "empty"}),
    "complete staging": Variant("staging", {**COMPLETE, "BucketRemoval": "empty"}),
    "complete prod": Variant("prod", COMPLETE),
    "dev on what exists": Variant("dev", EXISTING),
    "staging of the longest name": Variant("staging", COMPLETE, longest_project=True),
    "prod in us-east-1": Variant("prod", COMPLETE, region="us-east-1"),
}


@cache
def built() -> Release:
    """The release that the working tree builds, built once; read only."""
    return assemble()


@cache
def rendered_variant(name: str) -> Rendered:
    """A variant as it would be launched, rendered once; read only."""
    return VARIANTS[name].render(built())
