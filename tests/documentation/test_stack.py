"""Blocks for an environment that was launched without Service Catalog."""

from __future__ import annotations

from uuid import uuid4

import pytest

from pipeline.release.assemble import Release
from tests.documentation.blocks import Place
from tests.documentation.steps import Scene, Step, physical_id, run
from tests.launches.environments import Environment

STACK = "carbon-connect-dev"
API_KEY = physical_id("Security.ClaudeApiKeySecret")


def previous_values(scene: Scene) -> str:
    """The other parameters of the stack, as the page's example continues."""
    (stack,) = scene.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return " ".join(
        f"ParameterKey={each['ParameterKey']},UsePreviousValue=true"
        for each in stack["Parameters"]
        if each["ParameterKey"] != "DatabaseCredentialsVersion"
    )


def hosted_zone(scene: Scene) -> str:
    """A zone of app.example.com."""
    created = scene.client("route53").create_hosted_zone(
        Name="app.example.com", CallerReference=uuid4().hex
    )
    return str(created["HostedZone"]["Id"])


def name_image(scene: Scene) -> None:
    scene.shell.run(f"REPOSITORY={scene.output('RepositoryUri')}\nTAG=1.0\n")


STEPS = (
    Step(Place("docs/access.md", "Roles of people and machines"), settles="ExecuteChangeSet"),
    Step(Place("docs/access.md", "Publisher and plan role"), settles="ExecuteChangeSet"),
    Step(
        Place("docs/certificates.md", "Certificates"),
        {"ARN": physical_id("Edge.DevelopmentCertificate")},
    ),
    Step(
        Place("docs/certificates.md", "The self-signed certificate"),
        {"…the output LoadBalancerDnsName…": lambda scene: scene.output("LoadBalancerDnsName")},
    ),
    Step(Place("docs/certificates.md", "Is the zone delegated?"), {"ZONE": hosted_zone}),
    Step(Place("docs/container-contract.md", "First launch to green", 1), before=name_image),
    Step(Place("docs/container-contract.md", "First launch to green", 2), {"ARN": API_KEY}),
    Step(Place("docs/data-safety.md", "Buckets of a deleted environment")),
    Step(
        Place("docs/diagnosis.md", "With the AWS CLI", 1),
        before=lambda scene: scene.shell.run(f"STACK={STACK}"),
    ),
    Step(Place("docs/diagnosis.md", "Logs")),
    Step(Place("docs/diagnosis.md", "With the AWS CLI", 2)),
    Step(Place("docs/diagnosis.md", "With the AWS CLI", 3)),
    Step(Place("docs/rotation.md", "API keys"), {"ARN": API_KEY}),
    Step(Place("docs/testing.md", "taskcat", 1)),
    Step(Place("docs/rotation.md", "Rotation of credentials", 1), lines=(3,)),
    Step(
        Place("docs/rotation.md", "Rotation of credentials", 2),
        {
            # The block before has rotated to 2.
            "ParameterValue=2": "ParameterValue=3",
            "ParameterKey=NAME,UsePreviousValue=true …": previous_values,
        },
        settles="UpdateStack",
    ),
    Step(Place("docs/launching.md", "Delete an environment", 2), {"prod": "dev"}, lines=(0,)),
    Step(Place("docs/launching.md", "Delete an environment", 1), lines=(0,)),
)


@pytest.fixture(scope="module")
def scene(empty: Scene, release: Release) -> Scene:
    """dev, with an image."""
    dev = Environment(empty.running, release, "dev")
    assert dev.launch(ImageTag="good").succeeded
    empty.reader = dev
    return empty


def test_block_runs(scene: Scene, step: Step) -> None:
    run(scene, step)


def test_environment_is_deleted(scene: Scene) -> None:
    stacks = scene.client("cloudformation").describe_stacks()["Stacks"]

    assert {each["StackName"] for each in stacks} == {
        "carbon-connect-launcher",
        "carbon-connect-publisher",
    }
