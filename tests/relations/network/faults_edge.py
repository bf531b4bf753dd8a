"""Faults in listeners and firewall."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.checks.render import Rendered
from tests.relations.network import checks_edge as edge
from tests.relations.planting import append, drop, put, remove
from tests.relations.registry import Fault

COMMAND = "ContainerDefinitions/0/Command"
COUNTED = "Rules/4/Statement/ManagedRuleGroupStatement/RuleActionOverrides"


def put_output(name: str, value: str) -> Callable[[Rendered], None]:
    """Set an output of the edge layer."""

    def plant(rendered: Rendered) -> None:
        rendered.layers["edge"]["Outputs"][name]["Value"] = value

    return plant


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
        "a certificate of ACM that users believe to be self-signed",
        edge.the_certificate_is_valid_for_the_url,
        "UrlCertificate of https://app.example.com says Self-signed",
        put_output("UrlCertificate", "Self-signed"),
    ),
    Fault(
        "an own certificate that users believe to be valid for the load balancer's name",
        edge.the_certificate_is_valid_for_the_url,
        "says It is valid",
        put_output("UrlCertificate", "It is valid"),
        variant="prod",
    ),
    Fault(
        "a URL that is not the domain name",
        edge.the_certificate_is_valid_for_the_url,
        "with DomainName app.example.com",
        put_output("Url", "https://<LoadBalancer.DNSName>"),
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
    Fault(
        "a firewall that blocks an SVG",
        edge.uploads_pass_the_firewall,
        "blocks for CrossSiteScripting_BODY",
        put("WebAcl", f"{COUNTED}/1/Name", "CrossSiteScripting_Body"),
        variant="prod",
    ),
    Fault(
        "a firewall that lets requests to instance metadata pass",
        edge.uploads_pass_the_firewall,
        "does not block for EC2MetaDataSSRF_BODY",
        append("WebAcl", COUNTED, {"Name": "EC2MetaDataSSRF_BODY", "ActionToUse": {"Count": {}}}),
        variant="prod",
    ),
    Fault(
        "a rule group with an empty list of overrides",
        edge.uploads_pass_the_firewall,
        "which WAF refuses",
        put("WebAcl", "Rules/2/Statement/ManagedRuleGroupStatement/RuleActionOverrides", []),
        variant="prod",
    ),
    Fault(
        "a firewall that logs query strings",
        edge.the_firewall_records_no_credentials,
        "WebAclLogging records query strings",
        drop("WebAclLogging", "RedactedFields/0"),
    ),
    Fault(
        "a firewall that logs the authorization header",
        edge.the_firewall_records_no_credentials,
        "WebAclLogging records the header authorization",
        put("WebAclLogging", "RedactedFields/1/SingleHeader/Name", "user-agent"),
    ),
    Fault(
        "a firewall whose samples show query strings",
        edge.the_firewall_records_no_credentials,
        "WebAcl shows QUERY_STRING",
        put("WebAcl", "DataProtectionConfig/DataProtections/0/Field/FieldType", "BODY"),
    ),
    Fault(
        "an api that closes connections first",
        edge.the_load_balancer_closes_idle_connections,
        "ApiTaskDefinition keeps connections for 4000 seconds",
        put("ApiTaskDefinition", f"{COMMAND}/7", "4000"),
    ),
    Fault(
        "a load balancer with another idle time-out than the parameter",
        edge.the_load_balancer_closes_idle_connections,
        "not as the parameter says",
        put("LoadBalancer", "LoadBalancerAttributes/3/Value", "60"),
    ),
    Fault(
        "an api that believes every proxy",
        edge.clients_do_not_choose_their_address,
        "ApiTaskDefinition believes the address that a client writes",
        put("ApiTaskDefinition", f"{COMMAND}/10", "*"),
    ),
    Fault(
        "an api that believes public addresses",
        edge.clients_do_not_choose_their_address,
        "ApiTaskDefinition believes 198.51.100.0/24",
        put("ApiTaskDefinition", f"{COMMAND}/10", "10.0.0.0/8,198.51.100.0/24"),
    ),
    Fault(
        "an api that does not believe the load balancer",
        edge.clients_do_not_choose_their_address,
        "does not believe the load balancer in 10.0.0.0/20",
        put("ApiTaskDefinition", f"{COMMAND}/10", "192.168.0.0/16"),
    ),
)
