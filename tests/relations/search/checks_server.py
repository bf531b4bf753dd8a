"""The search server beside its data, alarms on their way to people, and names inside the VPC."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks.render import Rendered
from pipeline.template.example_values import ACCOUNT
from tests.relations.registry import relation
from tests.relations.text import is_true, listed, text_of
from tests.rendering import id_of, ids_in, resources_of_type

TOPIC_SOURCES = ("aws:SourceAccount", "aws:SourceArn")


@relation
def the_server_is_replaced_and_leaves_nothing(rendered: Rendered) -> Iterator[str]:
    """A failed boot ends the instance, its root volume is encrypted and goes with it, and both have the tags of the environment."""
    for template in resources_of_type(rendered, "AWS::EC2::LaunchTemplate"):
        launch = template.properties["LaunchTemplateData"]
        if launch.get("InstanceInitiatedShutdownBehavior") != "terminate":
            yield f"{template.logical_id} keeps instances whose boot failed."
        if (
            "ImageId" not in launch
            or launch["MetadataOptions"].get("HttpEndpoint", "enabled") != "enabled"
        ):
            yield f"{template.logical_id} starts instances without an image or without credentials."
        if int(launch["MetadataOptions"].get("HttpPutResponseHopLimit", 1)) < 1:
            yield f"{template.logical_id} gives the host no credentials."
        disks = launch.get("BlockDeviceMappings", ())
        if not disks:
            yield f"{template.logical_id} has the root volume of its image, which may be unencrypted."
        for disk in disks:
            volume = disk.get("Ebs", {})
            if disk.get("DeviceName") != "/dev/xvda" or not is_true(volume.get("Encrypted")):
                yield f"{template.logical_id} has an unencrypted root volume."
            if not is_true(volume.get("DeleteOnTermination")):
                yield f"{template.logical_id} leaves a volume of each instance."
            if volume.get("VolumeType") != "gp3" or not 8 <= int(volume.get("VolumeSize", 0)) <= 64:
                yield f"{template.logical_id} has a root volume of {volume.get('VolumeSize')} GB."
        tagged = {each["ResourceType"] for each in launch.get("TagSpecifications", ())}
        if "volume" not in tagged or not template.properties.get("TagSpecifications"):
            yield f"{template.logical_id} creates volumes that no search for the environment finds."


@relation
def the_server_is_complete_when_it_has_booted(rendered: Rendered) -> Iterator[str]:
    """CloudFormation waits for the boot of the instance; a failed instance is replaced, after it has released the volume, and each change of its launch template replaces it."""
    for group in resources_of_type(rendered, "AWS::AutoScaling::AutoScalingGroup"):
        body = rendered.layers[group.layer]["Resources"][group.logical_id]
        if "CreationPolicy" not in body:
            yield f"{group.logical_id} is complete before its instance has booted."
        launch = group.properties["LaunchTemplate"]
        template, version = (
            text_of(launch.get(key)).strip("<>") for key in ("LaunchTemplateId", "Version")
        )
        if version != f"{template}.LatestVersionNumber":
            yield f"{group.logical_id} starts the version {version} of {template}, whatever an update changes."
        maintained = group.properties.get("InstanceMaintenancePolicy", {})
        bounds = tuple(
            int(maintained.get(key, -1)) for key in ("MinHealthyPercentage", "MaxHealthyPercentage")
        )
        # The volume attaches to one instance: the former one ends first, and no second one starts beside it.
        # https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-maintenance-policy.html
        if bounds != (0, 100):
            yield f"{group.logical_id} may replace an instance while its volume is attached to the former one."
        if group.properties.get("HealthCheckType") != "EC2":
            yield f"{group.logical_id} judges instances by {group.properties.get('HealthCheckType')}."


@relation
def alarms_reach_people_of_this_account_only(rendered: Rendered) -> Iterator[str]:
    """The topic accepts messages of this account's alarms, over TLS only, and sends them to the address of the parameter."""
    topics = {each.logical_id for each in resources_of_type(rendered, "AWS::SNS::Topic")}
    for policy in resources_of_type(rendered, "AWS::SNS::TopicPolicy"):
        statements = policy.properties["PolicyDocument"]["Statement"]
        for statement in statements:
            target = {
                id_of(rendered, policy.layer, each) for each in listed(statement.get("Resource"))
            }
            if not target or target - topics:
                yield f"{policy.logical_id} has a statement on {sorted(target)}."
            condition = statement.get("Condition", {})
            if statement["Effect"] == "Allow":
                account = condition.get("StringEquals", {}).get("aws:SourceAccount")
                source = str(condition.get("ArnLike", {}).get("aws:SourceArn"))
                if account != ACCOUNT or f":{rendered.region}:{ACCOUNT}:alarm:" not in source:
                    yield f"{policy.logical_id} accepts messages of other accounts."
        if not any(
            statement["Effect"] == "Deny"
            and statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"
            for statement in statements
        ):
            yield f"{policy.logical_id} accepts messages without TLS."
    email = rendered.parameters["monitoring"]["AlarmEmail"]
    found = {
        each.properties.get("Endpoint")
        for each in resources_of_type(rendered, "AWS::SNS::Subscription")
    }
    if found != ({email} if email else set()):
        yield f"Alarms are sent to {sorted(map(str, found))}, not to AlarmEmail."


