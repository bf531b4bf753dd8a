"""The search server: Meilisearch on one Graviton instance, in an Auto Scaling group of one, in the zone of its volume."""

from __future__ import annotations

from typing import Any

from troposphere import Base64, GetAtt, Ref, Tags, autoscaling
from troposphere.autoscaling import AutoScalingGroup, InstanceMaintenancePolicy
from troposphere.ec2 import (
    EBSBlockDevice,
    IamInstanceProfile,
    LaunchTemplate,
    LaunchTemplateBlockDeviceMapping,
    LaunchTemplateData,
    MetadataOptions,
    TagSpecifications,
)
from troposphere.iam import InstanceProfile
from troposphere.logs import LogGroup
from troposphere.policies import (
    AutoScalingRollingUpdate,
    CreationPolicy,
    ResourceSignal,
    UpdatePolicy,
)

from templates_src.compute.search.address import SEARCH_URL, add_address
from templates_src.compute.search.role import add_instance_profile
from templates_src.compute.search.user_data import user_data
from templates_src.core.layer import DELETED_WITH_THE_STACK, Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import LOG_RETENTION_DAYS, named
from templates_src.core.parameters.wiring.network import FIRST_PRIVATE_SUBNET_ID
from templates_src.core.parameters.wiring.security import KEY_ARN, SEARCH_SECURITY_GROUP_ID

GROUP_TITLE = "SearchGroup"
# Amazon Linux 2023 for arm64. EC2 resolves it at each start of an instance. If CloudFormation resolved it at each
# update, a deployment of the api would replace the search server, because Amazon publishes a new image every other
# week.
# https://docs.aws.amazon.com/autoscaling/ec2/userguide/using-systems-manager-parameters.html
MACHINE_IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
# Room for the operating system and the images of two versions of Meilisearch; the index has a separate volume.
ROOT_VOLUME_GIB = 8
# The script waits up to ten minutes for the end of the previous instance and ten for Meilisearch, and installs in between.
BOOT_TIME = "PT30M"
# Processes that could end or start the only instance while CloudFormation replaces it.
SUSPENDED = [
    "HealthCheck",
    "ReplaceUnhealthy",
    "AZRebalance",
    "AlarmNotification",
    "ScheduledActions",
]

INSTANCE_TYPE = Declaration(
    name="SearchInstanceType",
    group=groups.SEARCH,
    label="Search: instance type",
    description="Graviton instance of the search server; a change replaces the instance, not the index; search is unavailable meanwhile.",
    default="t4g.small",
    pattern=r"(t4g|[cmr][6-9]g[a-z]{0,2})\.(small|medium|(\d{0,2}x)?large)",
    message="SearchInstanceType must be a Graviton type of at least 2 GiB, such as t4g.small or m7g.large.",
)
IMAGE = Declaration(
    name="SearchImage",
    group=groups.SEARCH,
    label="Search: image",
    description="Public image of Meilisearch with its exact version; a newer one upgrades a copy of the index. A change replaces the server; search is unavailable meanwhile.",
    default="getmeili/meilisearch:v1.56.2",
    pattern=r"[a-z0-9][a-z0-9._/-]*:v\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?",
    # User data has no room for a longer name.
    max_length=255,
    message="SearchImage must end in an exact version, such as getmeili/meilisearch:v1.56.2.",
)


def add_search(layer: Layer) -> None:
    """The search server, its address, its role and its log; its outputs."""
    interface = add_address(layer)
    log_group = add_log_group(layer)
    profile = add_instance_profile(layer, interface, log_group)
    template = add_launch_template(
        layer, profile, user_data(layer, IMAGE, GROUP_TITLE, interface, log_group)
    )
    add_group(layer, template)
    layer.output(
        "SearchLogGroupName", Ref(log_group), "Log group of the search server", public=True
    )
    layer.output("SearchUrl", SEARCH_URL, "URL of the search server, inside the VPC")


def add_log_group(layer: Layer) -> LogGroup:
    """Log of each boot, and of Meilisearch."""
    return layer.add(
        LogGroup(
            "SearchLogGroup",
            RetentionInDays=layer.parameter(LOG_RETENTION_DAYS),
            KmsKeyId=layer.parameter(KEY_ARN),
            **DELETED_WITH_THE_STACK,
        )
    )


