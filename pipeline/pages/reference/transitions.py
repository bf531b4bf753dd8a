"""Examples of an old and a new value of each parameter, for the effects in the parameter reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations

from pipeline.template.example_values import ACCOUNT
from templates_src.core.parameters.declaration import Declaration

# The region of all examples; no effect depends on it.
REGION = "eu-north-1"
SET, CHANGED, CLEARED = "set", "changed", "cleared"
HIGHER, LOWER = "higher", "lower"
_CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/{{}}"
_POLICY = f"arn:aws:iam::{ACCOUNT}:policy/{{}}"
_DOMAIN, _OTHER_DOMAIN = "app.example.com", "www.example.com"
_ZONE = "Z0123456789ABCDEFGHIJ"

# Values of a parameter without a list of allowed values and without bounds. An optional parameter is set to the first,
# changed to the second and cleared; a required one changes from its current value to the first, or from the first to
# the second.
EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "Project": ("other",),
    "VpcCidr": ("10.1.0.0/16",),
    "AvailabilityZones": (
        ",".join(f"{REGION}{letter}" for letter in "abc"),
        ",".join(f"{REGION}{letter}" for letter in "bca"),
    ),
    "IngressCidr": ("198.51.100.0/24",),
    "PermissionsBoundary": (_POLICY.format("first"), _POLICY.format("second")),
    "GitHubRepository": ("acme/first", "acme/second"),
    "GitHubOrganizationId": ("1", "2"),
    "GitHubRepositoryId": ("1", "2"),
    "GitHubOidcProviderArn": (
        f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
    ),
    "DatabaseInstanceClass": ("db.t4g.large",),
    "DatabaseSnapshotIdentifier": ("first", "second"),
    "DatabaseName": ("other",),
    "CacheNodeType": ("cache.m7g.large",),
    "MediaCorsOrigins": (f"https://{_DOMAIN}", f"https://{_OTHER_DOMAIN}"),
    "SearchSnapshotId": ("snap-0123456789abcdef0", "snap-0123456789abcdef1"),
    "CertificateArn": (_CERTIFICATE.format("first"), _CERTIFICATE.format("second")),
    "HostedZoneId": (_ZONE, "Z9876543210ABCDEFGHIJ"),
    "DomainName": (_DOMAIN, _OTHER_DOMAIN),
    "ImageRepository": ("first", "second"),
    "ImageTag": ("1.0", "2.0"),
    "MigrationCommand": ("first", "second"),
    "ApiCommand": ("first",),
    "WorkerCommand": ("first",),
    "BeatCommand": ("first",),
    "WorkerQueues": ("celery,reports",),
    "SearchInstanceType": ("t4g.medium",),
    "SearchImage": ("getmeili/meilisearch:v1.57.0",),
    "AlarmEmail": ("first@example.com", "second@example.com"),
}
# An environment that runs an image; without one, a container has the placeholder's command.
LAUNCHED: Mapping[str, str] = {"ImageTag": "1.0"}
# Values of other parameters during a change; the page shows each variant.
BESIDE: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "GitHubOrganizationId": ({"GitHubRepository": "acme/first", "GitHubRepositoryId": "1"},),
    "GitHubRepositoryId": ({"GitHubRepository": "acme/first", "GitHubOrganizationId": "1"},),
    "GitHubOidcProviderArn": ({"GitHubRepository": "acme/first"},),
    # The first secret of a pair is renewed while the second one is in use.
    "CacheCredentialsVersion": ({"CacheCredentials": "second"},),
    "JwtSecretVersion": ({"JwtSigningSecret": "second"},),
    "SessionKeyVersion": ({"SessionSigningKey": "second"},),
    # A memory size that the next CPU size also supports.
    "ApiCpu": ({"ApiMemory": "4096"},),
    "WorkerCpu": ({"WorkerMemory": "4096"},),
    "BeatCpu": ({"BeatMemory": "1024"},),
    "EnableExecuteCommand": ({"ReadonlyRootFilesystem": "false"},),
    "CertificateArn": ({}, {"DomainName": _DOMAIN, "HostedZoneId": _ZONE}),
    "DomainName": (
        {"CertificateArn": ""},
        {"CertificateArn": "", "HostedZoneId": _ZONE},
        {"CertificateArn": _CERTIFICATE.format("first"), "HostedZoneId": _ZONE},
    ),
    "HostedZoneId": (
        {"CertificateArn": "", "DomainName": _DOMAIN},
        {"CertificateArn": _CERTIFICATE.format("first"), "DomainName": _DOMAIN},
    ),
}
# These two are always changed together.
WITH: Mapping[str, str] = {
    "GitHubOrganizationId": "GitHubRepositoryId",
    "GitHubRepositoryId": "GitHubOrganizationId",
}


@dataclass(frozen=True)
class Transition:
    """A change of a parameter: its label, and the values before and after."""

    label: str
    before: Mapping[str, str] = field(hash=False)
    after: Mapping[str, str] = field(hash=False)


def transitions(declaration: Declaration, current: str) -> Iterator[Transition]:
    """The changes of a parameter that has the value ``current``.

    Raises KeyError for a parameter that has neither bounds, a list of values, a version nor an example.
    """
    for label, old, new in _values(declaration, current):
        for beside in BESIDE.get(declaration.name, ({},)):
            known = {**LAUNCHED, **beside}
            other = WITH.get(declaration.name)
            yield Transition(
                label,
                {**known, declaration.name: old} | ({other: old} if other else {}),
                {**known, declaration.name: new} | ({other: new} if other else {}),
            )


def _values(declaration: Declaration, current: str) -> Iterator[tuple[str, str, str]]:
    """The label, the old and the new value of each change."""
    if declaration.allowed:
        yield from _choices(declaration, current)
    elif declaration.min_value is not None and declaration.max_value is not None:
        now = int(current)
        for label, other in (
            (HIGHER, min(declaration.max_value, now * 2 or 1)),
            (LOWER, max(declaration.min_value, now // 2)),
        ):
            if other != now:
                yield label, current, str(other)
            else:
                yield label, str((now * 2 or 1) if label == LOWER else now // 2), current
    elif declaration.name.endswith("Version"):
        yield CHANGED, current, str(int(current) + 1)
    else:
        yield from _examples(declaration, EXAMPLES[declaration.name], current)


def _choices(declaration: Declaration, current: str) -> Iterator[tuple[str, str, str]]:
    allowed = declaration.allowed
    if all(value.isdecimal() for value in allowed):
        there = allowed.index(current)
        up, down = min(there, len(allowed) - 2), max(there, 1)
        yield HIGHER, allowed[up], allowed[up + 1]
        yield LOWER, allowed[down], allowed[down - 1]
        return
    for old, new in permutations(allowed, 2):
        if current in {old, new}:
            yield CHANGED if declaration.name == "Environment" else f"to {new}", old, new


def _examples(
    declaration: Declaration, examples: tuple[str, ...], current: str
) -> Iterator[tuple[str, str, str]]:
    if declaration.default != "":
        yield CHANGED, current, examples[0]
        return
    first, second = examples[0], examples[-1]
    if declaration.name != "AvailabilityZones":
        # The three zones that an empty value takes are known to the account only.
        yield SET, "", first
        yield CLEARED, first, ""
    if second != first:
        yield CHANGED, first, second
