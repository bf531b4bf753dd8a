"""The use of the account's quotas: what exists now, counted with read-only calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.environments.account.needs import CPU_UNITS, GIB_PER_TIB, SPOT
from pipeline.environments.deletion.account import Account

Entry = Mapping[str, Any]
# DescribeTasks takes 100 tasks. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html
_TASKS = 100
# The families of the quota "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances".
_STANDARD = "acdhimrtz"


@dataclass(frozen=True)
class Listing:
    """A call that lists resources: its IAM action, the client's operation, the key of its entries, and its arguments."""

    action: str
    operation: str
    key: str
    arguments: Mapping[str, Any]

    def entries(self, account: Account) -> list[Entry]:
        """All entries, over all pages. Raises UnreadableError without the permission."""

        def read(client: Any) -> list[Entry]:
            if client.can_paginate(self.operation):
                pages: Iterable[Any] = client.get_paginator(self.operation).paginate(
                    **self.arguments
                )
            else:
                pages = _token_pages(getattr(client, self.operation), self.arguments)
            return [entry for page in pages for entry in page.get(self.key, [])]

        found: list[Entry] | None = account.read(self.action, self.key, read)
        return found or []


def _token_pages(call: Callable[..., Any], arguments: Mapping[str, Any]) -> Iterator[Entry]:
    """The pages of an operation that boto3 does not paginate."""
    marker: dict[str, Any] = {}
    while True:
        page = call(**arguments, **marker)
        yield page
        token = page.get("NextMarker") or page.get("NextToken")
        if not token:
            return
        marker = {"NextMarker" if "NextMarker" in page else "NextToken": token}


def listing(action: str, operation: str, key: str, **arguments: Any) -> Listing:
    """A listing call with its arguments."""
    return Listing(action, operation, key, arguments)


NAT_GATEWAYS = listing("ec2:DescribeNatGateways", "describe_nat_gateways", "NatGateways")
SUBNETS = listing("ec2:DescribeSubnets", "describe_subnets", "Subnets")
INSTANCES = listing(
    "ec2:DescribeInstances",
    "describe_instances",
    "Reservations",
    Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}],
)
VOLUMES = listing(
    "ec2:DescribeVolumes",
    "describe_volumes",
    "Volumes",
    Filters=[{"Name": "volume-type", "Values": ["gp3"]}],
)
DATABASES = listing("rds:DescribeDBInstances", "describe_db_instances", "DBInstances")
CACHES = listing("elasticache:DescribeCacheClusters", "describe_cache_clusters", "CacheClusters")
BUCKETS = listing("s3:ListAllMyBuckets", "list_buckets", "Buckets")
CLUSTERS = listing("ecs:ListClusters", "list_clusters", "clusterArns")


def nat_gateways_of_a_zone(account: Account) -> float:
    """The NAT gateways of the zone that has the most. Deleted and failed ones do not count."""
    zones = {each["SubnetId"]: each["AvailabilityZone"] for each in SUBNETS.entries(account)}
    counted = Counter(
        zones.get(each.get("SubnetId", ""), "")
        for each in NAT_GATEWAYS.entries(account)
        if each["State"] in {"pending", "available", "deleting"}
    )
    return max(counted.values(), default=0)


def volume_tib(account: Account) -> float:
    """The storage of gp3 volumes."""
    return sum(float(each["Size"]) for each in VOLUMES.entries(account)) / GIB_PER_TIB


def database_gib(account: Account) -> float:
    """The storage of databases."""
    return sum(float(each["AllocatedStorage"]) for each in DATABASES.entries(account))


def cache_nodes(account: Account) -> float:
    """The nodes of all caches."""
    return sum(int(each.get("NumCacheNodes", 1)) for each in CACHES.entries(account))


def reserved_concurrency(account: Account) -> float:
    """The concurrent executions that functions reserve."""
    found = account.read(
        "lambda:GetAccountSettings", "functions", lambda client: client.get_account_settings()
    )
    limit = found["AccountLimit"] if found else {}
    return float(
        limit.get("ConcurrentExecutions", 0) - limit.get("UnreservedConcurrentExecutions", 0)
    )


def iam_entities(name: str) -> Callable[[Account], float]:
    """The number of IAM entities by its name in GetAccountSummary, such as Roles."""

    def count(account: Account) -> float:
        found = account.read(
            "iam:GetAccountSummary", "roles", lambda client: client.get_account_summary()
        )
        return float((found or {}).get("SummaryMap", {}).get(name, 0))

    return count


def load_balancers(account: Account) -> float:
    """The Application Load Balancers."""
    found = listing(
        "elasticloadbalancing:DescribeLoadBalancers", "describe_load_balancers", "LoadBalancers"
    )
    return len([each for each in found.entries(account) if each["Type"] == "application"])


def standard_vcpus(account: Account) -> float:
    """The vCPUs of running On-Demand instances of the standard families."""
    instances = [
        instance
        for reservation in INSTANCES.entries(account)
        for instance in reservation["Instances"]
        if instance.get("InstanceLifecycle", "") != "spot"
        and instance["InstanceType"][0] in _STANDARD
    ]
    sizes = vcpus_of(account, {each["InstanceType"] for each in instances})
    return sum(sizes.get(each["InstanceType"], 0) for each in instances)


def vcpus_of(account: Account, types: Iterable[str]) -> dict[str, int]:
    """The vCPUs of instance types."""
    names = sorted(set(types))
    if not names:
        return {}
    found = listing(
        "ec2:DescribeInstanceTypes", "describe_instance_types", "InstanceTypes", InstanceTypes=names
    )
    return {
        each["InstanceType"]: int(each["VCpuInfo"]["DefaultVCpus"])
        for each in found.entries(account)
    }


def fargate_vcpus(account: Account, *, spot: bool) -> float:
    """The vCPUs of the tasks that run on Fargate or on Fargate Spot."""
    return sum(
        int(task.get("cpu", 0)) / CPU_UNITS
        for task in _fargate_tasks(account)
        if (task.get("capacityProviderName") == SPOT) is spot
    )


def _fargate_tasks(account: Account) -> Iterator[Entry]:
    for cluster in CLUSTERS.entries(account):
        running = listing(
            "ecs:ListTasks", "list_tasks", "taskArns", cluster=cluster, launchType="FARGATE"
        )
        arns = running.entries(account)
        for start in range(0, len(arns), _TASKS):
            described = listing(
                "ecs:DescribeTasks",
                "describe_tasks",
                "tasks",
                cluster=cluster,
                tasks=arns[start : start + _TASKS],
            )
            yield from described.entries(account)
