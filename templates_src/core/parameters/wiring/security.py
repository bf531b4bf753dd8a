"""Outputs of the security layer that later layers receive: key, security groups and roles."""

from __future__ import annotations

from templates_src.core.parameters.declaration import wired
from templates_src.core.parameters.groups import SECURITY_OUTPUTS
from templates_src.core.parameters.wiring.identifiers import ROLE_NAME, role_arn, role_name

KEY_ARN = wired(
    "KeyArn",
    group=SECURITY_OUTPUTS,
    label="Encryption key",
    description="ARN of the KMS key of database, cache, secrets and logs.",
    pattern=r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+",
    message="KeyArn must be the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID.",
)
LOAD_BALANCER_SECURITY_GROUP_ID = wired(
    "LoadBalancerSecurityGroupId",
    group=SECURITY_OUTPUTS,
    label="Load balancer's security group",
    description="Security group of the load balancer.",
    type="AWS::EC2::SecurityGroup::Id",
)
API_SECURITY_GROUP_ID = wired(
    "ApiSecurityGroupId",
    group=SECURITY_OUTPUTS,
    label="Api's security group",
    description="Security group of the api's tasks.",
    type="AWS::EC2::SecurityGroup::Id",
)
WORKER_SECURITY_GROUP_ID = wired(
    "WorkerSecurityGroupId",
    group=SECURITY_OUTPUTS,
    label="Workers' security group",
    description="Security group of the worker's tasks.",
    type="AWS::EC2::SecurityGroup::Id",
)
BEAT_SECURITY_GROUP_ID = wired(
    "BeatSecurityGroupId",
    group=SECURITY_OUTPUTS,
    label="Beat's security group",
    description="Security group of beat's task; in the VPC it reaches only the cache.",
    type="AWS::EC2::SecurityGroup::Id",
)
SEARCH_SECURITY_GROUP_ID = wired(
    "SearchSecurityGroupId",
    group=SECURITY_OUTPUTS,
    label="Search server's security group",
    description="Security group of the search server.",
    type="AWS::EC2::SecurityGroup::Id",
)
FUNCTIONS_SECURITY_GROUP_ID = wired(
    "FunctionsSecurityGroupId",
    group=SECURITY_OUTPUTS,
    label="Functions' security group",
    description="Security group of the Lambda functions inside the VPC.",
    type="AWS::EC2::SecurityGroup::Id",
)
DATABASE_SECURITY_GROUP_ID = wired(
    "DatabaseSecurityGroupId",
    group=SECURITY_OUTPUTS,
    label="Database's security group",
    description="Security group of the database.",
    type="AWS::EC2::SecurityGroup::Id",
)
CACHE_SECURITY_GROUP_ID = wired(
    "CacheSecurityGroupId",
    group=SECURITY_OUTPUTS,
    label="Cache's security group",
    description="Security group of the cache.",
    type="AWS::EC2::SecurityGroup::Id",
)
EXECUTION_ROLE_ARN = role_arn(
    "ExecutionRoleArn",
    group=SECURITY_OUTPUTS,
    label="Execution role (ARN)",
    description="Role that ECS uses to pull the image, read secrets and write logs.",
)
EXECUTION_ROLE_NAME = role_name(
    "ExecutionRoleName",
    group=SECURITY_OUTPUTS,
    label="Execution role (name)",
    description="Name of the execution role, without its path.",
)
API_TASK_ROLE_ARN = role_arn(
    "ApiTaskRoleArn",
    group=SECURITY_OUTPUTS,
    label="Api's task role (ARN)",
    description="Role of the api's containers.",
)
API_TASK_ROLE_NAME = role_name(
    "ApiTaskRoleName",
    group=SECURITY_OUTPUTS,
    label="Api's task role (name)",
    description="Name of the api's task role, without its path.",
)
WORKER_TASK_ROLE_ARN = role_arn(
    "WorkerTaskRoleArn",
    group=SECURITY_OUTPUTS,
    label="Worker's task role (ARN)",
    description="Role of the worker's containers.",
)
WORKER_TASK_ROLE_NAME = role_name(
    "WorkerTaskRoleName",
    group=SECURITY_OUTPUTS,
    label="Worker's task role (name)",
    description="Name of the worker's task role, without its path.",
)
BEAT_TASK_ROLE_ARN = role_arn(
    "BeatTaskRoleArn",
    group=SECURITY_OUTPUTS,
    label="Beat's task role (ARN)",
    description="Role of beat's container.",
)
BEAT_TASK_ROLE_NAME = role_name(
    "BeatTaskRoleName",
    group=SECURITY_OUTPUTS,
    label="Beat's task role (name)",
    description="Name of beat's task role, without its path.",
)
DEPLOY_ROLE_NAME = wired(
    "DeployRoleName",
    group=SECURITY_OUTPUTS,
    label="Deploy role (name)",
    description="Name of the role that workflows of the GitHub repository assume, without its path; empty for none.",
    pattern=f"({ROLE_NAME})?",
    message="DeployRoleName must be empty or the name of an IAM role, without its path.",
    default="",
)
