"""Every wrong value is refused before resources exist, by the pipeline and by CloudFormation, with a message that names it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.checks.render import render_values
from pipeline.errors import PipelineError
from pipeline.parameters import relations
from pipeline.parameters.profiles import load_profile, rejection, resolve
from pipeline.release.assemble import Release
from pipeline.release.upload import ensure_bucket
from pipeline.stacks.deploy import CAPABILITIES
from tests.conftest import ENVIRONMENTS, REGION
from tests.wrong_values import CLOUDFORMATION, GIVEN, NETWORK, PIPELINE, PROD, RELATIONS, Wrong

BUCKET, ROOT = "releases", "environment.template.json"
EVERY = [*CLOUDFORMATION, *PIPELINE]
# Valid values at the limits that the wrong ones exceed.
RIGHT: Mapping[str, Mapping[str, str]] = {
    "lowest": {
        "Project": "a1",
        "VpcCidr": "10.0.0.0/16",
        "IngressCidr": "0.0.0.0/0",
        "AvailabilityZones": f"{REGION}a, {REGION}b, {REGION}c",
        "GitHubRepository": "a/b",
        "DatabaseAllocatedStorage": "20",
        "DatabaseMaxAllocatedStorage": "22",
        "DatabaseName": "d",
        "DocumentsIntelligentTieringDays": "1",
        "DocumentsGlacierDays": "2",
        "CacheMaximumEcpuPerSecond": "1000",
        "WafRateLimit": "10",
        "LoadBalancerIdleTimeout": "1",
        "DeregistrationDelay": "0",
        "ApiCpu": "256",
        "ApiMemory": "512",
        "ApiMinTasks": "1",
        "ApiMaxTasks": "1",
    },
    "highest": {
        "Project": "carbon-connec2",
        "VpcCidr": "192.168.0.0/16",
        "IngressCidr": "255.255.255.255/32",
        "GitHubRepository": "acme/app",
        "GitHubOrganizationId": "1",
        "GitHubRepositoryId": "2",
        "DatabaseMaxAllocatedStorage": "65536",
        "DatabaseName": "d" * 63,
        "DocumentsIntelligentTieringDays": "3649",
        "DocumentsGlacierDays": "3650",
        "MediaCorsOrigins": "https://app.example.com, http://localhost:3000",
        "WafRateLimit": "2000000000",
        "LoadBalancerIdleTimeout": "4000",
        "DeregistrationDelay": "3600",
        "ApiCpu": "4096",
        "ApiMemory": "30720",
        "ApiMinTasks": "100",
        "ApiMaxTasks": "100",
    },
    "domain instead of certificate": {
        "CertificateArn": "",
        "DomainName": "app.example.com",
        "HostedZoneId": "Z0123456789ABCDEFGHIJ",
    },
}


def title(row: Wrong) -> str:
    return f"{row.base}: {row.title}"


def launched(release: Release, base: str, values: Mapping[str, str | None]) -> None:
    """The checks of a launch before it calls AWS."""
    profile = load_profile(release.root, base)
    given = {**GIVEN, **values}
    kept = {name: value for name, value in given.items() if value is not None}
    render_values(release, base, REGION, resolve(release.root, profile, kept))


def created(cloudformation: Any, name: str) -> bool:
    """Whether a stack with this name exists."""
    return name in {stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]}


def request(
    cloudformation: Any, release: Release, base: str, values: Mapping[str, str | None]
) -> dict[str, Any]:
    """Create a stack with CloudFormation, without the pipeline."""
    given = {**load_profile(release.root, base), **GIVEN, **values}
    return {
        "StackName": f"refused-{uuid4().hex}",
        "TemplateURL": f"{cloudformation.meta.endpoint_url}/{BUCKET}/{ROOT}",
        "Capabilities": CAPABILITIES,
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in given.items()
            if value is not None
        ],
    }


def assert_named(row: Wrong, message: str) -> None:
    missing = [name for name in row.names if name not in message]
    assert not missing, f"{message!r} does not name {missing}"


def broken_rule(release: Release, row: Wrong) -> str | None:
    """The rule with which the pipeline refuses a row, unless a declaration refuses it before."""
    for name, value in row.values.items():
        if value is None or rejection(release.root.declarations[name], value):
            return None
    with pytest.raises(PipelineError) as refusal:
        launched(release, row.base, row.values)
    return str(refusal.value).rpartition("(rule ")[2].rstrip(")")


@pytest.fixture(scope="module")
def cloudformation(running_aws: EmbeddedAws, release: Release) -> Any:
    """CloudFormation, with the root template in a bucket."""
    running_aws.reset()
    aws = Aws(REGION, running_aws.environment())
    ensure_bucket(aws, BUCKET)
    aws.client("s3").put_object(Bucket=BUCKET, Key=ROOT, Body=release.root_body.encode())
    return aws.client("cloudformation")


@pytest.mark.parametrize("row", EVERY, ids=title)
def test_pipeline_refuses(release: Release, row: Wrong) -> None:
    with pytest.raises(PipelineError) as refusal:
        launched(release, row.base, row.values)

    assert_named(row, str(refusal.value))
    assert "\n" not in str(refusal.value).replace(r"\n", "")
    assert str(refusal.value).endswith((".", "?", ")"))


@pytest.mark.parametrize("row", CLOUDFORMATION, ids=title)
def test_cloudformation_refuses(release: Release, cloudformation: Any, row: Wrong) -> None:
    wrong = request(cloudformation, release, row.base, row.values)

    with pytest.raises(ClientError) as error:
        cloudformation.create_change_set(ChangeSetName="first", ChangeSetType="CREATE", **wrong)

    assert error.value.response["Error"]["Code"] == "ValidationError"
    assert_named(row, error.value.response["Error"]["Message"])
    assert not created(cloudformation, wrong["StackName"])


@pytest.mark.parametrize("row", [*NETWORK, *PROD], ids=title)
def test_cloudformation_refuses_without_a_change_set(
    release: Release, cloudformation: Any, row: Wrong
) -> None:
    wrong = request(cloudformation, release, row.base, row.values)

    with pytest.raises(ClientError) as error:
        cloudformation.create_stack(**wrong)

    assert error.value.response["Error"]["Code"] == "ValidationError"
    assert_named(row, error.value.response["Error"]["Message"])
    assert not created(cloudformation, wrong["StackName"])


@pytest.mark.parametrize("base", ENVIRONMENTS)
def test_environments_of_the_rows_are_accepted(
    release: Release, cloudformation: Any, base: str
) -> None:
    right = request(cloudformation, release, base, {})

    launched(release, base, {})
    cloudformation.create_change_set(ChangeSetName="first", ChangeSetType="CREATE", **right)

    assert created(cloudformation, right["StackName"])


@pytest.mark.parametrize("values", RIGHT.values(), ids=RIGHT)
def test_values_at_the_edge_are_accepted(
    release: Release, cloudformation: Any, values: Mapping[str, str]
) -> None:
    right = request(cloudformation, release, "dev", values)

    launched(release, "dev", values)
    cloudformation.create_change_set(ChangeSetName="first", ChangeSetType="CREATE", **right)

    assert created(cloudformation, right["StackName"])


def test_rows_are_complete_and_differ() -> None:
    assert len({title(row) for row in EVERY}) == len(EVERY)
    assert len(EVERY) >= 40


def test_every_constraint_of_the_root_has_a_row(release: Release) -> None:
    constrained = {
        declaration.name
        for declaration in release.root.declarations.values()
        if declaration.allowed
        or declaration.pattern
        or declaration.min_value is not None
        or declaration.max_length is not None
    }

    assert constrained - {name for row in CLOUDFORMATION for name in row.values} == set()


def test_every_rule_of_the_root_has_a_row(release: Release) -> None:
    broken = {rule for row in CLOUDFORMATION if (rule := broken_rule(release, row))}

    assert set(json.loads(release.root_body)["Rules"]) - broken == set()


def test_every_relation_has_a_row() -> None:
    related = {
        *relations.ORDERED,
        *relations.CEILINGS,
        *relations.STRICTLY_ORDERED,
    }

    assert {
        pair for pair in related if not any({*pair} == {*row.values} for row in RELATIONS)
    } == set()
