"""Container, task definition and log group of api, worker and beat."""

from __future__ import annotations

from typing import Any

from troposphere import If, Join, NoValue, Ref, Region, Split
from troposphere.ecs import (
    ContainerDefinition,
    Environment,
    LinuxParameters,
    LogConfiguration,
    PortMapping,
    RuntimePlatform,
    TaskDefinition,
    Tmpfs,
)
from troposphere.logs import LogGroup

from templates_src.compute.repository import IMAGE_TAG, ImageSource
from templates_src.compute.tasks.settings import application_secret, environment_file, use_settings
from templates_src.compute.tasks.workloads import (
    MIGRATION,
    REPLACED_OPTIONS,
    WORKLOADS,
    Workload,
)
from templates_src.core.layer import DELETED_WITH_THE_STACK, Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration, boolean, choice, number
from templates_src.core.parameters.shared import (
    ENVIRONMENT,
    LOG_RETENTION_DAYS,
    NEW_TASKS,
    celery_key_prefix,
    named,
)
from templates_src.core.parameters.wiring.security import EXECUTION_ROLE_ARN, KEY_ARN

ARM64, X86_64 = "ARM64", "X86_64"
# If CloudWatch is slow, lines are dropped, so that requests do not wait.
LOG_BUFFER = "25m"

CPU_ARCHITECTURE = choice(
    "CpuArchitecture",
    group=groups.IMAGE,
    label="CPU architecture",
    description=f"Architecture of the image; ARM64 costs a fifth less. {NEW_TASKS}",
    allowed=(ARM64, X86_64),
    default=ARM64,
)

READONLY_ROOT = boolean(
    "ReadonlyRootFilesystem",
    group=groups.CONTAINERS,
    label="Read-only root file system",
    description="Let containers write only to /tmp, in memory; false for images that write elsewhere or need more space. "
    f"{NEW_TASKS}",
    default="true",
)

TEMPORARY_STORAGE = number(
    "TemporaryStorageMb",
    group=groups.CONTAINERS,
    label="Temporary storage (MiB)",
    description="Size of /tmp in api and worker under a read-only root file system; it is part of their memory. A change starts new tasks of both.",
    default="512",
    at_least=64,
    at_most=16384,
)


def add_log_group(layer: Layer, workload: Workload) -> LogGroup:
    """Log group of a workload; otherwise ECS would create one without a retention."""
    return layer.add(
        LogGroup(
            f"{workload.title}LogGroup",
            RetentionInDays=layer.parameter(LOG_RETENTION_DAYS),
            KmsKeyId=layer.parameter(KEY_ARN),
            **DELETED_WITH_THE_STACK,
        )
    )


def add_task_definition(
    layer: Layer, workload: Workload, source: ImageSource, log_group: LogGroup
) -> TaskDefinition:
    """Task definition of a workload: one container, in the family ``{project}-{environment}-{name}``."""
    return layer.add(
        TaskDefinition(
            f"{workload.title}TaskDefinition",
            Family=named(f"-{workload.name}"),
            RequiresCompatibilities=["FARGATE"],
            NetworkMode="awsvpc",
            RuntimePlatform=RuntimePlatform(
                CpuArchitecture=layer.parameter(CPU_ARCHITECTURE), OperatingSystemFamily="LINUX"
            ),
            Cpu=layer.parameter(workload.cpu),
            Memory=layer.parameter(workload.memory),
            ExecutionRoleArn=layer.parameter(EXECUTION_ROLE_ARN),
            TaskRoleArn=layer.parameter(workload.task_role),
            ContainerDefinitions=[container(layer, workload, source, log_group)],
        )
    )


