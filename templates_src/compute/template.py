"""The compute layer: image repository, ECS cluster, the services api, worker and beat with scaling, and the search server."""

from __future__ import annotations

from awacs import logs as logs_actions
from awacs.aws import Allow, Statement
from troposphere import GetAtt, Ref
from troposphere.ecs import (
    CapacityProviderStrategy,
    Cluster,
    ClusterCapacityProviderAssociations,
    ClusterSetting,
    Service,
)
from troposphere.iam import PolicyType
from troposphere.logs import LogGroup

from templates_src.compute.capacity import FARGATE, FARGATE_SPOT
from templates_src.compute.execute_command import add_execute_command
from templates_src.compute.image_update import add_image_update
from templates_src.compute.queue_depth import add_queue_depth
from templates_src.compute.repository import ImageSource, add_repository, allow_push, pull
from templates_src.compute.scaling import API_SCALING, WORKER_SCALING, add_scaling
from templates_src.compute.search.address import RECORD
from templates_src.compute.search.server import add_search
from templates_src.compute.services import (
    API_SERVICE,
    BEAT_SERVICE,
    WORKER_SERVICE,
    add_service,
)
from templates_src.compute.task_protection import allow_protection
from templates_src.compute.tasks.containers import (
    add_log_group,
    add_task_definition,
    variable_names,
)
from templates_src.compute.tasks.migration import add_migration
from templates_src.compute.tasks.settings import add_settings_check
from templates_src.compute.tasks.task_sizes import require_task_size
from templates_src.compute.tasks.workloads import API, MIGRATION, WORKER, WORKLOADS
from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters.wiring.security import EXECUTION_ROLE_NAME

RUNNING = (API_SERVICE, WORKER_SERVICE, BEAT_SERVICE)


def compute() -> Layer:
    """The compute layer."""
    layer = Layer(
        "compute", "Carbon Connect: image repository, cluster, services and search server"
    )
    source = add_repository(layer)
    allow_push(layer, source)
    cluster = add_cluster(layer)
    allow_protection(layer, cluster)
    services = add_services(layer, cluster, source)
    add_image_update(layer, cluster, services)
    add_scaling(layer, cluster, services[API.title], API_SCALING)
    add_scaling(layer, cluster, services[WORKER.title], WORKER_SCALING)
    measured = add_queue_depth(layer, cluster, services[WORKER.title])
    layer.output(
        "QueueDepthFunctionName", Ref(measured), "Name of the function that measures the queues"
    )
    add_search(layer)
    add_outputs(layer, cluster, services, source)
    return layer


def add_cluster(layer: Layer) -> Cluster:
    """The cluster, with Container Insights; ``enhanced`` would also bill metrics of each task."""
    return layer.add(
        Cluster(
            "Cluster",
            ClusterSettings=[ClusterSetting(Name="containerInsights", Value="enabled")],
            Configuration=add_execute_command(layer),
        )
    )


def add_services(layer: Layer, cluster: Cluster, source: ImageSource) -> dict[str, Service]:
    """The three services by the title of their workload.

    They depend on the capacity providers, on the permissions that starting a task needs and on the migration, which no
    reference expresses. CloudFormation therefore also deletes them first, and then can remove the capacity providers.
    """
    groups = {
        workload.title: add_log_group(layer, workload) for workload in (*WORKLOADS, MIGRATION)
    }
    started = allow_start(layer, source, list(groups.values())).title
    migration = add_task_definition(layer, MIGRATION, source, groups[MIGRATION.title])
    checked = add_settings_check(layer, variable_names())
    after = [
        attach_capacity(layer, cluster).title,
        started,
        # A resolver remembers for 15 minutes that a name does not exist.
        RECORD,
    ]
    migrated = add_migration(
        layer, cluster, source, migration, groups[MIGRATION.title], [started, RECORD], checked
    )
    services = {}
    for running in RUNNING:
        title = running.workload.title
        require_task_size(layer, running.workload.cpu, running.workload.memory)
        task = add_task_definition(layer, running.workload, source, groups[title])
        services[title] = add_service(layer, running, cluster, task, after, checked | migrated)
    return services


def attach_capacity(layer: Layer, cluster: Cluster) -> ClusterCapacityProviderAssociations:
    """Both capacity providers of Fargate; the default is FARGATE, which does not reclaim tasks."""
    return layer.add(
        ClusterCapacityProviderAssociations(
            "CapacityProviders",
            Cluster=Ref(cluster),
            CapacityProviders=[FARGATE, FARGATE_SPOT],
            DefaultCapacityProviderStrategy=[
                CapacityProviderStrategy(CapacityProvider=FARGATE, Weight=1)
            ],
        )
    )


def allow_start(layer: Layer, source: ImageSource, groups: list[LogGroup]) -> PolicyType:
    """The execution role can pull the image and write the logs of these services.

    It cannot create a log group, so that none appears without a retention.
    """
    return layer.add(
        PolicyType(
            "StartPolicy",
            PolicyName="pull-image-and-write-logs",
            Roles=[layer.parameter(EXECUTION_ROLE_NAME)],
            PolicyDocument=iam.document(
                pull(source),
                Statement(
                    Sid="WriteStreamsOfTheseGroups",
                    Effect=Allow,
                    Action=[logs_actions.CreateLogStream, logs_actions.PutLogEvents],
                    Resource=[GetAtt(group, "Arn") for group in groups],
                ),
            ),
        )
    )


def add_outputs(
    layer: Layer, cluster: Cluster, services: dict[str, Service], source: ImageSource
) -> None:
    """The outputs for deployments and monitoring."""
    layer.output("ClusterName", Ref(cluster), "Name of the ECS cluster", public=True)
    for workload in (running.workload for running in RUNNING):
        layer.output(
            f"{workload.title}ServiceName",
            GetAtt(services[workload.title], "Name"),
            f"Name of the service {workload.name}",
            public=True,
        )
    for workload in (*WORKLOADS, MIGRATION):
        layer.output(
            f"{workload.title}LogGroupName",
            Ref(f"{workload.title}LogGroup"),
            f"Log group of {workload.name}",
            public=True,
        )
    layer.output(
        "RepositoryUri", source.uri, "Where to push the image, without its tag", public=True
    )
