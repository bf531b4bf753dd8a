"""The arrows of the diagram: each connection, with every rule on its path and the credentials for it."""

from pipeline.checks.render import Rendered
from tests.rendering import group_rules, id_of, ids_in, named, only, resources_of_type, single
from tests.seed.rendered_architecture import (
    EVERYWHERE,
    acl_entries,
    allowed,
    data_tier_admits,
    injected,
    is_true,
    nat_gateways,
    reaches,
    routes,
    service,
    subnets,
)

API_PORT, SEARCH_PORT, DATABASE_PORT, CACHE_PORT = 8000, 7700, 5432, 6379
GITHUB = "token.actions.githubusercontent.com"


def group_of(rendered: Rendered, title: str) -> str:
    """The one security group of a service."""
    return single(service(rendered, title).groups, f"the security groups of {title}")


def test_users_to_load_balancer_over_https(rendered: Rendered) -> None:
    layer, _, balancer = only(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    (group,) = ids_in(rendered, layer, balancer["SecurityGroups"])
    assert (False, group, EVERYWHERE, "tcp", 443, 443) in list(group_rules(rendered))
    listener = named(rendered, "HttpsListener").properties
    assert (listener["Protocol"], int(listener["Port"])) == ("HTTPS", 443)


def test_github_to_iam_over_oidc(complete: Rendered) -> None:
    (statement,) = named(complete, "DeployRole").properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {
            f"{GITHUB}:aud": "sts.amazonaws.com",
            f"{GITHUB}:sub": [f"repo:example/carbon-connect:environment:{complete.environment}"],
        }
    }


def test_load_balancer_to_api_on_port_8000(complete: Rendered) -> None:
    api = service(complete, "Api")
    assert reaches(complete, "LoadBalancerSecurityGroup", group_of(complete, "Api"), API_PORT)
    (registered,) = api.properties["LoadBalancers"]
    target = id_of(complete, "compute", registered["TargetGroupArn"])
    assert int(named(complete, target).properties["Port"]) == API_PORT
    assert int(registered["ContainerPort"]) == API_PORT
    assert [int(mapped["ContainerPort"]) for mapped in api.container["PortMappings"]] == [API_PORT]
    assert str(API_PORT) in api.container["Command"]


def test_api_to_rds(complete: Rendered) -> None:
    uses_database(complete, "Api")


def uses_database(rendered: Rendered, title: str) -> None:
    """A service can reach the database, and gets its URL."""
    layer, logical_id, database = only(rendered, "AWS::RDS::DBInstance")
    (group,) = ids_in(rendered, layer, database["VPCSecurityGroups"])
    assert int(database["Port"]) == DATABASE_PORT
    assert reaches(rendered, group_of(rendered, title), group, DATABASE_PORT)
    assert data_tier_admits(rendered, DATABASE_PORT)
    url = named(rendered, injected(rendered, title)["DATABASE_URL"]).properties["SecretString"]
    assert logical_id in ids_in(rendered, layer, url)


def test_api_to_elasticache(complete: Rendered) -> None:
    uses_cache(complete, "Api")


def uses_cache(rendered: Rendered, title: str) -> None:
    """A service can reach the cache, and gets its URL as broker and result backend."""
    name = "CacheReplicationGroup" if rendered.environment == "prod" else "ServerlessCache"
    layer, _, properties = named(rendered, name)
    (group,) = ids_in(rendered, layer, properties["SecurityGroupIds"])
    assert int(properties.get("Port", CACHE_PORT)) == CACHE_PORT
    assert reaches(rendered, group_of(rendered, title), group, CACHE_PORT)
    assert data_tier_admits(rendered, CACHE_PORT)
    secrets = injected(rendered, title)
    assert secrets["CELERY_BROKER_URL"] == secrets["CELERY_RESULT_BACKEND"]
    url = named(rendered, secrets["CELERY_BROKER_URL"]).properties["SecretString"]
    assert name in ids_in(rendered, layer, url)


def test_api_to_meilisearch(complete: Rendered) -> None:
    assert reaches(complete, group_of(complete, "Api"), "SearchSecurityGroup", SEARCH_PORT)
    assert injected(complete, "Api")["MEILISEARCH_MASTER_KEY"] == "SearchKeySecret"


def test_api_is_told_where_meilisearch_is(complete: Rendered) -> None:
    url = service(complete, "Api").variables.get("MEILISEARCH_URL", "")
    assert f":{SEARCH_PORT}" in str(url)


def test_worker_to_rds(complete: Rendered) -> None:
    uses_database(complete, "Worker")


