"""Faults in the search server's templates, each with the check that must find it."""

from __future__ import annotations

import re
from typing import Any

from pipeline.checks.render import Rendered
from tests import planted_faults
from tests.relations.planting import Plant, append, body, drop, put
from tests.relations.search import checks_boot as checks
from tests.relations.search.checks_boot import GROUP, ROLE, TEMPLATE, Check, user_data


def change_header(old: str, new: str) -> Plant:
    """Another text in the header of the user data."""

    def plant(rendered: Rendered) -> None:
        parts = user_data(rendered)
        assert old in parts[0]["Fn::Sub"]
        parts[0]["Fn::Sub"] = parts[0]["Fn::Sub"].replace(old, new)

    return plant


def change_setting(name: str, value: str) -> Plant:
    """Another value of a setting."""

    def plant(rendered: Rendered) -> None:
        header = user_data(rendered)[0]
        header["Fn::Sub"], count = re.subn(
            rf"(?m)^{name}=.*$", f"{name}={value}", header["Fn::Sub"]
        )
        assert count == 1

    return plant


def lengthen_script(rendered: Rendered) -> None:
    """A script that leaves no room for long settings."""
    user_data(rendered)[1] += "#" * 2000


def statement_of(rendered: Rendered, sid: str) -> dict[str, Any]:
    """A statement of the server's role, to be changed."""
    (policy,) = body(rendered, ROLE)["Properties"]["Policies"]
    (found,) = (each for each in policy["PolicyDocument"]["Statement"] if each["Sid"] == sid)
    statement: dict[str, Any] = found
    return statement


def change_statement(sid: str, **changes: Any) -> Plant:
    """Other elements in a statement of the role."""

    def plant(rendered: Rendered) -> None:
        statement_of(rendered, sid).update(changes)

    return plant


def take_the_layer_from_the_instance(rendered: Rendered) -> None:
    """The instance is not tagged with its layer."""
    tags = body(rendered, GROUP)["Properties"]["Tags"]
    body(rendered, GROUP)["Properties"]["Tags"] = [tag for tag in tags if tag["Key"] != "Layer"]


Fault = planted_faults.Fault[Rendered, Check]

