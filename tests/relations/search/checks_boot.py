"""The search server's templates match its boot script: settings, permissions, signals, snapshots."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from pipeline.checks.render import Rendered
from pipeline.release.names import longest_values
from templates_src.compute.search.server import IMAGE
from templates_src.compute.search.user_data import boot_script
from templates_src.environment import stack_title
from tests.relations.planting import body
from tests.relations.templates.order import existing_before
from tests.relations.text import listed, text_of
from tests.relations.variants import built
from tests.rendering import (
    Values,
    id_of,
    ids_in,
    only,
    resources_of_type,
    role_statements,
    single,
)

# A check yields its findings as sentences.
Check = Callable[[Rendered], Iterator[str]]
SCRIPT = boot_script()
GROUP, TEMPLATE, ROLE = "SearchGroup", "SearchLaunchTemplate", "SearchRole"
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html, before it is encoded.
USER_DATA_BYTES = 16_384
# Longest values that are known only after a launch: IDs, and ARNs with the longest names and region.
LONGEST_ID, LONGEST_ARN = 32, 240
# Permissions beyond the calls of the script: the keys of volume and secret, and the agent of Session Manager.
UNCALLED = {
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncrypt*",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}
# Actions without a resource type.
EVERYWHERE = {"ec2:DescribeVolumes", "cloudwatch:PutMetricData"}


def user_data(rendered: Rendered) -> list[Any]:
    """The parts of the server's user data: the header, and the script."""
    data = body(rendered, TEMPLATE)["Properties"]["LaunchTemplateData"]["UserData"]
    parts: list[Any] = data["Fn::Base64"]["Fn::Join"][1]
    return parts


def lines(rendered: Rendered) -> list[str]:
    """The lines of the settings, as the header writes them."""
    inside = re.search(r"<<'SETTINGS'\n(.*)\nSETTINGS\n", text_of(user_data(rendered)[0]), re.S)
    assert inside, "The user data writes no settings."
    return inside[1].splitlines()


def settings(rendered: Rendered) -> dict[str, str]:
    """The settings by name."""
    return Values(dict(line.partition("=")[::2] for line in lines(rendered)), "The user data")


def required_settings() -> set[str]:
    """The settings that the script requires."""
    inside = re.search(r"readonly required=\(([^)]*)\)", SCRIPT)
    assert inside
    return set(inside[1].split())


def volume_in_use(rendered: Rendered) -> str:
    """Logical ID of the one volume of an environment."""
    return only(rendered, "AWS::EC2::Volume").logical_id


def settings_are_those_of_the_script(rendered: Rendered) -> Iterator[str]:
    """User data has every required setting and no unused one, each as NAME=value."""
    given = settings(rendered)
    for name in sorted(required_settings() - {name for name, value in given.items() if value}):
        yield f"The script needs {name}, which the user data does not set."
    for name in sorted(given.keys() - required_settings()):
        if f"${{{name}:-}}" not in SCRIPT:
            yield f"The user data sets {name}, which the script does not read."
    for line in lines(rendered):
        if not re.fullmatch(r"[A-Z_]+=[\w.:/@<>-]+", line):
            yield f"The line {line!r} would mean something else to the shell."
    if user_data(rendered)[1] != SCRIPT:
        yield "The user data does not end in the boot script."


def settings_name_the_resources(rendered: Rendered) -> Iterator[str]:
    """Each setting that names a resource names the right one."""
    given = settings(rendered)
    expected = {
        "VOLUME_ID": volume_in_use(rendered),
        "SECRET_ARN": "SearchKeySecret",
        "INTERFACE_ID": "<SearchInterface>",
        "LOG_GROUP": "<SearchLogGroup>",
        "LOGICAL_RESOURCE_ID": GROUP,
    }
    for name, logical_id in expected.items():
        found = id_of(rendered, "compute", given[name])
        if found != logical_id:
            yield f"{name} is {found}, not {logical_id}."
    if given["ADDRESS"] != "<SearchInterface.PrimaryPrivateIpAddress>":
        yield f"ADDRESS is {given['ADDRESS']}, not the one of the interface."
    if not given["STACK_NAME"].startswith("arn:aws:cloudformation:"):
        yield f"STACK_NAME is {given['STACK_NAME']}, by which its role does not know the stack."
    secret = body(rendered, "SearchKeySecret")["Properties"]["GenerateSecretString"]
    if given["SECRET_FIELD"] != secret["GenerateStringKey"]:
        yield f"The secret has no field {given['SECRET_FIELD']}."