def test_worker_to_elasticache(complete: Rendered) -> None:
    uses_cache(complete, "Worker")


def test_beat_to_elasticache(complete: Rendered) -> None:
    uses_cache(complete, "Beat")
    group = group_of(complete, "Beat")
    for other, port in (
        ("DatabaseSecurityGroup", DATABASE_PORT),
        ("SearchSecurityGroup", SEARCH_PORT),
        ("ApiSecurityGroup", API_PORT),
    ):
        assert not reaches(complete, group, other, port)


def test_api_to_documents_bucket(rendered: Rendered) -> None:
    keeps_objects(rendered, "DocumentsBucket")


def test_api_to_media_bucket(rendered: Rendered) -> None:
    keeps_objects(rendered, "MediaBucket")


def keeps_objects(rendered: Rendered, bucket: str) -> None:
    """The api reads, writes and lists a bucket, and its traffic to S3 stays inside AWS."""
    actions = allowed(rendered, service(rendered, "Api").role)
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"):
        assert bucket in actions[action]
    endpoint = only(rendered, "AWS::EC2::VPCEndpoint").properties
    assert endpoint["ServiceName"].endswith(".s3")
    tables = ids_in(rendered, "network", endpoint["RouteTableIds"])
    assert tables == {f"Private{number}RouteTable" for number in (1, 2, 3)}


def test_api_to_secrets_manager(complete: Rendered) -> None:
    readable = allowed(complete, service(complete, "Api").role)["secretsmanager:GetSecretValue"]
    assert readable == {"ClaudeApiKeySecret", "ClimatiqApiKeySecret"}
    starts = allowed(complete, "ExecutionRole")["secretsmanager:GetSecretValue"]
    assert set(injected(complete, "Api").values()) <= starts


def test_ecs_to_cloudwatch(rendered: Rendered) -> None:
    writable = allowed(rendered, "ExecutionRole")["logs:PutLogEvents"]
    for title in ("Api", "Worker", "Beat"):
        found = service(rendered, title)
        logging = found.container["LogConfiguration"]
        assert logging["LogDriver"] == "awslogs"
        group = id_of(rendered, "compute", logging["Options"]["awslogs-group"])
        assert group == f"{title}LogGroup"
        assert group in writable
        assert "cloudwatch:PutMetricData" in allowed(rendered, found.role)


def test_ecs_to_container_insights(rendered: Rendered) -> None:
    settings = only(rendered, "AWS::ECS::Cluster").properties["ClusterSettings"]
    assert {"Name": "containerInsights", "Value": "enabled"} in settings
    watched = [
        alarm.properties
        for alarm in resources_of_type(rendered, "AWS::CloudWatch::Alarm")
        if "ECS/ContainerInsights" in str(alarm.properties)
    ]
    assert watched
    for alarm in watched:
        assert "Cluster" in ids_in(rendered, "monitoring", alarm)


def test_private_subnets_outbound_to_nat(rendered: Rendered) -> None:
    gateways = {gateway.logical_id for gateway in nat_gateways(rendered)}
    for subnet in subnets(rendered, "Private"):
        found = routes(rendered, subnet)
        assert set(found) == {EVERYWHERE}
        assert found[EVERYWHERE] in gateways
    # Private subnets have the default network ACL of the VPC, which allows all traffic in both directions.
    assert {entry["NetworkAclId"]["Ref"] for entry in acl_entries(rendered, egress=True)} == {
        "DataNetworkAcl"
    }


def test_nat_to_the_internet(rendered: Rendered) -> None:
    by_name = {subnet.logical_id: subnet for subnet in subnets(rendered, "Public")}
    gateways = nat_gateways(rendered)
    for gateway in gateways:
        subnet = by_name[id_of(rendered, "network", gateway.properties["SubnetId"])]
        assert routes(rendered, subnet) == {EVERYWHERE: "InternetGateway"}
        assert gateway.properties.get("ConnectivityType", "public") == "public"
        address = named(rendered, id_of(rendered, "network", gateway.properties["AllocationId"]))
        assert address in resources_of_type(rendered, "AWS::EC2::EIP")
    addresses = {str(gateway.properties["AllocationId"]) for gateway in gateways}
    assert len(addresses) == len(gateways)
    attached = only(rendered, "AWS::EC2::VPCGatewayAttachment").properties
    assert id_of(rendered, "network", attached["InternetGatewayId"]) == "InternetGateway"
    assert not any(is_true(subnet.properties["MapPublicIpOnLaunch"]) for subnet in by_name.values())