POLICY = "SearchSnapshots"
EVERY_KEY = "arn:aws:kms:eu-north-1:111122223333:key/*"
FAULTS = (
    Fault(
        "a setting that is missing",
        checks.settings_are_those_of_the_script,
        "needs LOG_GROUP",
        change_header("LOG_GROUP=", "LOGGROUP="),
    ),
    Fault(
        "an unused setting",
        checks.settings_are_those_of_the_script,
        "sets LOGGROUP",
        change_header("LOG_GROUP=", "LOGGROUP="),
    ),
    Fault(
        "a value with a space",
        checks.settings_are_those_of_the_script,
        "mean something else to the shell",
        change_setting("ENVIRONMENT", "prod; reboot"),
    ),
    Fault(
        "another script",
        checks.settings_are_those_of_the_script,
        "does not end in the boot script",
        lengthen_script,
    ),
    Fault(
        "another volume",
        checks.settings_name_the_resources,
        "VOLUME_ID is vol-0",
        change_setting("VOLUME_ID", "vol-0"),
    ),
    Fault(
        "the volume before a restore",
        checks.settings_name_the_resources,
        "not RestoredSearchVolume",
        change_setting("VOLUME_ID", "vol-0123456789abcdef0"),
        "dev on what exists",
    ),
    Fault(
        "a signal to another resource",
        checks.settings_name_the_resources,
        "LOGICAL_RESOURCE_ID is Search",
        change_setting("LOGICAL_RESOURCE_ID", "Search"),
    ),
    Fault(
        "another interface",
        checks.settings_name_the_resources,
        "INTERFACE_ID is eni-0",
        change_setting("INTERFACE_ID", "eni-0"),
    ),
    Fault(
        "another address",
        checks.settings_name_the_resources,
        "ADDRESS is 10.0.48.17",
        change_setting("ADDRESS", "10.0.48.17"),
    ),
    Fault(
        "a stack by its name",
        checks.settings_name_the_resources,
        "does not know the stack",
        change_setting("STACK_NAME", "carbon-connect-prod"),
    ),
    Fault(
        "a field that the secret lacks",
        checks.settings_name_the_resources,
        "no field password",
        change_setting("SECRET_FIELD", "password"),
    ),
    Fault("user data that is too long", checks.user_data_fits, "may come to", lengthen_script),
    Fault(
        "a call that is not allowed",
        checks.role_allows_the_calls_of_the_script,
        "calls logs:PutLogEvents",
        change_statement("WriteStreamsOfThisGroup", Action=["logs:CreateLogStream"]),
    ),
    Fault(
        "a right that is not used",
        checks.role_allows_the_calls_of_the_script,
        "may ec2:DetachVolume",
        change_statement("AttachTheVolume", Action=["ec2:AttachVolume", "ec2:DetachVolume"]),
    ),
    Fault(
        "every volume",
        checks.role_is_limited_to_its_resources,
        "AttachTheVolume lets it attach",
        change_statement(
            "AttachTheVolume", Resource=["arn:aws:ec2:eu-north-1:111122223333:volume/*"]
        ),
    ),
    Fault(
        "every interface",
        checks.role_is_limited_to_its_resources,
        "AttachTheInterface lets it attach",
        change_statement(
            "AttachTheInterface",
            Resource=["arn:aws:ec2:eu-north-1:111122223333:network-interface/*"],
        ),
    ),
    Fault(
        "the interface on every instance",
        checks.role_is_limited_to_its_resources,
        "ConnectTheSearchServer lets it attach",
        change_statement("ConnectTheSearchServer", Condition={}),
    ),
    Fault(
        "every instance",
        checks.role_is_limited_to_its_resources,
        "AttachToTheSearchServer lets it attach",
        change_statement("AttachToTheSearchServer", Condition={}),
    ),
    Fault(
        "every key",
        checks.role_is_limited_to_its_resources,
        "UseTheKeyThroughEbsOnly reaches",
        change_statement("UseTheKeyThroughEbsOnly", Resource=[EVERY_KEY]),
    ),
    Fault(
        "every secret",
        checks.role_is_limited_to_its_resources,
        "ReadTheSecretsItUses holds for everything",
        change_statement("ReadTheSecretsItUses", Resource="*"),
    ),
    Fault(
        "another stack",
        checks.role_is_limited_to_its_resources,
        "SignalItsStack reaches",
        change_statement("SignalItsStack", Resource="arn:aws:cloudformation:eu-north-1:1:stack/*"),
    ),
    Fault(
        "metrics elsewhere",
        checks.conditions_agree_with_the_settings,
        "cloudwatch:namespace must be",
        change_setting("METRIC_NAMESPACE", "carbon-connect/search"),
    ),
    Fault(
        "an instance without the tags that its role wants",
        checks.conditions_agree_with_the_settings,
        "whose tag is None",
        take_the_layer_from_the_instance,
    ),
    Fault(
        "more signals than instances",
        checks.group_waits_for_the_signal_of_its_one_instance,
        "waits for 2 signals",
        put(GROUP, "../CreationPolicy/ResourceSignal/Count", 2),
    ),
    Fault(
        "an update that does not wait",
        checks.group_waits_for_the_signal_of_its_one_instance,
        "updated without a signal",
        drop(GROUP, "../UpdatePolicy/AutoScalingRollingUpdate/WaitOnResourceSignals"),
    ),
    Fault(
        "an update that waits too short",
        checks.group_waits_for_the_signal_of_its_one_instance,
        "gives up after PT5M",
        put(GROUP, "../UpdatePolicy/AutoScalingRollingUpdate/PauseTime", "PT5M"),
    ),
    Fault(
        "a group that does not wait for its role",
        checks.group_comes_after_what_it_needs,
        "may start before SearchRole",
        drop(TEMPLATE, "LaunchTemplateData/IamInstanceProfile"),
    ),
    Fault(
        "snapshots by another tag",
        checks.snapshots_are_of_this_volume_only,
        "No snapshots are made of SearchVolume",
        put(POLICY, "PolicyDetails/TargetTags/0/Value", "other"),
    ),
    Fault(
        "snapshots of everything of the environment",
        checks.snapshots_are_of_this_volume_only,
        "Any of 2 tags",
        append(POLICY, "PolicyDetails/TargetTags", {"Key": "Environment", "Value": "prod"}),
    ),
    Fault(
        "snapshots of a volume that was left behind",
        checks.snapshots_are_of_this_volume_only,
        "left behind",
        put(POLICY, "PolicyDetails/TargetTags/0", {"Key": "Environment", "Value": "prod"}),
    ),
    Fault(
        "snapshots of the volume before a restore",
        checks.snapshots_are_of_this_volume_only,
        "No snapshots are made of RestoredSearchVolume",
        put(POLICY, "PolicyDetails/TargetTags/0/Value", "carbon-connect-dev-Data/SearchVolume"),
        "dev on what exists",
    ),
    Fault(
        "snapshots that are not kept",
        checks.snapshots_are_of_this_volume_only,
        "a day for a week",
        put(POLICY, "PolicyDetails/Schedules/0/RetainRule/Count", 1),
    ),
    Fault(
        "snapshots that no role can delete",
        checks.snapshots_are_of_this_volume_only,
        "may delete them",
        drop(POLICY, "PolicyDetails/Schedules/0/CopyTags"),
    ),
    Fault(
        "a volume under another key",
        checks.volume_is_encrypted_with_the_key,
        "not under the environment's key",
        drop("SearchVolume", "KmsKeyId"),
    ),
    Fault(
        "a volume in the clear",
        checks.volume_is_encrypted_with_the_key,
        "SearchVolume is not encrypted",
        put("SearchVolume", "Encrypted", False),
    ),
    Fault(
        "a root volume under a key that Auto Scaling may not use",
        checks.volume_is_encrypted_with_the_key,
        "/dev/xvda is not",
        put(TEMPLATE, "LaunchTemplateData/BlockDeviceMappings/0/Ebs/KmsKeyId", EVERY_KEY),
    ),
)
