"""The publications that together make every call of `plan` and `publish`, for tools.publisher_calls."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pipeline.aws import Aws
from pipeline.catalog.desired.catalog import MANAGED_BY, PRODUCT_TAG, PUBLISHER
from pipeline.catalog.desired.product_templates import product_key
from pipeline.catalog.spec.document import catalog
from pipeline.catalog.spec.model import Catalog
from pipeline.catalog.spec.nodes import compose
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release, serialize, template_path
from pipeline.release.upload import release_bucket_name
from templates_src.release_bucket.template import NAME as RELEASE_BUCKET

REGION = "eu-north-1"
# A bucket whose name is taken, so that a stack fails.
TAKEN, TAKEN_ID = "taken", "Taken"
CATALOG = """
regions: [eu-north-1]
versions_kept: 2
owner: Platform
support: {{description: {text}}}
{organization}
portfolios:
  environments:
    name: Environments
    description: {text}
    products: [{products}]
    launch_role: carbon-connect-launch{role}
    environments: [dev, staging]
    principals: [role/carbon-connect-launcher]
    tag_options: {{CostCenter: [carbon-connect]}}
{shares}
{more}
products:
  development:
    name: Development
    description: An environment
    profile: dev
{fixed}
  network:
    name: Network
    description: A layer
    layer: network
