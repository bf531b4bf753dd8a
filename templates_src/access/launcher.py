"""The launcher: a role that launches, updates and terminates products, and follows what they do."""

from __future__ import annotations

from collections.abc import Iterable

from awacs import cloudformation, ec2, ecs, elasticloadbalancing, logs, s3, servicecatalog
from awacs.aws import Action, Allow, ArnLike, Condition, PolicyDocument, Statement, StringEquals
from troposphere import GetAtt, Ref, Split, Sub
from troposphere.iam import ManagedPolicy, Role

from templates_src import environment
from templates_src.access.trust import role_name, trusted
from templates_src.core import iam
from templates_src.core.errors import TemplateError
from templates_src.core.layer import Layer
from templates_src.core.parameters.declaration import choice
from templates_src.core.parameters.shared import ENVIRONMENT, ENVIRONMENTS, PROD, PROJECT
from templates_src.launch_role.bindings import STACK_NAMES
from templates_src.launch_role.environments import COMBINATIONS, SEPARATOR

NAME = "launcher-role"

LAUNCHER_ROLE_NAME = role_name(
    "LauncherRoleName", label="Launcher role", default="carbon-connect-launcher"
)
LOG_ENVIRONMENTS = choice(
    "LogEnvironments",
    group="Role",
    label="Environments whose logs are read",
    description="Environments whose application logs the role reads. Launchers of production need prod for the log lines of a failed update.",
    allowed=COMBINATIONS,
    default=SEPARATOR.join(each for each in ENVIRONMENTS if each != PROD),
)
# The prefix of the keys of a release's templates, and of its products.
RELEASES = "carbon-connect"
# The calls with which the console reads the choices of a parameter with an AWS type, by the type within List<…>.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
FORM_CALLS = {
    "AWS::EC2::AvailabilityZone::Name": ec2.DescribeAvailabilityZones,
    "AWS::EC2::Image::Id": ec2.DescribeImages,
    "AWS::EC2::Instance::Id": ec2.DescribeInstances,
    "AWS::EC2::KeyPair::KeyName": ec2.DescribeKeyPairs,
    "AWS::EC2::SecurityGroup::GroupName": ec2.DescribeSecurityGroups,
    "AWS::EC2::SecurityGroup::Id": ec2.DescribeSecurityGroups,
    "AWS::EC2::Subnet::Id": ec2.DescribeSubnets,
    "AWS::EC2::VPC::Id": ec2.DescribeVpcs,
    "AWS::EC2::Volume::Id": ec2.DescribeVolumes,
    "AWS::Route53::HostedZone::Id": Action("route53", "ListHostedZones"),
}


def launcher_role(layers: Iterable[Layer] | None = None) -> Layer:
    """The template, deployed once for each launcher role of an account; IAM has no region.

    ``layers`` are the templates of the products, by default all. The policy has a name, because a
    permission set of IAM Identity Center refers to a customer managed policy by its name. Raises TemplateError for a
    parameter of an AWS type whose choices no call here reads.
    """
    layer = Layer(NAME, "Carbon Connect: the role that uses the products", common=(PROJECT,))
    name = layer.parameter(LAUNCHER_ROLE_NAME)
    policy = layer.add(
        ManagedPolicy(
            "LauncherPolicy",
            ManagedPolicyName=name,
            Description="Carbon Connect: launch, update and terminate products",
            PolicyDocument=use_products(layer, parameter_types(layers or environment.layers())),
        )
    )
    role = layer.add(
        Role(
            "LauncherRole",
            RoleName=name,
            Description="Launches, updates and terminates the products of Carbon Connect",
            AssumeRolePolicyDocument=trusted(layer),
            ManagedPolicyArns=[Ref(policy)],
        )
    )
    layer.output("LauncherRoleArn", GetAtt(role, "Arn"), "ARN of the launcher role", public=True)
    layer.output("LauncherPolicyArn", Ref(policy), "ARN of the launcher role's policy", public=True)
    return layer


def parameter_types(layers: Iterable[Layer]) -> list[str]:
    """The AWS types among the parameters' types, without ``List<…>``."""
    types = (
        declaration.type.removeprefix("List<").removesuffix(">")
        for layer in layers
        for declaration in layer.declarations.values()
    )
    return sorted({kind for kind in types if "::" in kind})


def use_products(layer: Layer, types: Iterable[str]) -> PolicyDocument:
    """The permissions for launching from the console, the AWS CLI and build.py; products have parameters of these AWS types."""
    return iam.document(
        *launch_products(),
        own_products(),
        stack_progress(),
        *service_reasons(layer),
        template_summaries(),
        published_templates(),
        form(types),
    )


def launch_products() -> tuple[Statement, Statement]:
    """Find products and launch them. Service Catalog offers only those of portfolios that have the role as a principal."""
    return (
        Statement(
            Sid="FindProducts",
            Effect=Allow,
            Action=[servicecatalog.DescribeProductView, servicecatalog.SearchProducts],
            # The actions have no resource.
            Resource=["*"],
        ),
        Statement(
            Sid="LaunchProducts",
            Effect=Allow,
            Action=[
                servicecatalog.DescribeProduct,
                servicecatalog.DescribeProvisioningParameters,
                servicecatalog.ListLaunchPaths,
                servicecatalog.ProvisionProduct,
            ],
            # A product's ID is not known before it is published, and a shared product belongs to another account.
            Resource=[Sub("arn:${AWS::Partition}:catalog:*:*:product/*")],
        ),
    )


