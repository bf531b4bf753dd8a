"""The resources of an environment's compute layer: its services and their log groups."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.aws import Aws, aws_errors
from pipeline.stacks.reading import resource_summaries
from templates_src.compute.tasks.workloads import MIGRATION, WORKLOADS
from templates_src.functions.service_diagnosis import ServiceLocation

# The logical ID of the nested stack with the services.
COMPUTE = "Compute"
# Logs by the name that the command line gives them, with the logical IDs of their groups in the compute layer.
LOG_GROUPS: Mapping[str, str] = {
    **{workload.name: f"{workload.title}LogGroup" for workload in WORKLOADS},
    "search": "SearchLogGroup",
    MIGRATION.name: f"{MIGRATION.title}LogGroup",
}
_SERVICES = {f"{workload.title}Service": workload.name for workload in WORKLOADS}
_SERVICE_ARN = re.compile(
    r"arn:[^:]+:ecs:[^:]+:[^:]+:service/(?P<cluster>[^/]+)/(?P<service>[^/]+)"
)


@dataclass(frozen=True)
class Resource:
    """A resource of a stack; ``status`` is CloudFormation's, and the physical ID is empty before the resource has one."""

    physical_id: str
    status: str

    @property
    def exists(self) -> bool:
        """Whether the resource exists now."""
        return bool(self.physical_id) and self.status != "DELETE_COMPLETE"


def compute_resources(aws: Aws, stack_id: str) -> dict[str, Resource]:
    """The resources of an environment's compute layer by logical ID; none before the layer exists."""
    with aws_errors("list the resources of the environment"):
        nested = list_resources(aws, stack_id).get(COMPUTE)
        return list_resources(aws, nested.physical_id) if nested and nested.physical_id else {}


def list_resources(aws: Aws, stack_id: str) -> dict[str, Resource]:
    """The resources of a stack, also of a deleted one, by logical ID. Raises botocore's ClientError."""
    return {
        each["LogicalResourceId"]: Resource(
            each.get("PhysicalResourceId", ""), each["ResourceStatus"]
        )
        for each in resource_summaries(aws.client("cloudformation"), stack_id)
    }


def service_locations(
    physical_ids: Mapping[str, str], log_groups: Mapping[str, str]
) -> list[ServiceLocation]:
    """The services among physical IDs by logical ID; ``log_groups`` are names of log groups by logical ID."""
    found = []
    for logical_id, workload in _SERVICES.items():
        arn = _SERVICE_ARN.fullmatch(physical_ids.get(logical_id, ""))
        if arn:
            group = log_groups.get(LOG_GROUPS[workload], "")
            found.append(ServiceLocation(workload, arn["cluster"], arn["service"], group))
    return found


def is_service(logical_id: str) -> bool:
    """Whether a logical ID of the compute layer is that of a service."""
    return logical_id in _SERVICES
