"""The calls of the functions, with the resources that their settings and requests name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipeline.checks.render import Rendered
from pipeline.template.example_values import ACCOUNT
from templates_src.environment import ROOT
from templates_src.functions.launch_check.deployed import LAYERS
from templates_src.functions.launch_check.service_linked_roles import SERVICES
from templates_src.functions.run_migration.tasks import TAG
from tests.relations.identity.needs import Need, arn, needs, place
from tests.relations.identity.needs_of_tasks import (
    cluster,
    namespace,
    read_secret,
    stack,
    tags_of,
    tasks,
)
from tests.relations.text import listed, text_of
from tests.rendering import Resource, id_of, ids_in, named, resources, resources_of_type

FUNCTION = "AWS::Lambda::Function"
# Those of AWSLambdaVPCAccessExecutionRole. Lambda makes these calls, not the code.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
CONNECT = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
READ_BUCKET = (
    "s3:GetBucketCORS",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:ListBucket",
)
Needs = Callable[[Rendered, Resource, str], Iterator[Need]]


def needs_of_functions(rendered: Rendered) -> Iterator[Need]:
    """Of each function: its log, its secrets, its network interfaces, and the calls of its code."""
    for function in resources_of_type(rendered, FUNCTION):
        role = id_of(rendered, function.layer, function.properties["Role"])
        group = place(rendered, function.layer, function.properties["LoggingConfig"]["LogGroup"])
        yield from needs(role, ["logs:CreateLogStream", "logs:PutLogEvents"], [group])
        if "VpcConfig" in function.properties:
            yield from needs(role, CONNECT)
        own = OF_CODE.get(function.properties["Handler"].split(".")[1])
        if own:
            yield from own(rendered, function, role)


def interfaces_of_code(rendered: Rendered) -> Iterator[Need]:
    """The calls of Lambda that the code of a function must not make; Lambda sends this key for calls of the code."""
    for function in resources_of_type(rendered, FUNCTION):
        if "VpcConfig" in function.properties:
            role = id_of(rendered, function.layer, function.properties["Role"])
            source = arn(rendered, "lambda", f"function:{function.logical_id}")
            yield from needs(role, CONNECT, ["*"], {"lambda:SourceFunctionArn": source})


def _requests(rendered: Rendered, function: Resource) -> Iterator[Resource]:
    """The custom resources of a function."""
    for kind, resource in resources(rendered):
        if kind.startswith("Custom::"):
            service = id_of(rendered, resource.layer, resource.properties["ServiceToken"])
            if service == function.logical_id:
                yield resource


def _own_stack(rendered: Rendered, function: Resource, role: str, *more: str) -> Iterator[Need]:
    """Read the state of the stack, and of others by the beginning of their ARN."""
    yield Need(role, "cloudformation:DescribeStacks", stack(rendered, function.layer))
    for layer in more:
        yield Need(role, "cloudformation:DescribeStacks", stack(rendered, layer))


def _secrets(rendered: Rendered, function: Resource, role: str) -> Iterator[Need]:
    """The secrets that the settings of a function, or its requests, name."""
    given = [function.properties.get("Environment", {}), *_request_values(rendered, function)]
    named_ids = {name for value in given for name in ids_in(rendered, function.layer, value)}
    for secret in resources_of_type(rendered, "AWS::SecretsManager::Secret"):
        if secret.logical_id in named_ids:
            yield from read_secret(rendered, role, f"{{{secret.logical_id}}}")


def _request_values(rendered: Rendered, function: Resource) -> Iterator[dict[str, object]]:
    for request in _requests(rendered, function):
        yield dict(request.properties)


def _application_settings(rendered: Rendered, function: Resource, role: str) -> Iterator[Need]:
    yield from _own_stack(rendered, function, role)
    yield from _secrets(rendered, function, role)
    for request in _requests(rendered, function):
        bucket = place(rendered, request.layer, request.properties["Bucket"])
        yield Need(role, "s3:GetObject", f"{bucket}/{text_of(request.properties['Key'])}")


def _bucket_removal(rendered: Rendered, function: Resource, role: str) -> Iterator[Need]:
    yield from _own_stack(rendered, function, role)
    empties = rendered.parameters[ROOT]["BucketRemoval"] == "empty"
    for request in _requests(rendered, function):
        for each in listed(request.properties.get("Buckets")):
            bucket = place(rendered, request.layer, each)
            yield from needs(role, ["s3:ListBucketVersions", "s3:DeleteBucket"], [bucket])
            if empties:
                yield Need(role, "s3:ListBucketMultipartUploads", bucket)
                # DeleteObject for delete markers, which S3 deletes like objects.
                actions = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion")
                yield from needs(role, actions, [f"{bucket}/report.pdf"])


def _database_storage(rendered: Rendered, _: Resource, role: str) -> Iterator[Need]:
    yield Need(role, "rds:DescribeDBInstances", arn(rendered, "rds", "db:{Database}"))
    yield Need(role, "cloudwatch:PutMetricData", "*", namespace(rendered))


def _deletion_protection(rendered: Rendered, function: Resource, role: str) -> Iterator[Need]:
    yield from _own_stack(rendered, function, role)
    own = stack(rendered, function.layer)
    yield Need(role, "cloudformation:UpdateTerminationProtection", own)
    database = arn(rendered, "rds", "db:{Database}")
    yield from needs(role, ["rds:DescribeDBInstances", "rds:ModifyDBInstance"], [database])
    yield Need(role, "elasticloadbalancing:ModifyLoadBalancerAttributes", "{LoadBalancer}")


def _development_certificate(rendered: Rendered, function: Resource, role: str) -> Iterator[Need]:
    own = stack(rendered, function.layer)
    certificate = arn(rendered, "acm", "certificate/0123")
    imports = ["acm:ImportCertificate", "acm:AddTagsToCertificate"]
    # The first import has tags in the request and none on the resource; a later one has both of this environment.
    yield from needs(role, imports, [certificate], {"aws:RequestTag/StackId": own})
    of_the_stack = {"aws:ResourceTag/StackId": own}
    yield from needs(
        role,
        [*imports, "acm:DescribeCertificate", "acm:DeleteCertificate"],
        [certificate],
        of_the_stack,
    )


def certificates_of_others(rendered: Rendered) -> Iterator[Need]:
    """A request with the own tag for a certificate that has the tags of another environment or project."""
    for function in resources_of_type(rendered, FUNCTION):
        if function.properties["Handler"].split(".")[1] != "development_certificate":
            continue
        role = id_of(rendered, function.layer, function.properties["Role"])
        for foreign in ("Project", "Environment"):
            context = {
                **tags_of(rendered),
                f"aws:ResourceTag/{foreign}": "other",
                "aws:RequestTag/StackId": stack(rendered, function.layer),
            }
            certificate = arn(rendered, "acm", "certificate/4567")
            actions = ["acm:ImportCertificate", "acm:AddTagsToCertificate"]
            yield from needs(role, actions, [certificate], context)


def _image_update(rendered: Rendered, _: Resource, role: str) -> Iterator[Need]:
    catalog = ("DescribeProvisionedProduct", "DescribeRecord", "UpdateProvisionedProduct")
    level = {"servicecatalog:roleLevel": "self"}
    yield from needs(role, [f"servicecatalog:{each}" for each in catalog], ["*"], level)
    product = f"arn:aws:catalog:{rendered.region}:{ACCOUNT}:product/prod-0123"
    yield Need(role, "servicecatalog:DescribeProvisioningParameters", product)
    services = [
        f"{{{each.logical_id}}}" for each in resources_of_type(rendered, "AWS::ECS::Service")
    ]
    yield from needs(role, ["ecs:DescribeServices", "ecs:ListServiceDeployments"], services)
    deployment = arn(rendered, "ecs", "service-deployment/{Cluster}/api/0123")
    yield Need(role, "ecs:DescribeServiceDeployments", deployment)
    yield Need(role, "ecs:DescribeTasks", tasks(rendered))
    yield Need(role, "ecs:ListTasks", "*", cluster())
    for each in resources_of_type(rendered, "AWS::ECS::Service"):
        task = named(rendered, id_of(rendered, each.layer, each.properties["TaskDefinition"]))
        for container in task.properties["ContainerDefinitions"]:
            group = container["LogConfiguration"]["Options"]["awslogs-group"]
            yield Need(role, "logs:FilterLogEvents", place(rendered, task.layer, group))


def _launch_check(rendered: Rendered, function: Resource, role: str) -> Iterator[Need]:
    given = rendered.parameters[ROOT]
    yield from _own_stack(rendered, function, role)
    root = stack(rendered, function.layer)
    yield Need(role, "cloudformation:DescribeStackResources", root)
    for layer in LAYERS:
        nested = root.removesuffix("/1") + f"-{layer}-1ABCDEFGH/0123"
        yield Need(role, "cloudformation:DescribeStacks", nested)
    prefix = f"{given['Project']}-{given['Environment']}"
    suffix = f"-{ACCOUNT}-{rendered.region}-an"
    names = [f"{prefix}-{kind}{end}" for kind in ("documents", "media") for end in ("", suffix)]
    yield from needs(role, READ_BUCKET, [f"arn:aws:s3:::{name}" for name in names])
    for action, target in (
        ("rds:DescribeDBInstances", arn(rendered, "rds", "db:database-1")),
        ("rds:DescribeDBSnapshots", arn(rendered, "rds", "snapshot:before")),
        ("kms:DescribeKey", arn(rendered, "kms", "key/0123")),
        ("route53:ListResourceRecordSets", "arn:aws:route53:::hostedzone/Z0123"),
        ("acm:DescribeCertificate", arn(rendered, "acm", "certificate/0123")),
        ("ec2:DescribeAvailabilityZones", "*"),
        ("ec2:DescribeSnapshots", "*"),
    ):
        yield Need(role, action, target)
    linked = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/"
    for service in SERVICES:
        target = f"{linked}{service}/AWSServiceRole"
        yield Need(role, "iam:CreateServiceLinkedRole", target, {"iam:AWSServiceName": service})


def _queue_depth(rendered: Rendered, function: Resource, role: str) -> Iterator[Need]:
    # Both passwords: an update of the stack changes the setting of the function before or after its role.
    for secret in ("{CacheSecret}", "{CacheSecondSecret}"):
        yield from read_secret(rendered, role, secret)
    yield from _secrets(rendered, function, role)
    yield Need(role, "ecs:DescribeServices", "{WorkerService}", cluster())
    yield Need(role, "cloudwatch:PutMetricData", "*", namespace(rendered))


def _run_migration(rendered: Rendered, function: Resource, role: str) -> Iterator[Need]:
    yield from _own_stack(rendered, function, role)
    for request in _requests(rendered, function):
        definition = id_of(rendered, request.layer, request.properties["TaskDefinition"])
        task = named(rendered, definition)
        family = text_of(task.properties["Family"])
        revision = arn(rendered, "ecs", f"task-definition/{family}:7")
        yield Need(role, "ecs:RunTask", revision, cluster())
        yield Need(role, "ecs:TagResource", tasks(rendered), {"ecs:CreateAction": "RunTask"})
        passed = [
            place(rendered, task.layer, task.properties[key])
            for key in ("ExecutionRoleArn", "TaskRoleArn")
        ]
        to = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
        yield from needs(role, ["iam:PassRole"], passed, to)
        yield Need(role, "ecs:ListTasks", "*", cluster())
        yield Need(role, "ecs:DescribeTasks", tasks(rendered), cluster())
        started = {f"aws:ResourceTag/{TAG['key']}": TAG["value"]}
        yield Need(role, "ecs:StopTask", tasks(rendered), started)
        group = place(rendered, request.layer, request.properties["LogGroup"])
        yield Need(role, "logs:GetLogEvents", group)
    yield Need(role, "lambda:InvokeFunction", f"{{{function.logical_id}}}")


def _zone_cleanup(rendered: Rendered, function: Resource, role: str) -> Iterator[Need]:
    yield from _own_stack(rendered, function, role)
    for request in _requests(rendered, function):
        zone = named(rendered, id_of(rendered, request.layer, request.properties["HostedZoneId"]))
        name = text_of(zone.properties["Name"]).rstrip(".")
        target = f"arn:aws:route53:::hostedzone/{{{zone.logical_id}}}"
        yield Need(role, "route53:ListResourceRecordSets", target)
        change = "route53:ChangeResourceRecordSets"
        context = {
            f"{change}Actions": ["DELETE"],
            f"{change}NormalizedRecordNames": [f"search.{name}"],
        }
        yield Need(role, change, target, context)


def _only_secrets(rendered: Rendered, function: Resource, role: str) -> Iterator[Need]:
    yield from _secrets(rendered, function, role)


OF_CODE: dict[str, Needs] = {
    "application_settings": _application_settings,
    "bucket_removal": _bucket_removal,
    "database_extensions": _only_secrets,
    "database_storage": _database_storage,
    "deletion_protection": _deletion_protection,
    "development_certificate": _development_certificate,
    "image_update": _image_update,
    "launch_check": _launch_check,
    "queue_depth": _queue_depth,
    "run_migration": _run_migration,
    "zone_cleanup": _zone_cleanup,
}
