"""The Fargate capacity that a service runs on, and the parameter for that of the workers."""

from __future__ import annotations

from typing import Any

from troposphere import Equals, If
from troposphere.ecs import CapacityProviderStrategyItem

from templates_src.compute.scaling import WORKER_SCALING
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import choice
from templates_src.core.parameters.shared import new_tasks

FARGATE, FARGATE_SPOT = "FARGATE", "FARGATE_SPOT"
SPOT, ON_DEMAND, BASE_ON_DEMAND = "spot", "on-demand", "base-on-demand"
# Above the base ECS distributes tasks by weight; a weight of 0 would exclude a provider.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html
ON_DEMAND_WEIGHT, SPOT_WEIGHT = 1, 9

WORKER_CAPACITY = choice(
    "WorkerCapacity",
    group=groups.WORKERS,
    label="Worker: capacity",
    description="spot: Fargate Spot only, the lowest price; without Spot capacity no worker starts, and updates fail. "
    "base-on-demand: the first WorkerMinTasks tasks on demand, nine of ten others on Spot. on-demand: no Spot. "
    f"{new_tasks('Worker')}",
    allowed=(SPOT, ON_DEMAND, BASE_ON_DEMAND),
    default=SPOT,
)


def on_demand(_layer: Layer) -> list[CapacityProviderStrategyItem]:
    """On-demand capacity only."""
    return [CapacityProviderStrategyItem(CapacityProvider=FARGATE, Weight=1)]


def worker_capacity(layer: Layer) -> Any:
    """The capacity that WorkerCapacity names.

    Fargate never falls back from Spot to on-demand capacity: a base is what runs during a shortage.
    https://github.com/aws/containers-roadmap/issues/852
    """
    chosen = layer.parameter(WORKER_CAPACITY)
    base = [
        CapacityProviderStrategyItem(
            CapacityProvider=FARGATE,
            Base=layer.parameter(WORKER_SCALING.smallest),
            Weight=ON_DEMAND_WEIGHT,
        ),
        CapacityProviderStrategyItem(CapacityProvider=FARGATE_SPOT, Weight=SPOT_WEIGHT),
    ]
    return If(
        layer.condition("WorkersHaveBase", Equals(chosen, BASE_ON_DEMAND)),
        base,
        [
            CapacityProviderStrategyItem(
                CapacityProvider=If(
                    layer.condition("WorkersAreOnDemand", Equals(chosen, ON_DEMAND)),
                    FARGATE,
                    FARGATE_SPOT,
                ),
                Weight=1,
            )
        ],
    )
