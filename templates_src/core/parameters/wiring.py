"""Values that a layer passes to a later one. Each is an output of the layer that names its group."""

from __future__ import annotations

from templates_src.core.parameters.declaration import Declaration, wired
from templates_src.core.parameters.groups import SOURCES, outputs_of

NETWORK, SECURITY, DATA, EDGE, COMPUTE = map(outputs_of, SOURCES)

ROLE_NAME = r"[\w+=,.@-]{1,64}"
ROLE_ARN = r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+"
SECRET_ARN = r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+"  # noqa: S105


def role_arn(name: str, *, group: str, label: str, description: str) -> Declaration:
    """Declare the ARN of an IAM role that an earlier layer outputs."""
    message = f"{name} must be the ARN of an IAM role, arn:aws:iam::ACCOUNT:role/NAME."
    return wired(
        name, group=group, label=label, description=description, pattern=ROLE_ARN, message=message
    )


def role_name(name: str, *, group: str, label: str, description: str) -> Declaration:
    """Declare the name of an IAM role that an earlier layer outputs."""
    message = f"{name} must be the name of an IAM role, without its path."
    return wired(
        name, group=group, label=label, description=description, pattern=ROLE_NAME, message=message
    )


def secret_arn(name: str, *, group: str, label: str, description: str) -> Declaration:
    """Declare the ARN of a secret that an earlier layer outputs."""
    message = f"{name} must be the ARN of a secret of Secrets Manager."
    return wired(
        name, group=group, label=label, description=description, pattern=SECRET_ARN, message=message
    )


VPC_ID = wired(
    "VpcId",
    group=NETWORK,
    label="VPC",
    description="VPC of the environment.",
    type="AWS::EC2::VPC::Id",
)
PUBLIC_SUBNET_IDS = wired(
    "PublicSubnetIds",
    group=NETWORK,
    label="Public subnets",
    description="Subnets with a default route to the internet gateway, one in each zone.",
    type="List<AWS::EC2::Subnet::Id>",
)
PRIVATE_SUBNET_IDS = wired(
    "PrivateSubnetIds",
    group=NETWORK,
    label="Private subnets",
    description="Subnets with a default route to a NAT gateway, one in each zone.",
    type="List<AWS::EC2::Subnet::Id>",
)
FIRST_PRIVATE_SUBNET_ID = wired(
    "FirstPrivateSubnetId",
    group=NETWORK,
    label="Search server's subnet",
    description="Private subnet in FirstPrivateSubnetZone.",
    type="AWS::EC2::Subnet::Id",
)
FIRST_PRIVATE_SUBNET_ZONE = wired(
    "FirstPrivateSubnetZone",
    group=NETWORK,
    label="Search volume's zone",
    description="Availability zone of FirstPrivateSubnetId.",
    type="AWS::EC2::AvailabilityZone::Name",
)
DATA_SUBNET_IDS = wired(
    "DataSubnetIds",
    group=NETWORK,
    label="Data subnets",
    description="Subnets without a route to the internet, one in each zone.",
    type="List<AWS::EC2::Subnet::Id>",
)

