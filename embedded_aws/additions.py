"""The additions to ministack, in the order in which they are installed."""

from embedded_aws.cloudformation import custom_resources, failure_options, metadata_references
from embedded_aws.cloudformation.change_sets import changes, validation
from embedded_aws.cloudformation.deletion import (
    during_creation,
    failed_creations,
    network_uses,
    order,
    protections,
    service_uses,
    snapshots,
    termination_protection,
)
from embedded_aws.cloudformation.nested_stacks import change_sets as nested_change_sets
from embedded_aws.cloudformation.nested_stacks import cleanup, events, rollback, rollback_cleanup
from embedded_aws.cloudformation.nested_stacks import stacks as nested_stacks
from embedded_aws.cloudformation.properties import (
    cache_replicas,
    function_code,
    schema,
    subnets,
    taken_names,
    values,
)
from embedded_aws.cloudformation.requests import (
    cancellation,
    capabilities,
    notifications,
    parameter_types,
    stack_tags,
    statuses,
    template_reports,
    template_urls,
    tokens,
)
from embedded_aws.resources import alarms, attributes, generated_names, log_groups
from embedded_aws.resources.compute import (
    containers,
    instance_groups,
    scaling,
    service_deployments,
    target_health,
)
from embedded_aws.resources.data import buckets, cache_users, caches, database_updates, volumes
from embedded_aws.resources.identity import policies, secrets, service_linked_roles
from embedded_aws.resources.network import (
    addresses,
    hosted_zones,
    interfaces,
    load_balancers,
    regions,
    rules,
    web_acls,
    zones,
)
from embedded_aws.services import (
    application_autoscaling,
    certificates,
    dlm,
    function_roles,
    public_dns,
    public_parameters,
    request_contexts,
    service_catalog,
    vpc_functions,
    waf_logging,
)
from embedded_aws.services.account import managed_policies, service_quotas
from embedded_aws.services.databases import instances as databases
from embedded_aws.services.databases import requests as database_requests
from embedded_aws.services.databases import snapshots as database_snapshots
from embedded_aws.services.tasks import authorization as task_authorization
from embedded_aws.services.tasks import requests as task_requests

_SERVICES = (
    application_autoscaling,
    certificates,
    database_requests,
    database_snapshots,
    dlm,
    function_roles,
    public_dns,
    service_quotas,
    task_requests,
    waf_logging,
)
_RESOURCES = (
    generated_names,
    alarms,
    addresses,
    buckets,
    cache_users,
    caches,
    database_updates,
    containers,
    databases,
    hosted_zones,
    instance_groups,
    load_balancers,
    log_groups,
    interfaces,
    policies,
    regions,
    rules,
    scaling,
    secrets,
    service_deployments,
    service_linked_roles,
    target_health,
    volumes,
    web_acls,
    zones,
)
# After the resource types: these wrap existing handlers.
_RULES = (
    attributes,
    protections,
    network_uses,
    service_uses,
    taken_names,
    order,
    termination_protection,
    nested_stacks,
    cleanup,
    failed_creations,
    snapshots,
    rollback,
    events,
    rollback_cleanup,
    during_creation,
    # The checks of properties, in the order in which they run.
    schema,
    values,
    cache_replicas,
    subnets,
    function_code,
    managed_policies,
    parameter_types,
    public_parameters,
    request_contexts,
    task_authorization,
    template_urls,
    capabilities,
    template_reports,
    stack_tags,
    notifications,
    failure_options,
    statuses,
    validation,
    changes,
    nested_change_sets,
    tokens,
    custom_resources,
    cancellation,
    metadata_references,
    vpc_functions,
    # Last: it wraps CloudFormation with all other changes.
    service_catalog,
)


def install() -> None:
    """Install all additions; call it once, after `settings.prepare_environment` and before serving."""
    for addition in (*_SERVICES, *_RESOURCES, *_RULES):
        addition.install()
