"""Launcher roles in catalog.yaml: created before the portfolios, kept up to date, and never removed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from commands.common.embedded_sessions import session
from pipeline.aws import Aws
from pipeline.catalog.desired.bootstrap_stacks import LAUNCHER_STACK
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.plan.steps import Action
from pipeline.catalog.publish import RegionPlan, plan_regions, publish
from pipeline.catalog.spec.model import Catalog
from pipeline.errors import PipelineError
from pipeline.release.assemble import serialize, template_path
from templates_src.access.launcher import NAME
from tests.conftest import REGION
from tests.publishing.conftest import WAITS, Publisher
from tests.publishing.minimal_catalog import CATALOG, small_catalog, small_release
from tests.publishing.results import step_texts, writing_steps

ROLE = "launch-people"
STACK = f"{LAUNCHER_STACK}-{ROLE}"
ASKED = CATALOG.replace("principals: [role/launcher]", f"launcher_role: {ROLE}")
DEVELOPER = "arn:aws:iam::123456789012:role/Developer"
TRUSTING = ASKED.replace(
    f"launcher_role: {ROLE}", f"launcher_role: {ROLE}\n    trusted_principals: ['{DEVELOPER}']"
)


def planned(publisher: Publisher, catalog: Catalog, text: str = "") -> list[RegionPlan]:
    """The plan of a small release with the launcher role's template, as the publisher role; ``text`` describes the template."""
    release = small_release(publisher.release)
    template = template_path(NAME)
    body = json.loads(publisher.release.bootstrap_stacks[template])
    described = serialize({**body, "Description": text or body["Description"]}, packed=True)
    bodies = {**release.bootstrap_stacks, template: described}
    release = replace(release, bootstrap_stacks=bodies)
    return plan_regions(publisher.clients, release, catalog)


def published(publisher: Publisher, text: str, description: str = "") -> list[RegionPlan]:
    plans = planned(publisher, small_catalog(text), description)
    publish(plans, waits=WAITS)
    return plans


def test_role_is_created_and_can_launch(publisher: Publisher) -> None:
    plans = published(publisher, ASKED)

    assert writing_steps(plans)[:2] == [
        (Action.CREATE, Kind.LAUNCH_ROLE),
        (Action.CREATE, Kind.LAUNCHER_ROLE),
    ]
    [portfolio] = publisher.snapshot()["portfolios"]
    assert portfolio["principals"] == [(f"arn:aws:iam:::role/{ROLE}", "IAM_PATTERN")]
    aws = Aws(REGION, publisher.embedded.environment())
    people = session(aws, ROLE).client("servicecatalog")
    [product] = people.search_products()["ProductViewSummaries"]
    assert product["Name"] == "Production"
    assert not writing_steps(planned(publisher, small_catalog(ASKED)))
    [stack] = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert stack["EnableTerminationProtection"]
    # The template of the next release.
    assert writing_steps(published(publisher, ASKED, "Next")) == [
        (Action.UPDATE, Kind.LAUNCHER_ROLE)
    ]
    cloudformation = aws.client("cloudformation")
    assert cloudformation.get_template_summary(StackName=STACK)["Description"] == "Next"
    [stack] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    assert stack["EnableTerminationProtection"]


def test_trust_policy_follows_the_catalog(publisher: Publisher) -> None:
    published(publisher, ASKED)

    assert writing_steps(published(publisher, TRUSTING)) == [(Action.UPDATE, Kind.LAUNCHER_ROLE)]

    aws = Aws(REGION, publisher.embedded.environment())
    with pytest.raises(PipelineError, match=f"assume role {ROLE}"):
        session(aws, ROLE)
    assert writing_steps(published(publisher, ASKED)) == [(Action.UPDATE, Kind.LAUNCHER_ROLE)]
    assert session(aws, ROLE)


def test_existing_role_is_used_unchanged(publisher: Publisher) -> None:
    publisher.aws.client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}")

    plans = published(publisher, ASKED)

    assert (Action.CREATE, Kind.LAUNCHER_ROLE) not in writing_steps(plans)
    assert any("exists outside this stack" in line for line in step_texts(plans, Action.UNCHANGED))


def test_role_that_the_catalog_no_longer_names_is_reported(publisher: Publisher) -> None:
    published(publisher, ASKED)

    plans = published(publisher, CATALOG)

    reported = step_texts(plans, Action.REPORT)
    assert any(
        line.startswith(f"{ROLE} (stack {STACK}) not in catalog.yaml; no provisioned product")
        for line in reported
    )
    assert any(line.startswith(f"arn:aws:iam:::role/{ROLE} of Environments") for line in reported)
    assert publisher.aws.client("iam").get_role(RoleName=ROLE)


def test_principal_of_another_account_cannot_be_trusted(publisher: Publisher) -> None:
    text = TRUSTING.replace("123456789012", "111122223333")

    with pytest.raises(
        PipelineError, match=r"^catalog\.yaml:16: .*is a principal of account 111122223333, which"
    ):
        planned(publisher, small_catalog(text))
