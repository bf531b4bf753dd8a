"""Security: network, IAM and encryption."""

import re

from pipeline.checks.render import Rendered
from tests.rendering import (
    GroupRule,
    group_rules,
    id_of,
    ids_in,
    named,
    only,
    resources,
    resources_of_type,
)
from tests.seed.rendered_architecture import (
    EVERYWHERE,
    acl_entries,
    allowed,
    cache,
    cidrs,
    injected,
    is_true,
    placed_in,
    routes,
    service,
    services_of,
    subnets,
)

# The rule of a group that replaces EC2's default rule, which allows all egress.
NOWHERE = "127.0.0.1/32"
LONG_LIVED = {"AWS::IAM::User", "AWS::IAM::AccessKey"}


def opened(rendered: Rendered, *, egress: bool) -> set[tuple[str, str, int, int]]:
    """Group, peer and ports of every rule that allows traffic; all are TCP."""
    rules = [rule for rule in group_rules(rendered) if rule.egress is egress]
    named_rules: list[GroupRule] = [rule for rule in rules if rule.peer != NOWHERE]
    assert {rule.protocol for rule in named_rules} == {"tcp"}
    return {
        (
            rule.group.removesuffix("SecurityGroup"),
            rule.peer.removesuffix("SecurityGroup"),
            rule.first,
            rule.last,
        )
        for rule in named_rules
    }


# For reads from replicas; only a serverless cache listens on this port.
READER_PORT = 6380


def between_groups(rendered: Rendered) -> set[tuple[str, str, int, int]]:
    """Group, peer and ports of every rule between two groups."""
    kind, _ = cache(rendered)
    if kind != "AWS::ElastiCache::ServerlessCache":
        return BETWEEN_GROUPS
    readers = {("Cache", peer, READER_PORT, READER_PORT) for peer in ("Api", "Worker")}
    return BETWEEN_GROUPS | readers


BETWEEN_GROUPS = {
    ("Api", "LoadBalancer", 8000, 8000),
    ("Search", "Api", 7700, 7700),
    ("Search", "Worker", 7700, 7700),
    *(("Database", peer, 5432, 5432) for peer in ("Api", "Worker", "Functions")),
    *(("Cache", peer, 6379, 6379) for peer in ("Api", "Worker", "Beat", "Functions")),
}


def test_public_subnets_have_only_load_balancer_and_nat(rendered: Rendered) -> None:
    assert placed_in(rendered, "Public") == {
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::EC2::NatGateway",
    }


