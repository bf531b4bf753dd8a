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
