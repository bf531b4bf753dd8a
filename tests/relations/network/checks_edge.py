"""Listeners and firewall."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from pipeline.checks.render import Rendered
from tests.relations.network.checks_groups import groups_of
from tests.relations.registry import relation
from tests.relations.text import text_of
from tests.rendering import containers, group_rules, id_of, named, resources_of_type

LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
# TLS 1.3 and 1.2, forward secrecy only ("Res"): https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
TLS_POLICY = re.compile(r"ELBSecurityPolicy-TLS13-1-2-Res-(PQ-)?\d{4}-\d{2}")
LOG_PREFIX = "aws-waf-logs-"
PRIVATE_RANGES = [
    ipaddress.IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
]
# uvicorn's default is 5 seconds.
KEEP_ALIVE = re.compile(r"--timeout-keep-alive (\d+)")
CREDENTIAL_HEADERS = {"authorization", "cookie"}
# The rules of managed rule groups that inspect bodies: those for attacks, those that match what documents contain, and the size.
# https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
# https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-use-case.html
BODY_RULES = {
    "AWSManagedRulesAmazonIpReputationList": {},
    "AWSManagedRulesKnownBadInputsRuleSet": {
        "JavaDeserializationRCE_BODY": "attack",
        "Log4JRCE_BODY": "attack",
        "ReactJSRCE_BODY": "attack",
    },
    "AWSManagedRulesSQLiRuleSet": {
        "SQLi_BODY": "content",
        "SQLiExtendedPatterns_BODY": "content",
    },
    "AWSManagedRulesCommonRuleSet": {
        "SizeRestrictions_BODY": "size",
        "EC2MetaDataSSRF_BODY": "attack",
        "GenericLFI_BODY": "content",
        "GenericRFI_BODY": "content",
        "CrossSiteScripting_BODY": "content",
    },
}
COUNTED_BODIES = {
    "attacks": {"size", "content"},
    "all": {"size"},
    "none": {"size", "content", "attack"},
}


@relation
def clients_get_https(rendered: Rendered) -> Iterator[str]:
    """Port 80 only redirects to 443, which terminates TLS with a current policy; the security group allows the ports of the listeners."""
    ports = set()
    for listener in resources_of_type(rendered, LISTENER):
        properties = listener.properties
        port, protocol = int(properties["Port"]), properties["Protocol"]
        ports.add(port)
        if protocol == "HTTP" and [_answer(action) for action in properties["DefaultActions"]] != [
            ("redirect", "HTTPS", "443", "HTTP_301")
        ]:
            yield f"{listener.logical_id} does more than redirect to HTTPS."
        if protocol == "HTTPS":
            if not TLS_POLICY.fullmatch(str(properties.get("SslPolicy"))):
                yield f"{listener.logical_id} has the TLS policy {properties.get('SslPolicy')}."
            certificates = properties.get("Certificates", ())
            if not certificates or not all(each.get("CertificateArn") for each in certificates):
                yield f"{listener.logical_id} has no certificate."
        if (port, protocol) not in ((80, "HTTP"), (443, "HTTPS")):
            yield f"{listener.logical_id} listens on {port} for {protocol}."
    for group in groups_of(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer"):
        admitted = {
            rule.first for rule in group_rules(rendered) if rule.group == group and not rule.egress
        }
        if admitted != ports:
            yield f"{group} admits {sorted(admitted)}, but the listeners are on {sorted(ports)}."


def _answer(action: dict[str, Any]) -> tuple[str, str, str, str]:
    redirect = action.get("RedirectConfig", {})
    parts = [str(redirect.get(key)) for key in ("Protocol", "Port", "StatusCode")]
    return str(action["Type"]), parts[0], parts[1], parts[2]


@relation
def the_certificate_is_valid_for_the_url(rendered: Rendered) -> Iterator[str]:
    """The output UrlCertificate says so, or what to do: a given certificate is never valid for the load balancer's own name."""
    outputs, given = rendered.layers["edge"]["Outputs"], rendered.parameters["edge"]
    url, said = (text_of(outputs[name]["Value"]) for name in ("Url", "UrlCertificate"))
    own = ".elb." in url or "LoadBalancer" in url
    certificates = resources_of_type(rendered, "AWS::CertificateManager::Certificate")
    if given["CertificateArn"]:
        expected = "set DomainName" if own else f"valid for {given['DomainName']}"
    else:
        expected = f"ACM for {given['DomainName']}" if list(certificates) else "Self-signed"
    if own != (not given["DomainName"]):
        yield f"Url is {url} with DomainName {given['DomainName']}."
    if expected not in said:
        yield f"UrlCertificate of {url} says {said}"


