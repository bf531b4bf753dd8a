"""Launches and updates that are refused, with one sentence and no change; and failed ones, with their reasons."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from commands.embedded_sessions import launcher
from pipeline.aws import Aws
from pipeline.catalog.desired.product_templates import fixed_rules, product_key
from pipeline.errors import PipelineError
from pipeline.provisioning import environments
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.provisioning.catalog import DEVELOPMENT, Catalog
from tests.provisioning.recording import recording
from tests.provisioning.users import User

NAME = "carbon-connect-dev"


@pytest.fixture
def user(catalog: Catalog) -> User:
    return User(catalog.user)


@pytest.fixture(scope="module")
def retired(catalog: Catalog, release: Release) -> Release:
    """A version that is inactive."""
    old = replace(release, version="0.8.0")
    catalog.change(catalog.publish(old), Active=False)
    return old


@pytest.fixture(scope="module")
def deprecated(catalog: Catalog, release: Release) -> Release:
    """A version that is deprecated, and newer than the one that is not."""
    old = replace(release, version="0.9.0")
    catalog.change(catalog.publish(old), Guidance="DEPRECATED")
    return old


def assert_nothing_is_there(catalog: Catalog, user: User) -> None:
    assert environments.find_environment(user.aws, user.name) is None
    # The launcher can read only the stacks of products.
    stacks = catalog.aws.client("cloudformation").describe_stacks()["Stacks"]
    assert not [stack for stack in stacks if stack["StackName"].startswith("SC-")]


def test_unpublished_product_is_refused(catalog: Catalog, user: User) -> None:
    with pytest.raises(
        PipelineError, match=r"no product 'Nothing' in eu-north-1.*publish.*--direct\."
    ):
        user.launch(product="Nothing")

    assert_nothing_is_there(catalog, user)


def test_credentials_without_a_launch_path_are_refused(catalog: Catalog, release: Release) -> None:
    unmanaged_thing = User(launcher(catalog.aws, release, "stranger"))

    with pytest.raises(
        PipelineError, match=r"These credentials can launch no product.*role to catalog"
    ):
        unmanaged_thing.launch()


def test_two_products_with_one_name_are_refused(
    catalog: Catalog, user: User, release: Release
) -> None:
    key = product_key(release.version, DEVELOPMENT.key)
    url = f"https://{catalog.bucket}.s3.{REGION}.amazonaws.com/{key}"
    made_twice = [
        catalog.catalog.create_product(
            Name="Twice",
            Owner="Somebody",
            ProductType="CLOUD_FORMATION_TEMPLATE",
            ProvisioningArtifactParameters={
                "Name": "1",
                "Type": "CLOUD_FORMATION_TEMPLATE",
                "Info": {"LoadTemplateFromURL": url},
            },
        )
        for _ in range(2)
    ]
    ids = sorted(
        made["ProductViewDetail"]["ProductViewSummary"]["ProductId"] for made in made_twice
    )
    for identifier in ids:
        catalog.catalog.associate_product_with_portfolio(
            ProductId=identifier, PortfolioId=catalog.portfolio
        )

    with pytest.raises(
        PipelineError, match=rf"2 products are named 'Twice' \({ids[0]} and {ids[1]}\)"
    ):
        user.launch(product="Twice")


@pytest.mark.usefixtures("retired", "deprecated")
def test_unknown_or_retired_version_is_refused(
    catalog: Catalog, user: User, release: Release
) -> None:
    for version in ("7.7.7", "0.8.0"):
        with pytest.raises(
            PipelineError,
            match=rf"no active version '{version}'; its active versions are: {re.escape(release.version)} and 0\.9\.0",
        ):
            user.launch(version)

    assert_nothing_is_there(catalog, user)


@pytest.mark.usefixtures("deprecated")
def test_deprecated_version_is_refused(catalog: Catalog, user: User, release: Release) -> None:
    newest = re.escape(release.version)
    with pytest.raises(PipelineError, match=rf"0\.9\.0 of .* is deprecated.*launch {newest}\."):
        user.launch("0.9.0")

    assert_nothing_is_there(catalog, user)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {"ImageTga": "1"},
            r"names ImageTga, which is not a parameter of .* did you mean ImageTag\?",
        ),
        ({"Environment": "prod"}, r"Environment is 'prod'\. Environment must be dev in Carbon"),
        ({"ApiMaxTasks": "many"}, r"ApiMaxTasks is 'many'\. ApiMaxTasks must be a whole number"),
        ({"ImageTag": "no tag"}, r"ImageTag is 'no tag'\. ImageTag must be empty or a tag"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_invalid_value_is_refused(
    catalog: Catalog, user: User, settings: dict[str, str], reason: str
) -> None:
    with pytest.raises(PipelineError, match=reason):
        user.launch(**settings)

    assert_nothing_is_there(catalog, user)


def test_fixed_value_is_refused(catalog: Catalog, user: User, release: Release) -> None:
    rules = fixed_rules(release, replace(DEVELOPMENT, fixed=("NatGateways",)))
    made = catalog.catalog.create_constraint(
        PortfolioId=catalog.portfolio,
        ProductId=catalog.product,
        Type="TEMPLATE",
        Parameters=json.dumps(rules),
    )
    try:
        with pytest.raises(
            PipelineError,
            match=rf"NatGateways is 'per-zone'\. NatGateways must be single in {DEVELOPMENT.name}\.$",
        ):
            user.launch(NatGateways="per-zone")
    finally:
        catalog.catalog.delete_constraint(Id=made["ConstraintDetail"]["ConstraintId"])

    # Without the constraint, both values of the template are allowed.
    with pytest.raises(
        PipelineError, match=r"NatGateways must be one of single, per-zone in Carbon"
    ):
        user.launch(NatGateways="one")
    assert_nothing_is_there(catalog, user)


def test_several_portfolios_need_a_choice(catalog: Catalog) -> None:
    user = User(catalog.user, "chosen-dev")
    second = catalog.portfolio_named("Second portfolio")
    catalog.offer(second)
    try:
        with pytest.raises(
            PipelineError,
            match=r"Carbon Connect environments and Second portfolio offer .*--portfolio",
        ):
            user.launch(Project="chosen")
        with pytest.raises(
            PipelineError, match=r"no launch path 'Third'; these portfolios offer it: Carbon"
        ):
            user.launch(portfolio="Third", Project="chosen")

        assert user.launch(portfolio="Second portfolio", Project="chosen").succeeded
        # An update uses the path of the launch.
        assert user.update(ImageTag="1").succeeded
        record = environments.last_record(user.aws, user.environment())
        (path,) = (
            each["Id"]
            for each in user.aws.client("servicecatalog").list_launch_paths(
                ProductId=catalog.product
            )["LaunchPathSummaries"]
            if each["Name"] == "Second portfolio"
        )
        assert record["PathId"] == path
    finally:
        assert user.terminate().succeeded
        catalog.catalog.disassociate_principal_from_portfolio(
            PortfolioId=second,
            PrincipalARN=f"arn:aws:iam::{catalog.aws.account()}:role/carbon-connect-launcher",
        )


def test_tag_option_with_several_values_needs_a_choice(catalog: Catalog) -> None:
    user = User(catalog.user, "tagged-dev")
    options = [
        catalog.catalog.create_tag_option(Key="CostCenter", Value=value)["TagOptionDetail"]["Id"]
        for value in ("red", "blue")
    ]
    for option in options:
        catalog.catalog.associate_tag_option_with_resource(
            ResourceId=catalog.portfolio, TagOptionId=option
        )
    try:
        with pytest.raises(
            PipelineError, match=r"CostCenter must be one of red, blue; .*--tag CostC"
        ):
            user.launch(Project="tagged")
        with pytest.raises(PipelineError, match=r"CostCenter must be one of red, blue"):
            User(catalog.user, "tagged-dev", {"CostCenter": "green"}).launch(Project="tagged")

        user = User(catalog.user, "tagged-dev", {"CostCenter": "blue"})
        assert user.launch(Project="tagged").succeeded
        assert user.terminate().succeeded
    finally:
        for option in options:
            catalog.catalog.disassociate_tag_option_from_resource(
                ResourceId=catalog.portfolio, TagOptionId=option
            )


def test_tag_option_with_one_value_accepts_no_other(catalog: Catalog) -> None:
    option = catalog.catalog.create_tag_option(Key="CostCenter", Value="carbon-connect")
    names = {
        "ResourceId": catalog.portfolio,
        "TagOptionId": option["TagOptionDetail"]["Id"],
    }
    catalog.catalog.associate_tag_option_with_resource(**names)
    try:
        with pytest.raises(
            PipelineError,
            match=r"CostCenter is 'zzz'\. CostCenter must be carbon-connect, which is also added",
        ):
            User(catalog.user, "single-dev", {"CostCenter": "zzz"}).launch(Project="single")
        assert environments.find_environment(catalog.user, "single-dev") is None

        user = User(catalog.user, "single-dev", {"CostCenter": "carbon-connect"})
        assert user.launch(Project="single").succeeded
        assert user.terminate().succeeded
    finally:
        catalog.catalog.disassociate_tag_option_from_resource(**names)


def test_failed_launch_prints_the_first_failures_and_the_next_one_removes_it(
    catalog: Catalog,
) -> None:
    user = User(catalog.user, "broken-dev")
    bucket = {"Bucket": "broken-dev-media"}
    s3 = catalog.aws.client("s3")
    s3.create_bucket(**bucket, CreateBucketConfiguration={"LocationConstraint": REGION})

    ended = user.launch(Project="broken")

    assert not ended.succeeded
    assert len(ended.errors) == 1
    (failure,) = ended.failures
    assert (failure.stack, failure.logical_id) == ("Data", "MediaBucket")
    assert "already exists" in failure.reason
    assert ("broken-dev", "ROLLBACK_COMPLETE") in user.heard
    assert user.environment().status == "ERROR"
    with pytest.raises(
        PipelineError, match=r"broken-dev is ERROR, which an update cannot repair; .*terminate"
    ):
        user.update(ImageTag="1")

    # The next launch is checked before the failed one is removed.
    failed = user.environment()
    for version, settings in (("", {"NatGateways": "one"}), ("7.7.7", {})):
        with pytest.raises(
            PipelineError, match=r"NatGateways is 'one'|no active version '7\.7\.7'"
        ):
            user.launch(version, **settings)
        assert user.notes == []
        assert user.environment() == failed

    s3.delete_bucket(**bucket)
    again = user.launch(Project="broken")

    assert again.succeeded
    assert user.notes == ["The launch of broken-dev failed; removing it."]
    assert user.terminate().succeeded


def test_failed_update_prints_the_reason_and_can_be_repeated(catalog: Catalog) -> None:
    user = User(catalog.user, "held-dev")
    assert user.launch(Project="held").succeeded
    iam = catalog.aws.client("iam")
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}],
    }
    iam.put_role_policy(
        RoleName="carbon-connect-launch", PolicyName="nothing", PolicyDocument=json.dumps(policy)
    )
    try:
        ended = user.update(ImageTag="1")
    finally:
        iam.delete_role_policy(RoleName="carbon-connect-launch", PolicyName="nothing")

    assert not ended.succeeded
    (error,) = ended.errors
    assert "is not authorized to perform: cloudformation:" in error
    assert user.environment().status == "TAINTED"
    assert environments.summary(user.aws, user.environment())["Error"] == error
    with pytest.raises(
        PipelineError, match=r"held-dev exists, but is TAINTED; run `status` for the reason"
    ):
        user.launch(Project="held")

    assert user.update(ImageTag="1").succeeded
    assert user.terminate().succeeded


def test_role_without_permission_to_read_stacks_sees_the_result(catalog: Catalog) -> None:
    denied = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>"
    upstream = catalog.user.environment["AWS_ENDPOINT_URL"]

    def answer(action: str) -> tuple[int, bytes] | None:
        return (403, denied) if action.startswith("cloudformation:") else None

    with recording(upstream, answer) as recorded:
        narrow = {**catalog.user.environment, "AWS_ENDPOINT_URL": recorded.endpoint_url}
        user = User(Aws(REGION, narrow), "narrow-dev")
        ended = user.launch(Project="narrow")
        heard, notes = list(user.heard), list(user.notes)

        with pytest.raises(PipelineError, match=r"Could not read the stack of narrow-dev: not you"):
            user.update(ImageTag="1")

    assert ended.succeeded
    assert heard == []
    assert notes == ["These credentials cannot read the stack; only the result will be shown."]
    assert User(catalog.user, "narrow-dev").terminate().succeeded


def offer_another(catalog: Catalog, release: Release, name: str) -> None:
    """Offer the release's template as another product."""
    url = f"https://{catalog.bucket}.s3.{REGION}.amazonaws.com/{product_key(release.version, DEVELOPMENT.key)}"
    other = catalog.catalog.create_product(
        Name=name,
        Owner="Somebody",
        ProductType="CLOUD_FORMATION_TEMPLATE",
        ProvisioningArtifactParameters={
            "Name": "1",
            "Type": "CLOUD_FORMATION_TEMPLATE",
            "Info": {"LoadTemplateFromURL": url},
        },
    )
    catalog.catalog.associate_product_with_portfolio(
        ProductId=other["ProductViewDetail"]["ProductViewSummary"]["ProductId"],
        PortfolioId=catalog.portfolio,
    )


