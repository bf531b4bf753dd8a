"""The parameters of the launch role's and the release bucket's stacks: their sources, and updates when they differ."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.desired.bootstrap_stacks import BUCKET_STACK, bootstrap_stacks
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.desired.product_templates import product_templates
from pipeline.catalog.plan.steps import Action
from pipeline.errors import PipelineError
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release, serialize, template_path
from pipeline.release.upload import release_bucket_name
from templates_src.launch_role.template import NAME as ROLE_TEMPLATE
from templates_src.release_bucket.template import NAME as BUCKET_TEMPLATE
from tests.conftest import REGION
from tests.launches.tree import Tree
from tests.publishing.conftest import Publisher
from tests.publishing.minimal_catalog import CATALOG, small_catalog
from tests.publishing.results import step_texts, writing_steps
from tests.publishing.shared_catalog import Hub, catalog_with

BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
ROLE_STACK = "carbon-connect-launch-role-environments"
BOUND = f"permissions_boundary: {BOUNDARY}\n"
MORE = """  development:
    name: Development
    description: To develop against
    profile: dev
  network:
    name: Network
    description: A VPC
    layer: network
"""
THREE = (CATALOG + MORE).replace(
    "[production]\n",
    "[production, development, network]\n    environments: [prod, dev]\n",
)


def change(folder: Path, profile: str, **values: str) -> None:
    """Give parameters of a profile other values."""
    path = folder / f"{profile}.json"
    pairs = json.loads(path.read_text())
    for pair in pairs:
        pair["ParameterValue"] = values.get(pair["ParameterKey"], pair["ParameterValue"])
    path.write_text(json.dumps(pairs))


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    """A copy of the profiles that a test can change."""
    return Path(shutil.copytree(PARAMETERS, tmp_path / "parameters"))


def given(release: Release, text: str, profiles: Path) -> dict[Kind, Any]:
    """The parameters of both stacks."""
    found = bootstrap_stacks(release, small_catalog(text), {}, profiles)
    return {each.kind: each.parameters for each in found}


def test_parameters_come_from_the_catalog_and_its_profiles(
    release: Release, profiles: Path
) -> None:
    for profile in ("dev", "prod"):
        change(profiles, profile, Project="shop", PermissionsBoundary=BOUNDARY)
    text = THREE + BOUND + "organization: o-a1b2c3d4e5\n"

    assert given(release, text, profiles) == {
        Kind.LAUNCH_ROLE: {
            "Project": "shop",
            "LaunchRoleName": "launch",
            "Environments": "dev,prod",
            "PermissionsBoundary": BOUNDARY,
        },
        Kind.BUCKET: {"Project": "shop", "OrganizationId": "o-a1b2c3d4e5"},
    }
    # A layer has no profile, and the same role launches it.
    bodies = product_templates(release, small_catalog(text), "a-bucket", profiles)
    parameters = json.loads(bodies["network"])["Parameters"]
    assert parameters["Project"]["Default"] == "shop"
    assert parameters["Environment"]["AllowedValues"] == ["dev", "prod"]
    # The organization's policy has the same name in every account that launches.
    bound = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/boundary"}
    for key, body in bodies.items():
        assert "PermissionsBoundary" not in json.loads(body)["Parameters"], key
    # The network layer makes no role.
    assert {key for key, body in bodies.items() if json.dumps(bound) in body.decode()} == {
        "production",
        "development",
    }


def test_default_values_are_omitted(release: Release) -> None:
    assert given(release, CATALOG, PARAMETERS) == {
        Kind.LAUNCH_ROLE: {"LaunchRoleName": "launch", "Environments": "prod"},
        Kind.BUCKET: {},
    }


def test_profiles_of_two_projects_are_refused(release: Release, profiles: Path) -> None:
    change(profiles, "dev", Project="shop")

    with pytest.raises(
        PipelineError, match=r"prod\.json is of Project 'carbon-connect' and .*dev\.json of 'shop'"
    ):
        given(release, THREE, profiles)


def test_profile_with_another_boundary_is_refused(release: Release, profiles: Path) -> None:
    change(profiles, "prod", PermissionsBoundary=BOUNDARY)

    assert given(release, THREE + BOUND, profiles)[Kind.LAUNCH_ROLE]["PermissionsBoundary"]
    with pytest.raises(
        PipelineError, match=r"prod\.json has PermissionsBoundary '.*', but products"
    ):
        given(release, THREE, profiles)


def test_invalid_boundary_is_refused_with_its_line() -> None:
    line = CATALOG.count("\n") + 1
    with pytest.raises(
        PipelineError,
        match=rf"^catalog\.yaml:{line}: permissions_boundary must be the ARN of a managed",
    ):
        catalog_with(top="permissions_boundary: boundary\n")


@pytest.fixture
def hub(publisher: Publisher) -> Hub:
    return Hub(publisher)


def parameters_of(aws: Aws, stack: str) -> dict[str, str]:
    [found] = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {each["ParameterKey"]: each["ParameterValue"] for each in found["Parameters"]}


def test_changed_key_updates_its_stack(hub: Hub) -> None:
    hub.publish(catalog_with())
    catalog = catalog_with(top="organization: o-a1b2c3d4e5\n")

    plans = hub.publish(catalog)

    assert writing_steps(plans) == [(Action.UPDATE, Kind.BUCKET)]
    aws = hub.publisher.aws
    assert parameters_of(aws, BUCKET_STACK)["OrganizationId"] == "o-a1b2c3d4e5"
    assert not writing_steps(hub.plan(catalog))
    # Without the key, the parameter has its default again.
    hub.publish(catalog_with())
    assert parameters_of(aws, BUCKET_STACK)["OrganizationId"] == ""


@pytest.mark.parametrize("stack", [ROLE_STACK, BUCKET_STACK])
def test_both_stacks_are_protected_from_deletion(hub: Hub, stack: str) -> None:
    hub.publish(catalog_with())
    cloudformation = hub.publisher.aws.client("cloudformation")
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        cloudformation.delete_stack(StackName=stack)


@pytest.mark.parametrize(
    ("stack", "kind"), [(ROLE_STACK, Kind.LAUNCH_ROLE), (BUCKET_STACK, Kind.BUCKET)]
)
def test_missing_protection_is_added(hub: Hub, stack: str, kind: Kind) -> None:
    """An account in which release 1.1.0 was published."""
    hub.publish(catalog_with())
    cloudformation = hub.publisher.aws.client("cloudformation")
    cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
    (step,) = (step for plan in hub.plan(catalog_with()) for step in plan.steps if step.writes)
    assert (step.action, step.kind) == (Action.UPDATE, kind)
    assert step.reason == "no termination protection"

    hub.publish(catalog_with())

    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    assert found["EnableTerminationProtection"]
    assert not writing_steps(hub.plan(catalog_with()))


def described(hub: Hub, text: str) -> None:
    """Give the templates of both stacks another description."""
    bodies = {path: json.loads(body) for path, body in hub.release.bootstrap_stacks.items()}
    hub.release = replace(
        hub.release,
        bootstrap_stacks={
            path: serialize({**body, "Description": text}, packed=True)
            for path, body in bodies.items()
        },
    )


def descriptions(aws: Aws) -> list[str]:
    """The descriptions of the templates of both stacks."""
    cloudformation = aws.client("cloudformation")
    return [
        cloudformation.get_template_summary(StackName=stack)["Description"]
        for stack in (ROLE_STACK, BUCKET_STACK)
    ]


@pytest.mark.parametrize(
    ("kind", "template"),
    [(Kind.LAUNCH_ROLE, ROLE_TEMPLATE), (Kind.BUCKET, BUCKET_TEMPLATE)],
)
def test_changed_template_updates_its_stack(hub: Hub, kind: Kind, template: str) -> None:
    hub.publish(catalog_with())
    before = dict(hub.release.bootstrap_stacks)
    described(hub, "Changed")
    path = template_path(template)
    changed = {**before, path: hub.release.bootstrap_stacks[path]}
    hub.release = replace(hub.release, bootstrap_stacks=changed)

    plans = hub.publish(catalog_with())

    assert writing_steps(plans) == [(Action.UPDATE, kind)]
    assert descriptions(hub.publisher.aws).count("Changed") == 1
    assert not writing_steps(hub.plan(catalog_with()))


@pytest.mark.parametrize(
    ("stack", "name", "value", "kind"),
    [
        (ROLE_STACK, "ReleaseBuckets", "another-teams", Kind.LAUNCH_ROLE),
        (ROLE_STACK, "Environments", "staging,prod", Kind.LAUNCH_ROLE),
        (ROLE_STACK, "PermissionsBoundary", BOUNDARY, Kind.LAUNCH_ROLE),
        (BUCKET_STACK, "OrganizationId", "o-a1b2c3d4e5", Kind.BUCKET),
    ],
)
def test_manually_changed_parameter_is_corrected(
    hub: Hub, stack: str, name: str, value: str, kind: Kind
) -> None:
    hub.publish(catalog_with())
    aws = hub.publisher.aws
    before = parameters_of(aws, stack)
    change_by_hand(aws, stack, {**before, name: value})

    plans = hub.publish(catalog_with())

    assert writing_steps(plans) == [(Action.UPDATE, kind)]
    [line] = step_texts(plans, Action.UPDATE)
    assert line.endswith(f"differs in {name}")
    assert parameters_of(aws, stack) == before
    assert not writing_steps(hub.plan(catalog_with()))


def change_by_hand(aws: Aws, stack: str, parameters: dict[str, str]) -> None:
    """Update a stack like the console: with other parameters and the existing tags."""
    cloudformation = aws.client("cloudformation")
    [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    cloudformation.update_stack(
        StackName=stack,
        UsePreviousTemplate=True,
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Tags=found["Tags"],
    )
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    assert parameters_of(aws, stack) == parameters


def test_release_bucket_of_another_account_is_refused(hub: Hub) -> None:
    aws = hub.publisher.aws
    environment = {**hub.publisher.embedded.environment(), "AWS_ACCESS_KEY_ID": "111122223333"}
    theirs = Aws(REGION, environment).client("s3")
    name = release_bucket_name(aws.account(), REGION)
    theirs.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    # Public, so that only the owner differs; a new bucket refuses public policies.
    theirs.delete_public_access_block(Bucket=name)
    everything = {"Effect": "Allow", "Principal": "*", "Action": "s3:*"}
    everything["Resource"] = f"arn:aws:s3:::{name}"
    policy = {"Version": "2012-10-17", "Statement": [everything]}
    theirs.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    aws.client("s3").head_bucket(Bucket=name)

    with pytest.raises(PipelineError, match=rf"^Bucket {name} belongs to another account"):
        hub.plan(catalog_with())


def test_another_project_and_a_boundary_are_published(
    tmp_path: Path, embedded: EmbeddedAws
) -> None:
    tree = Tree(tmp_path / "clone")
    for profile in ("dev", "staging", "prod"):
        change(tree.folder / "parameters", profile, Project="shop", PermissionsBoundary=BOUNDARY)
    with (tree.folder / "catalog.yaml").open("a", encoding="utf-8") as catalog:
        catalog.write(BOUND)

    published = tree.run("publish", "--yes", **embedded.environment())

    assert published.returncode == 0, published.stderr
    aws = Aws(REGION, embedded.environment())
    assert parameters_of(aws, "carbon-connect-launch-role-production") == {
        "Project": "shop",
        "LaunchRoleName": "carbon-connect-launch-production",
        "PermissionsBoundary": BOUNDARY,
        "ReleaseBuckets": "",
        "PublisherAccount": "",
        "Environments": "prod",
    }
    assert parameters_of(aws, BUCKET_STACK)["Project"] == "shop"
    again = tree.run("publish", "--yes", **embedded.environment())
    assert again.stdout.endswith("Nothing to publish.\n")
