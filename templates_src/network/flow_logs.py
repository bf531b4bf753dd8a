"""The record of every connection in the VPC."""

from __future__ import annotations

from awacs import logs
from awacs.aws import Allow, Condition, Statement, StringEquals
from troposphere import AccountId, GetAtt, Ref
from troposphere.ec2 import VPC, FlowLog
from troposphere.iam import Policy, Role
from troposphere.logs import LogGroup

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.shared import LOG_RETENTION_DAYS


def add_flow_logs(layer: Layer, vpc: VPC) -> None:
    """Every connection of the VPC, kept in CloudWatch Logs.

    The role cannot make a log group, so that none comes back without a retention after the stack is deleted.
    """
    group = layer.add(LogGroup("FlowLogGroup", RetentionInDays=layer.parameter(LOG_RETENTION_DAYS)))
    role = layer.add(
        Role(
            "FlowLogRole",
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
    layer.add(
        FlowLog(
            "FlowLog",
            ResourceType="VPC",
            ResourceId=Ref(vpc),
            TrafficType="ALL",
            LogDestinationType="cloud-watch-logs",
            LogGroupName=Ref(group),
            DeliverLogsPermissionArn=GetAtt(role, "Arn"),
            MaxAggregationInterval=600,
        )
    )
