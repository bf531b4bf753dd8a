"""A launch in another account, from a shared portfolio and the bucket of the publishing account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from commands.common.embedded_sessions import launcher, publisher
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.publish import plan_regions, publish
from pipeline.release.assemble import Release, template_path
from pipeline.release.upload import release_bucket_name
from templates_src.launch_role.template import NAME as ROLE_TEMPLATE
from tests.conftest import REGION
from tests.organization import Organization
from tests.provisioning.users import User
from tests.publishing.conftest import ROLES, WAITS
from tests.publishing.minimal_catalog import CATALOG, small_catalog

OUTSIDER = "111122223333"
USER = "launcher"


class Landscape:
    """The account that publishes, and the organization that it shares with."""

    def __init__(self, embedded: EmbeddedAws, release: Release) -> None:
        self.hub = Aws(REGION, embedded.environment())
        self.organization = Organization(embedded)
        self.organization.allow_sharing()
        self.release = release
        shares = f"[{{organization: {self.organization.id}, principals: true}}, {{account: '{OUTSIDER}'}}]"
        text = CATALOG.replace("products:\n  prod", f"    shares: {shares}\nproducts:\n  prod")
        text = text.replace("profile: prod\n    fixed: [NatGateways]", "profile: dev")
        catalog = small_catalog(f"{text}organization: {self.organization.id}\n")
        session = publisher(self.hub, release, ROLES)
        publish(plan_regions(lambda _region: session, release, catalog), waits=WAITS)

    def user(self, account: str) -> User:
        """A role with the principal's name in another account, whose launch role reads the releases of the publishing account."""
        there = Aws(REGION, self.organization.credentials(account))
        buckets = release_bucket_name(self.hub.account(), "*")
        cloudformation = there.client("cloudformation")
        cloudformation.create_stack(
            StackName="launch-role",
            TemplateBody=self.release.bootstrap_stacks[template_path(ROLE_TEMPLATE)].decode(),
            Parameters=[
                {"ParameterKey": "LaunchRoleName", "ParameterValue": "launch"},
                {"ParameterKey": "ReleaseBuckets", "ParameterValue": buckets},
                {"ParameterKey": "PublisherAccount", "ParameterValue": self.hub.account()},
            ],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName="launch-role", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        return User(launcher(there, self.release, USER))


@pytest.fixture(scope="module")
def landscape(release: Release) -> Iterator[Landscape]:
    with EmbeddedAws.start(region=REGION) as running:
        yield Landscape(running, release)


def stack_names(aws: Aws) -> set[str]:
    found = aws.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"] for stack in found}


def test_member_launches_without_an_import(landscape: Landscape, release: Release) -> None:
    member = landscape.organization.member("team")
    user = landscape.user(member)
    before = stack_names(landscape.hub)

    ended = user.launch(product="Production", ImageTag="1.4.2")

    assert (ended.succeeded, ended.version) == (True, release.version), ended
    outputs = user.outputs()
    assert outputs.keys() == release.root.template.outputs.keys()
    bucket = release_bucket_name(landscape.hub.account(), REGION)
    assert outputs["ReleaseLocation"] == f"s3://{bucket}/{release.prefix}"
    # It belongs to the member account, and its launch role created it.
    assert f":{member}:stack/SC-{member}-" in user.stack().id
    assert stack_names(landscape.hub) == before
    functions = Aws(REGION, landscape.organization.credentials(member)).client("lambda")
    sizes = [each["CodeSize"] for each in functions.list_functions()["Functions"]]
    assert sizes
    assert min(sizes) > 0
    assert user.terminate().succeeded


def test_account_outside_the_organization_cannot_read_the_releases(landscape: Landscape) -> None:
    user = landscape.user(OUTSIDER)
    catalog = landscape.organization.client("servicecatalog", OUTSIDER)
    [portfolio] = landscape.hub.client("servicecatalog").list_portfolios()["PortfolioDetails"]
    catalog.accept_portfolio_share(PortfolioId=portfolio["Id"])
    catalog.associate_principal_with_portfolio(
        PortfolioId=portfolio["Id"],
        PrincipalARN=f"arn:aws:iam::{OUTSIDER}:role/{USER}",
        PrincipalType="IAM",
    )

    ended = user.launch(product="Production", ImageTag="1.4.2")

    assert not ended.succeeded
    assert "Access Denied" in str(ended)
