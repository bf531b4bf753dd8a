"""Faults in tasks, targets and what can be observed of an environment."""

from __future__ import annotations

from tests.relations.planting import drop, put, remove
from tests.relations.registry import Fault
from tests.relations.services.checks_tasks import (
    containers_get_what_the_contract_says,
    containers_run_as_the_contract_says,
    engines_and_firewall_can_be_observed,
    nothing_is_idle,
    services_and_functions_are_in_three_zones,
    sessions_in_containers_are_recorded,
    targets_are_healthy_in_time,
    the_domain_leads_to_the_load_balancer,
)

CONTAINER = "ContainerDefinitions/0"

FAULTS = (
    Fault(
        "a worker without the prefix of its keys",
        containers_get_what_the_contract_says,
        "WorkerTaskDefinition lacks CELERY_KEY_PREFIX",
        drop("WorkerTaskDefinition", f"{CONTAINER}/Environment/3"),
    ),
    Fault(
        "a worker that ends its jobs after 12 seconds",
        containers_run_as_the_contract_says,
        "WorkerTaskDefinition has 12 seconds",
        put("WorkerTaskDefinition", f"{CONTAINER}/StopTimeout", 12),
    ),
    Fault(
        "an api that stops when its log does",
        containers_run_as_the_contract_says,
        "ApiTaskDefinition logs in the mode blocking",
        put("ApiTaskDefinition", f"{CONTAINER}/LogConfiguration/Options/mode", "blocking"),
    ),
    Fault(
        "targets that stay unhealthy for minutes",
        targets_are_healthy_in_time,
        "needs 2 answers, one every 150 seconds",
        put("ApiTargetGroup", "HealthCheckIntervalSeconds", 150),
    ),
    Fault(
        "a service in two zones",
        services_and_functions_are_in_three_zones,
        "ApiService is in 2 zones",
        drop("ApiService", "NetworkConfiguration/AwsvpcConfiguration/Subnets/0"),
    ),
    Fault(
        "shells without a record",
        sessions_in_containers_are_recorded,
        "Cluster records sessions in None",
        drop("Cluster", "Configuration"),
    ),
    Fault(
        "a firewall without metrics",
        engines_and_firewall_can_be_observed,
        "WebAcl does not show RateLimit",
        put("WebAcl", "Rules/0/VisibilityConfig/CloudWatchMetricsEnabled", False),
    ),
    Fault(
        "a database that changes a week later",
        engines_and_firewall_can_be_observed,
        "Database changes in its maintenance window",
        put("Database", "ApplyImmediately", False),
    ),
    Fault(
        "a function that nothing calls",
        nothing_is_idle,
        "BucketRemovalFunction is used by nothing",
        remove("BucketCleanup"),
    ),
    Fault(
        "a domain without a record",
        the_domain_leads_to_the_load_balancer,
        "app.example.com has no record",
        remove("DomainRecord"),
    ),
)
