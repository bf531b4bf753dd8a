"""The boxes of the diagram, each in its frame."""

import json

from pipeline.checks.render import Rendered
from tests.rendering import (
    containers,
    id_of,
    ids_in,
    named,
    only,
    resources_of_type,
)
from tests.seed.rendered_architecture import (
    EVERYWHERE,
    cache,
    extensions,
    injected,
    nat_gateways,
    routes,
    service,
    subnets,
    tiers_in,
)

GITHUB = "token.actions.githubusercontent.com"


def test_users_and_browsers_reach_the_load_balancer(rendered: Rendered) -> None:
    balancer = only(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer.properties["Scheme"] == "internet-facing"
    assert rendered.parameters["environment"]["IngressCidr"] == EVERYWHERE


def test_github_actions_has_a_role_by_oidc(complete: Rendered) -> None:
    (statement,) = named(complete, "DeployRole").properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == ["sts:AssumeRoleWithWebIdentity"]
    assert id_of(complete, "security", statement["Principal"]["Federated"]) == "GitHubOidcProvider"


def test_aws_eu_north_1_is_where_everything_is(rendered: Rendered) -> None:
    assert rendered.region == "eu-north-1"
    text = json.dumps(rendered.layers)
    assert "eu-north-1" in text
    for other in ("us-east-1", "eu-west-1", "eu-central-1"):
        assert other not in text


def test_public_subnets_lead_to_the_internet_gateway(rendered: Rendered) -> None:
    public = subnets(rendered, "Public")
    assert len(public) == 3
    assert all(routes(rendered, subnet) == {EVERYWHERE: "InternetGateway"} for subnet in public)


def test_application_load_balancer_with_waf_is_in_public_subnets(rendered: Rendered) -> None:
    layer, logical_id, balancer = only(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["Type"] == "application"
    assert tiers_in(rendered, layer, balancer["Subnets"]) == {"Public"}
    association = only(rendered, "AWS::WAFv2::WebACLAssociation").properties
    assert id_of(rendered, layer, association["ResourceArn"]) == logical_id
    assert id_of(rendered, layer, association["WebACLArn"]) == "WebAcl"


def test_nat_gateway_is_in_public_subnets(rendered: Rendered) -> None:
    gateways = nat_gateways(rendered)
    assert gateways
    for gateway in gateways:
        assert tiers_in(rendered, "network", gateway.properties["SubnetId"]) == {"Public"}


def test_private_subnets_lead_to_nat_only(rendered: Rendered) -> None:
    gateways = {gateway.logical_id for gateway in nat_gateways(rendered)}
    private = subnets(rendered, "Private")
    assert len(private) == 3
    for subnet in private:
        (target,) = routes(rendered, subnet).values()
        assert target in gateways


def test_ecs_fargate_cluster_runs_the_three_services_in_private_subnets(rendered: Rendered) -> None:
    _, cluster, _ = only(rendered, "AWS::ECS::Cluster")
    attached = only(rendered, "AWS::ECS::ClusterCapacityProviderAssociations").properties
    assert id_of(rendered, "compute", attached["Cluster"]) == cluster
    assert attached["CapacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    for title in ("Api", "Worker", "Beat"):
        found = service(rendered, title)
        assert id_of(rendered, "compute", found.properties["Cluster"]) == cluster
        assert found.tiers == {"Private"}


def test_api_service_serves_fastapi(complete: Rendered) -> None:
    api = service(complete, "Api")
    assert api.container["Command"][0] == "uvicorn"
    assert ids_in(complete, "compute", api.container["Image"]) == {"ImageRepositoryOfEnvironment"}
    assert api.providers == ["FARGATE"]


def test_celery_worker_runs_on_fargate_spot(complete: Rendered) -> None:
    worker = service(complete, "Worker")
    assert worker.container["Command"][0] == "celery"
    assert "worker" in worker.container["Command"]
    assert worker.providers == ["FARGATE_SPOT"]


def test_celery_beat_schedules_alone(complete: Rendered) -> None:
    beat = service(complete, "Beat")
    assert beat.container["Command"][0] == "celery"
    assert "beat" in beat.container["Command"]
    assert beat.properties["DesiredCount"] == 1
    deployment = beat.properties["DeploymentConfiguration"]
    # Never two, also during a deployment: each task would be sent twice.
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (0, 100)


def test_meilisearch_runs_in_private_subnets(rendered: Rendered) -> None:
    layer, _, group = only(rendered, "AWS::AutoScaling::AutoScalingGroup")
    assert (int(group["MinSize"]), int(group["MaxSize"])) == (1, 1)
    assert tiers_in(rendered, layer, group["VPCZoneIdentifier"]) == {"Private"}
    launched = only(rendered, "AWS::EC2::LaunchTemplate").properties["LaunchTemplateData"]
    assert "getmeili/meilisearch:" in json.dumps(launched["UserData"])
    assert launched["InstanceType"] == "t4g.small"
    assert ids_in(rendered, layer, launched["SecurityGroupIds"]) == {"SearchSecurityGroup"}
    assert launched["MetadataOptions"]["HttpTokens"] == "required"
    assert "KeyName" not in launched


def test_data_subnets_have_no_route_out(rendered: Rendered) -> None:
    data = subnets(rendered, "Data")
    assert len(data) == 3
    assert all(routes(rendered, subnet) == {} for subnet in data)


def test_rds_postgresql_16_is_in_data_subnets(rendered: Rendered) -> None:
    layer, _, database = only(rendered, "AWS::RDS::DBInstance")
    assert database["Engine"] == "postgres"
    assert database["EngineVersion"].partition(".")[0] == "16"
    group = named(rendered, id_of(rendered, layer, database["DBSubnetGroupName"])).properties
    assert tiers_in(rendered, layer, group["SubnetIds"]) == {"Data"}


def test_rds_has_pgvector(rendered: Rendered) -> None:
    assert "vector" in extensions(rendered)


def test_elasticache_valkey_is_in_data_subnets(
    dev: Rendered, staging: Rendered, prod: Rendered
) -> None:
    for rendered in (dev, staging):
        kind, (layer, _, properties) = cache(rendered)
        assert kind == "AWS::ElastiCache::ServerlessCache"
        assert properties["Engine"] == "valkey"
        assert tiers_in(rendered, layer, properties["SubnetIds"]) == {"Data"}
    kind, (layer, _, properties) = cache(prod)
    assert properties["Engine"] == "valkey"
    group = named(prod, id_of(prod, layer, properties["CacheSubnetGroupName"])).properties
    assert tiers_in(prod, layer, group["SubnetIds"]) == {"Data"}


def test_s3_buckets_are_passed_to_api_and_worker(rendered: Rendered) -> None:
    for title in ("Api", "Worker"):
        variables = service(rendered, title).variables
        assert id_of(rendered, "compute", variables["DOCUMENTS_BUCKET"]) == "DocumentsBucket"
        assert id_of(rendered, "compute", variables["MEDIA_BUCKET"]) == "MediaBucket"


def test_documents_bucket(rendered: Rendered) -> None:
    bucket = named(rendered, "DocumentsBucket")
    assert bucket in resources_of_type(rendered, "AWS::S3::Bucket")
    assert bucket.properties["BucketName"].endswith("-documents")


def test_media_bucket(rendered: Rendered) -> None:
    bucket = named(rendered, "MediaBucket")
    assert bucket in resources_of_type(rendered, "AWS::S3::Bucket")
    assert bucket.properties["BucketName"].endswith("-media")


def test_secrets_manager_keeps_api_keys_and_database_password(complete: Rendered) -> None:
    kept = {
        found.logical_id for found in resources_of_type(complete, "AWS::SecretsManager::Secret")
    }
    assert {"ClaudeApiKeySecret", "ClimatiqApiKeySecret", "DatabaseSecret"} <= kept
    assert set(injected(complete, "Api").values()) <= kept


def test_iam_has_roles_and_the_oidc_provider(complete: Rendered) -> None:
    provider = only(complete, "AWS::IAM::OIDCProvider").properties
    assert provider["Url"] == f"https://{GITHUB}"
    assert provider["ClientIdList"] == ["sts.amazonaws.com"]
    roles = {found.logical_id for found in resources_of_type(complete, "AWS::IAM::Role")}
    assert {"ExecutionRole", "ApiTaskRole", "WorkerTaskRole", "BeatTaskRole", "DeployRole"} <= roles


def test_kms_key_encrypts_database_cache_secrets_and_logs(rendered: Rendered) -> None:
    _, key, properties = only(rendered, "AWS::KMS::Key")
    assert properties["EnableKeyRotation"] is True
    encrypted = [
        only(rendered, "AWS::RDS::DBInstance"),
        cache(rendered)[1],
        *resources_of_type(rendered, "AWS::SecretsManager::Secret"),
        *(named(rendered, f"{title}LogGroup") for title in ("Api", "Worker", "Beat")),
    ]
    for layer, logical_id, body in encrypted:
        assert id_of(rendered, layer, body["KmsKeyId"]) == key, logical_id


def test_cloudwatch_has_logs_and_metrics(rendered: Rendered) -> None:
    for group in resources_of_type(rendered, "AWS::Logs::LogGroup"):
        assert int(group.properties["RetentionInDays"]) == 30
    logged = [container["LogConfiguration"]["LogDriver"] for _, container in containers(rendered)]
    assert logged == ["awslogs"] * 4
    assert only(rendered, "AWS::CloudWatch::Dashboard").layer == "monitoring"
    watched = {
        alarm.properties.get("Namespace")
        for alarm in resources_of_type(rendered, "AWS::CloudWatch::Alarm")
    }
    assert {"AWS/ApplicationELB", "AWS/ECS", "AWS/RDS", "AWS/ElastiCache"} <= watched


def test_container_insights_is_on(rendered: Rendered) -> None:
    settings = only(rendered, "AWS::ECS::Cluster").properties["ClusterSettings"]
    assert settings == [{"Name": "containerInsights", "Value": "enabled"}]
