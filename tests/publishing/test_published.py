"""The results of a publication, and a second one that changes nothing."""

from __future__ import annotations

import json

import pytest

from commands.common.embedded_sessions import make_roles
from commands.common.embedded_sessions import publisher as publisher_session
from pipeline.aws import Aws
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.plan.steps import Action
from pipeline.catalog.publish import RegionPlan, plan_regions, publish
from pipeline.errors import PipelineError
from templates_src.access.publisher import DEPLOY_BOOTSTRAP_STACKS
from templates_src.access.publisher import NAME as PUBLISHER
from templates_src.access.publisher_grants import ROLE_PREFIX
from templates_src.core.parameters.declaration import FALSE
from tests.conftest import REGION
from tests.publishing.conftest import ROLES, WAITS, Publisher
from tests.publishing.faults import Calls
from tests.publishing.minimal_catalog import (
    CATALOG,
    ORGANIZATION,
    SHARE,
    small_catalog,
    small_release,
)
from tests.publishing.results import (
    step_texts,
    writing_steps,
)

LAYER = """
  network:
    name: Network
    description: A VPC
    layer: network
"""


def test_catalog_has_the_resources_of_the_document(publisher: Publisher) -> None:
    text = CATALOG.replace("products:\n  production", f"{SHARE}products:\n  production")
    text += ORGANIZATION
    plans = publisher.publish(catalog=small_catalog(text))

    held = publisher.snapshot()
    [portfolio] = held["portfolios"]
    own = [("Team", "platform"), ("carbon-connect:managed-by", "build.py publish")]
    assert portfolio["DisplayName"] == "Environments"
    assert portfolio["tags"] == [*own, ("carbon-connect:portfolio", "environments")]
    assert portfolio["tag options"] == [("CostCenter", "42")]
    assert portfolio["products"] == ["Production"]
    assert portfolio["principals"] == [("arn:aws:iam:::role/launcher", "IAM_PATTERN")]
    assert portfolio["shares"] == [("210987654321", "ACCOUNT", True)]
    constraints = {kind: json.loads(text) for _, kind, _, text in portfolio["constraints"]}
    assert constraints.keys() == {"LAUNCH", "TEMPLATE", "RESOURCE_UPDATE"}
    assert constraints["LAUNCH"] == {"LocalRoleName": "launch"}
    assert constraints["RESOURCE_UPDATE"] == {
        "Version": "2.0",
        "Properties": {"TagUpdateOnProvisionedProduct": "ALLOWED"},
    }
    [rule] = constraints["TEMPLATE"]["Rules"].values()
    assert rule["Assertions"][0]["Assert"] == {
        "Fn::Contains": [["per-zone"], {"Ref": "NatGateways"}]
    }
    [product] = held["products"]
    assert product["Name"] == "Production"
    assert product["SupportEmail"] == "help@example.com"
    assert product["tags"] == [*own, ("carbon-connect:product", "production")]
    assert [(v["Name"], v["Active"], v["Guidance"]) for v in map(dict, product["versions"])] == [
        ("1.0.0", True, "DEFAULT")
    ]
    assert plans[0].desired.products["production"].version.digest in str(product["versions"])


def test_role_and_bucket_have_stacks(publisher: Publisher) -> None:
    publisher.publish()

    stacks = publisher.snapshot()["stacks"]
    assert stacks == [
        ("carbon-connect-launch-role-environments", "CREATE_COMPLETE"),
        ("carbon-connect-release-bucket", "CREATE_COMPLETE"),
    ]
    assert publisher.aws.client("iam").get_role(RoleName="launch")


def test_plan_role_plans_and_publishes_nothing(publisher: Publisher) -> None:
    account = Aws(REGION, publisher.embedded.environment())
    session = publisher_session(account, publisher.release, ROLES, plans=True)
    release = small_release(publisher.release)

    def planned() -> list[RegionPlan]:
        return plan_regions(lambda _region: session, release, small_catalog())

    assert writing_steps(planned()) == writing_steps(publisher.plan())
    with pytest.raises(PipelineError, match=r"cloudformation:CreateChangeSet"):
        publish(planned(), waits=WAITS)
    publisher.publish()
    assert not writing_steps(planned())


def test_publisher_without_bootstrap_stacks_fails_in_one_sentence(publisher: Publisher) -> None:
    assert (
        "assumed-role/carbon-connect-publisher/"
        in (publisher.clients(REGION).client("sts").get_caller_identity()["Arn"])
    )
    publisher.embedded.reset()
    account = Aws(REGION, publisher.embedded.environment())
    values = {ROLE_PREFIX: ROLES, DEPLOY_BOOTSTRAP_STACKS: FALSE}
    make_roles(account, publisher.release, PUBLISHER, "carbon-connect-publisher", values)
    session = publisher_session(account, publisher.release, ROLES)
    plans = plan_regions(lambda _region: session, small_release(publisher.release), small_catalog())

    with pytest.raises(PipelineError, match=r"^[^\n]*cloudformation:CreateChangeSet[^\n]*\.$"):
        publish(plans, waits=WAITS)
    assert account.client("servicecatalog").list_portfolios()["PortfolioDetails"] == []


def test_another_role_gets_a_stack_and_the_old_one_stays(publisher: Publisher) -> None:
    publisher.publish()
    catalog = small_catalog(CATALOG.replace("launch_role: launch", "launch_role: launch-other"))

    plans = publisher.publish(catalog=catalog)

    assert (Action.CREATE, Kind.LAUNCH_ROLE) in writing_steps(plans)
    assert (Action.UPDATE, Kind.CONSTRAINT) in writing_steps(plans)
    for role in ("launch", "launch-other"):
        assert publisher.aws.client("iam").get_role(RoleName=role)
    [line] = step_texts(publisher.plan(catalog=catalog), Action.REPORT)
    assert line == (
        "launch (stack carbon-connect-launch-role-environments) not in catalog.yaml; no provisioned product "
        "uses it: delete stack carbon-connect-launch-role-environments"
    )
    assert not writing_steps(publisher.plan(catalog=catalog))
    # After publishing the first catalog again, each role keeps its stack.
    publisher.publish()
    assert len(publisher.snapshot()["stacks"]) == 3


def test_existing_role_and_bucket_are_used_unchanged(publisher: Publisher) -> None:
    account = publisher.aws.account()
    publisher.aws.client("iam").create_role(RoleName="launch", AssumeRolePolicyDocument="{}")
    publisher.aws.client("s3").create_bucket(
        Bucket=f"carbon-connect-releases-{account}-{REGION}",
        CreateBucketConfiguration={"LocationConstraint": REGION},
    )

    publisher.publish()

    assert publisher.snapshot()["stacks"] == []
    assert not writing_steps(publisher.plan())


def test_second_publication_makes_no_writing_call(publisher: Publisher) -> None:
    publisher.publish()
    calls = Calls()

    plans = publisher.publish(calls)

    assert calls.writes == []
    assert {step.action for plan in plans for step in plan.steps} == {Action.UNCHANGED}
