"""Faults in listeners and firewall."""

from __future__ import annotations

from tests.relations import checks_edge as edge
from tests.relations.planting import drop, put, remove
from tests.relations.registry import Fault

FAULTS = (
    Fault(
        "HTTP that is served",
        edge.clients_get_https,
        "HttpListener does more",
        put("HttpListener", "DefaultActions/0", {"Type": "forward"}),
    ),
    Fault(
        "the default TLS policy of 2016",
        edge.clients_get_https,
        "TLS policy None",
        drop("HttpsListener", "SslPolicy"),
    ),
    Fault(
        "HTTPS without a certificate",
        edge.clients_get_https,
        "no certificate",
        drop("HttpsListener", "Certificates"),
    ),
    Fault(
        "a listener on a port that is closed",
        edge.clients_get_https,
        "listens on 8443",
        put("HttpsListener", "Port", 8443),
    ),
    Fault(
        "a load balancer without a firewall",
        edge.the_firewall_is_in_front,
        "LoadBalancer has no web ACL",
        remove("WebAclAssociation"),
    ),
    Fault(
        "two rules of one priority",
        edge.the_firewall_is_in_front,
        "share a priority",
        put("WebAcl", "Rules/1/Priority", 0),
    ),
    Fault(
        "two rules of one metric",
        edge.the_firewall_is_in_front,
        "share a metric",
        put("WebAcl", "Rules/1/VisibilityConfig/MetricName", "RateLimit"),
    ),
    Fault(
        "a firewall with another name than its metrics",
        edge.the_firewall_is_in_front,
        "another name than its metrics",
        drop("WebAcl", "Name"),
    ),
    Fault(
        "a firewall without a log",
        edge.the_firewall_is_in_front,
        "logs nowhere",
        remove("WebAclLogging"),
    ),
    Fault(
        "a log that WAF does not deliver to",
        edge.the_firewall_is_in_front,
        "which WAF refuses",
        put("WebAclLogGroup", "LogGroupName", "carbon-connect-prod-waf"),
    ),
)
