"""Service Details: Application Load Balancer and WAF."""

from collections.abc import Mapping
from typing import Any

from pipeline.checks.render import Rendered
from tests.rendering import id_of, named, only, resources_of_type, single
from tests.seed.rendered_architecture import service


def target_group(rendered: Rendered) -> Mapping[str, Any]:
    """Properties of the api's target group."""
    return only(rendered, "AWS::ElasticLoadBalancingV2::TargetGroup").properties


def rate_limit(rendered: Rendered) -> Mapping[str, Any]:
    """The one rule of the firewall that counts requests."""
    rules: list[Mapping[str, Any]] = only(rendered, "AWS::WAFv2::WebACL").properties["Rules"]
    return single(
        (rule for rule in rules if "RateBasedStatement" in rule["Statement"]),
        "the rules that count requests",
    )


def test_type_is_application(rendered: Rendered) -> None:
    balancer = only(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer.properties["Type"] == "application"


def test_listeners_are_http_that_redirects_and_https(rendered: Rendered) -> None:
    listeners = {
        int(found.properties["Port"]): found.properties
        for found in resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::Listener")
    }
    assert set(listeners) == {80, 443}
    assert listeners[80]["Protocol"] == "HTTP"
    (redirect,) = listeners[80]["DefaultActions"]
    assert redirect["Type"] == "redirect"
    assert redirect["RedirectConfig"] == {
        "Protocol": "HTTPS",
        "Port": "443",
        "StatusCode": "HTTP_301",
    }
    assert listeners[443]["Protocol"] == "HTTPS"
    (forward,) = listeners[443]["DefaultActions"]
    assert forward["Type"] == "forward"
    assert id_of(rendered, "edge", forward["TargetGroupArn"]) == "ApiTargetGroup"
    assert len(listeners[443]["Certificates"]) == 1


def test_target_group_is_api_containers_on_port_8000(rendered: Rendered) -> None:
    group = target_group(rendered)
    assert (group["TargetType"], group["Protocol"], int(group["Port"])) == ("ip", "HTTP", 8000)
    (registered,) = service(rendered, "Api").properties["LoadBalancers"]
    assert id_of(rendered, "compute", registered["TargetGroupArn"]) == "ApiTargetGroup"
    assert (registered["ContainerName"], int(registered["ContainerPort"])) == ("api", 8000)


def test_health_check_gets_api_v1_health(rendered: Rendered) -> None:
    group = target_group(rendered)
    # A load balancer always checks HTTP with GET.
    assert group["HealthCheckProtocol"] == "HTTP"
    assert group["HealthCheckPath"] == "/api/v1/health"
    assert group["Matcher"] == {"HttpCode": "200"}
    assert group.get("HealthCheckPort", "traffic-port") == "traffic-port"
    assert group.get("HealthCheckEnabled", True) is True


def test_waf_limits_rates_before_the_load_balancer(rendered: Rendered) -> None:
    acl = only(rendered, "AWS::WAFv2::WebACL")
    assert acl.properties["Scope"] == "REGIONAL"
    assert rate_limit(rendered)["Action"] == {"Block": {}}
    association = only(rendered, "AWS::WAFv2::WebACLAssociation").properties
    balancer = id_of(rendered, acl.layer, association["ResourceArn"])
    assert named(rendered, balancer) == only(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert id_of(rendered, acl.layer, association["WebACLArn"]) == acl.logical_id


def test_waf_rate_limit_is_2000_requests_in_5_minutes_per_ip(rendered: Rendered) -> None:
    limit = rate_limit(rendered)["Statement"]["RateBasedStatement"]
    assert int(limit["Limit"]) == 2000
    assert int(limit["EvaluationWindowSec"]) == 5 * 60
    assert limit["AggregateKeyType"] == "IP"
    # Every request counts, because no statement narrows the scope.
    assert "ScopeDownStatement" not in limit