@relation
def the_firewall_is_in_front(rendered: Rendered) -> Iterator[str]:
    """Every load balancer has a web ACL with the rule groups for addresses, bad input, SQL and common attacks; no two of its rules share a priority or a metric; its log group has a name that WAF delivers to."""
    protected = {
        id_of(rendered, found.layer, found.properties["ResourceArn"])
        for found in resources_of_type(rendered, "AWS::WAFv2::WebACLAssociation")
    }
    logged = {
        id_of(rendered, found.layer, found.properties["ResourceArn"])
        for found in resources_of_type(rendered, "AWS::WAFv2::LoggingConfiguration")
    }
    for balancer in resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer"):
        if balancer.logical_id not in protected:
            yield f"{balancer.logical_id} has no web ACL."
    for acl in resources_of_type(rendered, "AWS::WAFv2::WebACL"):
        rules = acl.properties["Rules"]
        for what, values in (
            ("priority", [rule["Priority"] for rule in rules]),
            ("metric", [rule["VisibilityConfig"]["MetricName"] for rule in rules]),
        ):
            if len(set(values)) != len(values):
                yield f"Two rules of {acl.logical_id} share a {what}."
        groups = {
            rule["Statement"].get("ManagedRuleGroupStatement", {}).get("Name") for rule in rules
        }
        for missing in sorted(BODY_RULES.keys() - groups):
            yield f"{acl.logical_id} lacks {missing}."
        # The documentation names one of them as the dimension of the metrics, and CloudWatch shows the other.
        if acl.properties.get("Name") != acl.properties["VisibilityConfig"]["MetricName"]:
            yield f"{acl.logical_id} has another name than its metrics."
        if acl.logical_id not in logged:
            yield f"{acl.logical_id} logs nowhere."
    for logging in resources_of_type(rendered, "AWS::WAFv2::LoggingConfiguration"):
        for destination in logging.properties["LogDestinationConfigs"]:
            group = text_of(destination).partition(":log-group:")[2].strip("<>")
            name = named(rendered, group).properties.get("LogGroupName")
            if not str(name).startswith(LOG_PREFIX):
                yield f"{logging.logical_id} delivers to a log group named {name}, which WAF refuses."


@relation
def uploads_pass_the_firewall(rendered: Rendered) -> Iterator[str]:
    """Rules that match what documents contain count by default, and rules for attacks block; every other rule blocks."""
    for acl in resources_of_type(rendered, "AWS::WAFv2::WebACL"):
        chosen = rendered.parameters[acl.layer]["WafBlockedBodies"]
        for rule in acl.properties["Rules"]:
            group = rule["Statement"].get("ManagedRuleGroupStatement")
            if group is None:
                continue
            overrides = group.get("RuleActionOverrides")
            if overrides == []:
                yield f"{group['Name']} has an empty list of overrides, which WAF refuses."
            counted = {each["Name"] for each in overrides or () if "Count" in each["ActionToUse"]}
            wanted = {
                name
                for name, kind in BODY_RULES[group["Name"]].items()
                if kind in COUNTED_BODIES[chosen]
            }
            for name in sorted(wanted - counted):
                yield f"{group['Name']} blocks for {name} with WafBlockedBodies {chosen}."
            for name in sorted(counted - wanted):
                yield f"{group['Name']} does not block for {name} with WafBlockedBodies {chosen}."