def user_data_fits(rendered: Rendered) -> Iterator[str]:
    """User data fits EC2's 16 KB with the longest values."""
    compute = next(layer for layer in built().layers if layer.name == "compute")
    longest = {
        **dict.fromkeys(("SearchVolumeId", "SearchInterface"), "x" * LONGEST_ID),
        "SearchInterface.PrimaryPrivateIpAddress": "255.255.255.255",
        **dict.fromkeys(("SearchKeySecretArn", "AWS::StackId"), "x" * LONGEST_ARN),
        IMAGE.name: "x" * (IMAGE.max_length or 0),
        # A name from CloudFormation: stack, logical ID, suffix; CloudWatch Logs accepts 512 characters.
        "SearchLogGroup": "x" * 128,
        **longest_values(compute, rendered.environment),
    }
    template = compute.document()["Resources"][TEMPLATE]["Properties"]["LaunchTemplateData"]
    header, _ = template["UserData"]["Fn::Base64"]["Fn::Join"][1]
    completed = re.sub(r"\$\{([^}]+)\}", lambda found: longest[found[1]], header["Fn::Sub"])
    size = len((completed + text_of(user_data(rendered)[1])).encode())
    if size > USER_DATA_BYTES:
        yield f"The user data may come to {size} bytes; EC2 takes {USER_DATA_BYTES}."


def called() -> set[str]:
    """The actions that the script calls through the AWS CLI."""
    calls = re.findall(r"\bamazon ([a-z0-9]+) ([a-z]+(?:-[a-z]+)+)", SCRIPT)
    return {f"{service}:{name.title().replace('-', '')}" for service, name in calls}


def role_allows_the_calls_of_the_script(rendered: Rendered) -> Iterator[str]:
    """The role has exactly the permissions for the calls of the script."""
    granted = {
        action
        for _, statement in role_statements(rendered, ROLE)
        for action in listed(statement["Action"])
    }
    for action in sorted(called() - granted):
        yield f"The script calls {action}, which {ROLE} may not."
    for action in sorted(granted - called() - UNCALLED):
        yield f"{ROLE} may {action}, which the script does not call."


def role_is_limited_to_its_resources(rendered: Rendered) -> Iterator[str]:
    """Each action is allowed only on its resource; actions without a resource type are listed or have a condition."""
    own = {
        "secretsmanager": {"SearchKeySecret"},
        "logs": {"SearchLogGroup"},
        "kms": {"Key"},
    }
    for layer, statement in role_statements(rendered, ROLE):
        sid, resources = statement["Sid"], [text_of(each) for each in listed(statement["Resource"])]
        services = {action.partition(":")[0] for action in listed(statement["Action"])}
        if "*" in resources:
            beyond = set(listed(statement["Action"])) - EVERYWHERE
            if any(not action.startswith(("ssm:", "ssmmessages:")) for action in beyond):
                yield f"{sid} holds for everything in the account."
            continue
        if "ec2" in services:
            own_device = {
                "ec2:AttachVolume": volume_in_use(rendered),
                "ec2:AttachNetworkInterface": "SearchInterface",
            }
            (action,) = listed(statement["Action"])
            is_own = ids_in(rendered, layer, statement["Resource"]) == {own_device.get(action)}
            tags = statement.get("Condition", {}).get("StringEquals", {})
            required = {f"aws:ResourceTag/{key}" for key in ("Project", "Environment", "Layer")}
            if not is_own and not (
                resources[0].endswith(":instance/*") and required <= tags.keys()
            ):
                yield f"{sid} lets it attach {resources}."
            continue
        if services == {"cloudformation"}:
            is_own = resources == [settings(rendered)["STACK_NAME"]]
        else:
            found = ids_in(rendered, layer, statement["Resource"])
            is_own = all(found == own[service] for service in services)
        if not is_own:
            yield f"{sid} reaches {resources}."


def conditions_agree_with_the_settings(rendered: Rendered) -> Iterator[str]:
    """The script's requests satisfy the conditions of its role, and requests with other names or namespaces do not."""
    given = settings(rendered)
    expected = {
        "cloudwatch:namespace": [given["METRIC_NAMESPACE"]],
    }
    found: dict[str, list[str]] = {}
    for _, statement in role_statements(rendered, ROLE):
        for keys in statement.get("Condition", {}).values():
            for key, wanted in keys.items():
                found[key] = [text_of(each) for each in listed(wanted)]
    for key, values in expected.items():
        if found.get(key) != values:
            yield f"{key} must be {values}, not {found.get(key)}."
    tags = {
        f"aws:ResourceTag/{tag['Key']}": text_of(tag["Value"])
        for tag in body(rendered, GROUP)["Properties"]["Tags"]
        if tag["PropagateAtLaunch"]
    }
    for key, values in found.items():
        if key.startswith("aws:ResourceTag/") and values != [tags.get(key)]:
            yield f"The role wants {key} {values} of its instance, whose tag is {tags.get(key)}."


