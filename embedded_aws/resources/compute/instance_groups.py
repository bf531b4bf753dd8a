"""Auto Scaling groups that start instances.

ministack keeps a group without instances. Here each instance that a group needs is a record in EC2. It uses the version of the
launch template that the group names; template, image, subnet and profile must exist. No instance boots and no user data runs:
where a template waits for a signal, the stack gets the event of a SUCCESS signal.
"""

from typing import Any

from ministack.core.responses import get_region
from ministack.services import ssm

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Created, Properties
from embedded_aws.bridge.service_calls import call
from embedded_aws.resources.network import interfaces
from embedded_aws.schemas.regional_offers import refuse_missing_instance_type

_TYPE = "AWS::AutoScaling::AutoScalingGroup"
_PARAMETER = "resolve:ssm:"
_ALIASES = {"$Default": "DefaultVersionNumber", "$Latest": "LatestVersionNumber"}
# What a running instance has from its launch template, as RunInstances names it.
_FROM_TEMPLATE = ("InstanceType", "KeyName", "UserData", "SecurityGroupIds", "IamInstanceProfile")


def install() -> None:
    """Add instances to ministack's handlers of groups, and the stack's tags to groups and instances."""
    _propagate_stack_tags()
    handlers = tables.RESOURCE_HANDLERS[_TYPE]
    create, update, delete = (handlers[action] for action in ("create", "update", "delete"))

    def create_and_start(logical_id: str, properties: Properties, stack_name: str) -> Created:
        data = _launch_data(properties)
        name, attributes = create(logical_id, properties, stack_name)
        _start(name, properties, data)
        _signal(name, logical_id, stack_name, "CREATE", "CreationPolicy")
        return name, attributes

    def update_and_replace(
        physical_id: str,
        old: Properties,
        new: Properties,
        stack_name: str,
        logical_id: str | None = None,
    ) -> Created:
        data = _launch_data(new)
        name, attributes = update(physical_id, old, new, stack_name, logical_id)
        if new.get("LaunchTemplate") != old.get("LaunchTemplate"):
            _end(name)
            _start(name, new, data)
            _signal(name, logical_id or name, stack_name, "UPDATE", "UpdatePolicy")
        return name, attributes

    def end_and_delete(physical_id: str, properties: Properties) -> None:
        _end(physical_id)
        delete(physical_id, properties)

    handlers.update(create=create_and_start, update=update_and_replace, delete=end_and_delete)


def _propagate_stack_tags() -> None:
    """Complete the tags that a group gets from its stack, so that they are valid tags of a group.

    They reach the instances whatever a template says about its own tags:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
    """
    merge = functions.with_stack_tags.current

    def with_stack_tags(resource_type: str, properties: Properties, *of_stack: Any) -> Properties:
        merged: Properties = merge(resource_type, properties, *of_stack)
        if resource_type != _TYPE:
            return merged
        own = {tag.get("Key") for tag in properties.get("Tags") or []}
        tags = [
            tag if tag["Key"] in own else {**tag, "PropagateAtLaunch": True}
            for tag in merged["Tags"]
        ]
        return {**merged, "Tags": tags}

    functions.with_stack_tags.replace(with_stack_tags)


def _launch_data(properties: Properties) -> Properties:
    """Return the content of the launch template's version; raise ValueError with EC2's message if it does not exist."""
    for subnet in properties.get("VPCZoneIdentifier") or []:
        if subnet not in tables.SUBNETS:
            raise ValueError(f"The subnet ID '{subnet}' does not exist")
    wanted = properties.get("LaunchTemplate")
    if not wanted:
        return {}
    name = wanted.get("LaunchTemplateId") or wanted.get("LaunchTemplateName")
    templates = (
        known
        for known in tables.LAUNCH_TEMPLATES.values()
        if name in (known["LaunchTemplateId"], known["LaunchTemplateName"])
    )
    template = next(templates, None)
    if template is None:
        raise ValueError(f"The specified launch template {name} does not exist.")
    number = str(wanted.get("Version", "$Default"))
    alias = _ALIASES.get(number)
    number = str(template[alias]) if alias else number
    for version in template["Versions"]:
        if str(version["VersionNumber"]) == number:
            data: Properties = version["LaunchTemplateData"]
            _check(data)
            return data
    raise ValueError(f"The launch template {name} has no version {number}.")


