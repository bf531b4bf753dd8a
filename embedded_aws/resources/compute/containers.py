"""ECS: capacity providers of a cluster, services and task definitions.

ministack's handlers of services and task definitions drop what they do not model (execute command, service connect,
registries, runtime platform). Its API keeps these, so the handlers here call the API.
"""

from collections.abc import Callable
from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Created, Properties, ignoring, physical_name, register
from embedded_aws.bridge.service_calls import call
from embedded_aws.resources.compute.deployment_alarms import fails
from embedded_aws.resources.compute.failed_deployments import (
    fail_creation,
    fail_update,
    registered_outcome,
    service_record,
)
from embedded_aws.resources.compute.service_outcomes import REGISTERED

_SERVICE = "AWS::ECS::Service"
# Properties of CloudFormation that CreateService lacks.
_NOT_IN_API = ("ForceNewDeployment",)
# Properties that UpdateService accepts (API_UpdateService), by their names in CloudFormation.
_UPDATABLE = (
    "AvailabilityZoneRebalancing",
    "CapacityProviderStrategy",
    "DeploymentConfiguration",
    "DeploymentController",
    "DesiredCount",
    "EnableECSManagedTags",
    "EnableExecuteCommand",
    "HealthCheckGracePeriodSeconds",
    "LoadBalancers",
    "NetworkConfiguration",
    "PlatformVersion",
    "PropagateTags",
    "ServiceConnectConfiguration",
    "ServiceRegistries",
    "TaskDefinition",
    "VolumeConfigurations",
)
# The values after the removal of a property; the others keep their values, as on AWS.
_CLEARED: dict[str, Any] = {
    "CapacityProviderStrategy": [],
    "EnableExecuteCommand": False,
    "LoadBalancers": [],
    "ServiceRegistries": [],
    "VolumeConfigurations": [],
}
# Properties that DescribeServices reports on AWS and ministack's API drops, by their names in the API.
_FORGOTTEN_OF_SERVICE = {"AvailabilityZoneRebalancing": "availabilityZoneRebalancing"}

# The members of a cluster that concern providers, by their names in the API.
_PROVIDERS = ("capacityProviders", "defaultCapacityProviderStrategy")


def install() -> None:
    """Register the types of this module."""
    register(
        "AWS::ECS::ClusterCapacityProviderAssociations",
        create=_attach_providers,
        update=_update_providers,
        delete=_detach_providers,
    )
    register(
        "AWS::ECS::TaskDefinition",
        create=_register_task_definition,
        update=_retag_task_definition,
        delete=_deregister_task_definition,
    )
    register(
        _SERVICE,
        create=_create_service,
        update=_update_service,
        delete=_delete_service,
    )
    # A deployment that fails takes time, in which the server answers other requests.
    blocks = functions.runs_on_worker_thread.current
    functions.runs_on_worker_thread.replace(
        lambda kind: blocks(kind) or (kind == _SERVICE and bool(REGISTERED))
    )
    cluster = tables.RESOURCE_HANDLERS["AWS::ECS::Cluster"]
    cluster["update"] = _keeping_providers(cluster["update"])


def _keeping_providers(update: Callable[..., Created]) -> Callable[..., Created]:
    """Keep the providers that ClusterCapacityProviderAssociations attached; ministack detaches them when a cluster is updated."""

    def keeping(
        physical_id: str, old: Properties, new: Properties, stack_name: str, *rest: Any
    ) -> Created:
        cluster = tables.ECS_CLUSTERS.get(physical_id) or {}
        attached = {name: cluster[name] for name in _PROVIDERS if name in cluster}
        updated = update(physical_id, old, new, stack_name, *rest)
        if not any("CapacityProviders" in properties for properties in (old, new)):
            cluster.update(attached)
        return updated

    return keeping


