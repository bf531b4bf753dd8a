"""How each type of resource is drawn, and which of its values the box shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.pages.architecture.boxes import Area, Category, Kind, Properties
from pipeline.pages.architecture.references import Key, Resources


def words(logical_id: str, *without: str) -> str:
    """A logical ID as words, without the endings."""
    for ending in without:
        logical_id = logical_id.removesuffix(ending)
    parts = "".join(f" {each}" if each.isupper() else each for each in logical_id).split()
    return " ".join([parts[0], *(part.lower() for part in parts[1:])]) if parts else logical_id


def fixed(title: str) -> Callable[[Resources, list[Key]], str]:
    """A title that does not depend on the resource."""
    return lambda _resources, _keys: title


def by_name(*without: str) -> Callable[[Resources, list[Key]], str]:
    """A title from the logical ID."""
    return lambda _resources, keys: words(keys[0].logical_id, *without)


def service_title(_resources: Resources, keys: list[Key]) -> str:
    """The title of a service of ECS."""
    return f"{words(keys[0].logical_id, 'Service').lower()} service"


def values(*names: str) -> Callable[[Resources, list[Key]], tuple[str, ...]]:
    """Facts that are values of properties."""

    def facts(resources: Resources, keys: list[Key]) -> tuple[str, ...]:
        properties = resources.properties(keys[0])
        return tuple(str(properties[name]) for name in names if name in properties)

    return facts


def counted(noun: str) -> Callable[[Resources, list[Key]], tuple[str, ...]]:
    """The number of resources in the box."""
    return lambda _resources, keys: (f"{len(keys)} {noun}{'s' if len(keys) != 1 else ''}",)


def is_true(value: Any) -> bool:
    """Whether a rendered Boolean is true."""
    return str(value).lower() == "true"


def service_facts(resources: Resources, keys: list[Key]) -> tuple[str, ...]:
    """Where the tasks run, how many they are, and their size."""
    (key,) = keys
    properties = resources.properties(key)
    tasks = [
        each
        for each in resources.named_by(key.layer, properties["TaskDefinition"])
        if resources.kind(each) == "AWS::ECS::TaskDefinition"
    ]
    providers = [
        str(each["CapacityProvider"]) for each in properties.get("CapacityProviderStrategy", ())
    ]
    launch = " and ".join(providers) or str(properties.get("LaunchType", "FARGATE"))
    facts = [launch.replace("FARGATE_SPOT", "Fargate Spot").replace("FARGATE", "Fargate")]
    count = tasks_of(resources, key)
    for task in tasks:
        size = resources.properties(task)
        facts.append(
            f"{count} x {int(size['Cpu']) / 1024:g} vCPU, {int(size['Memory']) / 1024:g} GB"
        )
    return tuple(facts)


def tasks_of(resources: Resources, service: Key) -> str:
    """The number of tasks: the bounds of its scaling, or its desired count."""
    for key in resources.of_type("AWS::ApplicationAutoScaling::ScalableTarget"):
        properties = resources.properties(key)
        if service in resources.named_by(key.layer, properties["ResourceId"]):
            return f"{properties['MinCapacity']}-{properties['MaxCapacity']}"
    return str(resources.properties(service).get("DesiredCount", 1))


def database_facts(resources: Resources, keys: list[Key]) -> tuple[str, ...]:
    """Class, storage and zones of a database."""
    properties = resources.properties(keys[0])
    zones = "Multi-AZ" if is_true(properties.get("MultiAZ")) else "one zone"
    return (str(properties["DBInstanceClass"]), f"{properties['AllocatedStorage']} GB, {zones}")


def cache_facts(resources: Resources, keys: list[Key]) -> tuple[str, ...]:
    """Node type and number of nodes, or the limit of a serverless cache."""
    properties = resources.properties(keys[0])
    if "CacheNodeType" not in properties:
        limits = properties.get("CacheUsageLimits", {})
        return ("serverless", f"at most {limits['DataStorage']['Maximum']} GB" if limits else "")
    zones = ", Multi-AZ" if is_true(properties.get("MultiAZEnabled")) else ""
    return (str(properties["CacheNodeType"]), f"{properties['NumCacheClusters']} nodes{zones}")


def search_facts(resources: Resources, keys: list[Key]) -> tuple[str, ...]:
    """The instance type of a group."""
    found = []
    for key in resources.named_by(keys[0].layer, resources.properties(keys[0])):
        if resources.kind(key) == "AWS::EC2::LaunchTemplate":
            found.append(str(resources.properties(key)["LaunchTemplateData"]["InstanceType"]))
    return tuple(found)


def balancer_facts(resources: Resources, keys: list[Key]) -> tuple[str, ...]:
    """Whether deletion protection is on."""
    attributes = {
        each["Key"]: each["Value"]
        for each in resources.properties(keys[0]).get("LoadBalancerAttributes", ())
    }
    protected = is_true(attributes.get("deletion_protection.enabled"))
    return ("deletion protection",) if protected else ()


def volume_facts(resources: Resources, keys: list[Key]) -> tuple[str, ...]:
    """Type and size of a volume."""
    properties = resources.properties(keys[0])
    return (f"EBS {properties['VolumeType']}, {properties['Size']} GB",)


def alarm_facts(resources: Resources, keys: list[Key]) -> tuple[str, ...]:
    """The numbers of alarms and topics."""
    alarms = sum(resources.kind(key) == "AWS::CloudWatch::Alarm" for key in keys)
    topics = len(keys) - alarms
    return (f"{alarms} alarms", f"{topics} topic{'s' if topics != 1 else ''}")


def bucket_title(_resources: Resources, keys: list[Key]) -> str:
    """The contents of a bucket, in the plural."""
    title = words(keys[0].logical_id, "Bucket")
    return f"{title}s" if title.endswith("log") else title


def gateway_title(_resources: Resources, keys: list[Key]) -> str:
    """The title of a NAT gateway with its number."""
    return f"NAT gateway {''.join(filter(str.isdecimal, keys[0].logical_id))}".rstrip()


def certificate_facts(resources: Resources, keys: list[Key]) -> tuple[str, ...]:
    """Who issues a certificate."""
    return ("self-signed" if resources.kind(keys[0]).startswith("Custom::") else "by Amazon",)


def for_workflows(properties: Properties) -> bool:
    """Whether workflows of GitHub assume a role."""
    return "sts:AssumeRoleWithWebIdentity" in str(properties["AssumeRolePolicyDocument"])


def endpoint_facts(resources: Resources, keys: list[Key]) -> tuple[str, ...]:
    """The type of an endpoint."""
    return (f"{resources.properties(keys[0]).get('VpcEndpointType', 'Gateway')} endpoint",)


def rule_count(resources: Resources, keys: list[Key]) -> tuple[str, ...]:
    """The number of rules of a web ACL."""
    return (f"{len(resources.properties(keys[0])['Rules'])} rules",)


KINDS = (
    Kind(("AWS::WAFv2::WebACL",), fixed("Web ACL"), "WAF", Category.SECURITY, Area.EDGE, rule_count),
    Kind(("AWS::CertificateManager::Certificate", "Custom::DevelopmentCertificate"), fixed("Certificate"), "ACM", Category.SECURITY, Area.EDGE, certificate_facts),
    Kind(("AWS::IAM::Role",), fixed("GitHub Actions"), "IAM", Category.OUTSIDE, Area.EDGE, lambda _resources, keys: (keys[0].logical_id,), applies=for_workflows),
    Kind(("AWS::ElasticLoadBalancingV2::LoadBalancer",), fixed("Load balancer"), "ALB", Category.NETWORK, Area.SUBNETS, balancer_facts),
    Kind(("AWS::EC2::NatGateway",), gateway_title, "NAT", Category.NETWORK, Area.SUBNETS),
    Kind(("AWS::ECS::Service",), service_title, "ECS", Category.COMPUTE, Area.SUBNETS, service_facts),
    Kind(("AWS::Lambda::Function",), fixed("VPC functions"), "λ", Category.COMPUTE, Area.SUBNETS, counted("function"), grouped=True, applies=lambda properties: "VpcConfig" in properties),
    Kind(("AWS::AutoScaling::AutoScalingGroup",), fixed("Search server"), "EC2", Category.COMPUTE, Area.SUBNETS, search_facts),
    Kind(("AWS::RDS::DBInstance",), fixed("PostgreSQL"), "RDS", Category.DATABASE, Area.SUBNETS, database_facts),
    Kind(("AWS::ElastiCache::ReplicationGroup", "AWS::ElastiCache::ServerlessCache"), fixed("Valkey"), "EC", Category.DATABASE, Area.SUBNETS, cache_facts),
    Kind(("AWS::EC2::VPCEndpoint",), by_name(), "VPCE", Category.NETWORK, Area.BORDER, endpoint_facts),
    Kind(("AWS::S3::Bucket",), bucket_title, "S3", Category.STORAGE, Area.STORAGE),
    Kind(("AWS::ECR::Repository",), fixed("Repository"), "ECR", Category.COMPUTE, Area.STORAGE),
    Kind(("AWS::EC2::Volume",), by_name(), "EBS", Category.STORAGE, Area.STORAGE, volume_facts),
    Kind(("AWS::SecretsManager::Secret",), fixed("Secrets Manager"), "SM", Category.SECURITY, Area.SECURITY, counted("secret"), grouped=True),
    Kind(("AWS::KMS::Key",), fixed("KMS key"), "KMS", Category.SECURITY, Area.SECURITY),
    Kind(("AWS::Route53::HostedZone",), fixed("Private zone"), "R53", Category.NETWORK, Area.OPERATIONS, values("Name")),
    Kind(("AWS::Logs::LogGroup",), fixed("CloudWatch Logs"), "CW", Category.OPERATIONS, Area.OPERATIONS, counted("log group"), grouped=True),
    Kind(("AWS::CloudWatch::Alarm", "AWS::SNS::Topic"), fixed("Alarms"), "CW", Category.OPERATIONS, Area.OPERATIONS, alarm_facts, grouped=True),
    Kind(("AWS::Lambda::Function",), fixed("Other functions"), "λ", Category.COMPUTE, Area.OPERATIONS, counted("function"), grouped=True, applies=lambda properties: "VpcConfig" not in properties),
)  # fmt: skip