def add_launch_template(layer: Layer, profile: InstanceProfile, data: Base64) -> LaunchTemplate:
    """The properties of an instance. No key pair: sign in with Session Manager."""
    return layer.add(
        LaunchTemplate(
            "SearchLaunchTemplate",
            # I1022 asks for Fn::Sub: a script of lines is readable as Fn::Join, and Sub would read its shell variables.
            Metadata={"cfn-lint": {"config": {"ignore_checks": ["I1022"]}}},
            LaunchTemplateData=LaunchTemplateData(
                ImageId=MACHINE_IMAGE,
                InstanceType=layer.parameter(INSTANCE_TYPE),
                IamInstanceProfile=IamInstanceProfile(Arn=GetAtt(profile, "Arn")),
                SecurityGroupIds=[layer.parameter(SEARCH_SECURITY_GROUP_ID)],
                # One hop: the host can read the credentials of the role, and the container cannot.
                MetadataOptions=MetadataOptions(
                    HttpEndpoint="enabled", HttpTokens="required", HttpPutResponseHopLimit=1
                ),
                # An instance with a failed boot shuts down, and the group starts the next one.
                InstanceInitiatedShutdownBehavior="terminate",
                BlockDeviceMappings=[root_volume()],
                UserData=data,
                # The group tags the instance, but only a launch template can tag its root volume.
                TagSpecifications=[
                    TagSpecifications(ResourceType="volume", Tags=Tags(**server_tags(layer)))
                ],
            ),
            TagSpecifications=[
                TagSpecifications(ResourceType="launch-template", Tags=Tags(**layer.tags()))
            ],
        )
    )


def root_volume() -> LaunchTemplateBlockDeviceMapping:
    """The root volume, which is deleted with its instance.

    It is encrypted with the account's key for EBS, because a customer-managed key would need grants to the service-linked role of Auto Scaling.
    """
    return LaunchTemplateBlockDeviceMapping(
        DeviceName="/dev/xvda",
        Ebs=EBSBlockDevice(
            VolumeType="gp3", VolumeSize=ROOT_VOLUME_GIB, Encrypted=True, DeleteOnTermination=True
        ),
    )


def server_tags(layer: Layer) -> dict[str, Any]:
    """Tags of the instance and of its root volume."""
    return layer.tags(Name=named("-search"))


def add_group(layer: Layer, template: LaunchTemplate) -> AutoScalingGroup:
    """Exactly one instance, in the zone of the volume; the old instance ends before the new one starts.

    Creation and update wait for the signal of the boot script, which it sends when Meilisearch answers:
    CloudFormation rolls back an image or a setting that does not work.
    """
    return layer.add(
        AutoScalingGroup(
            GROUP_TITLE,
            CreationPolicy=CreationPolicy(
                ResourceSignal=ResourceSignal(Count=1, Timeout=BOOT_TIME)
            ),
            UpdatePolicy=UpdatePolicy(
                AutoScalingRollingUpdate=AutoScalingRollingUpdate(
                    MinInstancesInService=0,
                    MaxBatchSize=1,
                    WaitOnResourceSignals=True,
                    PauseTime=BOOT_TIME,
                    SuspendProcesses=SUSPENDED,
                )
            ),
            MinSize="1",
            MaxSize="1",
            VPCZoneIdentifier=[layer.parameter(FIRST_PRIVATE_SUBNET_ID)],
            LaunchTemplate=autoscaling.LaunchTemplateSpecification(
                LaunchTemplateId=Ref(template), Version=GetAtt(template, "LatestVersionNumber")
            ),
            # Replaces an instance that EC2's status checks find impaired. The boot script watches Meilisearch.
            # https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
            HealthCheckType="EC2",
            # Only one instance at a time can attach the volume.
            InstanceMaintenancePolicy=InstanceMaintenancePolicy(
                MinHealthyPercentage=0, MaxHealthyPercentage=100
            ),
            Tags=autoscaling.Tags(**server_tags(layer)),
        )
    )
