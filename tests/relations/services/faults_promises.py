"""Faults that break a promise of the pages, each with values that AWS accepts."""

from __future__ import annotations

from pipeline.checks.render import Rendered
from tests.relations.functions.checks_code import (
    custom_resources_pass_what_their_code_reads,
    custom_resources_wait_for_their_function,
    functions_are_alike,
    functions_get_their_settings,
    functions_may_do_what_their_code_does,
)
from tests.relations.planting import body, drop, put
from tests.relations.registry import Fault
from tests.relations.services.checks_promises import (
    aliases_are_in_the_zone_of_their_target,
    deployments_keep_the_api_up,
    flow_logs_contain_every_connection,
    host_ports_are_those_of_containers,
    images_cannot_change,
    lists_repeat_nothing,
    nothing_names_another_region,
    services_tag_their_tasks,
    statements_are_complete,
    the_dashboard_shows_every_part,
    the_load_balancer_refuses_malformed_requests,
)

ATTRIBUTES = "LoadBalancerAttributes"


def forget_beat(rendered: Rendered) -> None:
    """A dashboard without the service beat."""
    properties = body(rendered, "Dashboard")["Properties"]
    (name,) = (
        text for text, origin in rendered.origins.items() if origin.logical_id == "BeatService"
    )
    text, values = properties["DashboardBody"]["Fn::Sub"]
    properties["DashboardBody"] = {"Fn::Sub": [text.replace(name, "api"), values]}


FAULTS = (
    Fault(
        "a function that may not do what its code does",
        functions_may_do_what_their_code_does,
        "ZoneCleanupRole does not allow route53:ListResourceRecordSets",
        put(
            "ZoneCleanupRole",
            "Policies/0/PolicyDocument/Statement/2/Action",
            ["route53:GetHostedZone"],
        ),
    ),
    Fault(
        "mutable image tags",
        images_cannot_change,
        "lets a tag name another image",
        put("ImageRepositoryOfEnvironment", "ImageTagMutability", "MUTABLE"),
    ),
    Fault(
        "an api that loses its tasks during a deployment",
        deployments_keep_the_api_up,
        "ApiService loses tasks",
        put("ApiService", "DeploymentConfiguration/MinimumHealthyPercent", 0),
    ),
    Fault(
        "tasks without tags",
        services_tag_their_tasks,
        "WorkerService starts tasks without tags",
        drop("WorkerService", "PropagateTags"),
    ),
    Fault(
        "invalid headers that reach the api",
        the_load_balancer_refuses_malformed_requests,
        "keeps headers with invalid names",
        put("LoadBalancer", f"{ATTRIBUTES}/0/Value", "false"),
    ),
    Fault(
        "a host port under awsvpc",
        host_ports_are_those_of_containers,
        "maps port 8000 to 80",
        put("ApiTaskDefinition", "ContainerDefinitions/0/PortMappings/0/HostPort", 80),
    ),
    Fault(
        "a flow log of rejected traffic",
        flow_logs_contain_every_connection,
        "contains REJECT traffic only",
        put("VpcFlowLog", "TrafficType", "REJECT"),
    ),
    Fault(
        "the endpoint of another region",
        nothing_names_another_region,
        "ApiTaskDefinition names eu-west-1",
        put("ApiTaskDefinition", "ContainerDefinitions/0/Environment/1/Value", "eu-west-1"),
    ),
    Fault(
        "an alias in another zone",
        aliases_are_in_the_zone_of_their_target,
        "DomainRecord is an alias of",
        put("DomainRecord", "AliasTarget/HostedZoneId", {"Ref": "LoadBalancer"}),
    ),
    Fault(
        "a record in another zone",
        aliases_are_in_the_zone_of_their_target,
        "DomainRecord is in Z9",
        put("DomainRecord", "HostedZoneId", "Z9"),
    ),
    Fault(
        "a function that is not told its queues",
        functions_get_their_settings,
        "QueueDepthFunction is not told its queues",
        drop("QueueDepthFunction", "Environment/Variables/QUEUES"),
    ),
    Fault(
        "a function without a variable that it requires",
        functions_get_their_settings,
        "QueueDepthFunction lacks CLUSTER",
        drop("QueueDepthFunction", "Environment/Variables/CLUSTER"),
    ),
    Fault(
        "a function with another runtime",
        functions_are_alike,
        "ZoneCleanupFunction has Runtime python3.12",
        put("ZoneCleanupFunction", "Runtime", "python3.12"),
    ),
    Fault(
        "a custom resource that is given up before its function ends",
        custom_resources_wait_for_their_function,
        "BucketCleanup waits 96 seconds",
        put("BucketCleanup", "ServiceTimeout", 96),
    ),
    Fault(
        "a custom resource without a property that its code reads",
        custom_resources_pass_what_their_code_reads,
        "ZoneCleanup lacks KeptRecord",
        drop("ZoneCleanup", "KeptRecord"),
    ),
    Fault(
        "a dashboard without a service",
        the_dashboard_shows_every_part,
        "Dashboard does not show BeatService",
        forget_beat,
    ),
    Fault(
        "a policy of the version of 2008",
        statements_are_complete,
        "has a policy of the version 2008-10-17",
        put("MediaBucketPolicy", "PolicyDocument/Version", "2008-10-17"),
    ),
    Fault(
        "a subnet that is named twice",
        lists_repeat_nothing,
        "LoadBalancer has app twice in Subnets",
        put("LoadBalancer", "Subnets", ["app", "app", "other"]),
    ),
)
