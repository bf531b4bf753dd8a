"""VPC Layout, Availability Zones and NAT Gateway Strategy."""

from ipaddress import ip_network

from pipeline.checks.render import Rendered
from tests.rendering import id_of, only, resources_of_type
from tests.seed.rendered_architecture import (
    EVERYWHERE,
    TIERS,
    ZONES,
    cidrs,
    nat_gateways,
    placed_in,
    routes,
    subnets,
    zone_of,
)


def test_three_tiers_across_three_zones(rendered: Rendered) -> None:
    assert len(list(resources_of_type(rendered, "AWS::EC2::Subnet"))) == 9
    for tier in TIERS:
        assert len({zone_of(subnet) for subnet in subnets(rendered, tier)}) == 3


def test_public_tier(rendered: Rendered) -> None:
    assert cidrs(rendered, "Public") == ["10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20"]
    assert placed_in(rendered, "Public") == {
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::EC2::NatGateway",
    }
    for subnet in subnets(rendered, "Public"):
        assert routes(rendered, subnet) == {EVERYWHERE: "InternetGateway"}


def test_private_tier(rendered: Rendered) -> None:
    assert cidrs(rendered, "Private") == ["10.0.48.0/20", "10.0.64.0/20", "10.0.80.0/20"]
    assert "AWS::ECS::Service" in placed_in(rendered, "Private")
    gateways = {gateway.logical_id for gateway in nat_gateways(rendered)}
    for subnet in subnets(rendered, "Private"):
        (target,) = routes(rendered, subnet).values()
        assert target in gateways


def test_private_tier_holds_meilisearch(rendered: Rendered) -> None:
    assert "AWS::AutoScaling::AutoScalingGroup" in placed_in(rendered, "Private")


def test_data_tier(rendered: Rendered) -> None:
    assert cidrs(rendered, "Data") == ["10.0.96.0/20", "10.0.112.0/20", "10.0.128.0/20"]
    cache = (
        "AWS::ElastiCache::SubnetGroup"
        if rendered.environment == "prod"
        else "AWS::ElastiCache::ServerlessCache"
    )
    assert placed_in(rendered, "Data") == {"AWS::RDS::DBSubnetGroup", cache}
    assert all(routes(rendered, subnet) == {} for subnet in subnets(rendered, "Data"))


def test_vpc_cidr_has_65536_addresses(rendered: Rendered) -> None:
    vpc = ip_network(only(rendered, "AWS::EC2::VPC").properties["CidrBlock"])
    assert str(vpc) == "10.0.0.0/16"
    assert vpc.num_addresses == 65_536


def test_each_tier_has_a_subnet_in_zones_a_b_and_c(rendered: Rendered) -> None:
    for tier in TIERS:
        assert tuple(zone_of(subnet) for subnet in subnets(rendered, tier)) == ZONES


def test_development_and_staging_have_a_single_nat_gateway(
    dev: Rendered, staging: Rendered
) -> None:
    for rendered in (dev, staging):
        (gateway,) = nat_gateways(rendered)
        for subnet in subnets(rendered, "Private"):
            assert routes(rendered, subnet) == {EVERYWHERE: gateway.logical_id}


def test_production_has_a_nat_gateway_per_zone(prod: Rendered) -> None:
    public = {subnet.logical_id: zone_of(subnet) for subnet in subnets(prod, "Public")}
    zones = {
        gateway.logical_id: public[id_of(prod, "network", gateway.properties["SubnetId"])]
        for gateway in nat_gateways(prod)
    }
    assert sorted(zones.values()) == list(ZONES)
    for subnet in subnets(prod, "Private"):
        assert zones[routes(prod, subnet)[EVERYWHERE]] == zone_of(subnet)
