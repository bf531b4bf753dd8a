"""The calls that `plan` and `publish` make, recorded on the embedded AWS, for the publisher role.

    python -m tools.publisher_calls

writes templates_src/access/publisher_calls.json. Run it when `plan` or `publish` makes a new call, when a bootstrap
stack gets a new resource type or property, or when cfn-lint gets a new version.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.desired.catalog import MANAGED_BY, PRODUCT_TAG, PUBLISHER
from pipeline.catalog.desired.product_templates import product_key
from pipeline.catalog.publish import plan_regions, publish
from pipeline.catalog.spec.document import catalog
from pipeline.catalog.spec.model import Catalog
from pipeline.catalog.spec.nodes import compose
from pipeline.checks.permissions import called_actions
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release, assemble, serialize, template_path
from pipeline.release.upload import release_bucket_name
from templates_src.access.launcher import NAME as LAUNCHER
from templates_src.access.publisher_calls import CALLS, Calls
from templates_src.launch_role.template import NAME as LAUNCH_ROLE
from templates_src.release_bucket.template import NAME as RELEASE_BUCKET

REGION = "eu-north-1"
WAITS = (0.0, 0.0)
# A bucket whose name is taken, so that a stack fails.
TAKEN, TAKEN_ID = "taken", "Taken"
BOOTSTRAP_STACKS = (LAUNCH_ROLE, LAUNCHER, RELEASE_BUCKET)
# Operations whose action has another name. https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    # Every principal can call it.
    "sts:GetCallerIdentity": (),
    # Additional actions that an operation needs.
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_service-catalog.html
    "servicecatalog:CreateConstraint": ("servicecatalog:CreateConstraint", "iam:PassRole"),
    "servicecatalog:CreatePortfolio": (
        "servicecatalog:CreatePortfolio",
        "servicecatalog:TagResource",
    ),
    # AWSServiceCatalogAdminFullAccess has ValidateTemplate: Service Catalog validates the template of a version.
    "servicecatalog:CreateProduct": (
        "servicecatalog:CreateProduct",
        "servicecatalog:TagResource",
        "cloudformation:ValidateTemplate",
    ),
    "cloudformation:CreateChangeSet": (
        "cloudformation:CreateChangeSet",
        "cloudformation:TagResource",
        "cloudformation:UntagResource",
    ),
}
# The properties that cause calls of the bucket's handlers, besides reading; a bucket whose creation fails is deleted
# again.
OF_BUCKETS: Mapping[str, tuple[str, ...]] = {
    "BucketName": ("s3:CreateBucket", "s3:DeleteBucket"),
    "BucketEncryption": ("s3:PutEncryptionConfiguration",),
    "LifecycleConfiguration": ("s3:PutLifecycleConfiguration",),
    "OwnershipControls": ("s3:PutBucketOwnershipControls",),
    "PublicAccessBlockConfiguration": ("s3:PutBucketPublicAccessBlock",),
    "Tags": ("s3:PutBucketTagging", "s3:TagResource", "s3:UntagResource"),
    "VersioningConfiguration": ("s3:PutBucketVersioning",),
}
# The policies of the stacks are attached to roles.
OF_NO_STACK = ("GroupPolicy", "UserPolicy")
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


class Recording(Aws):
    """Clients that record each call."""

    note: Callable[[str], None] = staticmethod(lambda _name: None)

    def client(self, service: str) -> Any:
        """The client of a service, created once."""
        is_new = service not in self._clients
        client = super().client(service)
        if is_new:
            client.meta.events.register("before-call", self._called)
        return client

    def _called(self, model: Any, **_more: Any) -> None:
        self.note(f"{model.service_model.signing_name}:{model.name}")


class Recorder:
    """Publishes to an embedded AWS and records the actions of planning and of publishing."""

    def __init__(self, running: EmbeddedAws) -> None:
        self.aws = Recording(REGION, running.environment())
        self.aws.note = self._note
        self.admin = Aws(REGION, running.environment())
        self.plans: set[str] = set()
        self.publications: set[str] = set()
        self.phase = self.plans
        self.lock = threading.Lock()

    def publish(self, release: Release, known: Catalog) -> None:
        """Plan and publish. Raises PipelineError for a publication that fails, except by the stack that must fail."""
        self.phase = self.plans
        plans = plan_regions(lambda _region: self.aws, release, known)
        self.phase = self.publications
        try:
            publish(plans, waits=WAITS)
        except PipelineError as error:
            if f"{TAKEN_ID}: " not in str(error):
                raise

    def _note(self, name: str) -> None:
        with self.lock:
            self.phase.update(ACTIONS.get(name, (name,)))


def record(release: Release | None = None) -> Calls:
    """Publish every case that makes another call, and return the actions with those of the stacks' handlers.

    Raises PipelineError if the use of a handler of a bootstrap stack is unknown.
    """
    release = release or assemble()
    with EmbeddedAws.start(region=REGION) as running:
        recorder = Recorder(running)
        for step in scenario(recorder.admin, release):
            recorder.publish(*step)
    plan = recorder.plans
    publication = recorder.publications - plan
    stacks = {action for action in publication if action.startswith("cloudformation:")}
    stacks -= {"cloudformation:ValidateTemplate"}
    bootstrap = (stacks | handlers(release)) - plan
    return Calls(
        tuple(sorted(plan)),
        tuple(sorted(publication - stacks)),
        tuple(sorted(bootstrap)),
    )


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
    catalog, iam, account = admin.client("servicecatalog"), admin.client("iam"), admin.account()
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
    bucket, key = release_bucket_name(account, REGION), product_key("0.9.0", "development")
    admin.client("s3").put_object(
        Bucket=bucket,
        Key=key,
        # It has no resource that an update to a later version would lose.
        Body=json.dumps(
            {"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}
        ),
    )
    detail = catalog.describe_product_as_admin(Name="Development")["ProductViewDetail"]
    catalog.create_provisioning_artifact(
        ProductId=detail["ProductViewSummary"]["ProductId"],
        Parameters={
            "Name": "0.9.0",
            "Description": "Release 0.9.0, template 0123456789abcdef",
            "Type": "CLOUD_FORMATION_TEMPLATE",
            "Info": {"LoadTemplateFromURL": f"https://{bucket}.s3.{REGION}.amazonaws.com/{key}"},
        },
    )
    [portfolio] = catalog.list_portfolios()["PortfolioDetails"]
    root = {
        "PortfolioId": portfolio["Id"],
        "PrincipalARN": f"arn:aws:iam::{account}:root",
        "PrincipalType": "IAM",
    }
    catalog.associate_principal_with_portfolio(**root)
    record = catalog.provision_product(
        ProductName="Development",
        ProvisioningArtifactName="0.9.0",
        ProvisionedProductName="environment",
    )["RecordDetail"]
    wait_for(catalog, record["RecordId"])
    catalog.disassociate_principal_from_portfolio(**root)
    identity = str(record["ProvisionedProductId"])
    catalog.update_provisioned_product_properties(
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


def handlers(release: Release) -> set[str]:
    """The calls of the handlers of the bootstrap stacks' resources."""
    found: set[str] = set()
    for name in BOOTSTRAP_STACKS:
        body = json.loads(release.bootstrap_stacks[template_path(name)])
        for resource in body["Resources"].values():
            actions = set(called_actions(resource["Type"]))
            if resource["Type"] == "AWS::S3::Bucket":
                actions = of_bucket(actions, resource["Properties"])
            found |= actions
    return {action for action in found if not action.endswith(OF_NO_STACK)}


def of_bucket(actions: Iterable[str], properties: Mapping[str, Any]) -> set[str]:
    """The actions that a bucket with these properties needs. Raises PipelineError for an unknown property."""
    if unknown := sorted(properties.keys() - OF_BUCKETS.keys()):
        raise PipelineError(
            f"The release bucket has the property {unknown[0]}, and it is not known which calls it leads to; "
            "add them in tools/publisher_calls.py."
        )
    used = {action for name in properties for action in OF_BUCKETS[name]}
    return used | {each for each in actions if each.startswith(("s3:Get", "s3:List"))}


def text(calls: Calls) -> bytes:
    """The content of the committed file."""
    return serialize(
        {
            "Generated": "by `python -m tools.publisher_calls` from calls on the embedded AWS: do not edit",
            **calls.document(),
        }
    )


def main() -> None:
    """Write the file."""
    body = text(record())
    changed = not CALLS.exists() or CALLS.read_bytes() != body
    CALLS.write_bytes(body)
    print(f"{CALLS.name} {'is written' if changed else 'has not changed'}.")


if __name__ == "__main__":
    main()