def container(
    layer: Layer, workload: Workload, source: ImageSource, log_group: LogGroup
) -> ContainerDefinition:
    """The container of a workload."""
    optional: dict[str, Any] = {}
    if workload.port is not None:
        optional["PortMappings"] = [PortMapping(ContainerPort=workload.port, Protocol="tcp")]
    if workload.stop_seconds is not None:
        optional["StopTimeout"] = workload.stop_seconds
    if workload.has_settings:
        optional["EnvironmentFiles"] = If(use_settings(layer), [environment_file(layer)], NoValue)
    return ContainerDefinition(
        Name=workload.name,
        Image=source.image,
        Command=command_line(layer, workload),
        Essential=True,
        Environment=environment(layer, workload),
        Secrets=secrets(layer, workload),
        ReadonlyRootFilesystem=layer.parameter(READONLY_ROOT),
        LinuxParameters=linux(layer, workload),
        LogConfiguration=LogConfiguration(
            LogDriver="awslogs",
            Options={
                "awslogs-group": Ref(log_group),
                "awslogs-region": Region,
                "awslogs-stream-prefix": workload.name,
                **log_mode(workload),
            },
        ),
        **optional,
    )


def secrets(layer: Layer, workload: Workload) -> If:
    """The secrets of a container. The placeholder image receives none: it is not the application's image."""
    own = [injected.reference(layer) for injected in workload.secrets]
    if not workload.has_settings:
        return If(layer.has(IMAGE_TAG), own, NoValue)
    with_application = If(use_settings(layer), [*own, application_secret(layer)], own)
    return If(layer.has(IMAGE_TAG), with_application, NoValue)


def log_mode(workload: Workload) -> dict[str, str]:
    """Whether the container waits when CloudWatch is slow, or loses lines."""
    if workload.keeps_every_line:
        return {"mode": "blocking"}
    return {"mode": "non-blocking", "max-buffer-size": LOG_BUFFER}


def command_line(layer: Layer, workload: Workload) -> If:
    """The command of the image, or of the placeholder without an image.

    The default ApiCommand of 1.0 and 1.1, which an update keeps, trusts every proxy, and closes connections before a load balancer
    with a longer idle time-out does; this replaces both options.
    """
    given: Any = layer.parameter(workload.command)
    for former, option in REPLACED_OPTIONS:
        given = Join(option, Split(former, given))
    of_image = If(layer.has(workload.command), Split(" ", given), NoValue)
    return If(layer.has(IMAGE_TAG), of_image, list(workload.placeholder))


def variable_names() -> set[str]:
    """The names of all variables of the containers."""
    named_ = {name for workload in (*WORKLOADS, MIGRATION) for name, _ in workload.variables}
    injected = {each.variable for workload in WORKLOADS for each in workload.secrets}
    return named_ | injected | {"ENVIRONMENT", "CELERY_KEY_PREFIX"}


def environment(layer: Layer, workload: Workload) -> list[Environment]:
    """Environment variables of a workload, without the secrets.

    The URLs also contain the hosts. As variables, the hosts create a new revision when an engine gets another address,
    so that new tasks read the new URL: ECS reads a secret only when a task starts.
    """
    values: dict[str, Any] = {
        "ENVIRONMENT": layer.parameter(ENVIRONMENT),
        # botocore reads one of them, other libraries the other.
        "AWS_DEFAULT_REGION": Region,
        "AWS_REGION": Region,
        "CELERY_KEY_PREFIX": celery_key_prefix(),
        **{
            variable: layer.parameter(value) if isinstance(value, Declaration) else value
            for variable, value in workload.variables
        },
    }
    return [Environment(Name=name, Value=value) for name, value in values.items()]


def linux(layer: Layer, workload: Workload) -> LinuxParameters:
    """An init process, which reaps child processes and forwards signals, and the only writable folder.

    The folder is in memory: a volume that Fargate mounts belongs to root, and images should not run as root.
    https://github.com/aws/containers-roadmap/issues/938
    """
    size = workload.temporary_mib or layer.parameter(TEMPORARY_STORAGE)
    temporary = Tmpfs(ContainerPath="/tmp", Size=size, MountOptions=["nosuid", "nodev"])  # noqa: S108
    return LinuxParameters(
        InitProcessEnabled=True,
        Tmpfs=If(layer.use(READONLY_ROOT), [temporary], NoValue),
    )
