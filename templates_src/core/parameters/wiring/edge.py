"""Outputs of the edge layer that later layers receive."""

from __future__ import annotations

from templates_src.core.parameters.declaration import wired
from templates_src.core.parameters.groups import EDGE_OUTPUTS

TARGET_GROUP_ARN = wired(
    "TargetGroupArn",
    group=EDGE_OUTPUTS,
    label="Target group",
    description="ARN of the target group of the api's tasks.",
    pattern=r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup/[\w-]+/[0-9a-z]+",
    message="TargetGroupArn must be the ARN of a target group whose target type is ip.",
)
LOAD_BALANCER_FULL_NAME = wired(
    "LoadBalancerFullName",
    group=EDGE_OUTPUTS,
    label="Load balancer in metrics",
    description="Last part of the load balancer's ARN, from app/ on.",
    pattern=r"app/[\w-]+/[0-9a-z]+",
    message="LoadBalancerFullName must be the last part of the load balancer's ARN, app/NAME/ID.",
)
TARGET_GROUP_FULL_NAME = wired(
    "TargetGroupFullName",
    group=EDGE_OUTPUTS,
    label="Target group in metrics",
    description="Last part of the target group's ARN, from targetgroup/ on.",
    pattern=r"targetgroup/[\w-]+/[0-9a-z]+",
    message="TargetGroupFullName must be the last part of the target group's ARN, targetgroup/NAME/ID.",
)
