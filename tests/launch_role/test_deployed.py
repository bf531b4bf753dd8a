"""Both foundations on the embedded AWS: they launch from the request alone, update without change, and are used."""

from __future__ import annotations

from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.assemble import Release, template_path
from pipeline.aws import Aws
from pipeline.upload import release_bucket_name, upload
from templates_src.launch_role.policies import AREAS
from tests.conftest import REGION

BOUNDARY = "arn:aws:iam::000000000000:policy/boundary"


@pytest.fixture
def aws(embedded: EmbeddedAws) -> Aws:
    return Aws(REGION, embedded.environment())


def deploy(aws: Aws, release: Release, name: str, **given: str) -> dict[str, str]:
    """Create the stack of a foundation; returns its outputs."""
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=release.foundations[template_path(name)].decode(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}


@pytest.mark.parametrize(("boundary", "more"), [("", []), (BOUNDARY, ["Boundary"])])
def test_the_launch_role_has_its_policies(
    aws: Aws, release: Release, boundary: str, more: list[str]
) -> None:
    outputs = deploy(aws, release, "launch-role", PermissionsBoundary=boundary)
    iam: Any = aws.client("iam")
    attached = iam.list_attached_role_policies(RoleName=outputs["LaunchRoleName"])
    names = sorted(policy["PolicyName"] for policy in attached["AttachedPolicies"])
    assert len(names) == len(AREAS) + 1 + len(more)
    for area in (*AREAS, "Elsewhere", *more):
        assert any(f"{area}Policy" in name for name in names), names
    assert outputs["LaunchRoleArn"].endswith(":role/carbon-connect-launch")


def test_the_release_bucket_takes_a_release(aws: Aws, release: Release) -> None:
    outputs = deploy(aws, release, "release-bucket")
    bucket = outputs["ReleaseBucket"]
    assert bucket == release_bucket_name(aws.account(), REGION)
    uploaded = upload(aws, release, bucket)
    assert len(uploaded.written) == len(release.files) + 1
    assert upload(aws, release, bucket).written == ()
    s3: Any = aws.client("s3")
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
