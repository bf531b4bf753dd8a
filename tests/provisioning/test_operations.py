"""An environment from its launch to its termination, as a user of the product."""

from __future__ import annotations

import pytest

from pipeline.environments.provisioning import environments
from pipeline.environments.provisioning.operations import OperationResult
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release
from tests.provisioning.catalog import Catalog
from tests.provisioning.users import User

NAME = "carbon-connect-dev"
SET = {"ImageTag": "1.4.2", "ApiMaxTasks": "7"}


@pytest.fixture
def user(catalog: Catalog) -> User:
    return User(catalog.user)


@pytest.fixture(scope="module")
def launched(catalog: Catalog) -> tuple[OperationResult, User]:
    user = User(catalog.user, tags={"Project": "carbon-connect", "Environment": "dev"})
    return user.launch(**SET), user


def test_launch_creates_a_stack_with_the_given_values(
    launched: tuple[OperationResult, User], release: Release
) -> None:
    ended, user = launched

    assert ended == OperationResult(NAME, release.version, changed=True, succeeded=True)
    assert user.environment().status == "AVAILABLE"
    assert {key: user.stack().parameters[key] for key in SET} == SET
    assert user.stack().parameters["Environment"] == "dev"
    assert user.stack().parameters["NatGateways"] == "single"


def test_launch_shows_the_progress_of_each_stack(
    launched: tuple[OperationResult, User], release: Release
) -> None:
    names = {NAME, *(layer.name.capitalize() for layer in release.layers)}

    assert {(name, "CREATE_COMPLETE") for name in names} <= set(launched[1].heard)
    assert {name for name, _ in launched[1].heard} == names


def test_tags_are_on_the_stack(catalog: Catalog, launched: tuple[OperationResult, User]) -> None:
    stacks = catalog.aws.client("cloudformation").describe_stacks(StackName=launched[1].stack().id)
    tags = {tag["Key"]: tag["Value"] for tag in stacks["Stacks"][0]["Tags"]}

    assert {"Project": "carbon-connect", "Environment": "dev"}.items() <= tags.items()


def test_outputs_are_those_of_the_root(
    launched: tuple[OperationResult, User], release: Release
) -> None:
    outputs = launched[1].outputs()

    assert outputs.keys() == release.root.template.outputs.keys()
    assert outputs["ReleaseVersion"] == release.version
    assert outputs["DocumentsBucketName"] == f"{NAME}-documents"


@pytest.mark.usefixtures("launched")
def test_second_launch_does_nothing(user: User, release: Release) -> None:
    record = user.environment().last_record_id

    ended = user.launch(release.version, **SET)

    assert ended == OperationResult(NAME, release.version, changed=False, succeeded=True)
    assert user.environment().last_record_id == record
    assert user.heard == []


@pytest.mark.usefixtures("launched")
def test_second_launch_with_another_value_is_refused(user: User) -> None:
    with pytest.raises(PipelineError, match=r"launched already.*`update` to change ApiMaxTasks"):
        user.launch(ImageTag="1.4.2", ApiMaxTasks="8")

    assert user.stack().parameters["ApiMaxTasks"] == "7"


@pytest.mark.usefixtures("launched")
def test_update_without_changes_is_not_requested(user: User) -> None:
    record = user.environment().last_record_id

    ended = user.update(ApiMaxTasks="7")

    assert (ended.changed, ended.succeeded) == (False, True)
    assert user.environment().last_record_id == record


@pytest.mark.usefixtures("launched")
def test_update_changes_only_the_given_values(user: User, release: Release) -> None:
    before = user.stack().parameters

    ended = user.update(ImageTag="1.4.3")

    assert ended == OperationResult(NAME, release.version, changed=True, succeeded=True)
    assert user.stack().parameters == {**before, "ImageTag": "1.4.3"}
    assert ("Compute", "UPDATE_COMPLETE") in user.heard


@pytest.mark.usefixtures("launched")
def test_next_version_keeps_values_and_uses_its_bucket_and_new_defaults(
    user: User, catalog: Catalog, release: Release, later: Release
) -> None:
    before = user.stack().parameters
    new = {"Type": "String", "Default": "own"}
    # The launch role reads releases only in buckets with such names.
    bucket = f"{catalog.bucket}-later"
    catalog.publish(later, bucket, Added=new)

    ended = user.update(later.version)

    assert ended == OperationResult(NAME, later.version, changed=True, succeeded=True)
    assert user.stack().parameters == {**before, "Added": "own"}
    assert user.outputs()["ReleaseLocation"] == f"s3://{bucket}/{later.prefix}"
    with pytest.raises(
        PipelineError, match=r"launched already, in 99\.0\.0; run `update` to change its version"
    ):
        user.launch(release.version)


@pytest.mark.usefixtures("launched")
def test_status_shows_product_version_and_last_operation(user: User, release: Release) -> None:
    summary = environments.summary(user.aws, user.environment())

    assert summary["Status"] == "AVAILABLE"
    assert summary["Version"] == "99.0.0"
    assert summary["Versions offered"] == f"{release.version}, 99.0.0"
    assert summary["Last operation"].startswith("UPDATE_PROVISIONED_PRODUCT SUCCEEDED, 20")
    assert summary["Error"] == ""
    assert summary["Stack"] == user.stack().id
    assert summary["Stack status"] == "UPDATE_COMPLETE"


@pytest.mark.usefixtures("launched")
def test_end(user: User, release: Release) -> None:
    names = {NAME, *(layer.name.capitalize() for layer in release.layers)}

    ended = user.terminate()

    assert ended == OperationResult(NAME, "", changed=True, succeeded=True)
    assert {(name, "DELETE_COMPLETE") for name in names} <= set(user.heard)
    assert environments.find_environment(user.aws, NAME) is None
    assert user.terminate() == OperationResult(NAME, "", changed=False, succeeded=True)
    with pytest.raises(
        PipelineError, match="Provisioned product carbon-connect-dev does not exist in eu-north-1"
    ):
        user.update(ImageTag="1")
