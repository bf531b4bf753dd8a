"""Creates the service-linked roles that the account lacks, at the start of the first launch.

Each service creates its role when it is first used, and can fail to use a role so new: IAM needs some seconds to spread it.

- ECS: "Unable to assume the service linked role", after the data layer is up.
  https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/818
- RDS: "Unable to create the resource. Verify that you have permission to create service linked role. Otherwise wait and try again
  later". https://github.com/hashicorp/terraform-provider-aws/pull/10100
- ElastiCache: "ServiceLinkedRoleNotFoundFault". https://github.com/aws-controllers-k8s/community/issues/367

The launch creates the network and its key before it uses one of these services, so a role that is created now is some minutes old by then.
A role belongs to the account: a template cannot create it, because the second environment would fail, and the deletion of an environment keeps it.
"""

import logging
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

SERVICES = (
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticache.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "rds.amazonaws.com",
)
"""The services that every launch uses and that have a role of their own which users can create.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
"""


def create_missing(clients: Callable[[str], Any]) -> list[str]:
    """Create the roles that do not exist, and return the services whose role was created.

    A role that exists stays as it is: IAM answers that its name "has been taken in this account". A role that must not be created here is
    left to its service, which creates it with the permissions of the launch. So no answer of IAM stops a launch.
    """
    iam = clients("iam")
    created = []
    for service in SERVICES:
        try:
            iam.create_service_linked_role(AWSServiceName=service)
        except (BotoCoreError, ClientError) as error:
            LOGGER.info("no service-linked role was created for %s: %s", service, error)
        else:
            LOGGER.info("created the service-linked role of %s", service)
            created.append(service)
    return created
