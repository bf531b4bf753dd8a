"""A bucket of another account with a name like the release bucket: no launch reads templates or code from it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from commands.common.embedded_sessions import launcher, publisher
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.publish import plan_regions, publish
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release, serialize, template_path
from pipeline.release.upload import release_bucket_name
from tests.conftest import REGION
from tests.launch_role.test_deployed import settled
from tests.organization import Organization
from tests.provisioning.users import User
from tests.publishing.conftest import ROLES, WAITS
from tests.publishing.minimal_catalog import CATALOG, small_catalog

ATTACKER = "111122223333"
LAUNCHER = "launcher"
LAUNCH_ROLE_STACK = "carbon-connect-launch-role-environments"
OPEN = "open"


class Landscape:
    """A publication, a launcher, and an attacker's account with a bucket whose name begins with that of the release bucket."""

    def __init__(self, embedded: EmbeddedAws, release: Release) -> None:
        self.hub = Aws(REGION, embedded.environment())
        self.release = release
        text = CATALOG.replace("profile: prod\n    fixed: [NatGateways]", "profile: dev")
        session = publisher(self.hub, release, ROLES)
        plans = plan_regions(lambda _region: session, release, small_catalog(text))
        publish(plans, waits=WAITS)
        self.launcher = launcher(self.hub, release, LAUNCHER)
        self.bucket = release_bucket_name(self.hub.account(), REGION)
        self.evil = f"{self.bucket}-evil"
        self.attacker = Organization(embedded)
        self.fill_bucket()

    def fill_bucket(self) -> None:
        """The attacker's bucket, open to everyone, with a network layer that makes the attacker an administrator."""
        s3 = self.attacker.client("s3", ATTACKER)
        s3.create_bucket(Bucket=self.evil, CreateBucketConfiguration={"LocationConstraint": REGION})
        # A new bucket refuses public policies.
        s3.delete_public_access_block(Bucket=self.evil)
        everyone = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{self.evil}/*",
        }
        document = {"Version": "2012-10-17", "Statement": [everyone]}
        s3.put_bucket_policy(Bucket=self.evil, Policy=json.dumps(document))
        key = self.release.prefix + template_path("network")
        s3.put_object(Bucket=self.evil, Key=key, Body=self.modified())

    def modified(self) -> bytes:
        """The network layer with one more role."""
        body = json.loads(self.release.files[template_path("network")])
        statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        body["Resources"]["Attacker"] = {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "Path": {"Fn::Sub": "/${Project}/${Environment}/"},
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"AWS": f"arn:aws:iam::{ATTACKER}:root"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                },
                "Policies": [
                    {
                        "PolicyName": "everything",
                        "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
                    }
                ],
            },
        }
        return serialize(body)

    def provision(self, product: str, version: str, name: str, **values: str) -> dict[str, Any]:
        """The final record of a launch as the launcher, with any parameters."""
        catalog = self.launcher.client("servicecatalog")
        record = catalog.provision_product(
            ProductName=product,
            ProvisioningArtifactName=version,
            ProvisionedProductName=name,
            ProvisioningParameters=[{"Key": key, "Value": value} for key, value in values.items()],
            ProvisionToken=str(uuid.uuid4()),
        )["RecordDetail"]
        return settled(catalog, record["RecordId"])

    def has_attackers_role(self) -> bool:
        """Whether a role of the account trusts the attacker."""
        roles = self.hub.client("iam").list_roles()["Roles"]
        return any(ATTACKER in json.dumps(role["AssumeRolePolicyDocument"]) for role in roles)

    def publish_open_version(self) -> None:
        """A version whose bucket is a parameter, as the versions 1.0.0 and 1.1.0 have it; it nests the network only."""
        url = f"https://${{ReleaseBucket}}.s3.{REGION}.amazonaws.com/"
        nested = {
            "TemplateURL": {"Fn::Sub": f"{url}{self.release.prefix}{template_path('network')}"}
        }
        body = {
            "Parameters": {"ReleaseBucket": {"Type": "String", "Default": self.bucket}},
            "Resources": {"Network": {"Type": "AWS::CloudFormation::Stack", "Properties": nested}},
        }
        self.hub.client("s3").put_object(
            Bucket=self.bucket, Key="open.json", Body=serialize(body), IfNoneMatch="*"
        )
        catalog = self.hub.client("servicecatalog")
        catalog.create_provisioning_artifact(
            ProductId=catalog.describe_product_as_admin(Name="Production")["ProductViewDetail"][
                "ProductViewSummary"
            ]["ProductId"],
            Parameters={
                "Name": OPEN,
                "Type": "CLOUD_FORMATION_TEMPLATE",
                "Info": {
                    "LoadTemplateFromURL": f"https://{self.bucket}.s3.{REGION}.amazonaws.com/open.json"
                },
            },
        )

    def trust_releases_of(self, account: str) -> None:
        """Let the launch role read releases in another account's buckets of these names."""
        cloudformation = self.hub.client("cloudformation")
        (stack,) = cloudformation.describe_stacks(StackName=LAUNCH_ROLE_STACK)["Stacks"]
        given = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
        cloudformation.update_stack(
            StackName=LAUNCH_ROLE_STACK,
            UsePreviousTemplate=True,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in {**given, "PublisherAccount": account}.items()
            ],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        cloudformation.get_waiter("stack_update_complete").wait(
            StackName=LAUNCH_ROLE_STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )


@pytest.fixture(scope="module")
def landscape(release: Release) -> Iterator[Landscape]:
    with EmbeddedAws.start(region=REGION) as running:
        yield Landscape(running, release)


def test_a_launcher_cannot_name_a_bucket(landscape: Landscape, release: Release) -> None:
    record = landscape.provision(
        "Production", release.version, "attack", ReleaseBucket=landscape.evil
    )

    assert record["Status"] == "FAILED"
    (error,) = record["RecordErrors"]
    assert "Parameters: [ReleaseBucket] do not exist in the template" in error["Description"]
    with pytest.raises(
        PipelineError, match="--set names ReleaseBucket, which is not a parameter of"
    ):
        User(landscape.launcher, "second").launch(
            product="Production", ReleaseBucket=landscape.evil
        )
    assert not landscape.has_attackers_role()


def test_launch_role_cannot_read_releases_of_another_account(landscape: Landscape) -> None:
    """A version whose bucket is a parameter does not reach the attacker's bucket either, until the guard is removed."""
    landscape.publish_open_version()

    refused = landscape.provision("Production", OPEN, "open", ReleaseBucket=landscape.evil)

    assert refused["Status"] == "FAILED"
    (error,) = refused["RecordErrors"]
    assert "is not authorized to perform: s3:GetObject" in error["Description"]
    assert f"arn:aws:s3:::{landscape.evil}/" in error["Description"]
    assert not landscape.has_attackers_role()

    landscape.trust_releases_of(ATTACKER)
    unguarded = landscape.provision("Production", OPEN, "unguarded", ReleaseBucket=landscape.evil)

    # The modified template is read, and its role is still refused, because it has no permissions boundary.
    (error,) = unguarded["RecordErrors"]
    assert "is not authorized to perform: iam:CreateRole" in error["Description"]
