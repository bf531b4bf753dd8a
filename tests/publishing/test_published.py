"""The results of a publication, and a second one that changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from commands.embedded_sessions import publisher as publisher_session
from pipeline.aws import Aws
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.plan.steps import Action
from pipeline.catalog.publish import RegionPlan, plan_regions, publish, summary
from pipeline.catalog.spec.model import Catalog
from pipeline.errors import PipelineError
from tests.conftest import REGION
from tests.publishing.conftest import ROLES, WAITS, Publisher
from tests.publishing.faults import Calls, Clients
from tests.publishing.minimal_catalog import (
    CATALOG,
    ORGANIZATION,
    SHARE,
    small_catalog,
    small_release,
)

LAYER = """
  network:
    name: Network
    description: A VPC
    layer: network
"""


def writing(plans: list[RegionPlan]) -> list[tuple[Action, Kind]]:
    return [(step.action, step.kind) for plan in plans for step in plan.writing]


def told(plans: list[RegionPlan], action: Action) -> list[str]:
    return [
        f"{step.subject} {step.reason}"
        for plan in plans
        for step in plan.steps
        if step.action is action
    ]


def only(catalog: Any) -> tuple[str, str]:
    """The IDs of the one portfolio and the one product."""
    portfolio = catalog.list_portfolios()["PortfolioDetails"][0]
    product = catalog.search_products_as_admin()["ProductViewDetails"][0]
    return portfolio["Id"], product["ProductViewSummary"]["ProductId"]


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

    assert writing(planned()) == writing(publisher.plan())
    with pytest.raises(PipelineError, match=r"cloudformation:CreateChangeSet"):
        publish(planned(), waits=WAITS)
    publisher.publish()
    assert not writing(planned())


def test_another_role_gets_a_stack_and_the_old_one_stays(publisher: Publisher) -> None:
    publisher.publish()
    catalog = small_catalog(CATALOG.replace("launch_role: launch", "launch_role: launch-other"))

    plans = publisher.publish(catalog=catalog)

    assert (Action.CREATE, Kind.LAUNCH_ROLE) in writing(plans)
    assert (Action.UPDATE, Kind.CONSTRAINT) in writing(plans)
    for role in ("launch", "launch-other"):
        assert publisher.aws.client("iam").get_role(RoleName=role)
    [line] = told(publisher.plan(catalog=catalog), Action.REPORT)
    assert line == (
        "launch (stack carbon-connect-launch-role-environments) not in catalog.yaml; no provisioned product "
        "uses it: delete stack carbon-connect-launch-role-environments"
    )
    assert not writing(publisher.plan(catalog=catalog))
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
    assert not writing(publisher.plan())


def test_second_publication_makes_no_writing_call(publisher: Publisher) -> None:
    publisher.publish()
    calls = Calls()

    plans = publisher.publish(calls)

    assert calls.writes == []
    assert {step.action for plan in plans for step in plan.steps} == {Action.UNCHANGED}


def test_reading_calls_do_not_grow_with_versions(publisher: Publisher) -> None:
    catalog = small_catalog(CATALOG.replace("versions_kept: 2", "versions_kept: 50"))
    publisher.publish(catalog=catalog)
    few, many = Calls(), Calls()
    publisher.plan(few, catalog=catalog)
    for number in range(1, 13):
        publisher.publish(version=f"1.{number}.0", catalog=catalog)

    publisher.plan(many, catalog=catalog, version="1.12.0")

    assert len(many.made) == len(few.made)


def test_next_version_is_default_and_the_one_before_deprecated(publisher: Publisher) -> None:
    publisher.publish()
    before = publisher.snapshot()["bucket"]

    plans = publisher.publish(version="1.1.0")

    assert (Action.DEPRECATE, Kind.VERSION) in writing(plans)
    assert guidance(publisher) == {"1.0.0": "DEPRECATED", "1.1.0": "DEFAULT"}
    assert set(before) <= set(publisher.snapshot()["bucket"])


def guidance(publisher: Publisher) -> dict[str, str]:
    [product] = publisher.snapshot()["products"]
    versions = [dict(version) for version in product["versions"]]
    assert len({version["Name"] for version in versions}) == len(versions)
    return {version["Name"]: version["Guidance"] for version in versions}


def test_fix_of_an_older_version_does_not_become_the_default(publisher: Publisher) -> None:
    publisher.publish(version="1.1.0")

    publisher.publish(version="1.0.1")

    assert guidance(publisher) == {"1.0.1": "DEPRECATED", "1.1.0": "DEFAULT"}
    assert not writing(publisher.plan(version="1.0.1"))


def test_versions_beyond_the_number_kept_are_retired(publisher: Publisher) -> None:
    for version in ("1.9.0", "1.10.0", "1.11.0"):
        plans = publisher.publish(version=version)

    assert (Action.RETIRE, Kind.VERSION) in writing(plans)
    assert guidance(publisher) == {"1.10.0": "DEPRECATED", "1.11.0": "DEFAULT"}
    assert not writing(publisher.plan(version="1.11.0"))


def test_version_older_than_those_kept_is_refused(publisher: Publisher) -> None:
    for version in ("1.1.0", "1.2.0"):
        publisher.publish(version=version)
    calls = Calls()

    with pytest.raises(
        PipelineError, match=r"Production 1\.0\.0 in eu-north-1 is older than the 2 ver"
    ):
        publisher.publish(calls, version="1.0.0")

    assert calls.writes == []


def test_used_version_is_kept_and_reported_with_its_users(
    publisher: Publisher,
) -> None:
    publisher.publish()
    name = provision(publisher)

    for version in ("1.1.0", "1.2.0"):
        plans = publisher.publish(version=version)

    assert guidance(publisher).keys() == {"1.0.0", "1.1.0", "1.2.0"}
    again = publisher.plan(version="1.2.0")
    [line] = told(again, Action.REPORT)
    assert line.startswith(
        f"Production 1.0.0 beyond the 2 versions kept, but in use by {name} (pp-"
    )
    assert not writing(again)
    assert (Action.RETIRE, Kind.VERSION) not in writing(plans)


def provision(publisher: Publisher) -> str:
    """Launch the product as the principal of its portfolio."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
    iam = publisher.aws.client("iam")
    made = iam.create_role(RoleName="launcher", AssumeRolePolicyDocument=json.dumps(trust))
    rights = {"Effect": "Allow", "Action": "servicecatalog:*", "Resource": "*"}
    iam.put_role_policy(
        RoleName="launcher",
        PolicyName="launch",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [rights]}),
    )
    session = publisher.aws.client("sts").assume_role(
        RoleArn=made["Role"]["Arn"], RoleSessionName="test"
    )["Credentials"]
    user = Clients(publisher.embedded)(REGION)._session.client(
        "servicecatalog",
        endpoint_url=publisher.embedded.endpoint_url,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    user.provision_product(
        ProductName="Production",
        ProvisioningArtifactName="1.0.0",
        ProvisionedProductName="shop",
        ProvisioningParameters=[
            {"Key": "Environment", "Value": "prod"},
            {"Key": "NatGateways", "Value": "per-zone"},
        ],
    )
    return "shop"


def test_versions_of_a_shared_product_are_not_retired(publisher: Publisher) -> None:
    text = CATALOG.replace("products:\n  production", f"{SHARE}products:\n  production")
    text += ORGANIZATION
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        plans = publisher.publish(version=version, catalog=small_catalog(text))

    assert guidance(publisher).keys() == {"1.0.0", "1.1.0", "1.2.0"}
    assert "provisioned products in other accounts are not visible" in told(plans, Action.REPORT)[0]


def test_other_content_under_a_used_version_is_refused(publisher: Publisher) -> None:
    publisher.publish()
    before, calls = publisher.snapshot(), Calls()

    with pytest.raises(
        PipelineError, match=r"has other content than Production 1\.0\.0.*raise the version"
    ):
        publisher.publish(calls, text="Another release")

    assert calls.writes == []
    assert publisher.snapshot() == before


def test_other_content_is_refused_also_with_an_empty_bucket(publisher: Publisher) -> None:
    publisher.publish()
    s3 = publisher.aws.client("s3")
    for key, _ in publisher.snapshot()["bucket"]:
        [name] = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        s3.delete_object(Bucket=name, Key=key)

    with pytest.raises(
        PipelineError, match=r"Production 1\.0\.0 in eu-north-1 is already published"
    ):
        publisher.publish(text="Another release")


@pytest.mark.parametrize("texts", [("A", "A"), ("A", "B")], ids=["same", "different"])
def test_two_parallel_publishers_create_no_duplicates(
    publisher: Publisher, texts: tuple[str, str]
) -> None:
    begin = Barrier(2)

    def run(text: str) -> str:
        release = small_release(publisher.release, text=text)
        plans = plan_regions(Clients(publisher.embedded), release, small_catalog())
        begin.wait()
        try:
            publish(plans, waits=WAITS)
        except PipelineError as refusal:
            return str(refusal)
        return ""

    with ThreadPoolExecutor(2) as pool:
        refused = [reason for reason in pool.map(run, texts) if reason]

    if texts[0] == texts[1]:
        assert refused == []
        assert not writing(publisher.plan(text="A"))
    else:
        [reason] = refused
        assert "other content" in reason
    held = publisher.snapshot()
    assert len(held["portfolios"]) == len(held["products"]) == len(held["tag options"]) == 1
    assert len(held["portfolios"][0]["constraints"]) == 3
    assert list(guidance(publisher)) == ["1.0.0"]


def test_two_publishers_of_different_catalogs_create_no_duplicates(
    publisher: Publisher,
) -> None:
    begin = Barrier(2)
    catalogs = [
        small_catalog(CATALOG.replace("Whole env", f"{word} env").replace("For", f"{word} for"))
        for word in ("Whole", "Other")
    ]

    def run(catalog: Catalog) -> None:
        plans = plan_regions(Clients(publisher.embedded), small_release(publisher.release), catalog)
        begin.wait()
        publish(plans, waits=WAITS)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, catalogs))

    held = publisher.snapshot()
    assert len(held["portfolios"]) == len(held["products"]) == len(held["tag options"]) == 1
    assert len(held["portfolios"][0]["constraints"]) == 3
    assert list(guidance(publisher)) == ["1.0.0"]