def group_waits_for_the_signal_of_its_one_instance(rendered: Rendered) -> Iterator[str]:
    """CloudFormation waits as long as the script can take, at creation and at each update."""
    group = body(rendered, GROUP)
    signal = group.get("CreationPolicy", {}).get("ResourceSignal", {})
    rolling = group.get("UpdatePolicy", {}).get("AutoScalingRollingUpdate", {})
    if str(signal.get("Count")) != group["Properties"]["MaxSize"]:
        yield f"{GROUP} waits for {signal.get('Count')} signals of its one instance."
    if rolling.get("WaitOnResourceSignals") is not True:
        yield f"{GROUP} is updated without a signal."
    for waits in (signal.get("Timeout"), rolling.get("PauseTime")):
        minutes = re.fullmatch(r"PT(\d+)M", str(waits))
        # Volume and health check: 60 attempts of 10 seconds each, plus the installation.
        if not minutes or int(minutes[1]) < 25:
            yield f"{GROUP} gives up after {waits}, while the script still waits for its volume."


def group_comes_after_what_it_needs(rendered: Rendered) -> Iterator[str]:
    """The server starts after its permissions, its interface and its log group, and is deleted before them."""
    before = {logical_id for _, logical_id in existing_before(rendered, "compute", GROUP)}
    for needed in (
        ROLE,
        "SearchInstanceProfile",
        "SearchInterface",
        "SearchLogGroup",
        "NatGateway1",
    ):
        if needed not in before:
            yield f"{GROUP} may start before {needed}."


def snapshots_are_of_this_volume_only(rendered: Rendered) -> Iterator[str]:
    """The snapshot policy selects by one tag, which only the volume in use has."""
    policy = only(rendered, "AWS::DLM::LifecyclePolicy").properties["PolicyDetails"]
    given = rendered.parameters["data"]
    targets = [(tag["Key"], text_of(tag["Value"])) for tag in policy["TargetTags"]]
    if len(targets) != 1:
        yield f"Any of {len(targets)} tags makes snapshots of a volume."
    for volume in resources_of_type(rendered, "AWS::EC2::Volume"):
        tags = {(tag["Key"], text_of(tag["Value"])) for tag in volume.properties["Tags"]}
        if not tags & set(targets):
            yield f"No snapshots are made of {volume.logical_id}."
        for key, value in tags & set(targets):
            # The name of a stack is unique, because CloudFormation adds a suffix.
            stack = f"{given['Project']}-{given['Environment']}-{stack_title('data')}"
            if value != f"{stack}/{volume.logical_id}":
                yield f"{key} {value} may be on a volume that was left behind."
    schedule = single(policy["Schedules"], "the schedules of the snapshots")
    if int(schedule["RetainRule"]["Count"]) != 7 or int(schedule["CreateRule"]["Interval"]) != 24:
        yield "There is not a snapshot a day for a week."
    if schedule.get("CopyTags") is not True:
        yield "Snapshots lack the tags by which their role may delete them."


def volume_is_encrypted_with_the_key(rendered: Rendered) -> Iterator[str]:
    """The volume is encrypted with the environment's key, and the root volume is not: Auto Scaling has no permission on a customer managed key."""
    volume = only(rendered, "AWS::EC2::Volume")
    if volume.properties.get("Encrypted") is not True:
        yield f"{volume.logical_id} is not encrypted."
    if id_of(rendered, volume.layer, volume.properties.get("KmsKeyId")) != "Key":
        yield f"{volume.logical_id} is not under the environment's key."
    launched = body(rendered, TEMPLATE)["Properties"]["LaunchTemplateData"]
    for mapping in launched["BlockDeviceMappings"]:
        if mapping["Ebs"].get("Encrypted") is not True or "KmsKeyId" in mapping["Ebs"]:
            yield f"{mapping['DeviceName']} is not encrypted under the account's own key."


CHECKS: tuple[Check, ...] = (
    settings_are_those_of_the_script,
    settings_name_the_resources,
    user_data_fits,
    role_allows_the_calls_of_the_script,
    role_is_limited_to_its_resources,
    conditions_agree_with_the_settings,
    group_waits_for_the_signal_of_its_one_instance,
    group_comes_after_what_it_needs,
    snapshots_are_of_this_volume_only,
    volume_is_encrypted_with_the_key,
)