def test_environment_of_another_product_is_refused(catalog: Catalog, release: Release) -> None:
    user = User(catalog.user, "other-dev")
    assert user.launch(Project="other").succeeded
    offer_another(catalog, release, "Other")

    with pytest.raises(
        PipelineError, match=r"other-dev was launched from another product than Other"
    ):
        user.update(product="Other", ImageTag="1")
    with pytest.raises(
        PipelineError,
        match=rf"other-dev exists already, from another product \({DEVELOPMENT.name}\);.*--name",
    ):
        user.launch(product="Other")

    assert user.terminate().succeeded


def test_failed_launch_of_another_product_is_not_removed(
    catalog: Catalog, release: Release
) -> None:
    user = User(catalog.user, "theirs-dev")
    bucket = {"Bucket": "theirs-dev-media"}
    s3 = catalog.aws.client("s3")
    s3.create_bucket(**bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    assert not user.launch(Project="theirs").succeeded
    offer_another(catalog, release, "Another")
    failed = user.environment()

    with pytest.raises(PipelineError, match=r"theirs-dev exists already, from another product"):
        user.launch(product="Another", Project="theirs")

    assert user.environment() == failed
    assert user.terminate().succeeded
    s3.delete_bucket(**bucket)


def test_status_without_permission_to_launch_the_product(catalog: Catalog) -> None:
    user = User(catalog.user, "seen-dev")
    assert user.launch(Project="seen").succeeded

    told = environments.summary(
        catalog.aws, environments.existing_environment(catalog.aws, "seen-dev")
    )

    assert (told["Status"], told["Product"]) == ("AVAILABLE", catalog.product)
    assert user.terminate().succeeded


def test_retired_version_of_an_environment_is_refused(
    catalog: Catalog, release: Release, later: Release
) -> None:
    user = User(catalog.user, "retired-dev")
    version = catalog.publish(later)
    assert user.launch(later.version, Project="retired").succeeded
    catalog.change(version, Active=False)

    with pytest.raises(
        PipelineError, match=rf"retired.*a version of {DEVELOPMENT.name}; name another with --prod"
    ):
        user.update(ImageTag="1")
    assert (
        environments.summary(user.aws, user.environment())["Version"] == f"{version}, not offered"
    )

    assert user.update(release.version, ImageTag="1").succeeded
    assert user.terminate().succeeded
