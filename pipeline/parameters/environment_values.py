"""Values that belong to one environment, not to its profile; and the values that an update of an environment keeps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pipeline.errors import PipelineError
from pipeline.parameters.profiles import check_names, rejection, resolve
from templates_src.core.layer import Layer

_FIXED = "it cannot change without new, empty resources"
_OPERATION = "it is set while the environment runs"
_ACCOUNT = "it names something of the account"
_ROTATED = "each rotation sets it"

# The only list of them, with the reason. No launch file names one that a profile leaves at the template's default, so that
# `aws cloudformation deploy` keeps the previous value.
ENVIRONMENT_VALUES: Mapping[str, str] = {
    "ImageTag": _OPERATION,
    "ImageRepository": _ACCOUNT,
    "DatabaseSnapshotIdentifier": _FIXED,
    "SearchSnapshotId": _FIXED,
    "DatabaseName": _FIXED,
    "BucketNamespace": _FIXED,
    "VpcCidr": _FIXED,
    "AvailabilityZones": _FIXED,
    "CertificateArn": _ACCOUNT,
    "HostedZoneId": _ACCOUNT,
    "DomainName": _ACCOUNT,
    "AlarmEmail": _ACCOUNT,
    "PermissionsBoundary": _ACCOUNT,
    "GitHubRepository": _ACCOUNT,
    "GitHubOrganizationId": _ACCOUNT,
    "GitHubRepositoryId": _ACCOUNT,
    "GitHubOidcProviderArn": _ACCOUNT,
    "DatabaseMasterCredentialsVersion": _ROTATED,
    "DatabaseCredentialsVersion": _ROTATED,
    "CacheCredentials": _ROTATED,
    "CacheCredentialsVersion": _ROTATED,
    "CacheSecondCredentialsVersion": _ROTATED,
    "JwtSigningSecret": _ROTATED,
    "JwtSecretVersion": _ROTATED,
    "JwtSecondSecretVersion": _ROTATED,
    "SessionSigningKey": _ROTATED,
    "SessionKeyVersion": _ROTATED,
    "SessionSecondKeyVersion": _ROTATED,
    "SearchKeyVersion": _ROTATED,
    "ApiKeysVersion": _ROTATED,
}


@dataclass(frozen=True)
class KeptValue:
    """A value that an environment keeps, and the profile's value of the same parameter.

    ``is_default`` says that the value is the default of the deployed template: possibly, a user never set it.
    """

    deployed: str
    profile: str
    is_default: bool = False


@dataclass(frozen=True)
class EnvironmentValues:
    """The value of every root parameter for an update, and the kept values that differ from the profile, by name."""

    values: Mapping[str, str]
    kept: Mapping[str, KeptValue] = field(default_factory=dict)


def without_environment_values(root: Layer, profile: Mapping[str, str]) -> dict[str, str]:
    """A profile without the values that belong to an environment, unless the profile itself sets one of them."""
    return {
        name: value
        for name, value in profile.items()
        if name not in ENVIRONMENT_VALUES or value != root.declarations[name].default
    }


def values_of_update(
    root: Layer,
    profile: Mapping[str, str],
    deployed: Mapping[str, str],
    given: Mapping[str, str],
    reset: Collection[str] = (),
    stack: str = "",
    defaults: Mapping[str, str] | None = None,
) -> EnvironmentValues:
    """The values of an update: those given, then those deployed, then the profile's for new parameters and for ``reset``.

    The release's own parameters are not kept. ``defaults`` are those of the deployed template. Raises PipelineError for an unknown name in ``reset``, for a deployed value
    that this release refuses, and for what `resolve` refuses.
    """
    check_names(reset, root.declarations, "--reset")
    kept: dict[str, KeptValue] = {}
    for name, value in deployed.items():
        if name not in profile or name in reset or name in given or value == profile[name]:
            continue
        if reason := rejection(root.declarations[name], value):
            raise PipelineError(
                f"Stack {stack} has {name} {value!r}, which this release refuses; give another value with --set {name}=VALUE. {reason}"
            )
        kept[name] = KeptValue(value, profile[name], (defaults or {}).get(name) == value)
    merged = {**profile, **{name: each.deployed for name, each in kept.items()}}
    return EnvironmentValues(resolve(root, merged, given), kept)
