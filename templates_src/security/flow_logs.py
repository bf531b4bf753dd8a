"""Flow logs of the VPC, encrypted with the environment's key.

The VPC is in the network layer and the key in this layer, which gets the VPC as a parameter. So the flow log is here.
"""

from __future__ import annotations

from awacs import logs
from awacs.aws import Allow, Condition, Statement, StringEquals
from troposphere import AccountId, GetAtt, Ref
from troposphere.ec2 import FlowLog
from troposphere.iam import Policy, Role
from troposphere.logs import LogGroup

from templates_src.core import iam
from templates_src.core.layer import DELETED_WITH_THE_STACK, Layer
from templates_src.core.parameters.shared import LOG_RETENTION_DAYS
from templates_src.core.parameters.wiring.network import VPC_ID


def add_flow_logs(layer: Layer, key_arn: GetAtt) -> None:
    """The flow log of every connection in the VPC, in an encrypted log group."""
    group = layer.add(
        LogGroup(
            "VpcFlowLogGroup",
            RetentionInDays=layer.parameter(LOG_RETENTION_DAYS),
            KmsKeyId=key_arn,
            **DELETED_WITH_THE_STACK,
        )
    )
    role = add_role(layer, group)
    layer.add(
        FlowLog(
            "VpcFlowLog",
            ResourceType="VPC",
            ResourceId=layer.parameter(VPC_ID),
            TrafficType="ALL",
            LogDestinationType="cloud-watch-logs",
            LogGroupName=Ref(group),
            DeliverLogsPermissionArn=GetAtt(role, "Arn"),
            MaxAggregationInterval=600,
        )
    )


def add_role(layer: Layer, group: LogGroup) -> Role:
    """The role that VPC Flow Logs uses to write to the group.

    It cannot create a log group, so that no group without a retention appears after the stack is deleted.
    """
    return layer.add(
        Role(
            "VpcFlowLogRole",
            AssumeRolePolicyDocument=iam.trusted_service(
                "vpc-flow-logs.amazonaws.com",
                condition=Condition(StringEquals({"aws:SourceAccount": AccountId})),
            ),
            Policies=[
                Policy(
                    PolicyName="write-flow-logs",
                    PolicyDocument=iam.document(
                        Statement(
                            Sid="WriteStreamsOfThisGroup",
                            Effect=Allow,
                            Action=[
                                logs.CreateLogStream,
                                logs.PutLogEvents,
                                logs.DescribeLogStreams,
                            ],
                            Resource=[GetAtt(group, "Arn")],
                        )
                    ),
                )
            ],
            **layer.role_properties(),
        )
    )
