"""Turns the deletion protection of an environment on, after everything else exists, and off.

Handler: ``functions.deletion_protection.handler.handler``. Needs no VPC. The custom resource depends on every nested stack:
CloudFormation creates it last and deletes it first.

Properties, all strings: ``Database``, an identifier; ``LoadBalancer``, an ARN; ``ProtectDatabase``, ``ProtectLoadBalancer`` and
``ProtectStack``, true or false; ``Decommission``; ``Release``, so that every release sets the protection again.

Create, Update
    Set the protection of the database, of the load balancer and, last, termination protection of the root stack. Termination protection
    that a user turned on stays on: the function turns it off only with ``Decommission`` or where it was on by these properties before.
Delete
    Turn all protection off when the stack is deleted or its creation is rolled back. When an update or the rollback of one removes the
    resource, the template of the stack protects the database and the load balancer itself: turn off termination protection
    only, and only if this resource turned it on.

The function changes nothing unless an operation of the stack is in progress, so an event that CloudFormation did not send
lifts no protection of an environment at rest.

Permissions: ``cloudformation:DescribeStacks`` and ``cloudformation:UpdateTerminationProtection`` on its own root stack;
``rds:DescribeDBInstances`` and ``rds:ModifyDBInstance`` on the database; ``elasticloadbalancing:ModifyLoadBalancerAttributes`` on
the load balancer; its own log group.
"""

from collections.abc import Mapping
from typing import Any

from ..custom_resource import LambdaContext, ProvisioningError, Request, Result, serve
from ..stack_status import ENVIRONMENT_ENDS, describe_stack
from .protection import protect_database, protect_load_balancer, protect_stack

PHYSICAL_ID = "deletion-protection"
TURNED_ON_ID = "deletion-protection-of-the-stack"
"""Physical ID of a resource whose creation turned termination protection on; the stack had none before."""
TAKEN_BACK = frozenset(
    {
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    }
)
"""Statuses in which a Delete request means that an update, or its rollback, takes the resource out of the template."""
CHANGES = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"})
"""Statuses in which CloudFormation sends a Create or an Update request."""


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Answer one request of CloudFormation."""
    serve(event, context, work, PHYSICAL_ID)


def work(request: Request) -> Result:
    """Serve the request; see the module's docstring. Raises ProvisioningError."""
    stack = describe_stack(request.stack_id)
    status = stack["StackStatus"]
    if request.type == "Delete":
        remove(request, status)
        return Result(request.physical_id or PHYSICAL_ID)
    if status not in CHANGES:
        raise ProvisioningError(
            f"The stack is in {status}: deletion protection changes only in an operation of the stack. Update it with Decommission."
        )
    apply(request)
    turned_on = not stack["EnableTerminationProtection"] and _is(request.properties, "ProtectStack")
    return Result(request.physical_id or (TURNED_ON_ID if turned_on else PHYSICAL_ID))


def remove(request: Request, status: str) -> None:
    """Turn off the protection of an environment that goes, or of a template that leaves the stack unprotected."""
    if status in ENVIRONMENT_ENDS:
        lift(request, status)
        return
    protects = request.physical_id == TURNED_ON_ID and _is(request.properties, "ProtectStack")
    if status in TAKEN_BACK and protects:
        protect_stack(request.stack_id, False, request.deadline)


def apply(request: Request) -> None:
    """Set the protection that the properties describe; the stack's is set last."""
    properties, deadline = request.properties, request.deadline
    protect_database(properties["Database"], _is(properties, "ProtectDatabase"), deadline)
    protect_load_balancer(
        properties["LoadBalancer"], _is(properties, "ProtectLoadBalancer"), deadline
    )
    if _is(properties, "ProtectStack"):
        protect_stack(request.stack_id, True, deadline)
    elif _is(properties, "Decommission") or _is(request.old_properties, "ProtectStack"):
        protect_stack(request.stack_id, False, deadline)


def lift(request: Request, status: str) -> None:
    """Turn off the protection of an environment that goes."""
    protect_database(request.properties["Database"], False, request.deadline, must_exist=False)
    protect_load_balancer(
        request.properties["LoadBalancer"], False, request.deadline, must_exist=False
    )
    if status != "DELETE_IN_PROGRESS":
        # A stack whose creation failed could otherwise not be deleted. CloudFormation changes no stack in DELETE_IN_PROGRESS,
        # and would not have begun to delete one with termination protection.
        protect_stack(request.stack_id, False, request.deadline)


def _is(properties: Mapping[str, Any], name: str) -> bool:
    return properties.get(name) == "true"