KEY_ARN = wired(
    "KeyArn",
    group=SECURITY,
    label="Encryption key",
    description="ARN of the KMS key of database, cache, secrets and logs.",
    pattern=r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+",
    message="KeyArn must be the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID.",
)
LOAD_BALANCER_SECURITY_GROUP_ID = wired(
    "LoadBalancerSecurityGroupId",
    group=SECURITY,
    label="Load balancer's security group",
    description="Security group of the load balancer.",
    type="AWS::EC2::SecurityGroup::Id",
)
API_SECURITY_GROUP_ID = wired(
    "ApiSecurityGroupId",
    group=SECURITY,
    label="Api's security group",
    description="Security group of the api's tasks.",
    type="AWS::EC2::SecurityGroup::Id",
)
WORKER_SECURITY_GROUP_ID = wired(
    "WorkerSecurityGroupId",
    group=SECURITY,
    label="Workers' security group",
    description="Security group of the worker's tasks.",
    type="AWS::EC2::SecurityGroup::Id",
)
BEAT_SECURITY_GROUP_ID = wired(
    "BeatSecurityGroupId",
    group=SECURITY,
    label="Beat's security group",
    description="Security group of beat's task; in the VPC it reaches only the cache.",
    type="AWS::EC2::SecurityGroup::Id",
)
SEARCH_SECURITY_GROUP_ID = wired(
    "SearchSecurityGroupId",
    group=SECURITY,
    label="Search server's security group",
    description="Security group of the search server.",
    type="AWS::EC2::SecurityGroup::Id",
)
FUNCTIONS_SECURITY_GROUP_ID = wired(
    "FunctionsSecurityGroupId",
    group=SECURITY,
    label="Functions' security group",
    description="Security group of the Lambda functions inside the VPC.",
    type="AWS::EC2::SecurityGroup::Id",
)
DATABASE_SECURITY_GROUP_ID = wired(
    "DatabaseSecurityGroupId",
    group=SECURITY,
    label="Database's security group",
    description="Security group of the database.",
    type="AWS::EC2::SecurityGroup::Id",
)
CACHE_SECURITY_GROUP_ID = wired(
    "CacheSecurityGroupId",
    group=SECURITY,
    label="Cache's security group",
    description="Security group of the cache.",
    type="AWS::EC2::SecurityGroup::Id",
)
EXECUTION_ROLE_ARN = role_arn(
    "ExecutionRoleArn",
    group=SECURITY,
    label="Execution role (ARN)",
    description="Role that ECS uses to pull the image, read secrets and write logs.",
)
EXECUTION_ROLE_NAME = role_name(
    "ExecutionRoleName",
    group=SECURITY,
    label="Execution role (name)",
    description="Name of the execution role, without its path.",
)
API_TASK_ROLE_ARN = role_arn(
    "ApiTaskRoleArn",
    group=SECURITY,
    label="Api's task role (ARN)",
    description="Role of the api's containers.",
)
API_TASK_ROLE_NAME = role_name(
    "ApiTaskRoleName",
    group=SECURITY,
    label="Api's task role (name)",
    description="Name of the api's task role, without its path.",
)
WORKER_TASK_ROLE_ARN = role_arn(
    "WorkerTaskRoleArn",
    group=SECURITY,
    label="Worker's task role (ARN)",
    description="Role of the worker's containers.",
)
WORKER_TASK_ROLE_NAME = role_name(
    "WorkerTaskRoleName",
    group=SECURITY,
    label="Worker's task role (name)",
    description="Name of the worker's task role, without its path.",
)
BEAT_TASK_ROLE_ARN = role_arn(
    "BeatTaskRoleArn",
    group=SECURITY,
    label="Beat's task role (ARN)",
    description="Role of beat's container.",
)
BEAT_TASK_ROLE_NAME = role_name(
    "BeatTaskRoleName",
    group=SECURITY,
    label="Beat's task role (name)",
    description="Name of beat's task role, without its path.",
)
DEPLOY_ROLE_NAME = wired(
    "DeployRoleName",
    group=SECURITY,
    label="Deploy role (name)",
    description="Name of the role that workflows of the GitHub repository assume, without its path; empty for none.",
    pattern=f"({ROLE_NAME})?",
    message="DeployRoleName must be empty or the name of an IAM role, without its path.",
    default="",
)
DATABASE_SECRET_ARN = secret_arn(
    "DatabaseSecretArn",
    group=SECURITY,
    label="Database secret",
    description="ARN of the secret that holds the database's master user name and password.",
)
DATABASE_USER_SECRET_ARN = secret_arn(
    "DatabaseUserSecretArn",
    group=SECURITY,
    label="Database user's secret",
    description="ARN of the secret that holds the application's database user and its password.",
)
CACHE_SECRET_ARN = secret_arn(
    "CacheSecretArn",
    group=SECURITY,
    label="Cache secret",
    description="ARN of the secret that holds the cache's user name and password.",
)
CACHE_SECOND_SECRET_ARN = secret_arn(
    "CacheSecondSecretArn",
    group=SECURITY,
    label="Second cache secret",
    description="ARN of the secret that holds the cache's second user name and its password.",
)
JWT_SECOND_SECRET_ARN = secret_arn(
    "JwtSecondSecretArn",
    group=SECURITY,
    label="Second JWT secret",
    description="ARN of the second secret for tokens that the api accepts.",
)
SESSION_SECOND_KEY_SECRET_ARN = secret_arn(
    "SessionSecondKeySecretArn",
    group=SECURITY,
    label="Second session key",
    description="ARN of the second secret for sessions that the api accepts.",
)
JWT_SECRET_ARN = secret_arn(
    "JwtSecretArn",
    group=SECURITY,
    label="JWT secret",
    description="ARN of the secret that signs the api's tokens.",
)
SESSION_KEY_SECRET_ARN = secret_arn(
    "SessionKeySecretArn",
    group=SECURITY,
    label="Session key",
    description="ARN of the secret that signs sessions.",
)
SEARCH_KEY_SECRET_ARN = secret_arn(
    "SearchKeySecretArn",
    group=SECURITY,
    label="Search key",
    description="ARN of the secret that holds Meilisearch's master key.",
)
CLAUDE_API_KEY_SECRET_ARN = secret_arn(
    "ClaudeApiKeySecretArn",
    group=SECURITY,
    label="Claude API key",
    description="ARN of the secret that holds the Claude API key.",
)
CLIMATIQ_API_KEY_SECRET_ARN = secret_arn(
    "ClimatiqApiKeySecretArn",
    group=SECURITY,
    label="Climatiq API key",
    description="ARN of the secret that holds the Climatiq API key.",
)

