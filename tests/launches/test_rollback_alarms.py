"""Alarms roll a version of the api back, unless one is raised already or the parameter turns them off."""

from __future__ import annotations

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from tests.launches.environments import Environment

ERRORS = "ApiDeploymentErrorsTooHigh"


@pytest.fixture(scope="module")
def environment(running: EmbeddedAws, release: Release) -> Environment:
    launched = Environment(running, release, "dev", Project="rollback", BucketNamespace="global")
    assert launched.launch(ImageTag="good").status == "CREATE_COMPLETE"
    return launched


def image(environment: Environment) -> str:
    """The tag of the image that the api runs."""
    ecs, resources = environment.client("ecs"), environment.resources()
    service = resources["Compute.ApiService"].physical_id
    cluster = resources["Compute.Cluster"].physical_id
    (found,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
    definition = ecs.describe_task_definition(taskDefinition=found["taskDefinition"])
    return str(definition["taskDefinition"]["containerDefinitions"][0]["image"].rpartition(":")[2])


def states(environment: Environment) -> dict[str, str]:
    """The state of each alarm that the service reads, by its logical ID."""
    alarms = {
        resource.physical_id: name.partition(".")[2]
        for name, resource in environment.resources().items()
        if name.startswith("Compute.ApiDeployment")
    }
    found = environment.client("cloudwatch").describe_alarms(AlarmNames=list(alarms))
    return {alarms[each["AlarmName"]]: each["StateValue"] for each in found["MetricAlarms"]}


def calm(environment: Environment) -> None:
    """End the alarms, as a few good minutes do."""
    for name, resource in environment.resources().items():
        if name.startswith("Compute.ApiDeployment"):
            environment.client("cloudwatch").set_alarm_state(
                AlarmName=resource.physical_id, StateValue="OK", StateReason="good minutes"
            )


def test_first_version_is_not_rolled_back_without_data(environment: Environment) -> None:
    assert set(states(environment).values()) == {"INSUFFICIENT_DATA"}
    assert image(environment) == "good"


def test_version_that_raises_an_alarm_is_rolled_back(
    running: EmbeddedAws, environment: Environment
) -> None:
    running.fail_service("api", alarm=ERRORS, image_tag="bad")
    end = environment.launch(ImageTag="bad")

    assert end.status == "UPDATE_ROLLBACK_COMPLETE"
    assert [(each.stack, each.logical_id) for each in end.failures] == [("Compute", "ApiService")]
    assert "alarm detected" in end.failures[0].reason
    assert image(environment) == "good"
    assert states(environment)[ERRORS] == "ALARM"


def test_version_that_corrects_the_error_is_deployed_while_the_alarm_is_raised(
    running: EmbeddedAws, environment: Environment
) -> None:
    running.fail_service("api", alarm=ERRORS, image_tag="corrected")
    assert environment.launch(ImageTag="corrected").status == "UPDATE_COMPLETE"
    assert image(environment) == "corrected"


def test_alarms_that_are_off_roll_nothing_back(
    running: EmbeddedAws, environment: Environment
) -> None:
    calm(environment)
    running.fail_service("api", alarm=ERRORS, image_tag="slow")
    end = environment.launch(ImageTag="slow", ApiRollbackAlarms="false")
    assert end.status == "UPDATE_COMPLETE"
    assert image(environment) == "slow"
