"""The check that runs before every nested stack: a function of the root, as a custom resource."""

from __future__ import annotations

from troposphere import GetAZs, If, Join, Ref, Region, Select
from troposphere.cloudformation import CustomResource

from templates_src.core import iam
from templates_src.core.cache_mode import MODE
from templates_src.core.function import add_custom_resource, add_function
from templates_src.core.layer import Layer, is_list
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import ENVIRONMENT, PROJECT
from templates_src.data.bucket_removal import EXISTING_BUCKETS
from templates_src.data.buckets import (
    GLACIER_DAYS,
    INTELLIGENT_TIERING_DAYS,
    MEDIA_CORS_ORIGINS,
    NAMESPACE,
    OLD_VERSION_DAYS,
)
from templates_src.data.cache_parameters import FAILOVER, NODES
from templates_src.data.database_parameters import (
    ALLOCATED_STORAGE,
    MAX_ALLOCATED_STORAGE,
    SNAPSHOT_IDENTIFIER,
)
from templates_src.data.search_volume import SNAPSHOT_ID, VOLUME_SIZE
from templates_src.edge.certificate import CERTIFICATE_ARN, DOMAIN_NAME, HOSTED_ZONE_ID
from templates_src.guards.bucket_reads import read_buckets
from templates_src.guards.launch_check_reads import create_service_linked_roles, reads
from templates_src.network.template import AVAILABILITY_ZONES
from templates_src.network.tiers import VPC_CIDR, ZONES

LAUNCH_CHECK = "LaunchCheck"
# A few calls, each with its retries.
TIMEOUT_SECONDS = 60
# Only the parameters that a check reads: a change of one of them invokes the function.
CHECKED: tuple[Declaration, ...] = (
    PROJECT,
    ENVIRONMENT,
    AVAILABILITY_ZONES,
    VPC_CIDR,
    SNAPSHOT_IDENTIFIER,
    ALLOCATED_STORAGE,
    MAX_ALLOCATED_STORAGE,
    MODE,
    NODES,
    FAILOVER,
    VOLUME_SIZE,
    SNAPSHOT_ID,
    NAMESPACE,
    EXISTING_BUCKETS,
    INTELLIGENT_TIERING_DAYS,
    GLACIER_DAYS,
    OLD_VERSION_DAYS,
    MEDIA_CORS_ORIGINS,
    CERTIFICATE_ARN,
    DOMAIN_NAME,
    HOSTED_ZONE_ID,
)


def add_launch_check(root: Layer) -> CustomResource:
    """The function and its custom resource, which fails before anything else is created or changed.

    The log group has no key of the environment, because the security layer creates the key later. CloudFormation sends no Delete request for a retained
    custom resource: a function that no longer runs therefore cannot block a deletion.
    """
    function = add_function(
        root,
        "launch_check",
        description="Refuses a launch or an update that cannot succeed; creates missing service-linked roles",
        timeout_seconds=TIMEOUT_SECONDS,
        statements=(
            iam.see_own_stack("KnowItsStack"),
            read_buckets(),
            *reads(),
            create_service_linked_roles(),
        ),
        log_key=None,
    )
    values = {declaration.name: text(root, declaration) for declaration in CHECKED}
    return add_custom_resource(
        root,
        LAUNCH_CHECK,
        function,
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        **values,
    )


def text(root: Layer, declaration: Declaration) -> If | Join | Ref:
    """The value of a parameter as one string. If no zones are set, the value is the zones that the network layer uses."""
    reference = root.parameter(declaration)
    if declaration is AVAILABILITY_ZONES:
        first = [Select(str(zone - 1), GetAZs(Region)) for zone in ZONES]
        return If(root.has(declaration), Join(",", reference), Join(",", first))
    return Join(",", reference) if is_list(declaration) else reference