@relation
def private_names_are_of_the_vpc(rendered: Rendered) -> Iterator[str]:
    """A hosted zone of the templates is private: its names resolve in the VPC of the environment and nowhere else."""
    vpcs = {each.logical_id for each in resources_of_type(rendered, "AWS::EC2::VPC")}
    for zone in resources_of_type(rendered, "AWS::Route53::HostedZone"):
        seen = ids_in(rendered, zone.layer, {"VPCs": zone.properties.get("VPCs", ())})
        if not seen or seen - vpcs:
            yield f"{zone.logical_id} resolves for {sorted(seen) or 'everyone'}."
        if not text_of(zone.properties["Name"]).endswith(".internal"):
            yield f"{zone.logical_id} has a public name."


@relation
def scaling_is_faster_out_than_in(rendered: Rendered) -> Iterator[str]:
    """Targets of utilisation leave room, and capacity comes within two minutes and goes after five."""
    for policy in resources_of_type(rendered, "AWS::ApplicationAutoScaling::ScalingPolicy"):
        if policy.properties.get("PolicyType") != "TargetTrackingScaling":
            yield f"{policy.logical_id} is of the type {policy.properties.get('PolicyType')}."
            continue
        tracking = policy.properties["TargetTrackingScalingPolicyConfiguration"]
        out, back = (int(tracking.get(key, 0)) for key in ("ScaleOutCooldown", "ScaleInCooldown"))
        if is_true(tracking.get("DisableScaleIn", False)):
            yield f"{policy.logical_id} never removes a task."
        if not 30 <= out <= 120 or not out <= back <= 900:
            yield f"{policy.logical_id} adds tasks after {out} seconds and removes them after {back}."
        percent = "PredefinedMetricSpecification" in tracking
        if percent and not 40 <= float(tracking["TargetValue"]) <= 85:
            yield f"{policy.logical_id} aims at {tracking['TargetValue']} %."
        own = tracking.get("CustomizedMetricSpecification")
        if own is not None and (
            own.get("Statistic") not in ("Average", "Minimum", "Maximum")
            or not own.get("Dimensions")
        ):
            yield f"{policy.logical_id} follows the {own.get('Statistic')} of every service."
    for target in resources_of_type(rendered, "AWS::ApplicationAutoScaling::ScalableTarget"):
        if any(is_true(each) for each in target.properties.get("SuspendedState", {}).values()):
            yield f"{target.logical_id} does not scale while it is suspended."
        if (
            target.properties.get("ServiceNamespace"),
            target.properties.get("ScalableDimension"),
        ) != (
            "ecs",
            "ecs:service:DesiredCount",
        ):
            yield f"{target.logical_id} scales {target.properties.get('ScalableDimension')}."