def own_products() -> Statement:
    """The provisioned products of the role, in any session: colleagues who share the role share its environments."""
    return Statement(
        Sid="UseWhatTheRoleLaunched",
        Effect=Allow,
        Action=[
            servicecatalog.DescribeProvisionedProduct,
            servicecatalog.DescribeRecord,
            servicecatalog.ListRecordHistory,
            servicecatalog.ScanProvisionedProducts,
            servicecatalog.SearchProvisionedProducts,
            servicecatalog.TerminateProvisionedProduct,
            servicecatalog.UpdateProvisionedProduct,
        ],
        # A provisioned product is not a resource in IAM; the level limits the actions.
        Resource=["*"],
        Condition=Condition(StringEquals({"servicecatalog:roleLevel": "self"})),
    )


def stack_progress() -> Statement:
    """Read the stacks of the account's provisioned products; their IDs are not known before the launch."""
    return Statement(
        Sid="ReadTheStacksOfProducts",
        Effect=Allow,
        Action=[
            # The reason for which CloudFormation refused resources before it created any.
            cloudformation.DescribeEvents,
            cloudformation.DescribeStackEvents,
            cloudformation.DescribeStackResources,
            cloudformation.DescribeStacks,
            # An update is compared with the deployed templates, which contain no secret.
            cloudformation.GetTemplate,
            cloudformation.ListStackResources,
        ],
        Resource=[
            Sub(f"arn:${{AWS::Partition}}:cloudformation:*:${{AWS::AccountId}}:stack/{STACK_NAMES}")
        ],
    )


def service_reasons(layer: Layer) -> tuple[Statement, ...]:
    """Read why a service of a product fails, and its log. CloudFormation begins the names of these with that of the stack."""
    return (
        Statement(
            Sid="ReadTheServicesOfProducts",
            Effect=Allow,
            Action=[
                ecs.DescribeServices,
                Action("ecs", "DescribeServiceDeployments"),
                ecs.DescribeTasks,
                Action("ecs", "ListServiceDeployments"),
            ],
            Resource=of_products("ecs", "service", "service-deployment", "task"),
        ),
        Statement(
            Sid="ReadTheLogsOfSomeEnvironments",
            Effect=Allow,
            # GetLogEvents cannot be limited by the tags of a log group.
            Action=[logs.FilterLogEvents],
            Resource=of_products("logs", "log-group:", separator=""),
            Condition=Condition(
                StringEquals(
                    {
                        f"aws:ResourceTag/{PROJECT.name}": layer.parameter(PROJECT),
                        f"aws:ResourceTag/{ENVIRONMENT.name}": Split(
                            SEPARATOR, layer.parameter(LOG_ENVIRONMENTS)
                        ),
                    }
                )
            ),
        ),
        Statement(
            Sid="ListTheTasksOfProducts",
            Effect=Allow,
            Action=[ecs.ListTasks],
            # The resource of the action is a container instance, which Fargate does not have.
            Resource=["*"],
            Condition=Condition(ArnLike({"ecs:cluster": of_products("ecs", "cluster")})),
        ),
        Statement(
            Sid="ReadTheHealthOfTargets",
            Effect=Allow,
            Action=[elasticloadbalancing.DescribeTargetHealth],
            # The action has no resource.
            Resource=["*"],
        ),
    )


def of_products(service: str, *kinds: str, separator: str = "/") -> list[Sub]:
    """The ARNs of resources with names that CloudFormation gave in the stack of a product."""
    return [
        Sub(
            f"arn:${{AWS::Partition}}:{service}:*:${{AWS::AccountId}}:{kind}{separator}{STACK_NAMES}"
        )
        for kind in kinds
    ]


def template_summaries() -> Statement:
    """The launch form reads the parameters of a template, which is not a resource before it has a stack."""
    return Statement(
        Sid="ReadTheLaunchForm",
        Effect=Allow,
        Action=[cloudformation.GetTemplateSummary],
        Resource=["*"],
    )


def published_templates() -> Statement:
    """Read the templates of published versions, for the preview of an update to another version."""
    return Statement(
        Sid="ReadPublishedTemplates",
        Effect=Allow,
        Action=[s3.GetObject],
        # The publisher names the release bucket, which can be in another account. Only its templates have such keys.
        Resource=[Sub(f"arn:${{AWS::Partition}}:s3:::*/{RELEASES}/*{environment.TEMPLATE_SUFFIX}")],
    )


def form(types: Iterable[str]) -> Statement:
    """The choices that the launch form offers for parameters of AWS types; the actions have no resource."""
    types = list(types)
    if unknown := [kind for kind in types if kind not in FORM_CALLS]:
        raise TemplateError(
            f"A parameter has the type {unknown[0]}, and no call is known that reads its choices for the launch form; "
            "add the call in templates_src/access/launcher.py."
        )
    calls = {f"{call.prefix}:{call.action}": call for call in map(FORM_CALLS.__getitem__, types)}
    return Statement(
        Sid="OfferChoicesInTheLaunchForm",
        Effect=Allow,
        Action=[calls[name] for name in sorted(calls)],
        Resource=["*"],
    )
