"""Service-linked roles have the names of AWS, and an account has each of them once.

ministack makes a name from the first label of the service, which is the same for ECS and for Application Auto Scaling of ECS.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
"""

from collections.abc import Callable
from typing import Any

from embedded_aws.bridge import functions, tables

ACTION = "CreateServiceLinkedRole"
PREFIX = "AWSServiceRoleFor"
NAMES = {
    "autoscaling.amazonaws.com": "AutoScaling",
    "ecs.amazonaws.com": "ECS",
    "ecs.application-autoscaling.amazonaws.com": "ApplicationAutoScaling_ECSService",
    "elasticache.amazonaws.com": "ElastiCache",
    "elasticloadbalancing.amazonaws.com": "ElasticLoadBalancing",
    "rds.amazonaws.com": "RDS",
}


def install() -> None:
    """Name the roles of these services as AWS does."""
    tables.IAM_ACTIONS[ACTION] = _named(tables.IAM_ACTIONS[ACTION])


def role_name(service: str) -> str:
    """The name of the service-linked role of a service."""
    return f"{PREFIX}{NAMES.get(service, _first_label(service))}"


def _first_label(service: str) -> str:
    return service.split(".", maxsplit=1)[0].capitalize()


def _named(create: Callable[..., Any]) -> Callable[..., Any]:
    def named(parameters: Any) -> Any:
        service = functions.request_field(parameters, "AWSServiceName")
        if service not in NAMES:
            return create(parameters)
        name = role_name(service)
        if name in tables.ROLES:
            return functions.iam_error(
                400,
                "InvalidInput",
                f"Service role name {name} has been taken in this account, please try a different suffix.",
                ns="iam",
            )
        status, headers, body = create(parameters)
        given = f"{PREFIX}{_first_label(service)}"
        role = tables.ROLES.pop(given)
        role.update(RoleName=name, Arn=f"{role['Arn'].rpartition('/')[0]}/{name}")
        tables.ROLES[name] = role
        return status, headers, body.replace(given.encode(), name.encode())

    return named
