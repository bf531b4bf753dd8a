"""Services, tasks, their scaling and their logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipeline.checks.render import Rendered
from tests.relations.identity.iam import allows
from tests.relations.monitoring.checks_monitoring import metrics
from tests.relations.registry import relation
from tests.relations.text import is_true, listed, text_of
from tests.rendering import containers, id_of, named, resources_of_type, role_statements

SCALES = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
RESOURCE_ID = re.compile(r"service/<(?P<cluster>\w+)>/<(?P<service>\w+)\.Name>")
BEAT = "BeatService"
ROLLBACK_METRICS = {
    "HTTPCode_Target_5XX_Count",
    "RequestCount",
    "TargetResponseTime",
    "UnHealthyHostCount",
}


@relation
def fargate_targets_are_addresses(rendered: Rendered) -> Iterator[str]:
    """A Fargate task has no instance: its target group has IP addresses as targets, and its network mode is awsvpc."""
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        task = named(rendered, id_of(rendered, service.layer, service.properties["TaskDefinition"]))
        if "FARGATE" not in listed(task.properties.get("RequiresCompatibilities")):
            yield f"{task.logical_id} does not say that it runs on Fargate."
        if task.properties.get("NetworkMode") != "awsvpc":
            yield f"{task.logical_id} has a network mode that Fargate does not know."
        # AWS ends the support of each platform version; LATEST moves on.
        # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-fargate.html
        if service.properties.get("PlatformVersion", "LATEST") != "LATEST":
            yield f"{service.logical_id} stays on a platform version until AWS refuses it."
        for balancer in service.properties.get("LoadBalancers", ()):
            group = named(rendered, id_of(rendered, service.layer, balancer["TargetGroupArn"]))
            if group.properties.get("TargetType") != "ip":
                yield f"{group.logical_id} has target type {group.properties.get('TargetType')}, but {service.logical_id} runs on Fargate."


@relation
def tasks_of_an_image_have_one_platform(rendered: Rendered) -> Iterator[str]:
    """api, worker, beat and migration run one image, which has one processor and one operating system; tasks without a service have capacity."""
    platforms: dict[str, dict[str, Any]] = {}
    for task, container in containers(rendered):
        given = named(rendered, task).properties.get("RuntimePlatform", {})
        expected = platforms.setdefault(text_of(container["Image"]), given)
        if given != expected or given.keys() != {"CpuArchitecture", "OperatingSystemFamily"}:
            yield f"{task} runs its image on {given}, another task on {expected}."
    if len(platforms) > 1:
        yield f"Tasks run {len(platforms)} images: {', '.join(sorted(platforms))}."
    # ECS refuses to start a task if the weight of each provider is 0, which is the default.
    # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html
    for association in resources_of_type(rendered, "AWS::ECS::ClusterCapacityProviderAssociations"):
        default = association.properties["DefaultCapacityProviderStrategy"]
        if not any(int(each.get("Weight", 0)) for each in default):
            yield f"{association.logical_id} starts no task without a strategy."


@relation
def workers_can_protect_their_tasks(rendered: Rendered) -> Iterator[str]:
    """A worker protects its task while it has jobs, and no task of another cluster; api and beat protect none."""
    for role in ("ApiTaskRole", "WorkerTaskRole", "BeatTaskRole"):
        protected = [
            text_of(resource)
            for _, statement in role_statements(rendered, role)
            if "ecs:UpdateTaskProtection" in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        ]
        if role != "WorkerTaskRole" and protected:
            yield f"{role} may protect tasks, which would keep an update from its end."
        if role == "WorkerTaskRole" and not protected:
            yield f"{role} cannot protect its tasks: a scale-in ends jobs longer than two minutes."
        for tasks in protected:
            if not tasks.endswith(":task/<Cluster>/*"):
                yield f"{role} may protect {tasks}, which are not the tasks of the cluster."


@relation
def scaling_names_its_service(rendered: Rendered) -> Iterator[str]:
    """ResourceId is service/CLUSTER/SERVICE with names: Application Auto Scaling rejects the ARN, which is the Ref of a service."""
    for target in (*resources_of_type(rendered, SCALES), *resources_of_type(rendered, POLICY)):
        if "ResourceId" not in target.properties and "ScalingTargetId" in target.properties:
            if id_of(rendered, target.layer, target.properties["ScalingTargetId"]) not in {
                found.logical_id for found in resources_of_type(rendered, SCALES)
            }:
                yield f"{target.logical_id} scales a target that there is none of."
            continue
        resource_id = text_of(target.properties.get("ResourceId"))
        found = RESOURCE_ID.fullmatch(resource_id)
        if not found:
            yield f"{target.logical_id} scales {resource_id}, which is not service/CLUSTER/SERVICE in names."
        else:
            service = named(rendered, found["service"])
            if id_of(rendered, service.layer, service.properties["Cluster"]) != found["cluster"]:
                yield f"{target.logical_id} looks for {found['service']} in {found['cluster']}, where it does not run."


def _scaled(rendered: Rendered) -> set[str]:
    """Logical IDs of the services that scale."""
    texts = [
        text_of(found.properties["ResourceId"]) for found in resources_of_type(rendered, SCALES)
    ]
    return {
        service.logical_id
        for service in resources_of_type(rendered, "AWS::ECS::Service")
        if any(f"<{service.logical_id}" in text for text in texts)
    }


@relation
def scaled_services_have_no_count(rendered: Rendered) -> Iterator[str]:
    """A DesiredCount would undo the scaling in every update; a service that does not scale must have one."""
    scaled = _scaled(rendered)
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        has_count = "DesiredCount" in service.properties
        if service.logical_id in scaled and has_count:
            yield f"{service.logical_id} scales, but each update sets it back to its DesiredCount."
        if service.logical_id not in scaled and not has_count:
            yield f"{service.logical_id} neither scales nor says how many tasks it has."
    for target in resources_of_type(rendered, SCALES):
        low, high = (int(target.properties[key]) for key in ("MinCapacity", "MaxCapacity"))
        if not 1 <= low <= high:
            yield f"{target.logical_id} scales between {low} and {high}."


@relation
def there_is_one_beat(rendered: Rendered) -> Iterator[str]:
    """Beat never runs twice, because two schedulers would send every job twice."""
    if BEAT in _scaled(rendered):
        yield f"{BEAT} scales."
    beat = named(rendered, BEAT).properties
    deployment = beat["DeploymentConfiguration"]
    expected: tuple[tuple[str, Any, Any], ...] = (
        ("DesiredCount", beat.get("DesiredCount"), 1),
        ("MinimumHealthyPercent", deployment.get("MinimumHealthyPercent"), 0),
        ("MaximumPercent", deployment.get("MaximumPercent"), 100),
        ("AvailabilityZoneRebalancing", beat.get("AvailabilityZoneRebalancing"), "DISABLED"),
    )
    for what, value, wanted in expected:
        if value != wanted:
            yield f"{BEAT} has {what} {value}, not {wanted}: there may be two of it."
    if {item["CapacityProvider"] for item in beat["CapacityProviderStrategy"]} != {"FARGATE"}:
        yield f"{BEAT} runs on capacity that may be taken away."


@relation
def rebalancing_has_room(rendered: Rendered) -> Iterator[str]:
    """ECS rejects zone rebalancing, on by default, if there can be no more tasks than desired."""
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        maximum = service.properties.get("DeploymentConfiguration", {}).get("MaximumPercent", 200)
        rebalancing = service.properties.get("AvailabilityZoneRebalancing", "ENABLED")
        if rebalancing == "ENABLED" and int(maximum) <= 100:
            yield f"{service.logical_id} rebalances zones, but may have {maximum} % of its tasks."


@relation
def rebalancing_stops_no_job(rendered: Rendered) -> Iterator[str]:
    """Rebalancing zones stops healthy tasks, and Spot reclaims make zones uneven all the time: a worker would lose its jobs. The api returns to each zone."""
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        answers = bool(service.properties.get("LoadBalancers"))
        rebalancing = service.properties.get("AvailabilityZoneRebalancing", "ENABLED")
        if rebalancing == "ENABLED" and not answers:
            yield f"{service.logical_id} rebalances zones, and no load balancer drains its tasks."
        if rebalancing != "ENABLED" and answers:
            yield f"{service.logical_id} stays in the zones that were left when one failed."


@relation
def bad_versions_are_rolled_back(rendered: Rendered) -> Iterator[str]:
    """A version whose tasks fail is rolled back after a few tasks, whatever the number of desired tasks is; what Spot reclaims is no failure."""
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        breaker = service.properties["DeploymentConfiguration"].get("DeploymentCircuitBreaker", {})
        if not (breaker.get("Enable") and breaker.get("Rollback")):
            yield f"{service.logical_id} does not roll a bad version back."
        threshold = breaker.get("ThresholdConfiguration", {})
        if threshold.get("Type") != "COUNT" or not 1 <= int(threshold.get("Value", 0)) <= 5:
            yield f"{service.logical_id} replaces many tasks before it gives a bad version up."
        spot = any(
            item["CapacityProvider"] == "FARGATE_SPOT"
            for item in service.properties["CapacityProviderStrategy"]
        )
        forgives = is_true(breaker.get("ResetOnHealthyTask", True))
        if forgives and service.logical_id != "WorkerService":
            yield f"{service.logical_id} never gives up a version that crashes after its first health check."
        if spot and not forgives:
            yield f"{service.logical_id} takes the tasks that Spot reclaims for failures of the version."


@relation
def alarms_roll_the_api_back(rendered: Rendered) -> Iterator[str]:
    """A service behind a load balancer is rolled back by alarms on errors, response time and unhealthy targets of its target group; a slow start raises none."""
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        groups = service.properties.get("LoadBalancers", ())
        if not groups:
            continue
        configured = service.properties["DeploymentConfiguration"].get("Alarms", {})
        chosen = rendered.parameters[service.layer]["ApiRollbackAlarms"]
        if str(configured.get("Enable")).lower() != chosen or not is_true(
            configured.get("Rollback")
        ):
            yield f"{service.logical_id} does not follow ApiRollbackAlarms ({chosen})."
        read = set()
        for name in configured.get("AlarmNames", ()):
            alarm = named(rendered, id_of(rendered, service.layer, name))
            if alarm.properties.get("TreatMissingData") != "notBreaching":
                yield f"{alarm.logical_id} is raised without traffic."
            for _, metric, dimensions in metrics(alarm):
                read.add(metric)
                if set(dimensions) != {"LoadBalancer", "TargetGroup"}:
                    yield f"{alarm.logical_id} reads {metric} of other targets too."
                minutes = int(alarm.properties.get("DatapointsToAlarm", 0))
                grace = int(service.properties["HealthCheckGracePeriodSeconds"])
                if metric == "UnHealthyHostCount" and minutes * 60 <= grace:
                    yield f"{alarm.logical_id} is raised while a task starts."
        for metric in sorted(ROLLBACK_METRICS - read):
            yield f"{service.logical_id} is not rolled back for {metric}."


@relation
def spot_follows_the_parameter(rendered: Rendered) -> Iterator[str]:
    """Only workers run on Spot, and only where WorkerCapacity says so; with a base, the smallest number of tasks is on demand, and most of the others on Spot."""
    values = rendered.parameters[named(rendered, "WorkerService").layer]
    chosen = values["WorkerCapacity"]
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        strategy = {
            item["CapacityProvider"]: item
            for item in service.properties["CapacityProviderStrategy"]
        }
        providers = {
            "spot": {"FARGATE_SPOT"},
            "on-demand": {"FARGATE"},
            "base-on-demand": {"FARGATE", "FARGATE_SPOT"},
        }[chosen if service.logical_id == "WorkerService" else "on-demand"]
        if strategy.keys() != providers:
            yield f"{service.logical_id} runs on {sorted(strategy)} with WorkerCapacity {chosen}."
        weights = {name: int(item.get("Weight", 0)) for name, item in strategy.items()}
        if 0 in weights.values():
            yield f"{service.logical_id} starts no task on {sorted(n for n, w in weights.items() if not w)}."
        if weights.get("FARGATE_SPOT", 1) <= weights.get("FARGATE", 0) and len(weights) > 1:
            yield f"{service.logical_id} runs above its base on demand mostly."
        base = strategy.get("FARGATE", {}).get("Base")
        if len(providers) > 1 and str(base) != values["WorkerMinTasks"]:
            yield f"{service.logical_id} has {base} tasks on demand, not WorkerMinTasks."


@relation
def containers_log_to_groups_of_the_templates(rendered: Rendered) -> Iterator[str]:
    """Every container logs to a log group of the template, because one that ECS creates has no retention and no encryption with the key."""
    for task_id, container in containers(rendered):
        layer = named(rendered, task_id).layer
        name = f"Container {container['Name']} of {task_id}"
        configuration = container.get("LogConfiguration", {})
        options = configuration.get("Options", {})
        group = id_of(rendered, layer, options.get("awslogs-group"))
        groups = {found.logical_id for found in resources_of_type(rendered, "AWS::Logs::LogGroup")}
        if configuration.get("LogDriver") != "awslogs" or group not in groups:
            yield f"{name} logs to {group}, which is not a log group of the templates."
        if "awslogs-create-group" in options:
            yield f"{name} may make its log group itself."
        role = id_of(rendered, layer, named(rendered, task_id).properties["ExecutionRoleArn"])
        if allows(rendered, role, "logs:CreateLogGroup", group):
            yield f"{role} may make log groups, which then keep everything permanently."
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            if group in groups and not allows(rendered, role, action, group):
                yield f"{role} lacks {action} on {group}, to which {task_id} logs."


@relation
def log_groups_have_a_retention(rendered: Rendered) -> Iterator[str]:
    """Every log group has a retention, and every function logs to one of them: a log group that Lambda creates has no retention."""
    groups = {found.logical_id for found in resources_of_type(rendered, "AWS::Logs::LogGroup")}
    for group in resources_of_type(rendered, "AWS::Logs::LogGroup"):
        if not group.properties.get("RetentionInDays"):
            yield f"{group.logical_id} keeps its logs permanently."
    for function in resources_of_type(rendered, "AWS::Lambda::Function"):
        logging = function.properties.get("LoggingConfig", {})
        if id_of(rendered, function.layer, logging.get("LogGroup")) not in groups:
            yield f"{function.logical_id} logs to a group that Lambda makes, and that keeps its logs permanently."