HOST_NAME = r"[a-zA-Z0-9.-]+"
DATABASE_HOST = wired(
    "DatabaseHost",
    group=DATA,
    label="Database host",
    description="Host name of the database.",
    pattern=HOST_NAME,
    message="DatabaseHost must be the host name of the database.",
)
CACHE_HOST = wired(
    "CacheHost",
    group=DATA,
    label="Cache host",
    description="Host name of the cache.",
    pattern=HOST_NAME,
    message="CacheHost must be the host name of the cache.",
)
CACHE_PORT = wired(
    "CachePort",
    group=DATA,
    label="Cache port",
    description="Port of the cache.",
    pattern=r"[1-9]\d{0,4}",
    message="CachePort must be the port of the cache, such as 6379.",
)
CACHE_USER_NAME = wired(
    "CacheUserName",
    group=DATA,
    label="Cache user",
    description="Name of the cache's user in use.",
    pattern="[a-z][a-z0-9-]*",
    message="CacheUserName must be the name of a user of the cache.",
)
CACHE_USER_SECRET_ARN = secret_arn(
    "CacheUserSecretArn",
    group=DATA,
    label="Cache user's secret",
    description="ARN of the secret that holds the password of the cache's user in use.",
)
CACHE_CREDENTIALS_IN_USE = wired(
    "CacheCredentialsInUse",
    group=DATA,
    label="Cache credentials in use",
    description="Credentials of the cache in use and their version, such as first/1.",
    pattern=r"(first|second)/[1-9]\d{0,2}",
    message="CacheCredentialsInUse must be first or second, a slash and a version, such as first/1.",
)
DATABASE_URL_SECRET_ARN = secret_arn(
    "DatabaseUrlSecretArn",
    group=DATA,
    label="Database URL",
    description="ARN of the secret that holds the database's URL, password included.",
)
CACHE_URL_SECRET_ARN = secret_arn(
    "CacheUrlSecretArn",
    group=DATA,
    label="Cache URL",
    description="ARN of the secret that holds the cache's URL, password included.",
)
SEARCH_VOLUME_ID = wired(
    "SearchVolumeId",
    group=DATA,
    label="Search volume",
    description="EBS volume of the search index, in FirstPrivateSubnetZone.",
    type="AWS::EC2::Volume::Id",
)
DOCUMENTS_BUCKET_NAME = wired(
    "DocumentsBucketName",
    group=DATA,
    label="Documents bucket",
    description="Bucket of application documents and reports.",
    pattern=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    message="DocumentsBucketName must be the name of an S3 bucket.",
)
MEDIA_BUCKET_NAME = wired(
    "MediaBucketName",
    group=DATA,
    label="Media bucket",
    description="Bucket of logos and images.",
    pattern=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    message="MediaBucketName must be the name of an S3 bucket.",
)

TARGET_GROUP_ARN = wired(
    "TargetGroupArn",
    group=EDGE,
    label="Target group",
    description="ARN of the target group of the api's tasks.",
    pattern=r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup/[\w-]+/[0-9a-z]+",
    message="TargetGroupArn must be the ARN of a target group whose target type is ip.",
)
