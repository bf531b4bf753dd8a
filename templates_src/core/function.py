"""A Lambda function of the release with its role and its log group, and its custom resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from awacs import ec2
from awacs import logs as logs_actions
from awacs.aws import Allow, ArnLike, Condition, Deny, Statement
from troposphere import GetAtt, Ref, Sub
from troposphere.awslambda import Code, Environment, Function, LoggingConfig, VPCConfig
from troposphere.cloudformation import CustomResource
from troposphere.iam import Policy, Role
from troposphere.logs import LogGroup

from templates_src.core import iam
from templates_src.core.layer import DELETED_WITH_THE_STACK, Layer
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import LOG_RETENTION_DAYS, RELEASE_BUCKET, RELEASE_PREFIX
from templates_src.core.parameters.wiring.network import PRIVATE_SUBNET_IDS
from templates_src.core.parameters.wiring.security import FUNCTIONS_SECURITY_GROUP_ID, KEY_ARN

SERVICE = "lambda.amazonaws.com"
RUNTIME, ARCHITECTURE = "python3.13", "arm64"
# Folder of the zips in a release, and the package in each: templates_src/functions/README.md.
FUNCTION_FOLDER = "functions"
# How much longer CloudFormation waits for a response than the time-out of the function, in seconds: for a start and a
# retry.
ANSWER_MARGIN_SECONDS = 60
# The actions with which Lambda connects a function to a VPC: those of AWSLambdaVPCAccessExecutionRole.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
NETWORK_INTERFACE_ACTIONS = (
    ec2.CreateNetworkInterface,
    ec2.DescribeNetworkInterfaces,
    ec2.DescribeSubnets,
    ec2.DeleteNetworkInterface,
    ec2.AssignPrivateIpAddresses,
    ec2.UnassignPrivateIpAddresses,
)


def add_function(
    layer: Layer,
    name: str,
    *,
    description: str,
    timeout_seconds: int,
    memory_mb: int = 256,
    environment: Mapping[str, Any] | None = None,
    statements: Sequence[Statement] = (),
    inside_vpc: bool = False,
    log_key: Declaration | None = KEY_ARN,
    condition: str | None = None,
) -> Function:
    """The function that the release packs from ``templates_src/functions/{name}``; another release has another key.

    With ``name`` queue_depth the resources are QueueDepthFunction, QueueDepthRole and QueueDepthLogGroup.
    ``statements`` are the permissions of the function's code; those for its logs and, with ``inside_vpc`` (private
    subnets, functions' security group), for its network interfaces are added here. ``log_key`` encrypts its logs; with
    None, CloudWatch Logs encrypts them with its own key. With a ``condition``, all resources exist only if it is true.
    """
    title = function_title(name)
    optional: dict[str, Any] = {} if condition is None else {"Condition": condition}
    group = add_log_group(layer, title, log_key, optional)
    granted = [write_logs(group), *(network_interfaces() if inside_vpc else ()), *statements]
    role = add_role(layer, title, granted, optional)
    if environment:
        optional["Environment"] = Environment(Variables=dict(environment))
    if inside_vpc:
        optional["VpcConfig"] = private_subnets(layer)
    return layer.add(
        Function(
            f"{title}Function",
            Description=description,
            Runtime=RUNTIME,
            Architectures=[ARCHITECTURE],
            Handler=f"{FUNCTION_FOLDER}.{name}.handler.handler",
            Code=released_code(layer, name),
            Role=GetAtt(role, "Arn"),
            MemorySize=memory_mb,
            Timeout=timeout_seconds,
            LoggingConfig=LoggingConfig(LogGroup=Ref(group)),
            **optional,
        )
    )


def private_subnets(layer: Layer) -> VPCConfig:
    """The private subnets, with the functions' security group."""
    return VPCConfig(
        SubnetIds=layer.parameter(PRIVATE_SUBNET_IDS),
        SecurityGroupIds=[layer.parameter(FUNCTIONS_SECURITY_GROUP_ID)],
    )


def function_title(name: str) -> str:
    """The prefix of the logical IDs of a function's resources: QueueDepth for queue_depth."""
    return "".join(word.capitalize() for word in name.split("_"))


def add_log_group(
    layer: Layer, title: str, key: Declaration | None, optional: Mapping[str, Any]
) -> LogGroup:
    """The log group of a function, encrypted with the key if there is one."""
    encryption = {} if key is None else {"KmsKeyId": layer.parameter(key)}
    return layer.add(
        LogGroup(
            f"{title}LogGroup",
            RetentionInDays=layer.parameter(LOG_RETENTION_DAYS),
            **encryption,
            **optional,
            **DELETED_WITH_THE_STACK,
        )
    )


def add_role(
    layer: Layer, title: str, statements: Sequence[Statement], optional: Mapping[str, Any]
) -> Role:
    """The role of a function.

    The policy is inline, so that it exists from the first run of the function to its last.
    """
    return layer.add(
        Role(
            f"{title}Role",
            AssumeRolePolicyDocument=iam.trusted_service(SERVICE),
            Policies=[Policy(PolicyName="function", PolicyDocument=iam.document(*statements))],
            **layer.role_properties(),
            **optional,
        )
    )


def released_code(layer: Layer, name: str) -> Code:
    """The package of a function in the release."""
    layer.parameter(RELEASE_PREFIX)
    return Code(
        S3Bucket=layer.parameter(RELEASE_BUCKET),
        S3Key=Sub(f"${{ReleasePrefix}}{FUNCTION_FOLDER}/{name}.zip"),
    )


def add_custom_resource(
    layer: Layer, title: str, function: Function, *, condition: str | None = None, **properties: Any
) -> CustomResource:
    """The resource ``Custom::{title}`` of a function.

    CloudFormation stops waiting soon after the time-out of the function, and not after an hour.
    """
    kind = type(title, (CustomResource,), {"resource_type": f"Custom::{title}"})
    optional: dict[str, Any] = {} if condition is None else {"Condition": condition}
    resource: CustomResource = kind(
        title,
        ServiceToken=GetAtt(function, "Arn"),
        ServiceTimeout=function.properties["Timeout"] + ANSWER_MARGIN_SECONDS,
        **properties,
        **optional,
    )
    return layer.add(resource)


def write_logs(group: LogGroup) -> Statement:
    """Write to the function's log group, which exists already."""
    return Statement(
        Sid="WriteItsLog",
        Effect=Allow,
        Action=[logs_actions.CreateLogStream, logs_actions.PutLogEvents],
        Resource=[GetAtt(group, "Arn")],
    )


def network_interfaces() -> tuple[Statement, Statement]:
    """The network interfaces that connect a function to its subnets: for Lambda, not for the function's code."""
    return (
        Statement(
            Sid="ConnectToTheVpc",
            Effect=Allow,
            Action=list(NETWORK_INTERFACE_ACTIONS),
            # The describing actions have no resource type, and the IDs of Lambda's interfaces are unknown in advance.
            Resource=["*"],
        ),
        Statement(
            Sid="NotFromTheFunctionsCode",
            Effect=Deny,
            Action=list(NETWORK_INTERFACE_ACTIONS),
            Resource=["*"],
            # The key is present only in calls from the code of a function.
            # https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
            Condition=Condition(
                ArnLike(
                    {
                        "lambda:SourceFunctionArn": Sub(
                            "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"
                        )
                    }
                )
            ),
        ),
    )
