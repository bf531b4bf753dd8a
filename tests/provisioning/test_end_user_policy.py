"""AWSServiceCatalogEndUserFullAccess in place of the launcher role, as docs/access.md describes it."""

from __future__ import annotations

import json

import pytest

from commands.common.embedded_sessions import session
from pipeline.aws import Aws
from pipeline.checks.iam.policies import Request, allows
from pipeline.environments.provisioning import environments
from pipeline.errors import PipelineError
from pipeline.paths import PROJECT_FOLDER
from tests.conftest import REGION
from tests.provisioning.catalog import Catalog
from tests.provisioning.users import User

NAME_OF_POLICY = "AWSServiceCatalogEndUserFullAccess"
# What the embedded AWS knows of the policy.
POLICY = json.loads(
    (PROJECT_FOLDER / f"embedded_aws/services/account/{NAME_OF_POLICY}.json").read_text("utf-8")
)
ROLE = "end-user"
NAME = "carbon-connect-dev"


def sentence() -> str:
    """The description of the policy in docs/access.md."""
    text = " ".join((PROJECT_FOLDER / "docs/access.md").read_text(encoding="utf-8").split())
    (found,) = [each for each in text.split(". ") if "`AWSServiceCatalogEndUserFullAccess`" in each]
    return found


def test_documentation_names_the_version_and_the_limits_of_the_policy() -> None:
    said = sentence()

    assert f"{POLICY['PolicyVersion']} of {POLICY['Edited'][:10]}" in said
    for word in (
        "launch",
        "update",
        "terminate",
        "status",
        "outputs",
        "session name",
        "DescribeEvents",
    ):
        assert word in said, word
    statements = POLICY["Document"]["Statement"]
    stack = f"arn:aws:cloudformation:{REGION}:123456789012:stack/SC-123456789012-pp-a/1"
    for name in ("GetTemplate", "DescribeEvents"):
        assert f"the policy lacks `cloudformation:{name}`" in said
        assert not allows(statements, Request(f"cloudformation:{name}", stack))


@pytest.fixture(scope="module")
def end_user(catalog: Catalog) -> Catalog:
    """The catalog, with a principal that has only AWS's policy."""
    iam = catalog.aws.client("iam")
    account = catalog.aws.account()
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    document = {"Version": "2012-10-17", "Statement": [trust]}
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(document))
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=f"arn:aws:iam::aws:policy/{NAME_OF_POLICY}")
    catalog.admit(f"arn:aws:iam::{account}:role/{ROLE}")
    return catalog


def as_(catalog: Catalog, name: str) -> Aws:
    """A session of the role, with this name."""
    return session(catalog.aws, ROLE, name)


def test_policy_covers_one_session_name(end_user: Catalog) -> None:
    user = User(as_(end_user, "ada"))
    assert user.launch().succeeded
    # A later session with the same name: Identity Center names each session after the user.
    later = User(as_(end_user, "ada"))
    assert later.outputs()["DocumentsBucketName"] == f"{NAME}-documents"
    assert environments.summary(later.aws, later.environment())["Status"] == "AVAILABLE"
    assert ("Data", "CREATE_COMPLETE") in user.heard

    colleague = User(as_(end_user, "grace"))
    with pytest.raises(PipelineError, match=r"grace is not authorized.*DescribeProvisionedProduct"):
        colleague.update(ImageTag="1")

    assert later.update(ImageTag="1").succeeded
    assert later.terminate().succeeded


def test_policy_does_not_cover_stack_outputs(end_user: Catalog) -> None:
    catalog = as_(end_user, "ada").client("servicecatalog")

    with pytest.raises(catalog.exceptions.ClientError, match="GetProvisionedProductOutputs"):
        catalog.get_provisioned_product_outputs(ProvisionedProductName=NAME)


def test_user_sees_the_sentence_of_the_launch_check(end_user: Catalog) -> None:
    name = "refused-dev-media"
    end_user.aws.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    user = User(as_(end_user, "ada"), "refused-dev")

    ended = user.launch(Project="refused")

    assert not ended.succeeded
    assert f"{name} is already a bucket of this account" in " ".join(
        failure.reason for failure in ended.failures
    )
    assert user.terminate().succeeded
