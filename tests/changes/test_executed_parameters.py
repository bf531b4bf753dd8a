"""Each root parameter of prod, changed alone on a launched prod: the verdict of the engine is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from commands.common.embedded_launch import EXAMPLE_DOMAIN
from pipeline.changes.engine import compare
from pipeline.changes.sides import of_release
from pipeline.changes.state import State
from pipeline.parameters.profiles import profile_parameters
from pipeline.paths import PARAMETERS
from pipeline.template.example_values import ACCOUNT
from templates_src.core.parameters.declaration import Declaration
from templates_src.environment import ROOT
from templates_src.guards.launch_check import LAUNCH_CHECK
from tests.changes.agreement import FAILED, disagreements, identities
from tests.changes.rehearsal import REFUSED, Rehearsal
from tests.conftest import REGION
from tests.publishing.states import StatefulAws
from tests.relations.variants import built

# Another value of each parameter without bounds or a list of values, and of those whose other values prod refuses.
OTHER: Mapping[str, str] = {
    "VpcCidr": "10.9.0.0/16",
    "GitHubOrganizationId": "1",
    "GitHubRepositoryId": "1",
    "CacheNodes": "3",
    "ApiCpu": "2048",
    "ApiMemory": "4096",
    "WorkerCpu": "2048",
    "WorkerMemory": "4096",
    "BeatCpu": "512",
    "BeatMemory": "1024",
    "IngressCidr": "192.0.2.0/24",
    "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    "GitHubRepository": "acme/app",
    "GitHubOidcProviderArn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
    "DatabaseInstanceClass": "db.t4g.large",
    "DatabaseSnapshotIdentifier": "first",
    "DatabaseName": "other",
    "CacheNodeType": "cache.m7g.large",
    "MediaCorsOrigins": "https://app.example.com",
    "ImageRepository": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/app",
    "ImageTag": "1.4.3",
    "MigrationCommand": "migrate",
    "ApiCommand": "serve",
    "WorkerCommand": "work",
    "BeatCommand": "beat",
    "WorkerQueues": "celery,reports",
    "SearchInstanceType": "t4g.medium",
    "SearchImage": "getmeili/meilisearch:v1.57.0",
    "AlarmEmail": "ops@example.com",
}
# Additional values that a change needs.
WITH: Mapping[str, Mapping[str, str]] = {
    "GitHubOrganizationId": {"GitHubRepository": "acme/app", "GitHubRepositoryId": "2"},
    "GitHubRepositoryId": {"GitHubRepository": "acme/app", "GitHubOrganizationId": "2"},
    "GitHubOidcProviderArn": {"GitHubRepository": "acme/app"},
    "HostedZoneId": {"DomainName": EXAMPLE_DOMAIN},
    "ApiCpu": {"ApiMemory": "4096"},
    "WorkerCpu": {"WorkerMemory": "4096"},
    "BeatCpu": {"BeatMemory": "1024"},
    "EnableExecuteCommand": {"ReadonlyRootFilesystem": "false"},
    "ImageRepository": {"ImageTag": "1.4.3"},
}
# Parameters that name another environment, which needs a launch and not an update.
IDENTITY = {"Project", "Environment"}
# Parameters for which the rules of prod accept only one value.
RULED = {
    "BucketRemoval",
    "CacheFailover",
    "CacheMode",
    "DatabaseDeletionProtection",
    "DatabaseMultiAz",
    "NatGateways",
}
# Parameters whose change LaunchCheck refuses, with its reason: the resources allow the change, the state of the account does not.
CHECKED = {"ExistingBuckets": "keep ExistingBuckets at false"}
# An empty value stands for three zones of the account; tests/changes/cases.py has other zones.
OF_THE_ACCOUNT = {"AvailabilityZones"}


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[Rehearsal]:
    with StatefulAws.begin(REGION) as running:
        yield Rehearsal(running, "prod", built(), PARAMETERS)


def parameters() -> list[Declaration]:
    """The parameters in a profile."""
    left_out = IDENTITY | OF_THE_ACCOUNT
    declared = profile_parameters(built().root).items()
    return [each for name, each in declared if name not in left_out]


def other_value(rehearsal: Rehearsal, parameter: Declaration) -> str:
    """A value other than the current one."""
    present = rehearsal.values[parameter.name]
    if parameter.name in OTHER:
        return OTHER[parameter.name]
    if parameter.allowed:
        return next(value for value in parameter.allowed if value != present)
    if parameter.min_value is not None and parameter.max_value is not None:
        double = min(int(present) * 2, parameter.max_value)
        return str(double if double != int(present) else int(present) // 2)
    if parameter.name.endswith("Version"):
        return str(int(present) + 1)
    if parameter.name == "CertificateArn":
        certificate = rehearsal.aws.client("acm").request_certificate(DomainName="app.example.com")
        return str(certificate["CertificateArn"])
    if parameter.name == "SearchSnapshotId":
        return volume_snapshot(rehearsal)
    assert parameter.name in {"HostedZoneId", "DomainName"}, f"{parameter.name} has no other value"
    # LaunchCheck refuses a domain that the certificate of prod is not valid for.
    return rehearsal.zone if parameter.name == "HostedZoneId" else EXAMPLE_DOMAIN


def volume_snapshot(rehearsal: Rehearsal) -> str:
    """A snapshot of a volume that no stack has, because LaunchCheck refuses a snapshot that does not exist."""
    ec2 = rehearsal.aws.client("ec2")
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1)
    return str(ec2.create_snapshot(VolumeId=volume["VolumeId"])["SnapshotId"])


def reasons(rehearsal: Rehearsal) -> str:
    """The reasons of LaunchCheck's failures."""
    events = rehearsal.aws.client("cloudformation").describe_stack_events(
        StackName=rehearsal.environment.stack
    )["StackEvents"]
    return " ".join(
        event.get("ResourceStatusReason", "")
        for event in events
        if event["LogicalResourceId"] == LAUNCH_CHECK and "FAILED" in event["ResourceStatus"]
    )


@pytest.mark.parametrize("parameter", parameters(), ids=lambda parameter: parameter.name)
def test_change_matches_the_verdict(rehearsal: Rehearsal, parameter: Declaration) -> None:
    rehearsal.restart()
    new = rehearsal.own(
        {**WITH.get(parameter.name, {}), parameter.name: other_value(rehearsal, parameter)}
    )
    status = rehearsal.update(new)
    assert (status == REFUSED) == (parameter.name in RULED)
    if status == REFUSED:
        return
    if parameter.name in CHECKED:
        assert status == FAILED
        assert CHECKED[parameter.name] in reasons(rehearsal)
        assert list(identities(rehearsal.beginning, rehearsal.seen(status), {})) == []
        return
    release = of_release(rehearsal.base, {}).templates
    before = State(release, rehearsal.values, REGION, ROOT)
    after = State(release, {**rehearsal.values, **new}, REGION, ROOT)
    changes = {str(change.name): change for change in compare(before, after)}

    found = disagreements(rehearsal.aws, rehearsal.beginning, rehearsal.seen(status), changes)
    assert list(found) == []
