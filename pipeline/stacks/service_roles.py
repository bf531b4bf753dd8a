"""The service-linked role of ECS, which an account lacks before its first cluster."""

from __future__ import annotations

from pipeline.aws import Aws

ECS = "ecs.amazonaws.com"


def create_role_of_ecs(aws: Aws) -> bool:
    """Create the role; return whether the account lacked it.

    ECS creates the role with the first cluster, and can fail to use it so soon. A launch that creates the role first has it for 20 minutes
    by then. Where the user may not create it, ECS does. IAM answers InvalidInput if the role exists.
    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/818
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        aws.client("iam").create_service_linked_role(AWSServiceName=ECS)
    except (BotoCoreError, ClientError):
        return False
    return True
