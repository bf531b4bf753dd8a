"""The migration of an account with the single launch role of release 1.0.0 or 1.1.0 and launched environments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from commands.common.embedded_launch import embedded_prerequisites
from commands.common.embedded_sessions import launcher, publisher
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.boundaries import EnvironmentRole, environment_roles
from pipeline.catalog.plan.steps import Action
from pipeline.catalog.publish import RegionPlan, plan_regions, publish
from pipeline.catalog.spec.document import load_catalog
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.launches.environments import Environment
from tests.provisioning.users import User
from tests.publishing.conftest import WAITS
from tests.publishing.results import step_texts, writing_steps
from tests.releases.kept import Kept, folders, read
from tests.releases.published import LAUNCH_ROLE, Published
from tests.updates import stateful
from tests.updates.states import State, lost, replaced
from tests.updates.stored_data import Holdings

PROJECT_NAME = "carbon-connect"
NAMES = {product.key: product.name for product in load_catalog().products}
DEVELOPMENT, PRODUCTION = NAMES["development"], NAMES["production"]
PROVIDER = "https://token.actions.githubusercontent.com"
LAUNCHER, PRODUCTION_LAUNCHER = "carbon-connect-launcher", "carbon-connect-launcher-production"


def boundary(aws: Aws, portfolio: str) -> str:
    return f"arn:aws:iam::{aws.account()}:policy/carbon-connect-launch-{portfolio}-boundary"


@dataclass
class Account:
    """An account with two environments, launched from the products of a kept release."""

    running: EmbeddedAws
    previous: Kept
    release: Release
    published: Published = field(init=False)
    prod: User = field(init=False)

    def __post_init__(self) -> None:
        self.aws = Aws(REGION, self.running.environment())
        self.published = Published.into(self.aws, self.previous)
        user = launcher(self.aws, self.release, LAUNCHER)
        self.dev = User(user, f"{PROJECT_NAME}-dev")
        self.old_prod = self.prod = User(user, f"{PROJECT_NAME}-prod")
        certificate = embedded_prerequisites(self.aws, "prod", {})
        assert self.dev.launch(product=DEVELOPMENT).succeeded
        assert self.old_prod.launch(product=PRODUCTION, **certificate).succeeded
        self.states = {name: self.state(name) for name in ("dev", "prod")}

    def state(self, environment: str) -> State:
        """An environment with data."""
        user = self.dev if environment == "dev" else self.prod
        launched = Environment(
            self.running,
            self.previous.release,
            environment,
            REGION,
            self.previous.profiles,
            self.aws,
        )
        launched.stack = user.stack().id
        holdings = getattr(self, f"holdings_{environment}", None) or Holdings(launched)
        setattr(self, f"holdings_{environment}", holdings)
        return State.of(launched, holdings)

    def plan(self) -> list[RegionPlan]:
        session = publisher(self.aws, self.release)
        return plan_regions(lambda _region: session, self.release, load_catalog())

    def publish(self) -> list[RegionPlan]:
        plans = self.plan()
        publish(plans, waits=WAITS)
        return plans

    def hand_production_over(self) -> None:
        """Make the launcher of production the owner of the provisioned product, as in docs/publishing.md."""
        self.prod = User(
            launcher(self.aws, self.release, PRODUCTION_LAUNCHER), f"{PROJECT_NAME}-prod"
        )
        catalog = self.aws.client("servicecatalog")
        name = {"Name": f"{PROJECT_NAME}-prod"}
        found = catalog.describe_provisioned_product(**name)["ProvisionedProductDetail"]
        owner = f"arn:aws:iam::{self.aws.account()}:role/{PRODUCTION_LAUNCHER}"
        catalog.update_provisioned_product_properties(
            ProvisionedProductId=found["Id"], ProvisionedProductProperties={"OWNER": owner}
        )

    def roles(self, environment: str = "") -> list[EnvironmentRole]:
        """The roles of an environment, or of both."""
        product = {"dev": "development", "prod": "production"}.get(environment, environment)
        found = environment_roles(self.aws, PROJECT_NAME)
        return [role for role in found if product in {"", role.product}]


@pytest.fixture(scope="module", params=folders(), ids=lambda folder: folder.name)
def account(request: pytest.FixtureRequest, release: Release) -> Iterator[Account]:
    with EmbeddedAws.start(region=REGION) as running:
        yield Account(running, read(request.param), release)


def held(account: Account) -> list[str]:
    """The reason why production stays in its former portfolio."""
    return [step.reason for step in account.plan()[0].steps if step.reason.startswith("stays")]


def test_roles_come_first_and_then_the_boundaries_of_roles(account: Account) -> None:
    assert {role.boundary for role in account.roles()} == {""}

    done = writing_steps(account.publish())

    assert done[:3] == [(Action.CREATE, Kind.LAUNCH_ROLE)] * 3
    assert {kind for _, kind in done[3 : 3 + len(account.roles())]} == {Kind.BOUNDARY}
    for environment, portfolio in (("dev", "development"), ("prod", "production")):
        assert account.roles(environment)
        for role in account.roles(environment):
            assert (role.boundary, role.is_marked) == (boundary(account.aws, portfolio), True)


def test_production_stays_with_its_owner_until_another_one_is_admitted(account: Account) -> None:
    assert (Action.RETIRE, Kind.LEAVING) not in writing_steps(account.plan())
    [reason] = held(account)
    assert "stays until Carbon Connect" in reason
    assert f"owner arn:aws:iam::{account.aws.account()}:role/{LAUNCHER}" in reason
    # Its owner can still use it.
    assert account.old_prod.update(product=PRODUCTION, ApiMaxTasks="12").succeeded


def test_production_leaves_last(account: Account) -> None:
    account.hand_production_over()

    done = writing_steps(account.publish())

    assert done == [(Action.RETIRE, Kind.LEAVING)]
    assert held(account) == []


def test_former_role_stays_while_an_environment_needs_it(
    account: Account,
) -> None:
    reported = step_texts(account.plan(), Action.REPORT)

    [line] = [line for line in reported if line.startswith(f"{LAUNCH_ROLE} (stack ")]
    assert f"{PROJECT_NAME}-dev" in line
    assert account.aws.client("iam").get_role(RoleName=LAUNCH_ROLE)
    version = account.previous.release.version
    assert any(
        f"{DEVELOPMENT} {version} accepts any source of templates" in line for line in reported
    )
    assert not writing_steps(account.plan())


def test_a_development_launcher_no_longer_reaches_production(account: Account) -> None:
    with pytest.raises(PipelineError, match=r"DescribeProvisionedProduct"):
        account.old_prod.update(product=PRODUCTION, ApiMaxTasks="12")


def test_update_within_the_older_version_succeeds(account: Account) -> None:
    ended = account.dev.update(product=DEVELOPMENT, ApiMaxTasks="9")

    assert (ended.succeeded, ended.version) == (True, account.previous.release.version)


def test_a_failed_update_is_rolled_back_and_can_be_repeated(
    account: Account, release: Release
) -> None:
    iam = account.aws.client("iam")
    provider = iam.create_open_id_connect_provider(Url=PROVIDER)["OpenIDConnectProviderArn"]
    settings = {"GitHubRepository": "acme/app"}

    failed = account.dev.update(release.version, product=DEVELOPMENT, **settings)

    assert not failed.succeeded
    assert account.dev.stack().status == "UPDATE_ROLLBACK_COMPLETE", failed
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    # The rollback removed the boundary from the roles that the update added it to.
    account.publish()
    assert all(role.boundary and role.is_marked for role in account.roles("dev"))
    assert account.dev.update(release.version, product=DEVELOPMENT, **settings).succeeded


def test_environments_are_updated_by_product_with_their_data(
    account: Account, release: Release
) -> None:
    assert account.prod.update(release.version, product=PRODUCTION).succeeded

    for environment in ("dev", "prod"):
        before, after = account.states[environment], account.state(environment)
        assert after.outputs["ReleaseVersion"] == release.version
        assert list(replaced(before, after, stateful.names(account.previous.templates))) == []
        assert list(lost(before, after)) == []
        portfolio = {"dev": "development", "prod": "production"}[environment]
        wanted = boundary(account.aws, portfolio)
        assert {role.boundary for role in account.roles(environment)} == {wanted}


def test_former_resources_are_removed(account: Account) -> None:
    plans = account.publish()

    done = writing_steps(plans)
    assert set(done) == {(Action.RETIRE, Kind.BOUNDARY), (Action.RETIRE, Kind.VERSION)}
    assert not any(role.is_marked for role in account.roles())
    role, principal = step_texts(account.plan(), Action.REPORT)
    assert role.startswith(f"{LAUNCH_ROLE} (stack carbon-connect-launch-role) not in")
    assert "no provisioned product uses it" in role
    pattern = "arn:aws:iam:::role/carbon-connect/*"
    assert principal.startswith(f"{pattern} of ")
    account.aws.client("servicecatalog").disassociate_principal_from_portfolio(
        PortfolioId=account.published.portfolios["environments"],
        PrincipalARN=pattern,
        PrincipalType="IAM_PATTERN",
    )
    cloudformation = account.aws.client("cloudformation")
    cloudformation.delete_stack(StackName="carbon-connect-launch-role")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="carbon-connect-launch-role", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    assert {step.action for step in account.plan()[0].steps} == {Action.UNCHANGED}
    # The environments would be terminated with the new role.
    catalog = account.aws.client("servicecatalog")
    for environment, role in (("dev", "development"), ("prod", "production")):
        found = catalog.describe_provisioned_product(Name=f"{PROJECT_NAME}-{environment}")
        arn = found["ProvisionedProductDetail"]["LaunchRoleArn"]
        assert arn.endswith(f":role/carbon-connect-launch-{role}")
