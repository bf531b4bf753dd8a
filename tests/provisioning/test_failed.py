"""Failed launches and updates: the printed reasons, and the next attempt."""

from __future__ import annotations

import json

import pytest

from pipeline.aws import Aws
from pipeline.environments.provisioning import environments
from pipeline.errors import PipelineError
from tests.conftest import REGION
from tests.provisioning.catalog import Catalog
from tests.provisioning.recording import recording
from tests.provisioning.users import User


@pytest.fixture
def user(catalog: Catalog) -> User:
    return User(catalog.user)


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
    assert (failure.stack, failure.logical_id) == ("broken-dev", "LaunchCheck")
    assert "already a bucket of this account" in failure.reason
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
