"""The function through which a deploy role updates the image, because IAM cannot limit an update to one parameter."""

from __future__ import annotations

from collections.abc import Mapping

from awacs import awslambda, ecs, logs, servicecatalog
from awacs.aws import Action, Allow, ArnEquals, Condition, Statement, StringEquals
from troposphere import GetAtt, If, Join, Ref, Sub
from troposphere.awslambda import Function
from troposphere.ecs import Cluster, Service
from troposphere.iam import PolicyType

from templates_src.core import iam
from templates_src.core.function import add_function
from templates_src.core.layer import Layer
from templates_src.core.parameters.wiring.security import DEPLOY_ROLE_NAME

# Five calls of Service Catalog, or about ten of ECS and CloudWatch Logs, each with its retries.
TIMEOUT_SECONDS = 60


def add_image_update(layer: Layer, cluster: Cluster, services: Mapping[str, Service]) -> None:
    """The function, the deploy role's permission to invoke it, and their outputs, where there is a deploy role.

    The function's role owns the provisioned product, and the deploy role cannot call Service Catalog. An owner can
    change every parameter of a product, its version and its tags: no condition key of Service Catalog distinguishes them.
    The function also returns why ``services``, by the title of their workload, are not stable.
    """
    has_deploy_role = layer.has(DEPLOY_ROLE_NAME)
    function = add_function(
        layer,
        "image_update",
        description="Updates ImageTag of its own provisioned product for the deploy role",
        timeout_seconds=TIMEOUT_SECONDS,
        environment={
            "CLUSTER": Ref(cluster),
            "SERVICES": Join(
                " ",
                [
                    Join("=", [title.lower(), GetAtt(service, "Name"), Ref(f"{title}LogGroup")])
                    for title, service in services.items()
                ],
            ),
        },
        statements=(
            update_own_product(),
            read_product_parameters(),
            *read_reasons(cluster, services),
        ),
        condition=has_deploy_role,
    )
    allow_invocation(layer, function, has_deploy_role)
    layer.output(
        "ImageUpdateFunctionName",
        If(has_deploy_role, Ref(function), ""),
        "Function that deploys an image; empty without a deploy role",
        public=True,
    )
    layer.output(
        "ImageUpdateRoleArn",
        If(has_deploy_role, GetAtt("ImageUpdateRole", "Arn"), ""),
        "Role that must own the provisioned product for deployments; empty without a deploy role",
        public=True,
    )


def allow_invocation(layer: Layer, function: Function, has_deploy_role: str) -> None:
    """Workflows can deploy an image of the repository."""
    layer.add(
        PolicyType(
            "ImageUpdatePolicy",
            Condition=has_deploy_role,
            PolicyName="update-image",
            Roles=[layer.parameter(DEPLOY_ROLE_NAME)],
            PolicyDocument=iam.document(
                Statement(
                    Sid="UpdateTheImageOfThisEnvironment",
                    Effect=Allow,
                    Action=[awslambda.InvokeFunction],
                    Resource=[GetAtt(function, "Arn")],
                )
            ),
        )
    )


def update_own_product() -> Statement:
    """Update the provisioned product that the function's role owns, and follow the update.

    Service Catalog has no resource for a provisioned product, hence the ``*``. The level limits these actions:
    roleLevel covers the products that this role launched or owns, accountLevel every product of the account. The
    launcher makes the role the owner once (UpdateProvisionedProductProperties) and catalog.yaml gives it the portfolio.
    The launch role of the product's launch constraint does the rest, so this role needs no permissions on
    CloudFormation or on the resources of the stack.
    """
    return Statement(
        Sid="UpdateTheProductItOwns",
        Effect=Allow,
        Action=[
            servicecatalog.UpdateProvisionedProduct,
            servicecatalog.DescribeProvisionedProduct,
            servicecatalog.DescribeRecord,
        ],
        Resource=["*"],
        Condition=Condition(StringEquals({"servicecatalog:roleLevel": "self"})),
    )


def read_product_parameters() -> Statement:
    """List the parameters of a product's version, in a portfolio that has the role as a principal.

    An update resets a parameter that it does not name to its default, so the function names all parameters. The
    product's ID is unknown before it is published, and a shared product belongs to another account, hence the ``*``.
    """
    return Statement(
        Sid="ReadTheParametersOfItsProduct",
        Effect=Allow,
        Action=[servicecatalog.DescribeProvisioningParameters],
        Resource=[Sub("arn:${AWS::Partition}:catalog:${AWS::Region}:*:product/*")],
    )


def read_reasons(cluster: Cluster, services: Mapping[str, Service]) -> tuple[Statement, ...]:
    """Read the services of the environment, their deployments and tasks, and the logs of the tasks."""
    inside = Condition(ArnEquals({"ecs:cluster": GetAtt(cluster, "Arn")}))
    account = "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:"
    return (
        Statement(
            Sid="ReadTheServices",
            Effect=Allow,
            Action=[ecs.DescribeServices, Action("ecs", "ListServiceDeployments")],
            Resource=[Ref(service) for service in services.values()],
        ),
        Statement(
            Sid="ReadTheDeploymentsAndTasks",
            Effect=Allow,
            Action=[Action("ecs", "DescribeServiceDeployments"), ecs.DescribeTasks],
            # They have no IDs before they exist.
            Resource=[
                Sub(f"{account}service-deployment/${{{cluster.title}}}/*"),
                Sub(f"{account}task/${{{cluster.title}}}/*"),
            ],
        ),
        Statement(
            Sid="ListTheTasks",
            Effect=Allow,
            Action=[ecs.ListTasks],
            # The resource type of the action is the container instance, which Fargate does not have.
            Resource=["*"],
            Condition=inside,
        ),
        Statement(
            Sid="ReadTheLogsOfTheServices",
            Effect=Allow,
            Action=[logs.FilterLogEvents],
            Resource=[GetAtt(f"{title}LogGroup", "Arn") for title in services],
        ),
    )
