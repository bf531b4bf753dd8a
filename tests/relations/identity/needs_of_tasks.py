"""The calls of tasks, of the services that work for them, and of workflows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.checks.render import Rendered
from templates_src.data.settings_file import FOLDER
from templates_src.environment import ROOT
from tests.relations.identity.needs import Need, arn, needs, place, whole
from tests.relations.text import is_true, text_of
from tests.rendering import Resource, id_of, named, resources_of_type

# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
SIGN_IN = ("ecr:GetAuthorizationToken",)
WRITE_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
# https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
DELIVER_FLOW_LOGS = (*WRITE_LOGS, "logs:DescribeLogStreams")
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
# https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
CHANNELS = (
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
LOG_SESSIONS = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
# https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
USE_FOR_VOLUMES = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
KEEP_OBJECTS = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject")
# The second one has the environment files.
STORES = ("DOCUMENTS_BUCKET", "MEDIA_BUCKET")
ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})


def needs_of_tasks(rendered: Rendered) -> Iterator[Need]:
    """Of each task: what starts it, and what the container contract promises its container."""
    for task in resources_of_type(rendered, "AWS::ECS::TaskDefinition"):
        starts = id_of(rendered, task.layer, task.properties["ExecutionRoleArn"])
        works = id_of(rendered, task.layer, task.properties["TaskRoleArn"])
        for container in task.properties["ContainerDefinitions"]:
            yield from _start(rendered, task, container, starts)
            yield from _work(rendered, task, container, works)
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        if is_true(service.properties.get("EnableExecuteCommand")):
            task_id = id_of(rendered, service.layer, service.properties["TaskDefinition"])
            definition = named(rendered, task_id)
            role = id_of(rendered, definition.layer, definition.properties["TaskRoleArn"])
            yield from needs(role, (*CHANNELS, "logs:DescribeLogGroups"))
            yield from needs(role, LOG_SESSIONS, ["{ExecuteCommandLogGroup}"])


def _start(
    rendered: Rendered, task: Resource, container: Mapping[str, Any], role: str
) -> Iterator[Need]:
    """ECS pulls the image, reads secrets and environment files, and writes the log."""
    options = container["LogConfiguration"]["Options"]
    yield from needs(role, WRITE_LOGS, [place(rendered, task.layer, options["awslogs-group"])])
    yield from needs(role, SIGN_IN)
    yield from needs(role, PULL, repositories(rendered))
    for secret in container.get("Secrets", ()):
        reference = text_of(secret["ValueFrom"]).partition(":url::")[0].partition(":value::")[0]
        target = place(rendered, task.layer, reference)
        yield from read_secret(rendered, role, target)
    for file in container.get("EnvironmentFiles", ()):
        target = place(rendered, task.layer, file["Value"])
        yield from needs(role, ["s3:GetObject"], [target])
        yield from needs(role, ["s3:GetBucketLocation"], [target.partition("/")[0]])


def read_secret(rendered: Rendered, role: str, target: str) -> Iterator[Need]:
    """Read a secret, which Secrets Manager decrypts with the key of the environment."""
    yield Need(role, "secretsmanager:GetSecretValue", target)
    through = f"secretsmanager.{rendered.region}.amazonaws.com"
    yield Need(role, "kms:Decrypt", "{Key}", {"kms:ViaService": through})


def _work(
    rendered: Rendered, task: Resource, container: Mapping[str, Any], role: str
) -> Iterator[Need]:
    """The application uses the buckets of its variables and publishes metrics; a worker protects its tasks."""
    variables = {each["Name"]: each["Value"] for each in container["Environment"]}
    yield Need(role, "cloudwatch:PutMetricData", "*", namespace(rendered))
    for name in STORES:
        if name not in variables:
            continue
        bucket = place(rendered, task.layer, variables[name])
        yield from needs(role, KEEP_OBJECTS, [f"{bucket}/report.pdf"])
        yield from needs(role, ["s3:ListBucket"], [bucket])
        if _archives(named(rendered, bucket.strip("{}"))):
            yield from needs(role, ["s3:RestoreObject"], [f"{bucket}/report.pdf"])
    for secret in container.get("Secrets", ()):
        if secret["Name"] in ("ANTHROPIC_API_KEY", "CLIMATIQ_API_KEY"):
            target = place(
                rendered, task.layer, text_of(secret["ValueFrom"]).partition(":value")[0]
            )
            yield from read_secret(rendered, role, target)
    if container["Name"] == "worker":
        yield Need(role, "ecs:UpdateTaskProtection", tasks(rendered))


def settings_of_tasks(rendered: Rendered) -> Iterator[Need]:
    """The calls on environment files that no task may make: a worker could change what the api runs with."""
    for task in resources_of_type(rendered, "AWS::ECS::TaskDefinition"):
        role = id_of(rendered, task.layer, task.properties["TaskRoleArn"])
        for container in task.properties["ContainerDefinitions"]:
            for variable in container["Environment"]:
                if variable["Name"] == STORES[1]:
                    bucket = place(rendered, task.layer, variable["Value"])
                    yield from needs(role, KEEP_OBJECTS, [f"{bucket}/{FOLDER}/1.env"])


def _archives(bucket: Resource) -> bool:
    """Whether objects of a bucket must be restored before they can be read."""
    return any(
        transition["StorageClass"] in ARCHIVES
        for rule in bucket.properties.get("LifecycleConfiguration", {}).get("Rules", ())
        for transition in rule.get("Transitions", ())
    )


def tasks(rendered: Rendered) -> str:
    """A task of the cluster."""
    return arn(rendered, "ecs", "task/{Cluster}/0123456789abcdef")


def cluster() -> dict[str, str]:
    """The condition key of calls in the cluster."""
    return {"ecs:cluster": whole("{Cluster}")}


def namespace(rendered: Rendered) -> dict[str, str]:
    """The condition key of metrics: the namespace of the environment."""
    given = rendered.parameters[ROOT]
    return {"cloudwatch:namespace": f"{given['Project']}/{given['Environment']}"}


def tags_of(rendered: Rendered, *layers: str) -> dict[str, str]:
    """The condition keys of a resource of the environment, and of one of its layers."""
    given = rendered.parameters[ROOT]
    values = {"Project": given["Project"], "Environment": given["Environment"]}
    return {
        f"aws:ResourceTag/{key}": value
        for key, value in {**values, **({"Layer": layers[0]} if layers else {})}.items()
    }


def repositories(rendered: Rendered) -> list[str]:
    """The repository of the images, if there are any."""
    name = rendered.parameters[ROOT]["ImageRepository"]
    if name:
        return [arn(rendered, "ecr", f"repository/{name}")]
    return ["{ImageRepositoryOfEnvironment}"]


def needs_of_workflows(rendered: Rendered) -> Iterator[Need]:
    """A workflow pushes an image and invokes the function that deploys it."""
    for role in resources_of_type(rendered, "AWS::IAM::Role"):
        trust = role.properties["AssumeRolePolicyDocument"]["Statement"]
        if "Federated" in trust[0]["Principal"]:
            yield from needs(role.logical_id, SIGN_IN)
            yield from needs(
                role.logical_id, (*PUSH, *PULL, "ecr:DescribeImages"), repositories(rendered)
            )
            yield Need(role.logical_id, "lambda:InvokeFunction", "{ImageUpdateFunction}")


def needs_of_services(rendered: Rendered) -> Iterator[Need]:
    """Flow logs reach their group, and Data Lifecycle Manager makes and expires snapshots of the encrypted volume."""
    for log in resources_of_type(rendered, "AWS::EC2::FlowLog"):
        role = id_of(rendered, log.layer, log.properties["DeliverLogsPermissionArn"])
        group = place(rendered, log.layer, log.properties["LogGroupName"])
        yield from needs(role, DELIVER_FLOW_LOGS, [group])
    for policy in resources_of_type(rendered, "AWS::DLM::LifecyclePolicy"):
        role = id_of(rendered, policy.layer, policy.properties["ExecutionRoleArn"])
        own = tags_of(rendered)
        snapshot = f"arn:aws:ec2:{rendered.region}::snapshot/snap-0123456789abcdef0"
        volume = arn(rendered, "ec2", "volume/vol-0123456789abcdef0")
        # https://docs.aws.amazon.com/ebs/latest/userguide/dlm-access-control.html
        yield from needs(role, ["ec2:DescribeVolumes", "ec2:DescribeSnapshots"])
        yield Need(role, "ec2:CreateSnapshot", volume, own)
        yield from needs(role, ["ec2:CreateSnapshot", "ec2:CreateTags"], [snapshot])
        yield Need(role, "ec2:DeleteSnapshot", snapshot, own)
        yield from use_volumes(rendered, role)


def use_volumes(rendered: Rendered, role: str) -> Iterator[Need]:
    """EBS uses the key for the volumes and snapshots of the role."""
    through = {"kms:ViaService": f"ec2.{rendered.region}.amazonaws.com"}
    yield from needs(role, USE_FOR_VOLUMES, ["{Key}"], through)
    yield Need(role, "kms:CreateGrant", "{Key}", {**through, "kms:GrantIsForAWSResource": "true"})


def needs_of_search(rendered: Rendered) -> Iterator[Need]:
    """The search server attaches its volume and its interface, reads its key, reports its state, and opens sessions."""
    for profile in resources_of_type(rendered, "AWS::IAM::InstanceProfile"):
        layer = profile.layer
        role = id_of(rendered, layer, next(iter(profile.properties.get("Roles", ())), ""))
        volume = place(rendered, layer, rendered.parameters[layer]["SearchVolumeId"])
        instance = arn(rendered, "ec2", "instance/i-0123456789abcdef0")
        server = tags_of(rendered, layer)
        for action, resource in (
            ("ec2:AttachVolume", f"volume/{volume}"),
            ("ec2:AttachNetworkInterface", "network-interface/{SearchInterface}"),
        ):
            yield Need(role, action, arn(rendered, "ec2", resource))
            yield Need(role, action, instance, server)
        yield from needs(role, ["ec2:DescribeVolumes", "ssm:UpdateInstanceInformation", *CHANNELS])
        yield from use_volumes(rendered, role)
        yield from read_secret(rendered, role, "{SearchKeySecret}")
        yield Need(role, "cloudformation:SignalResource", stack(rendered, layer))
        yield Need(role, "cloudwatch:PutMetricData", "*", namespace(rendered))
        yield from needs(role, WRITE_LOGS, ["{SearchLogGroup}"])


def stack(rendered: Rendered, layer: str) -> str:
    """The ARN of the stack of a layer, as rendered."""
    given = rendered.parameters[ROOT]
    root = f"{given['Project']}-{given['Environment']}"
    name = root if layer == ROOT else f"{root}-{layer.capitalize()}"
    return arn(rendered, "cloudformation", f"stack/{name}/1")