def _attach_providers(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    call(
        "ecs",
        "PutClusterCapacityProviders",
        cluster=properties["Cluster"],
        capacityProviders=properties.get("CapacityProviders") or [],
        defaultCapacityProviderStrategy=properties.get("DefaultCapacityProviderStrategy") or [],
    )
    return properties["Cluster"], {}


def _update_providers(
    _physical_id: str, _old: Properties, new: Properties, stack_name: str
) -> Created:
    return _attach_providers("", new, stack_name)


def _detach_providers(_physical_id: str, properties: Properties) -> None:
    cluster = properties["Cluster"].rsplit("/", 1)[-1]
    in_use = sorted(
        service["serviceName"]
        for service in tables.ECS_SERVICES.values()
        if service["status"] == "ACTIVE"
        and service["clusterArn"].rsplit("/", 1)[-1] == cluster
        and service.get("capacityProviderStrategy")
    )
    if in_use:
        # API_PutClusterCapacityProviders: ResourceInUseException.
        raise ValueError(
            "The specified capacity provider is in use and cannot be removed: service "
            f"{', '.join(in_use)} (Service: Ecs, Code: ResourceInUseException)"
        )
    with ignoring("ClusterNotFoundException"):
        _attach_providers("", {"Cluster": properties["Cluster"]}, "")


def _register_task_definition(logical_id: str, properties: Properties, stack_name: str) -> Created:
    settings = {**properties}
    settings.setdefault("Family", physical_name(stack_name, logical_id, limit=255))
    arn = call("ecs", "RegisterTaskDefinition", **settings)["taskDefinition"]["taskDefinitionArn"]
    return arn, {"TaskDefinitionArn": arn}


def _retag_task_definition(
    physical_id: str, old: Properties, new: Properties, _stack_name: str
) -> Created:
    _sync_tags(physical_id, old, new)
    return physical_id, {"TaskDefinitionArn": physical_id}


def _deregister_task_definition(physical_id: str, _properties: Properties) -> None:
    with ignoring("ClientException"):
        call("ecs", "DeregisterTaskDefinition", taskDefinition=physical_id)


def _create_service(logical_id: str, properties: Properties, stack_name: str) -> Created:
    settings = {name: value for name, value in properties.items() if name not in _NOT_IN_API}
    settings.setdefault("ServiceName", physical_name(stack_name, logical_id, limit=255))
    _check_providers_attached(properties)
    service = call("ecs", "CreateService", **_api_names(settings))["service"]
    _remember(service["serviceArn"], properties)
    arn = service["serviceArn"]
    outcome = registered_outcome(properties)
    if outcome and fails(properties, outcome):
        # On AWS this event has the ID of the resource, long before the resource is stable.
        functions.add_event(
            tables.STACKS[stack_name]["StackId"],
            stack_name,
            logical_id,
            _SERVICE,
            "CREATE_IN_PROGRESS",
            "Resource creation Initiated",
            arn,
        )
        try:
            fail_creation(arn, outcome)
        finally:
            _delete_service(arn, properties)
    return arn, {"ServiceArn": arn, "Name": service["serviceName"]}


def _api_names(properties: Properties) -> dict[str, Any]:
    """Rename the properties whose name in the API differs by more than case."""
    renamed = {"PlacementStrategies": "placementStrategy"}
    return {renamed.get(name, name): value for name, value in properties.items()}


def _check_providers_attached(properties: Properties) -> None:
    """CreateService refuses a provider that its cluster does not have; ministack does not."""
    wanted = {item["CapacityProvider"] for item in properties.get("CapacityProviderStrategy") or []}
    cluster = tables.ECS_CLUSTERS.get(
        str(properties.get("Cluster", "default")).rsplit("/", 1)[-1], {}
    )
    missing = sorted(wanted - set(cluster.get("capacityProviders") or []))
    if missing:
        raise ValueError(
            "The specified capacity provider was not found: "
            f"{', '.join(missing)} is not attached to the cluster"
            " (Service: Ecs, Code: InvalidParameterException)"
        )


def _remember(arn: str, properties: Properties) -> None:
    for service in tables.ECS_SERVICES.values():
        if service["serviceArn"] == arn:
            for name, field in _FORGOTTEN_OF_SERVICE.items():
                if name in properties:
                    service[field] = properties[name]
            connect = properties.get("ServiceConnectConfiguration")
            if connect:
                service["deployments"][0]["serviceConnectConfiguration"] = _camel(connect)


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _camel(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_camel(item) for item in value]
    return value


def _update_service(
    physical_id: str, old: Properties, new: Properties, _stack_name: str
) -> Created:
    name = physical_id.rsplit("/", 1)[-1]
    changed = {
        key: new.get(key, _CLEARED.get(key)) for key in _UPDATABLE if new.get(key) != old.get(key)
    }
    _check_providers_attached(new)
    outcome = registered_outcome(new)
    is_new = new["TaskDefinition"] != service_record(physical_id)["taskDefinition"]
    if outcome and is_new and fails(new, outcome):
        fail_update(physical_id, new["TaskDefinition"], outcome)
    call("ecs", "UpdateService", service=name, cluster=new.get("Cluster"), **changed)
    _remember(physical_id, new)
    _sync_tags(physical_id, old, new)
    return physical_id, {"ServiceArn": physical_id, "Name": name}


def _delete_service(physical_id: str, properties: Properties) -> None:
    with ignoring("ServiceNotFoundException", "ClusterNotFoundException"):
        name = physical_id.rsplit("/", 1)[-1]
        cluster = properties.get("Cluster")
        call("ecs", "DeleteService", service=name, cluster=cluster, force=True)


def _sync_tags(arn: str, old: Properties, new: Properties) -> None:
    before = {tag["Key"] for tag in old.get("Tags") or []}
    after = {tag["Key"] for tag in new.get("Tags") or []}
    if gone := sorted(before - after):
        call("ecs", "UntagResource", resourceArn=arn, tagKeys=gone)
    if new.get("Tags"):
        call("ecs", "TagResource", resourceArn=arn, tags=new["Tags"])
