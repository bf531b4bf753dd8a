"""Faults in services, tasks, scaling, logs and the order of creation."""

from __future__ import annotations

from pipeline.checks.render import Rendered
from tests.relations.planting import add, append, body, drop, follow_capacity_only, put, remove
from tests.relations.registry import Fault
from tests.relations.services import checks_compute as compute
from tests.relations.templates import checks_order as order

TARGET_GROUP = (
    "arn:aws:elasticloadbalancing:eu-north-1:111122223333:targetgroup/other/0123456789abcdef"
)


def launch_compute_beside_edge(rendered: Rendered) -> None:
    """The root passes another target group to the compute layer, which then does not wait for the edge layer."""
    passed = body(rendered, "Compute")["Properties"]["Parameters"]
    passed |= {
        "TargetGroupArn": TARGET_GROUP,
        "TargetGroupFullName": TARGET_GROUP.rpartition(":")[2],
        "LoadBalancerFullName": "app/other/0123456789abcdef",
    }


FAULTS = (
    Fault(
        "a service in a layer that does not wait for the listener",
        order.services_follow_their_listener,
        "ApiService may be created before",
        launch_compute_beside_edge,
    ),
    Fault(
        "a target group that no listener forwards to",
        order.services_follow_their_listener,
        "no listener forwards to",
        remove("HttpsListener"),
    ),
    Fault(
        "an address before the gateway's attachment",
        order.routes_follow_the_gateway,
        "NatAddress2 may be created",
        drop("NatAddress2", "../DependsOn"),
    ),
    Fault(
        "a route before the gateway's attachment",
        order.routes_follow_the_gateway,
        "PublicDefaultRoute may be created",
        drop("PublicDefaultRoute", "../DependsOn"),
    ),
    Fault(
        "FARGATE_SPOT that is used but not attached",
        order.services_follow_their_capacity,
        "WorkerService uses FARGATE_SPOT",
        put("CapacityProviders", "CapacityProviders", ["FARGATE"]),
    ),
    Fault(
        "a default strategy that is not attached",
        order.services_follow_their_capacity,
        "prefers FARGATE_SPOT",
        lambda rendered: (
            put("CapacityProviders", "CapacityProviders", ["FARGATE"])(rendered),
            put(
                "CapacityProviders",
                "DefaultCapacityProviderStrategy/0/CapacityProvider",
                "FARGATE_SPOT",
            )(rendered),
        ),
    ),
    Fault(
        "a service before its capacity",
        order.services_follow_their_capacity,
        "BeatService may be created",
        put("BeatService", "../DependsOn", ["StartPolicy"]),
    ),
    Fault(
        "a service before its permissions",
        order.services_follow_their_permissions,
        "ApiService may start tasks before StartPolicy",
        follow_capacity_only,
    ),
    Fault(
        "target type instance under Fargate",
        compute.fargate_targets_are_addresses,
        "target type instance",
        put("ApiTargetGroup", "TargetType", "instance"),
    ),
    Fault(
        "a task in bridge mode",
        compute.fargate_targets_are_addresses,
        "network mode",
        put("ApiTaskDefinition", "NetworkMode", "bridge"),
    ),
    Fault(
        "a task that does not ask for Fargate",
        compute.fargate_targets_are_addresses,
        "WorkerTaskDefinition does not say",
        drop("WorkerTaskDefinition", "RequiresCompatibilities"),
    ),
    Fault(
        "a scalable target whose ResourceId is the service's ARN",
        compute.scaling_names_its_service,
        "<ApiService>",
        put("ApiScalableTarget", "ResourceId", {"Ref": "ApiService"}),
    ),
    Fault(
        "a scaling policy whose ResourceId holds an ARN",
        compute.scaling_names_its_service,
        "service/<Cluster>/<WorkerService>",
        put(
            "WorkerBacklogScaling",
            "ResourceId",
            {"Fn::Join": ["/", ["service", {"Ref": "Cluster"}, {"Ref": "WorkerService"}]]},
        ),
    ),
    Fault(
        "a scaling policy of another resource",
        compute.scaling_names_its_service,
        "ApiCpuScaling scales a target",
        put("ApiCpuScaling", "ScalingTargetId", {"Ref": "Cluster"}),
    ),
    Fault(
        "a number of tasks in a service that scales",
        compute.scaled_services_have_no_count,
        "WorkerService scales",
        put("WorkerService", "DesiredCount", 2),
    ),
    Fault(
        "a service that neither scales nor has a number",
        compute.scaled_services_have_no_count,
        "BeatService neither scales",
        drop("BeatService", "DesiredCount"),
    ),
    Fault(
        "scaling to a maximum below the minimum",
        compute.scaled_services_have_no_count,
        "between 2 and 1",
        put("ApiScalableTarget", "MaxCapacity", "1"),
    ),
    Fault(
        "two schedulers",
        compute.there_is_one_beat,
        "DesiredCount 2",
        put("BeatService", "DesiredCount", 2),
    ),
    Fault(
        "a second scheduler during a deployment",
        compute.there_is_one_beat,
        "MaximumPercent 200",
        put("BeatService", "DeploymentConfiguration/MaximumPercent", 200),
    ),
    Fault(
        "a scheduler that must be up while it is replaced",
        compute.there_is_one_beat,
        "MinimumHealthyPercent 100",
        put("BeatService", "DeploymentConfiguration/MinimumHealthyPercent", 100),
    ),
    Fault(
        "a scheduler on Spot",
        compute.there_is_one_beat,
        "taken away",
        put("BeatService", "CapacityProviderStrategy/0/CapacityProvider", "FARGATE_SPOT"),
    ),
    Fault(
        "a scheduler that scales",
        compute.there_is_one_beat,
        "BeatService scales",
        put(
            "WorkerScalableTarget",
            "ResourceId",
            {
                "Fn::Join": [
                    "/",
                    ["service", {"Ref": "Cluster"}, {"Fn::GetAtt": ["BeatService", "Name"]}],
                ]
            },
        ),
    ),
    Fault(
        "zone rebalancing without room, by default",
        compute.rebalancing_has_room,
        "BeatService rebalances",
        drop("BeatService", "AvailabilityZoneRebalancing"),
    ),
    Fault(
        "zone rebalancing of workers",
        compute.rebalancing_stops_no_job,
        "WorkerService rebalances",
        put("WorkerService", "AvailabilityZoneRebalancing", "ENABLED"),
    ),
    Fault(
        "workers that cannot protect their tasks",
        compute.workers_can_protect_their_tasks,
        "WorkerTaskRole cannot protect",
        remove("TaskProtectionPolicy"),
    ),
    Fault(
        "workers that protect tasks of every cluster",
        compute.workers_can_protect_their_tasks,
        "not the tasks of the cluster",
        put("TaskProtectionPolicy", "PolicyDocument/Statement/0/Resource", ["*"]),
    ),
    Fault(
        "an api that protects tasks",
        compute.workers_can_protect_their_tasks,
        "ApiTaskRole may protect",
        lambda rendered: body(rendered, "TaskProtectionPolicy")["Properties"]["Roles"].append(
            rendered.parameters["compute"]["ApiTaskRoleName"]
        ),
    ),
    Fault(
        "a deployment that does not roll back",
        compute.bad_versions_are_rolled_back,
        "WorkerService does not roll",
        put("WorkerService", "DeploymentConfiguration/DeploymentCircuitBreaker/Rollback", False),
    ),
    Fault(
        "a circuit breaker with AWS's threshold",
        compute.bad_versions_are_rolled_back,
        "ApiService replaces many tasks",
        drop(
            "ApiService", "DeploymentConfiguration/DeploymentCircuitBreaker/ThresholdConfiguration"
        ),
    ),
    Fault(
        "a circuit breaker that a healthy task resets",
        compute.bad_versions_are_rolled_back,
        "ApiService never gives up",
        put(
            "ApiService",
            "DeploymentConfiguration/DeploymentCircuitBreaker/ResetOnHealthyTask",
            True,
        ),
    ),
    Fault(
        "an api on Spot",
        compute.spot_follows_the_parameter,
        "ApiService runs on ['FARGATE_SPOT']",
        put("ApiService", "CapacityProviderStrategy/0/CapacityProvider", "FARGATE_SPOT"),
    ),
    Fault(
        "a base of another size",
        compute.spot_follows_the_parameter,
        "not WorkerMinTasks",
        put(
            "WorkerService",
            "CapacityProviderStrategy/0/Base",
            "7",
        ),
    ),
    Fault(
        "a log group by name, that ECS would make",
        compute.containers_log_to_groups_of_the_templates,
        "/ecs/api",
        put(
            "ApiTaskDefinition",
            "ContainerDefinitions/0/LogConfiguration/Options/awslogs-group",
            "/ecs/api",
        ),
    ),
    Fault(
        "awslogs-create-group",
        compute.containers_log_to_groups_of_the_templates,
        "make its log group itself",
        put(
            "BeatTaskDefinition",
            "ContainerDefinitions/0/LogConfiguration/Options/awslogs-create-group",
            "true",
        ),
    ),
    Fault(
        "an execution role that may make log groups",
        compute.containers_log_to_groups_of_the_templates,
        "ExecutionRole may make log groups",
        append("StartPolicy", "PolicyDocument/Statement/1/Action", "logs:CreateLogGroup"),
    ),
    Fault(
        "an execution role that may not write the logs",
        compute.containers_log_to_groups_of_the_templates,
        "lacks logs:PutLogEvents on ApiLogGroup",
        drop("StartPolicy", "PolicyDocument/Statement/1/Resource/0"),
    ),
    Fault(
        "a log group without a retention",
        compute.log_groups_have_a_retention,
        "VpcFlowLogGroup keeps",
        drop("VpcFlowLogGroup", "RetentionInDays"),
    ),
    Fault(
        "a function that logs where Lambda makes it log",
        compute.log_groups_have_a_retention,
        "Function logs to a group",
        add("data", "Function", "AWS::Lambda::Function", Role="role"),
    ),
)