@relation
def the_firewall_blocks(rendered: Rendered) -> Iterator[str]:
    """Rule groups are AWS's, each once, and block what they match, as the rate limit does; what no rule matches passes."""
    for acl in resources_of_type(rendered, "AWS::WAFv2::WebACL"):
        names = []
        for rule in acl.properties["Rules"]:
            group = rule["Statement"].get("ManagedRuleGroupStatement")
            if group is None and rule.get("Action") != {"Block": {}}:
                yield f"{acl.logical_id} only counts by the rule {rule['Name']}."
            if group is None:
                continue
            names.append((group.get("VendorName"), group["Name"]))
            if rule.get("OverrideAction") != {"None": {}}:
                yield f"{acl.logical_id} only counts by every rule of {group['Name']}."
            # https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
            if group.get("VendorName") != "AWS":
                yield f"{acl.logical_id} has {group['Name']} of {group.get('VendorName')}, which needs a subscription."
        if len(set(names)) != len(names):
            yield f"{acl.logical_id} has a rule group twice, which uses its capacity and blocks nothing more."
        if acl.properties.get("DefaultAction") != {"Allow": {}}:
            yield f"{acl.logical_id} blocks requests that no rule matches."


@relation
def the_firewall_records_no_credentials(rendered: Rendered) -> Iterator[str]:
    """Neither the log nor samples and match details contain a query string, an authorization header or a cookie."""
    for logging in resources_of_type(rendered, "AWS::WAFv2::LoggingConfiguration"):
        fields = logging.properties.get("RedactedFields", ())
        if {"QueryString": {}} not in fields:
            yield f"{logging.logical_id} records query strings."
        headers = {field["SingleHeader"]["Name"] for field in fields if "SingleHeader" in field}
        for header in sorted(CREDENTIAL_HEADERS - headers):
            yield f"{logging.logical_id} records the header {header}."
    for acl in resources_of_type(rendered, "AWS::WAFv2::WebACL"):
        protections = acl.properties.get("DataProtectionConfig", {}).get("DataProtections", ())
        substituted = {
            (each["Field"]["FieldType"], key)
            for each in protections
            if each["Action"] == "SUBSTITUTION"
            for key in each["Field"].get("FieldKeys", [""])
        }
        expected = {("QUERY_STRING", ""), *(("SINGLE_HEADER", name) for name in CREDENTIAL_HEADERS)}
        for kind, key in sorted(expected - substituted):
            yield f"{acl.logical_id} shows {kind} {key} in samples and match details."


@relation
def the_load_balancer_closes_idle_connections(rendered: Rendered) -> Iterator[str]:
    """The api keeps idle connections for longer than the load balancer, which would otherwise answer some requests with 502."""
    for balancer in resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer"):
        attributes = {
            each["Key"]: each["Value"] for each in balancer.properties["LoadBalancerAttributes"]
        }
        idle = int(attributes["idle_timeout.timeout_seconds"])
        if str(idle) != rendered.parameters[balancer.layer]["LoadBalancerIdleTimeout"]:
            yield f"{balancer.logical_id} closes connections after {idle} seconds, not as the parameter says."
        for name, container in containers(rendered):
            command = [str(part) for part in container.get("Command", ())]
            if "uvicorn" not in command:
                continue
            kept = KEEP_ALIVE.search(" ".join(command))
            if kept is None or int(kept[1]) <= idle:
                yield f"{name} keeps connections for {kept and kept[1]} seconds, the load balancer for {idle}."


@relation
def clients_do_not_choose_their_address(rendered: Rendered) -> Iterator[str]:
    """The api trusts X-Forwarded-For from the load balancer's subnets, and only from private addresses."""
    subnets = [
        ipaddress.IPv4Network(
            named(rendered, id_of(rendered, balancer.layer, subnet)).properties["CidrBlock"]
        )
        for balancer in resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer")
        for subnet in balancer.properties["Subnets"]
    ]
    for name, container in containers(rendered):
        command = [str(part) for part in container.get("Command", ())]
        if "--forwarded-allow-ips" not in command:
            continue
        value = command[command.index("--forwarded-allow-ips") + 1]
        if value == "*":
            yield f"{name} believes the address that a client writes."
            continue
        proxies = [ipaddress.IPv4Network(each) for each in value.split(",")]
        for proxy in proxies:
            if not any(proxy.subnet_of(each) for each in PRIVATE_RANGES):
                yield f"{name} believes {proxy}, which is not private."
        for subnet in subnets:
            if not any(subnet.subnet_of(proxy) for proxy in proxies):
                yield f"{name} does not believe the load balancer in {subnet}."
