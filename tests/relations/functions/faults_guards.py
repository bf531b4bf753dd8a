"""Faults in the functions of the root."""

from __future__ import annotations

from typing import Any

from pipeline.checks.render import Rendered
from tests.relations.functions import checks_guards as guards
from tests.relations.planting import append, body, drop, put
from tests.relations.registry import Fault


def linked(rendered: Rendered) -> dict[str, Any]:
    """The statement by which the launch check creates service-linked roles."""
    role = body(rendered, "LaunchCheckRole")["Properties"]["Policies"][0]
    (found,) = (
        each
        for each in role["PolicyDocument"]["Statement"]
        if each["Sid"] == "CreateServiceLinkedRoles"
    )
    statement: dict[str, Any] = found
    return statement


FAULTS = (
    Fault(
        "a nested stack that does not wait for the launch check",
        guards.nested_stacks_wait_for_the_launch_check,
        "Security may be created before LaunchCheck",
        drop("Security", "../DependsOn"),
    ),
    Fault(
        "protection before a nested stack",
        guards.protection_is_turned_on_last,
        "may be on before Network exists",
        put("DeletionProtection", "../DependsOn", ["DeletionProtectionPolicy", "Data", "Edge"]),
    ),
    Fault(
        "protection before its permissions",
        guards.protection_is_turned_on_last,
        "before its permissions exist",
        put("DeletionProtection", "../DependsOn", ["Data", "Edge"]),
    ),
    Fault(
        "protection that is retained",
        guards.protection_is_turned_on_last,
        "stays on when its stack is deleted",
        put("DeletionProtection", "../DeletionPolicy", "Retain"),
    ),
    Fault(
        "a database that is created protected",
        guards.nested_stacks_create_nothing_protected,
        "data.Database is created with deletion protection",
        put("Database", "DeletionProtection", "true"),
    ),
    Fault(
        "a log group that is created protected",
        guards.nested_stacks_create_nothing_protected,
        "network.FlowLogGroup is created with deletion protection",
        put("FlowLogGroup", "DeletionProtectionEnabled", True),
    ),
    Fault(
        "a load balancer that is created protected",
        guards.nested_stacks_create_nothing_protected,
        "edge.LoadBalancer is created with deletion protection",
        append(
            "LoadBalancer",
            "LoadBalancerAttributes",
            {"Key": "deletion_protection.enabled", "Value": "true"},
        ),
    ),
    Fault(
        "a launch check that changes something",
        guards.launch_check_only_reads,
        "LaunchCheck may call s3:DeleteBucket",
        append(
            "LaunchCheckRole", "Policies/0/PolicyDocument/Statement/1/Action", "s3:DeleteBucket"
        ),
    ),
    Fault(
        "a launch check that creates the role of another service",
        guards.launch_check_creates_the_service_linked_roles_of_the_launch,
        "exactly the roles of the services",
        lambda rendered: linked(rendered)["Condition"]["StringEquals"]["iam:AWSServiceName"].append(
            "organizations.amazonaws.com"
        ),
    ),
    Fault(
        "a launch check that creates other roles",
        guards.launch_check_creates_the_service_linked_roles_of_the_launch,
        "which is no service-linked role",
        lambda rendered: linked(rendered).update(Resource=["*"]),
    ),
    Fault(
        "protection of every database",
        guards.protection_reaches_its_stack_database_and_load_balancer,
        "may call rds:ModifyDBInstance on ",
        append(
            "DeletionProtectionPolicy",
            "PolicyDocument/Statement/0/Resource",
            "arn:aws:rds:eu-north-1:111122223333:db:*",
        ),
    ),
    Fault(
        "protection that can delete its stack",
        guards.protection_reaches_its_stack_database_and_load_balancer,
        "may call cloudformation:DeleteStack on own stack",
        append(
            "DeletionProtectionRole",
            "Policies/0/PolicyDocument/Statement/2/Action",
            "cloudformation:DeleteStack",
        ),
    ),
    Fault(
        "protection without a permission",
        guards.protection_reaches_its_stack_database_and_load_balancer,
        "may not call rds:ModifyDBInstance on its database",
        put(
            "DeletionProtectionPolicy",
            "PolicyDocument/Statement/0/Action",
            ["rds:DescribeDBInstances"],
        ),
    ),
)
