"""Functions and their code: settings, permissions, and the time that their caller waits."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from pipeline.checks.render import Rendered
from tests.relations.functions.function_code import properties_of, settings_of, texts_of
from tests.relations.identity.iam import allows
from tests.relations.registry import relation
from tests.relations.text import listed
from tests.rendering import id_of, named, resources, resources_of_type, role_statements

FUNCTION = "AWS::Lambda::Function"
SERVICES = (
    *("acm", "cloudformation", "cloudwatch", "ec2", "ecs", "elbv2", "iam", "kms", "logs", "rds"),
    *("route53", "s3", "secretsmanager", "servicecatalog"),
)
# Where IAM names the action of a call otherwise.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
ACTIONS = {
    "s3:DeleteObjects": "s3:DeleteObjectVersion",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjectsV2": "s3:ListBucket",
}
# A word of the code that is no call: Valkey's client has a method of this name.
NO_CALLS = frozenset({"ecs:ExecuteCommand"})
# What the handler names as a permission that its function lacks.
LACKED = {"image_update": frozenset({"elasticloadbalancing:DescribeTargetHealth"})}
# What only BucketRemoval=empty lets the function do.
EMPTYING = frozenset(
    {"s3:AbortMultipartUpload", "s3:DeleteObjectVersion", "s3:ListBucketMultipartUploads"}
)
IN_A_VPC = (
    *("ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
    *("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"),
)
# CloudFormation reads these properties of a custom resource itself.
WAITING = ("ServiceToken", "ServiceTimeout")
WRITES_ITS_LOG = ("logs:CreateLogStream", "logs:PutLogEvents")


@relation
def functions_may_do_what_their_code_does(rendered: Rendered) -> Iterator[str]:
    """The role of a function allows each call in its code, its log, and its network interface if it is in the VPC."""
    emptying = rendered.parameters["data"].get("BucketRemoval") == "empty"
    for function in resources_of_type(rendered, FUNCTION):
        role = id_of(rendered, function.layer, function.properties["Role"])
        allowed = {
            action
            for _, statement in role_statements(rendered, role)
            if statement["Effect"] == "Allow"
            for action in listed(statement["Action"])
        }
        needed = set(calls_of(function.properties["Handler"].split(".")[1]))
        if not emptying:
            needed -= EMPTYING
        if "VpcConfig" in function.properties:
            needed |= set(IN_A_VPC)
            if not _keeps_interfaces_from_code(rendered, role):
                yield f"{role} lets the code of {function.logical_id} create network interfaces."
        for action in sorted(needed - allowed):
            yield f"{role} does not allow {action}, which the code of {function.logical_id} calls."
        group = id_of(rendered, function.layer, function.properties["LoggingConfig"]["LogGroup"])
        for action in WRITES_ITS_LOG:
            if not allows(rendered, role, action, group):
                yield f"{role} does not allow {action} on {group}."


def _keeps_interfaces_from_code(rendered: Rendered, role: str) -> bool:
    """Whether only Lambda itself uses the permissions for interfaces.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice-security
    """
    return any(
        statement["Effect"] == "Deny"
        and set(IN_A_VPC) <= set(listed(statement["Action"]))
        and listed(statement.get("Resource")) == ["*"]
        and "lambda:SourceFunctionArn" in statement.get("Condition", {}).get("ArnLike", {})
        for _, statement in role_statements(rendered, role)
    )


@cache
def calls_of(folder: str) -> frozenset[str]:
    """The actions that the code of a function calls, with the modules that it imports from this project."""
    words = texts_of(folder)
    return frozenset(
        ACTIONS.get(call, call.replace("elbv2:", "elasticloadbalancing:"))
        for call, method in methods()
        if (method in words or call.partition(":")[2] in words) and call not in NO_CALLS
    ) - LACKED.get(folder, frozenset())


@cache
def methods() -> tuple[tuple[str, str], ...]:
    """Each call of the services, with its method of boto3."""
    # Imported here, because every test worker imports this module.
    import botocore.session
    from botocore import xform_name

    session = botocore.session.get_session()
    return tuple(
        (f"{service}:{operation}", method)
        for service in SERVICES
        for operation in session.get_service_model(service).operation_names
        # A method of one word, such as publish, is not only a call of AWS.
        if "_" in (method := xform_name(operation))
    )


@relation
def functions_get_their_settings(rendered: Rendered) -> Iterator[str]:
    """A function has each variable that its code requires, and none that its code does not read; the queues are those of the workers."""
    for function in resources_of_type(rendered, FUNCTION):
        given = function.properties.get("Environment", {}).get("Variables", {})
        needed, texts = settings_of(function.properties["Handler"].split(".")[1])
        for name in sorted(needed - given.keys()):
            yield f"{function.logical_id} lacks {name}, which its code requires."
        for name in sorted(given.keys() - texts):
            yield f"{function.logical_id} has {name}, which its code does not read."
        if (
            "QUEUES" in given
            and given["QUEUES"] != rendered.parameters[function.layer]["WorkerQueues"]
        ):
            yield f"{function.logical_id} measures {given['QUEUES']}, not WorkerQueues."
        if "QUEUES" in texts and "QUEUES" not in given:
            yield f"{function.logical_id} is not told its queues."


@relation
def functions_are_alike(rendered: Rendered) -> Iterator[str]:
    """Functions have the one runtime and processor that the tests and the packages have, memory for them, and the time that their caller waits."""
    functions = list(resources_of_type(rendered, FUNCTION))
    for key in ("Runtime", "Architectures"):
        used = [str(each.properties.get(key)) for each in functions]
        usual = max(sorted(set(used)), key=used.count)
        for function, value in zip(functions, used, strict=True):
            if value != usual:
                yield f"{function.logical_id} has {key} {value}, others {usual}."
    for function in functions:
        if (
            not 128 <= int(function.properties.get("MemorySize", 128)) <= 1024
            or "MemorySize" not in function.properties
        ):
            yield f"{function.logical_id} has {function.properties.get('MemorySize')} MB of memory."
        if int(function.properties.get("Timeout", 3)) < 30:
            yield f"{function.logical_id} ends after {function.properties.get('Timeout', 3)} seconds."
        network = function.properties.get("VpcConfig")
        if network is not None and (
            len(set(map(str, network.get("SubnetIds", ())))) < 3
            or [
                id_of(rendered, function.layer, each)
                for each in network.get("SecurityGroupIds", ())
            ]
            != ["FunctionsSecurityGroup"]
        ):
            yield f"{function.logical_id} is not in three zones with the group of functions."
        if network is None and any(
            "SECRET" in name and "CACHE" in name
            for name in function.properties.get("Environment", {}).get("Variables", {})
        ):
            yield f"{function.logical_id} reaches no cache: it is outside the VPC."


@relation
def custom_resources_wait_for_their_function(rendered: Rendered) -> Iterator[str]:
    """CloudFormation waits a minute longer than the function of a custom resource runs, not less and not an hour more."""
    for kind, resource in resources(rendered):
        if not kind.startswith("Custom::") or kind == "Custom::Migration":
            continue
        function = named(
            rendered, id_of(rendered, resource.layer, resource.properties["ServiceToken"])
        )
        waits, runs = (
            int(resource.properties.get("ServiceTimeout", 3600)),
            int(function.properties.get("Timeout", 3)),
        )
        if not runs + 30 <= waits <= runs + 120:
            yield f"{resource.logical_id} waits {waits} seconds for {function.logical_id}, which runs for {runs}."


@relation
def custom_resources_pass_what_their_code_reads(rendered: Rendered) -> Iterator[str]:
    """A custom resource has each property that the code of its function reads, and no other; another value only calls the function again with each release."""
    for kind, resource in resources(rendered):
        if not kind.startswith("Custom::"):
            continue
        function = named(
            rendered, id_of(rendered, resource.layer, resource.properties["ServiceToken"])
        )
        folder = function.properties["Handler"].split(".")[1]
        needed = properties_of(folder)
        for name in sorted(needed - resource.properties.keys()):
            yield f"{resource.logical_id} lacks {name}, which the code of {function.logical_id} reads."
        read = {*WAITING, *needed, *texts_of(folder)}
        for name in sorted(resource.properties.keys() - read):
            if resource.properties[name] != rendered.parameters["environment"]["ReleasePrefix"]:
                yield f"{resource.logical_id} passes {name}, which the code of {function.logical_id} does not read."
