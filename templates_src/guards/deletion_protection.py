"""Deletion protection: a function of the root, as a custom resource, turns it on last."""

from __future__ import annotations

from collections.abc import Sequence

from awacs import cloudformation, elasticloadbalancing, rds
from awacs.aws import Allow, Statement
from troposphere import And, Condition, Equals, GetAtt, If, Not, Or, Ref, Sub
from troposphere.cloudformation import CustomResource
from troposphere.iam import PolicyType

from templates_src.core import iam
from templates_src.core.function import add_custom_resource, add_function
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import FALSE, TRUE, boolean
from templates_src.core.parameters.shared import RELEASE_PREFIX
from templates_src.data.database_parameters import DELETION_PROTECTION as DATABASE_PROTECTION
from templates_src.edge.template import DELETION_PROTECTION as LOAD_BALANCER_PROTECTION
from templates_src.guards.launch_check import LAUNCH_CHECK

DELETION_PROTECTION = "DeletionProtection"
# RDS accepts no change of a database for minutes while another one is in progress.
TIMEOUT_SECONDS = 300
# cfn-lint warns if DependsOn names a resource that a property also refers to.
COMPLETE_LIST = {
    "cfn-lint": {"config": {"ignore_checks": ["W3005"]}},
    "Reason": "DependsOn names every nested stack, so that the order does not depend on the properties.",
}
DATABASE = "Data.Outputs.DatabaseInstanceId"
LOAD_BALANCER = "Edge.Outputs.LoadBalancerArn"

DECOMMISSION = boolean(
    "Decommission",
    group=groups.ENVIRONMENT,
    label="Decommission",
    description="Set to true, in an update, before you delete a protected environment: true turns off the deletion protection of the stack, the database and the load balancer; false turns it on again where the other parameters require it.",
    default=FALSE,
)


def add_deletion_protection(root: Layer, nested: Sequence[str]) -> CustomResource:
    """The function and its custom resource, which CloudFormation creates last and deletes first.

    ``nested`` are the logical IDs of the nested stacks. The database and the load balancer are created without protection, so that
    a first launch that fails is rolled back completely. Its log group has no key of the environment, so that the function
    depends on no nested stack.
    """
    function = add_function(
        root,
        "deletion_protection",
        description="Turns deletion protection of the environment on and off",
        timeout_seconds=TIMEOUT_SECONDS,
        statements=(iam.see_own_stack("KnowItsStack"), protect_own_stack()),
        log_key=None,
    )
    # If the check refuses an update, the function does not change either: it and its role refer to the log group.
    root.template.resources[f"{DELETION_PROTECTION}LogGroup"].DependsOn = LAUNCH_CHECK
    policy = allow_changes(root)
    return add_custom_resource(
        root,
        DELETION_PROTECTION,
        function,
        DependsOn=[policy.title, *nested],
        Metadata=COMPLETE_LIST,
        Database=GetAtt(*DATABASE.split(".", 1)),
        LoadBalancer=GetAtt(*LOAD_BALANCER.split(".", 1)),
        Decommission=root.parameter(DECOMMISSION),
        Release=root.parameter(RELEASE_PREFIX),
        **{name: If(condition, TRUE, FALSE) for name, condition in protected(root).items()},
    )


def protected(root: Layer) -> dict[str, str]:
    """The conditions by property. The stack is protected if the database or the load balancer is."""
    kept = Not(Equals(root.parameter(DECOMMISSION), TRUE))
    database = root.condition(
        "ProtectDatabase", And(Equals(root.parameter(DATABASE_PROTECTION), TRUE), kept)
    )
    balancer = root.condition(
        "ProtectLoadBalancer", And(Equals(root.parameter(LOAD_BALANCER_PROTECTION), TRUE), kept)
    )
    stack = root.condition("ProtectStack", Or(Condition(database), Condition(balancer)))
    return {"ProtectDatabase": database, "ProtectLoadBalancer": balancer, "ProtectStack": stack}


def protect_own_stack() -> Statement:
    """Turn termination protection of the root stack on and off; it applies to the nested stacks too."""
    return Statement(
        Sid="ProtectItsStack",
        Effect=Allow,
        Action=[cloudformation.UpdateTerminationProtection],
        Resource=[Ref("AWS::StackId")],
    )


def allow_changes(root: Layer) -> PolicyType:
    """The function can protect this database and this load balancer.

    A separate resource, because the function's role exists before them. IAM has no condition key for the attribute that
    a call changes, so the function's code, which other principals cannot change, limits the calls to the protection.
    """
    return root.add(
        PolicyType(
            f"{DELETION_PROTECTION}Policy",
            PolicyName="protect",
            Roles=[Ref(f"{DELETION_PROTECTION}Role")],
            PolicyDocument=iam.document(
                Statement(
                    Sid="ProtectTheDatabase",
                    Effect=Allow,
                    Action=[rds.DescribeDBInstances, rds.ModifyDBInstance],
                    Resource=[
                        Sub(
                            f"arn:${{AWS::Partition}}:rds:${{AWS::Region}}:${{AWS::AccountId}}:db:${{{DATABASE}}}"
                        )
                    ],
                ),
                Statement(
                    Sid="ProtectTheLoadBalancer",
                    Effect=Allow,
                    Action=[elasticloadbalancing.ModifyLoadBalancerAttributes],
                    Resource=[GetAtt(*LOAD_BALANCER.split(".", 1))],
                ),
            ),
        )
    )
