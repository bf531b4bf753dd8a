"""Example values of a resource's Ref and attributes, with which templates are checked before a launch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

ACCOUNT = "111122223333"


def example(
    region: str, partition: str, layer: str, logical_id: str, kind: str, attribute: str | None
) -> str:
    """An example value in AWS's form of the Ref (``attribute`` None) or attribute of a resource.

    It is the same at every call, and no two resources share one, so that a value in one layer identifies the resource of
    another. For another region, only the region's name and partition differ.
    """
    seed = hashlib.sha256(f"{layer}/{logical_id}".encode()).hexdigest()
    arn = arn_of(kind, region, partition, logical_id, seed)
    name = f"{layer}-{logical_id}-{seed[:12].upper()}"
    if attribute is None:
        if kind in _ID_PREFIX:
            return f"{_ID_PREFIX[kind]}-{seed[:17]}"
        if kind in _REF_IS_ARN:
            return arn
        return lower_name(logical_id, seed) if kind in _LOWER_NAME else name
    if attribute in {"Arn", "ARN"} or attribute.endswith("Arn"):
        return arn
    if attribute.endswith(("Id", "ID")) and kind in _ID_PREFIX:
        return f"{_ID_PREFIX[kind]}-{seed[:17]}"
    if attribute in _ATTRIBUTE:
        return _ATTRIBUTE[attribute](region, logical_id.lower(), seed)
    return f"{logical_id}-{attribute}-{seed[:8]}"


def lower_name(logical_id: str, seed: str) -> str:
    """A physical name for services that allow lower case only."""
    return f"{logical_id.lower()}-{seed[:12]}"


def arn_of(kind: str, region: str, partition: str, logical_id: str, seed: str) -> str:
    """The ARN of a resource."""
    service = kind.split("::")[1].lower()
    service, resource = _ARN.get(kind, (service, "{name}"))
    filled = resource.format(
        name=logical_id, lower=logical_id.lower(), id=seed[:16], uuid=uuid(seed)
    )
    if service == "s3":
        return f"arn:{partition}:s3:::{filled}"
    where = "" if service == "iam" else region
    return f"arn:{partition}:{service}:{where}:{ACCOUNT}:{filled}"


def uuid(seed: str) -> str:
    """Hexadecimal digits in the form of a UUID."""
    return "-".join((seed[:8], seed[8:12], "4" + seed[13:16], "a" + seed[17:20], seed[20:32]))


_ID_PREFIX: Mapping[str, str] = {
    "AWS::EC2::VPC": "vpc",
    "AWS::EC2::Subnet": "subnet",
    "AWS::EC2::SecurityGroup": "sg",
    "AWS::EC2::RouteTable": "rtb",
    "AWS::EC2::InternetGateway": "igw",
    "AWS::EC2::NatGateway": "nat",
    "AWS::EC2::EIP": "eipalloc",
    "AWS::EC2::NetworkAcl": "acl",
    "AWS::EC2::Volume": "vol",
    "AWS::EC2::LaunchTemplate": "lt",
}

_LOWER_NAME = frozenset(
    (
        "AWS::S3::Bucket",
        "AWS::RDS::DBInstance",
        "AWS::ElastiCache::ServerlessCache",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::ElastiCache::UserGroup",
        "AWS::ElastiCache::User",
        "AWS::ECR::Repository",
    )
)

_REF_IS_ARN = frozenset(
    (
        "AWS::SecretsManager::Secret",
        "AWS::SNS::Topic",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::CertificateManager::Certificate",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::ManagedPolicy",
        "AWS::ECS::Service",
        "AWS::ECS::TaskDefinition",
        "AWS::CloudFormation::Stack",
    )
)

_ARN: Mapping[str, tuple[str, str]] = {
    "AWS::KMS::Key": ("kms", "key/{uuid}"),
    "AWS::SecretsManager::Secret": ("secretsmanager", "secret:{name}-{id}-a1B2c3"),
    "AWS::SNS::Topic": ("sns", "{name}-{id}"),
    "AWS::SQS::Queue": ("sqs", "{name}-{id}"),
    "AWS::IAM::Role": ("iam", "role/carbon-connect/dev/{name}-{id}"),
    "AWS::IAM::OIDCProvider": ("iam", "oidc-provider/token.actions.githubusercontent.com"),
    "AWS::IAM::ManagedPolicy": ("iam", "policy/carbon-connect/dev/{name}-{id}"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (
        "elasticloadbalancing",
        "loadbalancer/app/{lower}/{id}",
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": (
        "elasticloadbalancing",
        "targetgroup/{lower}/{id}",
    ),
    "AWS::ElasticLoadBalancingV2::Listener": (
        "elasticloadbalancing",
        "listener/app/{lower}/{id}/{id}",
    ),
    "AWS::CertificateManager::Certificate": ("acm", "certificate/{uuid}"),
    "AWS::WAFv2::WebACL": ("wafv2", "regional/webacl/{name}/{uuid}"),
    "AWS::Logs::LogGroup": ("logs", "log-group:{name}-{id}:*"),
    "AWS::ECR::Repository": ("ecr", "repository/{lower}-{id}"),
    "AWS::ECS::Cluster": ("ecs", "cluster/{name}-{id}"),
    "AWS::ECS::Service": ("ecs", "service/Cluster/{name}-{id}"),
    "AWS::ECS::TaskDefinition": ("ecs", "task-definition/{name}-{id}:1"),
    "AWS::Lambda::Function": ("lambda", "function:{name}-{id}"),
    "AWS::RDS::DBInstance": ("rds", "db:{lower}-{id}"),
    "AWS::S3::Bucket": ("s3", "{lower}-{id}"),
    "AWS::CloudFormation::Stack": ("cloudformation", "stack/{name}-{id}/{uuid}"),
    "AWS::ElastiCache::ServerlessCache": ("elasticache", "serverlesscache:{lower}-{id}"),
    "AWS::ElastiCache::ReplicationGroup": ("elasticache", "replicationgroup:{lower}-{id}"),
}

_ATTRIBUTE: Mapping[str, Callable[[str, str, str], str]] = {
    "AvailabilityZone": lambda region, _name, _seed: f"{region}a",
    "Endpoint.Address": lambda region, name, seed: f"{name}.{seed[:12]}.{region}.rds.amazonaws.com",
    "Endpoint.Port": lambda _region, _name, _seed: "6379",
    "PrimaryEndPoint.Address": lambda region, name, seed: (
        f"master.{name}.{seed[:6]}.{region}.cache.amazonaws.com"
    ),
    "PrimaryEndPoint.Port": lambda _region, _name, _seed: "6379",
    "DNSName": lambda region, name, seed: f"{name}-{seed[:10]}.{region}.elb.amazonaws.com",
    "CanonicalHostedZoneID": lambda _region, _name, seed: f"Z{seed[:13].upper()}",
    "LoadBalancerFullName": lambda _region, name, seed: f"app/{name}/{seed[:16]}",
    "TargetGroupFullName": lambda _region, name, seed: f"targetgroup/{name}/{seed[:16]}",
    "RepositoryUri": lambda region, name, seed: (
        f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/{name}-{seed[:16]}"
    ),
}