def delete_product(publisher: Publisher) -> None:
    catalog = publisher.catalog
    portfolio, product = only(catalog)
    for each in catalog.list_constraints_for_portfolio(PortfolioId=portfolio)["ConstraintDetails"]:
        catalog.delete_constraint(Id=each["ConstraintId"])
    catalog.disassociate_product_from_portfolio(PortfolioId=portfolio, ProductId=product)
    catalog.delete_product(Id=product)


def delete_constraints(publisher: Publisher) -> None:
    portfolio, _ = only(publisher.catalog)
    found = publisher.catalog.list_constraints_for_portfolio(PortfolioId=portfolio)
    for each in found["ConstraintDetails"]:
        publisher.catalog.delete_constraint(Id=each["ConstraintId"])


def delete_portfolio(publisher: Publisher) -> None:
    catalog = publisher.catalog
    delete_product(publisher)
    portfolio = catalog.list_portfolios()["PortfolioDetails"][0]["Id"]
    catalog.disassociate_principal_from_portfolio(
        PortfolioId=portfolio,
        PrincipalARN="arn:aws:iam:::role/launcher",
        PrincipalType="IAM_PATTERN",
    )
    for option in catalog.describe_portfolio(Id=portfolio)["TagOptions"]:
        catalog.disassociate_tag_option_from_resource(
            ResourceId=portfolio, TagOptionId=option["Id"]
        )
    catalog.delete_portfolio(Id=portfolio)


