"""Faults of the search server, of alarms on their way, of private names and of scaling."""

from __future__ import annotations

from tests.relations.planting import drop, put, remove
from tests.relations.registry import Fault
from tests.relations.search.checks_server import (
    alarms_reach_people_of_this_account_only,
    private_names_are_of_the_vpc,
    scaling_is_faster_out_than_in,
    the_server_is_complete_when_it_has_booted,
    the_server_is_replaced_and_leaves_nothing,
)

ROOT_VOLUME = "LaunchTemplateData/BlockDeviceMappings/0/Ebs"
TRACKING = "TargetTrackingScalingPolicyConfiguration"

FAULTS = (
    Fault(
        "an instance that stays after a failed boot",
        the_server_is_replaced_and_leaves_nothing,
        "SearchLaunchTemplate keeps instances whose boot failed",
        put("SearchLaunchTemplate", "LaunchTemplateData/InstanceInitiatedShutdownBehavior", "stop"),
    ),
    Fault(
        "a root volume that stays",
        the_server_is_replaced_and_leaves_nothing,
        "SearchLaunchTemplate leaves a volume of each instance",
        put("SearchLaunchTemplate", f"{ROOT_VOLUME}/DeleteOnTermination", False),
    ),
    Fault(
        "a server that nobody waits for",
        the_server_is_complete_when_it_has_booted,
        "SearchGroup is complete before its instance has booted",
        drop("SearchGroup", "../CreationPolicy"),
    ),
    Fault(
        "alarms of other accounts",
        alarms_reach_people_of_this_account_only,
        "AlarmTopicPolicy accepts messages of other accounts",
        drop("AlarmTopicPolicy", "PolicyDocument/Statement/0/Condition"),
    ),
    Fault(
        "an address that gets no alarm",
        alarms_reach_people_of_this_account_only,
        "not to AlarmEmail",
        remove("AlarmEmailSubscription"),
    ),
    Fault(
        "a public zone",
        private_names_are_of_the_vpc,
        "SearchZone resolves for everyone",
        drop("SearchZone", "VPCs"),
    ),
    Fault(
        "a target without room",
        scaling_is_faster_out_than_in,
        "ApiCpuScaling aims at 600 %",
        put("ApiCpuScaling", f"{TRACKING}/TargetValue", "600"),
    ),
    Fault(
        "capacity that goes faster than it comes",
        scaling_is_faster_out_than_in,
        "ApiCpuScaling adds tasks after 60 seconds and removes them after 30",
        put("ApiCpuScaling", f"{TRACKING}/ScaleInCooldown", 30),
    ),
)