def test_private_subnets_have_ecs_tasks_that_only_go_out(rendered: Rendered) -> None:
    for title in ("Api", "Worker", "Beat"):
        found = service(rendered, title)
        assert found.tiers == {"Private"}
        network = found.properties["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert network["AssignPublicIp"] == "DISABLED"
        for group in found.groups:
            outside = [
                rule.peer
                for rule in group_rules(rendered)
                if rule.group == group and not rule.egress and "/" in rule.peer
            ]
            assert outside == []
    for subnet in subnets(rendered, "Private"):
        assert "InternetGateway" not in routes(rendered, subnet).values()


def test_data_subnets_are_reached_from_private_subnets_only(rendered: Rendered) -> None:
    data = {subnet.logical_id: subnet for subnet in subnets(rendered, "Data")}
    guarded = {
        id_of(rendered, found.layer, found.properties["SubnetId"])
        for found in resources_of_type(rendered, "AWS::EC2::SubnetNetworkAclAssociation")
    }
    assert guarded == set(data)
    for egress in (False, True):
        open_to = {entry["CidrBlock"] for entry in acl_entries(rendered, egress=egress)}
        assert open_to == set(cidrs(rendered, "Private"))
    for subnet in data.values():
        assert routes(rendered, subnet) == {}
        assert not is_true(subnet.properties["MapPublicIpOnLaunch"])
    assert not is_true(only(rendered, "AWS::RDS::DBInstance").properties["PubliclyAccessible"])


def test_security_groups_let_in_and_out_what_is_needed(rendered: Rendered) -> None:
    clients = {("LoadBalancer", EVERYWHERE, port, port) for port in (80, 443)}
    between = between_groups(rendered)
    assert opened(rendered, egress=False) == between | clients
    out = {(peer, group, first, last) for group, peer, first, last in between}
    callers = ("Api", "Worker", "Beat", "Search", "Functions")
    apis = {(group, EVERYWHERE, 443, 443) for group in callers}
    assert opened(rendered, egress=True) == out | apis
    for group in resources_of_type(rendered, "AWS::EC2::SecurityGroup"):
        # Without a rule, EC2 adds one that allows all egress.
        assert group.properties["SecurityGroupEgress"], group.logical_id
        assert "SecurityGroupIngress" not in group.properties


def test_execution_role_pulls_images_and_reads_secrets(complete: Rendered) -> None:
    actions = allowed(complete, "ExecutionRole")
    pull = {"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}
    write_logs = {"logs:CreateLogStream", "logs:PutLogEvents"}
    read = {"secretsmanager:GetSecretValue", "kms:Decrypt"}
    settings = {"s3:GetObject", "s3:GetBucketLocation"}
    assert set(actions) == {"ecr:GetAuthorizationToken"} | pull | write_logs | read | settings
    for action in pull:
        assert actions[action] == {"ImageRepositoryOfEnvironment"}
    named_by_tasks = {
        secret
        for title in ("Api", "Worker", "Beat")
        for secret in injected(complete, title).values()
    }
    # The application's own secret, which tasks get once there are settings.
    assert actions["secretsmanager:GetSecretValue"] - {"ApplicationSecret"} == named_by_tasks - {
        "ApplicationSecret"
    }
    # The token for the registry has no resource type, and gives no access to images.
    assert {action for action, on in actions.items() if "*" in on} == {"ecr:GetAuthorizationToken"}


def test_task_roles_use_s3_secrets_manager_and_cloudwatch(rendered: Rendered) -> None:
    for title in ("Api", "Worker"):
        actions = allowed(rendered, service(rendered, title).role)
        # kms: to decrypt secrets, only through Secrets Manager.
        # ecs: a task protects itself while it has jobs.
        assert services_of(actions) - {"ecs"} == {"s3", "secretsmanager", "cloudwatch", "kms"}
        assert actions["s3:PutObject"] == {"DocumentsBucket", "MediaBucket"}
        # A metric has no ARN; the namespace limits it.
        assert {action for action, on in actions.items() if "*" in on} == {
            "cloudwatch:PutMetricData"
        }
    assert services_of(allowed(rendered, service(rendered, "Beat").role)) == {"cloudwatch"}


def test_github_actions_has_no_long_lived_credentials(complete: Rendered) -> None:
    assert not {kind for kind, _ in resources(complete)} & LONG_LIVED
    (statement,) = named(complete, "DeployRole").properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == ["sts:AssumeRoleWithWebIdentity"]
    assert list(statement["Principal"]) == ["Federated"]
    assert list(statement["Condition"]) == ["StringEquals"]


def test_rds_is_encrypted_at_rest_under_the_kms_key(rendered: Rendered) -> None:
    layer, _, database = only(rendered, "AWS::RDS::DBInstance")
    assert is_true(database["StorageEncrypted"])
    assert id_of(rendered, layer, database["KmsKeyId"]) == "Key"


def test_elasticache_is_encrypted_in_transit_and_at_rest(rendered: Rendered) -> None:
    kind, (layer, logical_id, properties) = cache(rendered)
    assert id_of(rendered, layer, properties["KmsKeyId"]) == "Key"
    if kind == "AWS::ElastiCache::ReplicationGroup":
        # A serverless cache always encrypts both.
        assert is_true(properties["AtRestEncryptionEnabled"])
        assert is_true(properties["TransitEncryptionEnabled"])
        assert properties["TransitEncryptionMode"] == "required"
    url = named(rendered, "CacheUrl").properties["SecretString"]
    assert '"rediss://' in str(url)
    assert logical_id in ids_in(rendered, layer, url)


def test_s3_is_encrypted_with_aes_256(rendered: Rendered) -> None:
    buckets = list(resources_of_type(rendered, "AWS::S3::Bucket"))
    assert len(buckets) >= 2
    for bucket in buckets:
        (rule,) = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_load_balancer_speaks_tls_1_2_or_later(rendered: Rendered) -> None:
    policies = [
        found.properties["SslPolicy"]
        for found in resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::Listener")
        if found.properties["Protocol"] == "HTTPS"
    ]
    assert len(policies) == 1
    # A policy's name begins with its newest and its oldest version of TLS.
    assert all(re.match(r"ELBSecurityPolicy-TLS13-1-[23]-", policy) for policy in policies)
