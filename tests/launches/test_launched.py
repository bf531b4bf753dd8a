"""dev, staging and prod launched: every stack is complete, and each service has the resources in the outputs."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.checks.iam.conditions import listed
from pipeline.checks.render import render_values
from pipeline.paths import SETUP_CFG
from pipeline.release.assemble import Release
from pipeline.stacks.deploy import Launched
from templates_src.functions.launch_check.service_linked_roles import SERVICES
from tests.attacks.launched import Launched as AsRendered
from tests.conftest import ENVIRONMENTS, REGION
from tests.launches.environments import Environment
from tests.launches.inventory import (
    CUSTOM,
    LISTINGS,
    PARTS,
    Inventory,
    counted,
    expected,
    inventory,
)
from tests.relations.variants import built


class Case:
    """An environment before and after its launch."""

    def __init__(self, running: EmbeddedAws, release: Release, name: str) -> None:
        self.name = name
        self.environment = Environment(running, release, name)
        self.values = self.environment.values()
        self.before: Inventory = inventory(self.environment.aws)
        self.launched: Launched = self.environment.launch()
        self.after: Inventory = inventory(self.environment.aws)
        self.resources = self.environment.resources()

    def client(self, service: str) -> Any:
        return self.environment.client(service)

    def is_true(self, parameter: str) -> bool:
        return self.values[parameter] == "true"


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def case(request: pytest.FixtureRequest, running: EmbeddedAws, release: Release) -> Case:
    return Case(running, release, request.param)


def test_every_stack_is_complete(case: Case, release: Release) -> None:
    statuses = {name: s["StackStatus"] for name, s in case.environment.stacks().items()}

    assert case.launched.succeeded
    assert case.launched.changed
    assert statuses == dict.fromkeys(
        ["", *(layer.name.capitalize() for layer in release.layers)], "CREATE_COMPLETE"
    )


def test_service_linked_roles_exist_before_the_first_nested_stack(case: Case) -> None:
    """ECS, RDS and ElastiCache can fail to use a role that they create themselves."""
    roles = case.client("iam").list_roles(PathPrefix="/aws-service-role/")["Roles"]
    created = {role["Path"].split("/")[2]: role["CreateDate"] for role in roles}
    stacks = case.environment.stacks()
    first = min(stack["CreationTime"] for name, stack in stacks.items() if name)

    assert set(created) >= set(SERVICES)
    assert max(created[service] for service in SERVICES) <= first


def test_progress_of_every_nested_stack_is_shown(case: Case, release: Release) -> None:
    progress = set(case.environment.heard)

    assert (case.environment.stack, "CREATE_COMPLETE") in progress
    assert {(layer.name.capitalize(), "CREATE_COMPLETE") for layer in release.layers} <= progress


def test_every_resource_is_in_its_service(case: Case) -> None:
    """Each resource of the stacks exists once, and no other resources exist."""
    types = Counter(resource.type for resource in case.resources.values())
    types["AWS::CloudFormation::Stack"] = len(case.environment.stacks())

    assert counted(case.after - case.before) == expected(types)


def test_every_type_of_the_templates_can_be_listed(release: Release) -> None:
    """Resources of a type without a listing could remain unnoticed."""
    types = {
        resource.resource_type
        for layer in release.layers
        for resource in layer.template.resources.values()
    }

    assert types <= LISTINGS.keys() | PARTS.keys() | CUSTOM.keys()


def test_every_resource_has_the_tags_of_the_environment(case: Case) -> None:
    tagged = case.client("ec2").describe_vpcs(
        Filters=[{"Name": "tag:Environment", "Values": [case.name]}]
    )["Vpcs"]

    assert len(tagged) == 1
    tags = {tag["Key"]: tag["Value"] for tag in tagged[0]["Tags"]}
    assert (tags["Project"], tags["Layer"]) == (case.values["Project"], "network")


def test_roles_have_the_policies_of_the_attack_tests(case: Case) -> None:
    """tests/attacks renders the templates; the statements of the launched roles are the same."""
    rendered = AsRendered(render_values(built(), case.name, REGION, case.values))
    iam = case.client("iam")
    for name, resource in case.resources.items():
        if resource.type != "AWS::IAM::Role":
            continue
        role = name.partition(".")[2]
        inline = [
            iam.get_role_policy(RoleName=resource.physical_id, PolicyName=each)["PolicyDocument"]
            for each in iam.list_role_policies(RoleName=resource.physical_id)["PolicyNames"]
        ]
        trust = iam.get_role(RoleName=resource.physical_id)["Role"]["AssumeRolePolicyDocument"]
        assert shapes(inline) == shapes(
            [{"Statement": [one.body for one in each]} for each in rendered.policies(role)]
        )
        assert shapes([trust]) == shapes(
            [{"Statement": [each.body for each in rendered.trust(role).policy or ()]}]
        )


def shapes(documents: list[Any]) -> list[str]:
    """The statements of documents, without the names that a launch generates."""
    return sorted(
        json.dumps(
            [
                statement.get("Sid"),
                statement["Effect"],
                sorted(listed(statement["Action"])),
                len(listed(statement.get("Resource"))),
                {
                    operator: sorted(keys)
                    for operator, keys in statement.get("Condition", {}).items()
                },
            ],
            sort_keys=True,
        )
        for document in documents
        for statement in document["Statement"]
    )


def test_outputs_name_the_release(case: Case, release: Release) -> None:
    outputs = case.launched.outputs
    bucket = case.values["ReleaseBucket"]

    assert outputs["ReleaseLocation"] == f"s3://{bucket}/{release.prefix}"
    assert outputs["ReleaseVersion"] == release.version
    assert f"version = {release.version}\n" in SETUP_CFG.read_text(encoding="utf-8")


def test_url_leads_to_the_load_balancer(case: Case) -> None:
    outputs = case.launched.outputs
    balancer = case.environment.physical_id("Edge.LoadBalancer")
    described = case.client("elbv2").describe_load_balancers(LoadBalancerArns=[balancer])
    host = described["LoadBalancers"][0]["DNSName"]

    assert re.fullmatch(rf"https://[a-z0-9-]+\.{REGION}\.elb\.amazonaws\.com", outputs["Url"])
    assert outputs["Url"] == f"https://{host}"
    assert outputs["LoadBalancerDnsName"] == host


def test_load_balancer_protection_follows_the_profile(case: Case) -> None:
    balancer = case.environment.physical_id("Edge.LoadBalancer")
    described = case.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=balancer)
    attributes = {item["Key"]: item["Value"] for item in described["Attributes"]}

    wanted = {
        "deletion_protection.enabled": case.values["LoadBalancerDeletionProtection"],
        "access_logs.s3.enabled": case.values["AccessLogs"],
        "routing.http.drop_invalid_header_fields.enabled": "true",
    }
    assert {key: attributes[key] for key in wanted} == wanted


def test_listener_redirects_to_one_that_has_a_certificate(case: Case) -> None:
    balancer = case.environment.physical_id("Edge.LoadBalancer")
    described = case.client("elbv2").describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    by_port = {listener["Port"]: listener for listener in described}
    certificates = case.client("acm").list_certificates()["CertificateSummaryList"]

    assert sorted(by_port) == [80, 443]
    assert by_port[80]["DefaultActions"][0]["RedirectConfig"]["StatusCode"] == "HTTP_301"
    assert by_port[443]["Certificates"][0]["CertificateArn"] in {
        certificate["CertificateArn"] for certificate in certificates
    }


def test_buckets_are_private_and_versioned(case: Case) -> None:
    s3 = case.client("s3")
    project = case.values["Project"]

    for output, kind in (("DocumentsBucketName", "documents"), ("MediaBucketName", "media")):
        bucket = case.launched.outputs[output]
        assert bucket == f"{project}-{case.name}-{kind}"
        assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == REGION
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert all(block.values())
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        assert any(
            statement["Effect"] == "Deny"
            and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            for statement in policy["Statement"]
        )


def test_database_follows_the_profile(case: Case) -> None:
    identifier = case.environment.physical_id("Data.Database")
    rds = case.client("rds")
    database = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
    key = case.environment.outputs("Security")["KeyArn"]

    wanted = {
        "Engine": "postgres",
        "DBInstanceStatus": "available",
        "DBInstanceClass": case.values["DatabaseInstanceClass"],
        "AllocatedStorage": int(case.values["DatabaseAllocatedStorage"]),
        "MaxAllocatedStorage": int(case.values["DatabaseMaxAllocatedStorage"]),
        "BackupRetentionPeriod": int(case.values["DatabaseBackupRetentionDays"]),
        "StorageEncrypted": True,
        "KmsKeyId": key,
        "MultiAZ": case.is_true("DatabaseMultiAz"),
        "DeletionProtection": case.is_true("DatabaseDeletionProtection"),
        "PubliclyAccessible": False,
        "DBName": case.values["DatabaseName"],
    }
    assert {name: database[name] for name in wanted} == wanted
    assert database["Endpoint"]["Address"] == case.launched.outputs["DatabaseHost"]


def test_database_url_has_the_generated_password_of_the_application_user(
    case: Case,
) -> None:
    secrets = case.client("secretsmanager")
    security, data = (case.environment.outputs(layer) for layer in ("Security", "Data"))
    master, login = (
        json.loads(secrets.get_secret_value(SecretId=security[name])["SecretString"])
        for name in ("DatabaseSecretArn", "DatabaseUserSecretArn")
    )
    url = json.loads(
        secrets.get_secret_value(SecretId=data["DatabaseUrlSecretArn"])["SecretString"]
    )["url"]

    assert len(login["password"]) >= 16
    assert master["password"] not in url
    assert url.startswith(
        f"postgresql://{login['username']}:{login['password']}@{data['DatabaseHost']}:5432/"
    )


def test_cache_follows_the_profile(case: Case) -> None:
    elasticache = case.client("elasticache")
    name = case.environment.outputs("Data")["CacheName"]
    if case.values["CacheMode"] == "serverless":
        found = elasticache.describe_serverless_caches(ServerlessCacheName=name)
        cache = found["ServerlessCaches"][0]
        limit = {"Maximum": int(case.values["CacheMaximumStorageGb"]), "Unit": "GB"}
        assert cache["CacheUsageLimits"]["DataStorage"] == limit
        assert cache["MajorEngineVersion"] == "8"
    else:
        found = elasticache.describe_replication_groups(ReplicationGroupId=name)
        cache = found["ReplicationGroups"][0]
        assert len(cache["MemberClusters"]) == int(case.values["CacheNodes"])
        assert cache["CacheNodeType"] == case.values["CacheNodeType"]
        assert cache["TransitEncryptionEnabled"]
        assert cache["AtRestEncryptionEnabled"]
        assert cache["AutomaticFailover"] == "enabled"
        assert cache["MultiAZ"] == "enabled"
    assert cache["Engine"] == "valkey"
    assert cache["Status"] == "available"


def test_every_nat_gateway_is_in_another_zone(case: Case) -> None:
    ec2 = case.client("ec2")
    vpc = case.environment.outputs("Network")["VpcId"]
    found = ec2.describe_nat_gateways(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    subnets = [gateway["SubnetId"] for gateway in found["NatGateways"]]
    zones = {
        subnet["AvailabilityZone"] for subnet in ec2.describe_subnets(SubnetIds=subnets)["Subnets"]
    }

    assert len(subnets) == len(zones) == (1 if case.values["NatGateways"] == "single" else 3)


def test_services_run_in_the_cluster(case: Case) -> None:
    ecs = case.client("ecs")
    cluster = case.launched.outputs["ClusterName"]
    found = ecs.describe_clusters(clusters=[cluster])["clusters"]
    names = [
        case.environment.outputs("Compute")[f"{service}ServiceName"]
        for service in ("Api", "Worker", "Beat")
    ]
    services = ecs.describe_services(cluster=cluster, services=names)["services"]

    assert [c["status"] for c in found] == ["ACTIVE"]
    assert set(found[0]["capacityProviders"]) == {"FARGATE", "FARGATE_SPOT"}
    assert [service["status"] for service in services] == ["ACTIVE"] * 3


def test_scaled_services_have_the_range_of_the_profile(case: Case) -> None:
    targets = case.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="ecs"
    )["ScalableTargets"]
    cluster = case.launched.outputs["ClusterName"]
    ranges = {
        target["ResourceId"].rsplit("/", 1)[-1]: (target["MinCapacity"], target["MaxCapacity"])
        for target in targets
        if f"/{cluster}/" in target["ResourceId"]
    }
    compute = case.environment.outputs("Compute")

    assert ranges == {
        compute[f"{service}ServiceName"]: (
            int(case.values[f"{service}MinTasks"]),
            int(case.values[f"{service}MaxTasks"]),
        )
        for service in ("Api", "Worker")
    }


def test_secrets_are_encrypted_with_the_key(case: Case) -> None:
    secrets = case.client("secretsmanager")
    key = case.environment.outputs("Security")["KeyArn"]
    arns = [
        resource.physical_id
        for resource in case.resources.values()
        if resource.type == "AWS::SecretsManager::Secret"
    ]

    assert len(arns) == 14
    assert {secrets.describe_secret(SecretId=arn)["KmsKeyId"] for arn in arns} <= {
        key,
        key.rsplit("/", 1)[-1],
    }


def test_alarms_publish_to_the_topic(case: Case) -> None:
    """Except for those that only a deployment reads."""
    topic = case.launched.outputs["AlarmTopicArn"]
    names = [
        resource.physical_id
        for name, resource in case.resources.items()
        if resource.type == "AWS::CloudWatch::Alarm" and name.startswith("Monitoring.")
    ]
    alarms = case.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]

    assert len(alarms) == len(names) > 0
    assert all(alarm["AlarmActions"] == [topic] for alarm in alarms)
