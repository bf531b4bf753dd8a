"""Whether a resource exists in the account, its size and its monthly cost, for the known types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipeline.cost import prices
from pipeline.environments.deletion.account import Account, UnreadableError
from pipeline.environments.deletion.costs import (
    NO_COST,
    UNKNOWN_COST,
    Cost,
    monthly,
    stored,
    unknown_size,
)

_BYTES_IN_GIB = 1024**3


@dataclass(frozen=True)
class Look:
    """A resource in the account. ``exists`` is None if the credentials cannot read it; ``protected`` means deletion protection."""

    exists: bool | None
    size: str = ""
    cost: Cost = UNKNOWN_COST
    protected: bool = False


ABSENT, UNKNOWN = Look(False), Look(None)


def look(account: Account, kind: str, physical_id: str, about: str) -> Look:
    """Read a resource; ``about`` names it if the credentials cannot. UNKNOWN for a type that is not in LOOKS."""
    if kind not in LOOKS or not physical_id:
        return UNKNOWN
    try:
        return LOOKS[kind](account, physical_id, about)
    except UnreadableError:
        return UNKNOWN


def gib(count: int) -> Decimal:
    """Bytes in GiB."""
    return Decimal(count) / _BYTES_IN_GIB


def in_words(size: Decimal | int) -> str:
    """A size in GiB as text."""
    rounded = Decimal(size).quantize(Decimal("0.01")).normalize()
    return "less than 0.01 GiB" if size and not rounded else f"{rounded:f} GiB"


def _database(account: Account, name: str, about: str) -> Look:
    answer = account.read(
        "rds:DescribeDBInstances",
        about,
        lambda rds: rds.describe_db_instances(DBInstanceIdentifier=name),
    )
    for found in (answer or {}).get("DBInstances", []):
        size, standby = int(found.get("AllocatedStorage", 0)), bool(found.get("MultiAZ"))
        hour = prices.DATABASE_HOUR.get((found.get("DBInstanceClass", ""), standby))
        per_gb = prices.DATABASE_STORAGE_GB_MONTH[standby]
        cost = UNKNOWN_COST
        if hour:
            usd = hour.usd * prices.HOURS_A_MONTH + size * per_gb.usd
            cost = Cost(usd, prices=(hour, per_gb))
        return Look(True, in_words(size), cost, bool(found.get("DeletionProtection")))
    return ABSENT


def _replication_group(account: Account, name: str, about: str) -> Look:
    answer = account.read(
        "elasticache:DescribeReplicationGroups",
        about,
        lambda cache: cache.describe_replication_groups(ReplicationGroupId=name),
    )
    for found in (answer or {}).get("ReplicationGroups", []):
        nodes = len(found.get("MemberClusters", []))
        hour = prices.CACHE_NODE_HOUR.get((found.get("CacheNodeType", ""), "valkey"))
        cost = UNKNOWN_COST
        if hour and nodes:
            cost = Cost(nodes * hour.usd * prices.HOURS_A_MONTH, prices=(hour,))
        return Look(True, f"{nodes} nodes" if nodes else "", cost)
    return ABSENT


def _serverless_cache(account: Account, name: str, about: str) -> Look:
    answer = account.read(
        "elasticache:DescribeServerlessCaches",
        about,
        lambda cache: cache.describe_serverless_caches(ServerlessCacheName=name),
    )
    return Look(True) if (answer or {}).get("ServerlessCaches") else ABSENT


def _load_balancer(account: Account, arn: str, about: str) -> Look:
    answer = account.read(
        "elasticloadbalancing:DescribeLoadBalancers",
        about,
        lambda balancing: balancing.describe_load_balancers(LoadBalancerArns=[arn]),
    )
    if not (answer or {}).get("LoadBalancers"):
        return ABSENT
    attributes = account.read(
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        about,
        lambda balancing: balancing.describe_load_balancer_attributes(LoadBalancerArn=arn),
    )
    values = {each["Key"]: each["Value"] for each in (attributes or {}).get("Attributes", [])}
    protected = str(values.get("deletion_protection.enabled")).lower() == "true"
    return Look(True, cost=monthly(prices.LOAD_BALANCER_HOUR), protected=protected)


def _bucket(account: Account, name: str, about: str) -> Look:
    answer = account.read(
        "s3:ListBucketVersions",
        about,
        lambda s3: s3.list_object_versions(Bucket=name, MaxKeys=1),
    )
    if answer is None:
        return ABSENT
    if not answer.get("Versions") and not answer.get("DeleteMarkers"):
        return Look(True, EMPTY, NO_COST)
    return Look(True, "not empty", unknown_size(prices.BUCKET_GB_MONTH))


EMPTY = "empty"


def _volume(account: Account, name: str, about: str) -> Look:
    answer = account.read(
        "ec2:DescribeVolumes", about, lambda ec2: ec2.describe_volumes(VolumeIds=[name])
    )
    for found in (answer or {}).get("Volumes", []):
        size = int(found["Size"])
        return Look(True, in_words(size), stored(size, prices.VOLUME_GB_MONTH))
    return ABSENT


def _key(account: Account, name: str, about: str) -> Look:
    answer = account.read("kms:DescribeKey", about, lambda kms: kms.describe_key(KeyId=name))
    if answer is None or answer["KeyMetadata"].get("KeyState") == "PendingDeletion":
        return ABSENT
    return Look(True, cost=monthly(prices.KEY_MONTH))


def _repository(account: Account, name: str, about: str) -> Look:
    def sizes(ecr: Any) -> list[int]:
        pages = ecr.get_paginator("describe_images").paginate(repositoryName=name)
        return [
            image.get("imageSizeInBytes", 0) for page in pages for image in page["imageDetails"]
        ]

    found = account.read("ecr:DescribeImages", about, sizes)
    if found is None:
        return ABSENT
    if not found:
        return Look(True, EMPTY, NO_COST)
    # Images share layers, which are stored once.
    size = gib(sum(found))
    cost = stored(size, prices.REPOSITORY_GB_MONTH, is_limit=True)
    return Look(True, f"{len(found)} images, {in_words(size)}", cost)


def _identity_provider(account: Account, arn: str, about: str) -> Look:
    answer = account.read(
        "iam:GetOpenIDConnectProvider",
        about,
        lambda iam: iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn),
    )
    return ABSENT if answer is None else Look(True, cost=NO_COST)


def _nat_gateway(account: Account, name: str, about: str) -> Look:
    answer = account.read(
        "ec2:DescribeNatGateways",
        about,
        lambda ec2: ec2.describe_nat_gateways(NatGatewayIds=[name]),
    )
    # EC2 lists a deleted one for about an hour.
    states = {found["State"] for found in (answer or {}).get("NatGateways", [])}
    return Look(True, cost=monthly(prices.NAT_GATEWAY_HOUR)) if states - {"deleted"} else ABSENT


def _address(account: Account, public_ip: str, about: str) -> Look:
    answer = account.read(
        "ec2:DescribeAddresses",
        about,
        lambda ec2: ec2.describe_addresses(
            Filters=[{"Name": "public-ip", "Values": [public_ip]}],
        ),
    )
    held = [each for each in (answer or {}).get("Addresses", []) if each["PublicIp"] == public_ip]
    return Look(True, cost=monthly(prices.PUBLIC_IPV4_HOUR)) if held else ABSENT


def _network(account: Account, name: str, about: str) -> Look:
    answer = account.read("ec2:DescribeVpcs", about, lambda ec2: ec2.describe_vpcs(VpcIds=[name]))
    return Look(True, cost=NO_COST) if (answer or {}).get("Vpcs") else ABSENT


# Types that can hold data or cost money; the rest of an environment is deleted with one of these.
LOOKS: Mapping[str, Callable[[Account, str, str], Look]] = {
    "AWS::EC2::EIP": _address,
    "AWS::EC2::NatGateway": _nat_gateway,
    "AWS::EC2::VPC": _network,
    "AWS::EC2::Volume": _volume,
    "AWS::ECR::Repository": _repository,
    "AWS::ElastiCache::ReplicationGroup": _replication_group,
    "AWS::ElastiCache::ServerlessCache": _serverless_cache,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _load_balancer,
    "AWS::IAM::OIDCProvider": _identity_provider,
    "AWS::KMS::Key": _key,
    "AWS::RDS::DBInstance": _database,
    "AWS::S3::Bucket": _bucket,
}
