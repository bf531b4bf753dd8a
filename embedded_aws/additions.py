"""Everything this package adds to ministack, in the order in which it must be added."""

from embedded_aws.cloudformation import (
    capabilities,
    change_set_validation,
    change_sets,
    custom_resources,
    deletion_order,
    nested_change_sets,
    nested_cleanup,
    nested_stack_events,
    nested_stacks,
    parameter_types,
    property_checks,
    protections,
    request_tokens,
    stack_tags,
    taken_names,
    template_urls,
)
from embedded_aws.resources import (
    alarms,
    attributes,
    buckets,
    cache_users,
    caches,
    containers,
    edge,
    hosted_zones,
    identity,
    instance_groups,
    network,
    network_rules,
    scaling,
    secrets,
    storage,
)
from embedded_aws.services import (
    application_autoscaling,
    certificates,
    dlm,
    function_roles,
    public_parameters,
    refused_values,
    request_contexts,
    service_catalog,
    vpc_functions,
    waf_logging,
)

_SERVICES = (application_autoscaling, certificates, dlm, function_roles, waf_logging)
_RESOURCES = (
    alarms,
    buckets,
    cache_users,
    caches,
    containers,
    edge,
    hosted_zones,
    identity,
    instance_groups,
    network,
    network_rules,
    scaling,
    secrets,
    storage,
)
# After the resource types: these wrap existing handlers.
_RULES = (
    attributes,
    protections,
    taken_names,
    deletion_order,
    nested_stacks,
    nested_cleanup,
    nested_stack_events,
    # Before the checks of properties, which so come first.
    refused_values,
    property_checks,
    parameter_types,
    public_parameters,
    request_contexts,
    template_urls,
    capabilities,
    stack_tags,
    change_set_validation,
    change_sets,
    nested_change_sets,
    request_tokens,
    custom_resources,
    vpc_functions,
    # Last: it wraps CloudFormation with all other changes.
    service_catalog,
)


def install() -> None:
    """Add it all; call it once, after `settings.prepare_environment` and before serving."""
    for addition in (*_SERVICES, *_RESOURCES, *_RULES):
        addition.install()