def _check(data: Properties) -> None:
    refuse_missing_instance_type(data.get("InstanceType"), get_region())
    image = data.get("ImageId", "")
    if not _image_of(image):
        raise ValueError(f"The parameter of image {image} does not exist.")
    profile = (data.get("IamInstanceProfile") or {}).get("Arn")
    if profile and profile not in {known["Arn"] for known in tables.INSTANCE_PROFILES.values()}:
        raise ValueError(f"Invalid IamInstanceProfile: {profile}")
    for group in data.get("SecurityGroupIds") or []:
        if group not in tables.SECURITY_GROUPS:
            raise ValueError(f"The security group '{group}' does not exist")


def _image_of(image: str) -> str | None:
    """Return the ID of an image, which can be given as the name of a parameter."""
    if not image.startswith(_PARAMETER):
        return image
    resolved: str | None = ssm.resolve_parameter_value(image.removeprefix(_PARAMETER))
    return resolved


def _start(name: str, properties: Properties, data: Properties) -> None:
    group = tables.AUTO_SCALING_GROUPS[name]
    subnets = properties.get("VPCZoneIdentifier") or []
    if subnets:
        group["AvailabilityZones"] = sorted(
            {tables.SUBNETS[subnet]["AvailabilityZone"] for subnet in subnets}
        )
    functions.reconcile_instances(group)
    tags = [
        {"Key": tag["Key"], "Value": tag["Value"]}
        for tag in properties.get("Tags") or []
        if str(tag.get("PropagateAtLaunch")).lower() == "true"
    ]
    tags.append({"Key": "aws:autoscaling:groupName", "Value": name})
    for number, member in enumerate(group["Instances"]):
        launched = call(
            "ec2",
            "RunInstances",
            MinCount=1,
            MaxCount=1,
            ImageId=_image_of(data.get("ImageId", "")),
            SubnetId=subnets[number % len(subnets)] if subnets else None,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
            **{key: data.get(key) for key in _FROM_TEMPLATE},
        )
        member["InstanceId"] = launched["Instances"][0]["InstanceId"]


def _end(name: str) -> None:
    group = tables.AUTO_SCALING_GROUPS.get(name) or {"Instances": []}
    known = [m["InstanceId"] for m in group["Instances"] if m["InstanceId"] in tables.INSTANCES]
    if known:
        call("ec2", "TerminateInstances", InstanceIds=known)
        _delete_volumes_of(known)
        interfaces.release(known)
    group["Instances"].clear()


def _delete_volumes_of(instances: list[str]) -> None:
    """Delete the root volumes, which ministack leaves, and detach the others."""
    for name, volume in list(tables.VOLUMES.items()):
        attached = [a for a in volume["Attachments"] if a["InstanceId"] in instances]
        if attached:
            volume.update(Attachments=[], State="available")
        if any(attachment["DeleteOnTermination"] for attachment in attached):
            call("ec2", "DeleteVolume", VolumeId=name)


def _signal(name: str, logical_id: str, stack_name: str, doing: str, policy: str) -> None:
    """The event of each SUCCESS, where the template waits for signals."""
    stack: dict[str, Any] = tables.STACKS[stack_name]
    resource = stack.get("_template", {}).get("Resources", {}).get(logical_id, {})
    if policy not in resource:
        return
    for member in tables.AUTO_SCALING_GROUPS[name]["Instances"]:
        functions.add_event(
            stack["StackId"],
            stack_name,
            logical_id,
            _TYPE,
            f"{doing}_IN_PROGRESS",
            f"Received SUCCESS signal with UniqueId {member['InstanceId']}",
            name,
        )
