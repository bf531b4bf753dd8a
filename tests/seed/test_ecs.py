"""Service Details: ECS Fargate, API Service and Worker Service."""

import pytest

from pipeline.checks.render import Rendered
from pipeline.errors import PipelineError
from tests.rendering import single
from tests.seed.conftest import RenderWith
from tests.seed.rendered_architecture import scaling, service


def test_api_cpu_is_1_vcpu(rendered: Rendered) -> None:
    assert int(service(rendered, "Api").task["Cpu"]) == 1024


def test_api_memory_is_2_gb(rendered: Rendered) -> None:
    assert int(service(rendered, "Api").task["Memory"]) == 2048


def test_api_desired_count_is_2(rendered: Rendered) -> None:
    keeps_two_tasks(rendered, "Api")


def keeps_two_tasks(rendered: Rendered, title: str) -> None:
    """Two tasks run from the start: scaling adds one to the first task of ECS.

    The service has no count, because every update of the stack would reset it.
    """
    least, _, _ = scaling(rendered, title)
    assert least == 2
    assert "DesiredCount" not in service(rendered, title).properties


def test_api_auto_scales_from_1_to_10(rendered: Rendered, render_with: RenderWith) -> None:
    scales_from_1_to_10(rendered, render_with, "Api")


def scales_from_1_to_10(rendered: Rendered, render_with: RenderWith, title: str) -> None:
    """At most ten tasks, and at least one if the minimum is changed."""
    assert scaling(rendered, title)[1] == 10
    least = f"{title}MinTasks"
    fewer = render_with(rendered.environment, {least: "1"})
    assert scaling(fewer, title)[:2] == (1, 10)
    with pytest.raises(PipelineError, match=least):
        render_with(rendered.environment, {least: "0"})


def test_api_auto_scales_on_cpu_and_memory(rendered: Rendered) -> None:
    _, _, policies = scaling(rendered, "Api")
    metrics = {
        policy["PredefinedMetricSpecification"]["PredefinedMetricType"] for policy in policies
    }
    assert metrics == {"ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization"}


def test_api_capacity_is_on_demand(rendered: Rendered) -> None:
    assert service(rendered, "Api").providers == ["FARGATE"]


def test_worker_cpu_is_1_vcpu(rendered: Rendered) -> None:
    assert int(service(rendered, "Worker").task["Cpu"]) == 1024


def test_worker_memory_is_2_gb(rendered: Rendered) -> None:
    assert int(service(rendered, "Worker").task["Memory"]) == 2048


def test_worker_desired_count_is_2(rendered: Rendered) -> None:
    keeps_two_tasks(rendered, "Worker")


def test_worker_auto_scales_from_1_to_10(rendered: Rendered, render_with: RenderWith) -> None:
    scales_from_1_to_10(rendered, render_with, "Worker")


def test_worker_auto_scales_on_queue_depth(rendered: Rendered) -> None:
    _, _, policies = scaling(rendered, "Worker")
    policy = single(policies, "the scaling policies of the worker")
    metric = policy.get("CustomizedMetricSpecification", {})
    assert metric, f"The worker of {rendered.environment} scales on {policies[0]}."
    # The depth of the queues divided by the running tasks, which target tracking needs.
    assert metric["MetricName"] == "BacklogPerTask"
    assert metric["Namespace"] == f"carbon-connect/{rendered.environment}"


def test_worker_capacity_is_spot(rendered: Rendered) -> None:
    assert service(rendered, "Worker").providers == ["FARGATE_SPOT"]