@pytest.mark.parametrize("deleted", [delete_constraints, delete_product, delete_portfolio])
@pytest.mark.parametrize("change", ["", "changed"])
def test_manually_deleted_resources_are_created_again(
    publisher: Publisher, deleted: Callable[[Publisher], None], change: str
) -> None:
    # Service Catalog still accepts the tokens of deleted resources, and refuses them for other content.
    publisher.publish()
    for _ in range(2):
        deleted(publisher)
        text = CATALOG.replace("Whole environments", f"Whole environments {change}")
        text = text.replace("For customers", f"For customers {change}")
        if change:
            text = text.replace("fixed: [NatGateways]", "fixed: [NatGateways, Environment]")
        publisher.publish(catalog=small_catalog(text))

        held = publisher.snapshot()
        assert len(held["portfolios"]) == len(held["products"]) == 1
        assert len(held["portfolios"][0]["constraints"]) == 3
        assert not writing(publisher.plan(catalog=small_catalog(text)))


def test_regions_are_published_in_parallel_and_have_one_role(publisher: Publisher) -> None:
    text = CATALOG.replace("[eu-north-1]", "[eu-north-1, eu-west-1, us-east-1]")
    catalog = small_catalog(text)

    plans = publisher.publish(catalog=catalog)

    assert [plan.region for plan in plans] == ["eu-north-1", "eu-west-1", "us-east-1"]
    assert writing(plans).count((Action.CREATE, Kind.LAUNCH_ROLE)) == 1
    assert summary(publisher.plan(catalog=catalog))[Action.CREATE] == 0


def test_failed_region_does_not_stop_the_others(publisher: Publisher) -> None:
    catalog = small_catalog(CATALOG.replace("[eu-north-1]", "[eu-north-1, eu-west-1]"))
    plans = publisher.plan(catalog=catalog)
    there = publisher.others("eu-west-1").client("s3")
    version = plans[1].desired.products["production"].version
    there.create_bucket(
        Bucket=version.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    there.put_object(Bucket=version.bucket, Key=version.key, Body=b"theirs")

    with pytest.raises(PipelineError, match="eu-west-1"):
        publish(plans, waits=WAITS)

    assert guidance(publisher) == {"1.0.0": "DEFAULT"}
