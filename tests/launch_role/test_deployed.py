"""Both bootstrap stacks on the embedded AWS: created with TemplateBody, updated without change, and used."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.release.assemble import Release, template_path
from pipeline.release.upload import put_once, release_bucket_name, upload
from templates_src.launch_role.policies import AREAS
from templates_src.launch_role.template import ROLE_NAME
from tests.conftest import REGION

PRODUCT_KEY = "products/nested.json"
BOUNDARY = "arn:aws:iam::000000000000:policy/boundary"


@pytest.fixture
def aws(embedded: EmbeddedAws) -> Aws:
    return Aws(REGION, embedded.environment())


def deploy(aws: Aws, release: Release, name: str, **given: str) -> dict[str, str]:
    """Create a bootstrap stack; returns its outputs."""
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=release.bootstrap_stacks[template_path(name)].decode(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}


@pytest.mark.parametrize("boundary", ["", BOUNDARY])
def test_the_launch_role_has_its_policies(aws: Aws, release: Release, boundary: str) -> None:
    outputs = deploy(aws, release, "launch-role", PermissionsBoundary=boundary)
    iam: Any = aws.client("iam")
    attached = iam.list_attached_role_policies(RoleName=outputs["LaunchRoleName"])
    names = sorted(policy["PolicyName"] for policy in attached["AttachedPolicies"])
    areas = (*AREAS, "Elsewhere", "Boundary", "OtherEnvironments")
    assert len(names) == len(areas)
    for area in areas:
        assert any(f"{area}Policy" in name for name in names), names
    assert outputs["LaunchRoleArn"].endswith(":role/carbon-connect-launch")
    required = boundary or f"arn:aws:iam::{aws.account()}:policy/carbon-connect-launch-boundary"
    (denied,) = (
        statement
        for policy in attached["AttachedPolicies"]
        for statement in document_of(iam, policy["PolicyArn"])["Statement"]
        if statement["Sid"] == "NoRoleWithoutTheBoundary"
    )
    assert denied["Condition"] == {"StringNotEquals": {"iam:PermissionsBoundary": required}}


def test_boundary_has_its_name(aws: Aws, release: Release) -> None:
    deploy(aws, release, "launch-role", Environments="dev")
    iam: Any = aws.client("iam")
    arn = f"arn:aws:iam::{aws.account()}:policy/carbon-connect-launch-boundary"
    by_sid = {one["Sid"]: one for one in document_of(iam, arn)["Statement"]}
    assert by_sid["Buckets"]["Resource"] == ["arn:aws:s3:::carbon-connect-dev-*"]


def document_of(iam: Any, arn: str) -> dict[str, Any]:
    """The document of a managed policy."""
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    document: dict[str, Any] = json.loads(found) if isinstance(found, str) else found
    return document


def test_release_bucket_accepts_a_release(aws: Aws, release: Release) -> None:
    outputs = deploy(aws, release, "release-bucket")
    bucket = outputs["ReleaseBucket"]
    assert bucket == release_bucket_name(aws.account(), REGION)
    uploaded = upload(aws, release, bucket)
    assert len(uploaded.written) == len(release.files) + 1
    assert upload(aws, release, bucket).written == ()
    s3: Any = aws.client("s3")
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


@pytest.mark.parametrize(
    ("buckets", "status"), [("", "SUCCEEDED"), ("another-teams-releases", "FAILED")]
)
def test_service_catalog_launches_with_them(
    aws: Aws, release: Release, buckets: str, status: str
) -> None:
    """A root and a nested template of the release, created and deleted with the role."""
    deploy(aws, release, "launch-role", ReleaseBuckets=buckets)
    bucket = deploy(aws, release, "release-bucket")["ReleaseBucket"]
    upload(aws, release, bucket)
    catalog: Any = aws.client("servicecatalog")
    product, version = offer(aws, release, bucket)
    launched = catalog.provision_product(
        ProductId=product, ProvisioningArtifactId=version, ProvisionedProductName="network"
    )
    record = settled(catalog, launched["RecordDetail"]["RecordId"])
    assert record["Status"] == status, record["RecordErrors"]
    if status == "FAILED":
        (error,) = record["RecordErrors"]
        assert f"s3:GetObject on resource: arn:aws:s3:::{bucket}/" in error["Description"]
    ended = catalog.terminate_provisioned_product(ProvisionedProductName="network")
    assert settled(catalog, ended["RecordDetail"]["RecordId"])["Status"] == "SUCCEEDED"


def offer(aws: Aws, release: Release, bucket: str) -> tuple[str, str]:
    """A product of the account whose template nests the network layer; returns its ID and its version's."""
    address = f"https://{bucket}.s3.{REGION}.amazonaws.com/"
    nested = {"TemplateURL": f"{address}{release.prefix}{template_path('network')}"}
    body = {"Resources": {"Network": {"Type": "AWS::CloudFormation::Stack", "Properties": nested}}}
    put_once(aws.client("s3"), bucket, PRODUCT_KEY, json.dumps(body).encode(), present=False)
    catalog: Any = aws.client("servicecatalog")
    made = catalog.create_product(
        Name="Network",
        Owner="Platform",
        ProductType="CLOUD_FORMATION_TEMPLATE",
        ProvisioningArtifactParameters={
            "Name": release.version,
            "Type": "CLOUD_FORMATION_TEMPLATE",
            "Info": {"LoadTemplateFromURL": f"{address}{PRODUCT_KEY}"},
        },
    )
    product = made["ProductViewDetail"]["ProductViewSummary"]["ProductId"]
    portfolio = catalog.create_portfolio(DisplayName="Environments", ProviderName="Platform")
    identifier = portfolio["PortfolioDetail"]["Id"]
    catalog.associate_product_with_portfolio(ProductId=product, PortfolioId=identifier)
    catalog.associate_principal_with_portfolio(
        PortfolioId=identifier,
        PrincipalARN=f"arn:aws:iam::{aws.account()}:root",
        PrincipalType="IAM",
    )
    catalog.create_constraint(
        PortfolioId=identifier,
        ProductId=product,
        Type="LAUNCH",
        Parameters=json.dumps({"LocalRoleName": ROLE_NAME}),
    )
    return product, made["ProvisioningArtifactDetail"]["Id"]


def settled(catalog: Any, record: str) -> dict[str, Any]:
    """A record after its operation has ended."""
    for _ in range(600):
        found: dict[str, Any] = catalog.describe_record(Id=record)["RecordDetail"]
        if found["Status"] in {"SUCCEEDED", "FAILED"}:
            return found
        time.sleep(0.1)
    raise AssertionError(f"Record {record} is still {found['Status']}.")