"""
DEVELOPMENT = """
  development:
    name: For development
    description: Development alone
    products: [development]
    launch_role: carbon-connect-launch-development
    principals: [role/carbon-connect-launcher, role/carbon-connect/dev/*]
"""


def small(
    text: str = "Ask us",
    fixed: str = "NatGateways",
    shares: str = "",
    organization: str = "",
    *,
    split: bool = False,
) -> Catalog:
    """A small catalog with one of everything.

    ``split`` moves the environment to a separate portfolio, and gives the first portfolio another launch role.
    """
    body = CATALOG.format(
        text=text,
        role="-layers" if split else "",
        products="network" if split else "development, network",
        fixed=f"    fixed: [{fixed}]" if fixed else "",
        shares=f"    shares: {shares}" if shares else "",
        organization=f"organization: {organization}" if organization else "",
        more=DEVELOPMENT if split else "",
    )
    return catalog(compose(body, "catalog.yaml"))


def scenario(admin: Aws, release: Release) -> Iterable[tuple[Release, Catalog]]:
    """Publish releases and catalogs one after the other, with manual changes between them."""
    # A stack that CloudFormation refuses before it creates anything, and one that is removed because its creation failed.
    yield failing(admin, release), small()
    yield release, small()
    # A constraint, a portfolio and products that differ, and a constraint that is removed.
    yield release, small("Ask them", fixed="NatGateways, CacheMode")
    yield release, small(fixed="")
    # An environment of an older release: its roles get a boundary and a mark, and its product leaves the portfolio.
    # Another launch role changes the template, which needs another version.
    launched = older_environment(admin)
    next_one = replace(release, version="96.0.0")
    yield next_one, small(split=True)
    terminate(admin, launched)
    yield next_one, small(split=True)
    # Further versions: the one before is deprecated, and the oldest retired.
    for version in ("97.0.0", "98.0.0", "99.0.0"):
        yield replace(release, version=version), small(split=True)
    newest = replace(release, version="99.0.0")
    edit_version(admin)
    yield newest, small(split=True)
    # A stack whose parameters change, and shares that are created and updated.
    organization = admin.client("organizations").describe_organization()["Organization"]["Id"]
    admin.client("servicecatalog").enable_aws_organizations_access()
    for options in ("", ", tag_options: true"):
        shares = f"[{{organization: {organization}{options}}}]"
        yield newest, small(shares=shares, organization=organization, split=True)


def older_environment(admin: Aws) -> str:
    """Launch an environment from a version without boundaries as an existing launcher, and return its ID."""
    iam = admin.client("iam")
    iam.create_role(RoleName="carbon-connect-launcher", AssumeRolePolicyDocument="{}")
    iam.create_role(
        RoleName="task",
        Path="/carbon-connect/dev/",
        AssumeRolePolicyDocument="{}",
        Tags=[
            {"Key": MANAGED_BY, "Value": PUBLISHER},
            {"Key": PRODUCT_TAG, "Value": "development"},
        ],
    )
    add_older_version(admin)
    return launch_older_version(admin)


def add_older_version(admin: Aws) -> None:
    """Add a version without boundaries to the product."""
    client = admin.client("servicecatalog")
    bucket, key = release_bucket_name(admin.account(), REGION), product_key("0.9.0", "development")
    admin.client("s3").put_object(
        Bucket=bucket,
        Key=key,
        # It has no resource that an update to a later version would lose.
        Body=json.dumps(
            {"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}
        ),
    )
    detail = client.describe_product_as_admin(Name="Development")["ProductViewDetail"]
    client.create_provisioning_artifact(
        ProductId=detail["ProductViewSummary"]["ProductId"],
        Parameters={
            "Name": "0.9.0",
            "Description": "Release 0.9.0, template 0123456789abcdef",
            "Type": "CLOUD_FORMATION_TEMPLATE",
            "Info": {"LoadTemplateFromURL": f"https://{bucket}.s3.{REGION}.amazonaws.com/{key}"},
        },
    )


def launch_older_version(admin: Aws) -> str:
    """Launch the older version for an existing launcher, and return the ID of the provisioned product."""
    client, account = admin.client("servicecatalog"), admin.account()
    [portfolio] = client.list_portfolios()["PortfolioDetails"]
    root = {
        "PortfolioId": portfolio["Id"],
        "PrincipalARN": f"arn:aws:iam::{account}:root",
        "PrincipalType": "IAM",
    }
    client.associate_principal_with_portfolio(**root)
    record = client.provision_product(
        ProductName="Development",
        ProvisioningArtifactName="0.9.0",
        ProvisionedProductName="environment",
    )["RecordDetail"]
    wait_for(client, record["RecordId"])
    client.disassociate_principal_from_portfolio(**root)
    identity = str(record["ProvisionedProductId"])
    client.update_provisioned_product_properties(
        ProvisionedProductId=identity,
        ProvisionedProductProperties={
            "OWNER": f"arn:aws:iam::{account}:role/carbon-connect-launcher"
        },
    )
    return identity


def terminate(admin: Aws, launched: str) -> None:
    """Terminate a provisioned product."""
    catalog = admin.client("servicecatalog")
    record = catalog.terminate_provisioned_product(ProvisionedProductId=launched)
    wait_for(catalog, record["RecordDetail"]["RecordId"])


def wait_for(catalog: Any, record: str) -> None:
    """Wait for the end of a launch or termination. Raises PipelineError for one that does not end within a minute."""
    status = ""
    for _ in range(600):
        status = catalog.describe_record(Id=record)["RecordDetail"]["Status"]
        if status not in ("CREATED", "IN_PROGRESS"):
            break
        time.sleep(0.1)
    if status != "SUCCEEDED":
        raise PipelineError(f"The rehearsed launch ended in {status or 'no status'}.")


def failing(admin: Aws, release: Release) -> Release:
    """The release with a bootstrap stack that cannot be created, because a bucket of the account has its name."""
    admin.client("s3").create_bucket(
        Bucket=TAKEN, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    path = template_path(RELEASE_BUCKET)
    body = json.loads(release.bootstrap_stacks[path])
    body["Resources"][TAKEN_ID] = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": TAKEN}}
    return replace(release, bootstrap_stacks={**release.bootstrap_stacks, path: serialize(body)})


def edit_version(admin: Aws) -> None:
    """Change the description of the newest version of a product, as a user in the console."""
    client = admin.client("servicecatalog")
    product = client.search_products_as_admin()["ProductViewDetails"][0]["ProductViewSummary"]
    versions = client.list_provisioning_artifacts(ProductId=product["ProductId"])
    newest = max(versions["ProvisioningArtifactDetails"], key=lambda each: each["Name"])
    client.update_provisioning_artifact(
        ProductId=product["ProductId"],
        ProvisioningArtifactId=newest["Id"],
        Description="By hand",
    )
