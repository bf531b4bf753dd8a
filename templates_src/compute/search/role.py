"""The permissions of the search server: the calls of its boot script and its systemd units, and no others."""

from __future__ import annotations

from typing import Any

from awacs import cloudformation, cloudwatch, ssm, ssmmessages
from awacs import ec2 as ec2_actions
from awacs import logs as logs_actions
from awacs.aws import Action, Allow, Condition, Statement, StringEquals
from troposphere import GetAtt, Ref, StackId, Sub
from troposphere.ec2 import NetworkInterface
from troposphere.iam import InstanceProfile, Policy, Role
from troposphere.logs import LogGroup

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters.shared import ENVIRONMENT, PROJECT, metric_namespace
from templates_src.core.parameters.wiring.data import SEARCH_VOLUME_ID
from templates_src.core.parameters.wiring.secrets import SEARCH_KEY_SECRET_ARN
from templates_src.core.parameters.wiring.security import KEY_ARN

EC2_ARN = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:"


def add_instance_profile(
    layer: Layer, interface: NetworkInterface, log_group: LogGroup
) -> InstanceProfile:
    """The role of the server, in the profile with which EC2 passes it to an instance.

    Its statements are inline, so that resources that wait for the profile also wait for them.
    """
    role = layer.add(
        Role(
            "SearchRole",
            AssumeRolePolicyDocument=iam.trusted_service("ec2.amazonaws.com"),
            Policies=[
                Policy(
                    PolicyName="serve-search",
                    PolicyDocument=iam.document(
                        *attach_volume(layer),
                        *attach_interface(layer, interface),
                        *iam.read_secrets(
                            [layer.parameter(SEARCH_KEY_SECRET_ARN)], layer.parameter(KEY_ARN)
                        ),
                        signal_stack(),
                        publish_metrics(),
                        write_logs(log_group),
                        open_sessions(),
                    ),
                )
            ],
            **layer.role_properties(),
        )
    )
    return layer.add(
        InstanceProfile(
            "SearchInstanceProfile",
            Path=layer.role_properties()["Path"],
            Roles=[Ref(role)],
        )
    )


def attach_volume(layer: Layer) -> tuple[Statement, ...]:
    """Attach this volume to an instance of this environment's compute layer, under the environment's key."""
    layer.parameter(SEARCH_VOLUME_ID)
    return (
        attach("TheVolume", ec2_actions.AttachVolume, f"volume/${{{SEARCH_VOLUME_ID.name}}}"),
        to_search_server(layer, "AttachToTheSearchServer", ec2_actions.AttachVolume),
        Statement(
            Sid="SeeWhetherTheVolumeIsFree",
            Effect=Allow,
            Action=[ec2_actions.DescribeVolumes],
            # The action is a list, which supports no resource.
            Resource=["*"],
        ),
        *iam.use_key_for_volumes(layer.parameter(KEY_ARN)),
    )


def attach_interface(layer: Layer, interface: NetworkInterface) -> tuple[Statement, ...]:
    """Attach this interface to an instance of this environment's compute layer."""
    action = ec2_actions.AttachNetworkInterface
    return (
        attach("TheInterface", action, f"network-interface/${{{interface.title}}}"),
        to_search_server(layer, "ConnectTheSearchServer", action),
    )


def attach(what: str, action: Action, resource: str) -> Statement:
    """Attach one EC2 resource."""
    return Statement(
        Sid=f"Attach{what}", Effect=Allow, Action=[action], Resource=[Sub(f"{EC2_ARN}{resource}")]
    )


def to_search_server(layer: Layer, sid: str, action: Action) -> Statement:
    """Attach to an instance of this environment's compute layer.

    An instance has no ID before it starts: the tags from its group identify it.
    """
    tags: dict[str, Any] = {
        f"aws:ResourceTag/{known.name}": Ref(known.name) for known in (PROJECT, ENVIRONMENT)
    }
    return Statement(
        Sid=sid,
        Effect=Allow,
        Action=[action],
        Resource=[Sub(f"{EC2_ARN}instance/*")],
        Condition=Condition(StringEquals({**tags, "aws:ResourceTag/Layer": layer.name})),
    )


def signal_stack() -> Statement:
    """Signal the result of the boot to the stack."""
    return Statement(
        Sid="SignalItsStack",
        Effect=Allow,
        Action=[cloudformation.SignalResource],
        Resource=[StackId],
    )


def publish_metrics() -> Statement:
    """Publish into the environment's namespace only."""
    return Statement(
        Sid="PublishToThisNamespaceOnly",
        Effect=Allow,
        Action=[cloudwatch.PutMetricData],
        # Metrics have no ARN.
        Resource=["*"],
        Condition=Condition(StringEquals({"cloudwatch:namespace": metric_namespace()})),
    )


def write_logs(log_group: LogGroup) -> Statement:
    """Write the boot log and the server log; this layer creates the group, with its retention."""
    return Statement(
        Sid="WriteStreamsOfThisGroup",
        Effect=Allow,
        Action=[logs_actions.CreateLogStream, logs_actions.PutLogEvents],
        Resource=[GetAtt(log_group, "Arn")],
    )


def open_sessions() -> Statement:
    """Session Manager, instead of SSH.

    Not AmazonSSMManagedInstanceCore, which reads every parameter of the account.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-add-permissions-to-existing-profile.html
    """
    return Statement(
        Sid="OpenSessions",
        Effect=Allow,
        Action=[
            ssm.UpdateInstanceInformation,
            ssmmessages.CreateControlChannel,
            ssmmessages.CreateDataChannel,
            ssmmessages.OpenControlChannel,
            ssmmessages.OpenDataChannel,
        ],
        # Channels have no ARN, and the instance has none before it starts.
        Resource=["*"],
    )
