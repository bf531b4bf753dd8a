"""Simulate target tracking of Application Auto Scaling with the numbers of a rendered environment."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from pipeline.checks.render import Rendered

POLICY, TARGET, SERVICE, TASK = (
    "WorkerBacklogScaling",
    "WorkerScalableTarget",
    "WorkerService",
    "WorkerTaskDefinition",
)
LAYER = "compute"
# The two alarms that target tracking creates, which users cannot change: three minutes above the target, fifteen
# minutes below 90 % of it. AWS documents that they exist; users observe these numbers:
# https://github.com/hashicorp/terraform-provider-aws/issues/42553 (out),
# https://github.com/aws-samples/amazon-aurora-labs-for-mysql/issues/3 (both),
# https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
MINUTES_ABOVE, MINUTES_BELOW, LOW_SHARE = 3, 15, 0.9


@dataclass(frozen=True)
class Policy:
    """A target tracking policy; cooldowns in seconds."""

    target: float
    least: int
    most: int
    out_cooldown: int
    in_cooldown: int


@dataclass(frozen=True)
class Configuration:
    """The worker in the templates: its policy, and the size of a task (vCPU, GB, architecture, stop timeout)."""

    policy: Policy
    vcpu: float
    gigabytes: float
    architecture: str
    stop_seconds: int


def configuration(rendered: Rendered) -> Configuration:
    """The worker of a rendered environment."""
    resources = rendered.layers[LAYER]["Resources"]
    tracking = resources[POLICY]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    bounds = resources[TARGET]["Properties"]
    task = resources[TASK]["Properties"]
    return Configuration(
        Policy(
            target=float(tracking["TargetValue"]),
            least=int(bounds["MinCapacity"]),
            most=int(bounds["MaxCapacity"]),
            out_cooldown=int(tracking["ScaleOutCooldown"]),
            in_cooldown=int(tracking["ScaleInCooldown"]),
        ),
        vcpu=int(task["Cpu"]) / 1024,
        gigabytes=int(task["Memory"]) / 1024,
        architecture=task["RuntimePlatform"]["CpuArchitecture"],
        stop_seconds=int(task["ContainerDefinitions"][0]["StopTimeout"]),
    )


@dataclass
class Scaler:
    """The state of a policy: it receives one data point per minute and returns the desired number of tasks."""

    policy: Policy
    points: deque[float] = field(default_factory=lambda: deque(maxlen=MINUTES_BELOW))
    last_out: float = -math.inf
    last_in: float = -math.inf

    def desired(self, now: float, current: int, point: float | None) -> int:
        """The desired number of tasks from ``now`` (seconds); ``point`` is the newest data point in CloudWatch."""
        if point is not None:
            self.points.append(point)
        policy = self.policy
        if not self.points:
            return current
        wanted = math.ceil(current * self.points[-1] / policy.target)
        if self.is_high() and now - self.last_out >= policy.out_cooldown:
            more = min(wanted, policy.most)
            if more > current:
                self.last_out = now
                return more
        rested = (
            now - self.last_in >= policy.in_cooldown and now - self.last_out >= policy.out_cooldown
        )
        if self.is_low() and rested:
            fewer = max(wanted, policy.least)
            if fewer < current:
                self.last_in = now
                return fewer
        return current

    def is_high(self) -> bool:
        """The alarm that scales out."""
        last = list(self.points)[-MINUTES_ABOVE:]
        return len(last) == MINUTES_ABOVE and min(last) > self.policy.target

    def is_low(self) -> bool:
        """The alarm that scales in."""
        low = LOW_SHARE * self.policy.target
        return len(self.points) == MINUTES_BELOW and max(self.points) < low
