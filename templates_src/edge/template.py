"""The edge layer: load balancer, certificate, web ACL, DNS record and access logs."""

from __future__ import annotations

from typing import Any

from troposphere import GetAtt, If, NoValue, Ref, Sub
from troposphere.elasticloadbalancingv2 import (
    Action,
    Listener,
    LoadBalancer,
    LoadBalancerAttributes,
    Matcher,
    RedirectConfig,
    TargetGroup,
    TargetGroupAttribute,
)
from troposphere.elasticloadbalancingv2 import Certificate as ListenerCertificateArn
from troposphere.route53 import AliasTarget, RecordSetType

from templates_src.core import ports
from templates_src.core.keep_alive import MAX_IDLE_SECONDS
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import TRUE, boolean, number
from templates_src.core.parameters.shared import named
from templates_src.core.parameters.wiring.network import PUBLIC_SUBNET_IDS, VPC_ID
from templates_src.core.parameters.wiring.security import LOAD_BALANCER_SECURITY_GROUP_ID
from templates_src.core.protection import unless_environment_protects
from templates_src.edge.access_logs import ACCESS_LOGS, AccessLogs, add_access_logs
from templates_src.edge.certificate import (
    DOMAIN_NAME,
    HOSTED_ZONE_ID,
    certificate_arn,
    require_certificate,
    url_certificate,
)
from templates_src.edge.waf import add_web_acl

# TLS 1.3 and 1.2 with forward secrecy and post-quantum key exchange; CloudFormation's default is a policy of 2016.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
HEALTH_INTERVAL_SECONDS, HEALTH_TIMEOUT_SECONDS = 15, 5
HEALTHY_AFTER, UNHEALTHY_AFTER = 2, 3

DELETION_PROTECTION = boolean(
    "LoadBalancerDeletionProtection",
    group=groups.LOAD_BALANCER,
    label="Load balancer's deletion protection",
    description="Refuse to delete the load balancer and the stack; set Decommission before you delete the environment.",
    default="false",
)

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
IDLE_TIMEOUT = number(
    "LoadBalancerIdleTimeout",
    group=groups.LOAD_BALANCER,
    label="Idle time-out (seconds)",
    description="Seconds without a byte after which the load balancer closes a connection: the time that the api has to begin an answer. Raise DeregistrationDelay with it.",
    default="60",
    at_least=1,
    at_most=MAX_IDLE_SECONDS,
)

# The default of Elastic Load Balancing, 300, slows deployments.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
DEREGISTRATION_DELAY = number(
    "DeregistrationDelay",
    group=groups.LOAD_BALANCER,
    label="Deregistration delay (seconds)",
    description="Seconds that a task of the api which leaves the load balancer has to complete its requests. A deployment can take that much longer.",
    default="60",
    at_least=0,
    at_most=3600,
)


def edge() -> Layer:
    """The edge layer."""
    layer = Layer(
        "edge", "Carbon Connect: load balancer, certificate, firewall, DNS and access logs"
    )
    require_certificate(layer)
    logs = add_access_logs(layer)
    balancer = add_load_balancer(layer, logs)
    target_group = add_target_group(layer)
    add_redirect(layer, balancer)
    add_https(layer, balancer, target_group, certificate_arn(layer, balancer))
    add_web_acl(layer, Ref(balancer))
    add_record(layer, balancer)
    add_outputs(layer, balancer, target_group, logs)
    return layer


def add_load_balancer(layer: Layer, logs: AccessLogs) -> LoadBalancer:
    """The load balancer, created after the policy of its log bucket, because it writes immediately."""
    attributes: dict[str, Any] = {
        "routing.http.drop_invalid_header_fields.enabled": TRUE,
        "routing.http.desync_mitigation_mode": "defensive",
        "access_logs.s3.enabled": layer.parameter(ACCESS_LOGS),
        "idle_timeout.timeout_seconds": layer.parameter(IDLE_TIMEOUT),
    }
    protection = LoadBalancerAttributes(
        Key="deletion_protection.enabled", Value=layer.parameter(DELETION_PROTECTION)
    )
    return layer.add(
        LoadBalancer(
            "LoadBalancer",
            Type="application",
            Scheme="internet-facing",
            IpAddressType="ipv4",
            Subnets=layer.parameter(PUBLIC_SUBNET_IDS),
            SecurityGroups=[layer.parameter(LOAD_BALANCER_SECURITY_GROUP_ID)],
            LoadBalancerAttributes=[
                unless_environment_protects(layer, protection),
                *(
                    LoadBalancerAttributes(Key=key, Value=value)
                    for key, value in attributes.items()
                ),
                If(
                    layer.use(ACCESS_LOGS),
                    LoadBalancerAttributes(
                        Key="access_logs.s3.bucket", Value=logs.name_once_writable()
                    ),
                    NoValue,
                ),
            ],
        )
    )


def add_target_group(layer: Layer) -> TargetGroup:
    """The target group of the api's tasks, by IP address."""
    return layer.add(
        TargetGroup(
            "ApiTargetGroup",
            VpcId=layer.parameter(VPC_ID),
            TargetType="ip",
            Protocol="HTTP",
            Port=ports.API,
            HealthCheckProtocol="HTTP",
            HealthCheckPath=ports.HEALTH_PATH,
            HealthCheckIntervalSeconds=HEALTH_INTERVAL_SECONDS,
            HealthCheckTimeoutSeconds=HEALTH_TIMEOUT_SECONDS,
            HealthyThresholdCount=HEALTHY_AFTER,
            UnhealthyThresholdCount=UNHEALTHY_AFTER,
            Matcher=Matcher(HttpCode="200"),
            TargetGroupAttributes=[
                TargetGroupAttribute(
                    Key="deregistration_delay.timeout_seconds",
                    Value=layer.parameter(DEREGISTRATION_DELAY),
                )
            ],
        )
    )


def add_redirect(layer: Layer, balancer: LoadBalancer) -> None:
    """The HTTP listener, which redirects to HTTPS."""
    layer.add(
        Listener(
            "HttpListener",
            LoadBalancerArn=Ref(balancer),
            Protocol="HTTP",
            Port=ports.HTTP,
            DefaultActions=[
                Action(
                    Type="redirect",
                    RedirectConfig=RedirectConfig(
                        Protocol="HTTPS", Port=str(ports.HTTPS), StatusCode="HTTP_301"
                    ),
                )
            ],
        )
    )


def add_https(
    layer: Layer, balancer: LoadBalancer, target_group: TargetGroup, certificate: If
) -> None:
    """The HTTPS listener, which forwards to the api."""
    layer.add(
        Listener(
            "HttpsListener",
            LoadBalancerArn=Ref(balancer),
            Protocol="HTTPS",
            Port=ports.HTTPS,
            SslPolicy=TLS_POLICY,
            Certificates=[ListenerCertificateArn(CertificateArn=certificate)],
            DefaultActions=[Action(Type="forward", TargetGroupArn=Ref(target_group))],
        )
    )


def add_record(layer: Layer, balancer: LoadBalancer) -> None:
    """The record of the domain name, if its zone is given; IPv4 only, like the load balancer."""
    layer.add(
        RecordSetType(
            "DomainRecord",
            Condition=layer.has(HOSTED_ZONE_ID),
            HostedZoneId=layer.parameter(HOSTED_ZONE_ID),
            Name=layer.parameter(DOMAIN_NAME),
            Type="A",
            AliasTarget=AliasTarget(
                DNSName=GetAtt(balancer, "DNSName"),
                HostedZoneId=GetAtt(balancer, "CanonicalHostedZoneID"),
                EvaluateTargetHealth=False,
            ),
        )
    )


def add_outputs(
    layer: Layer, balancer: LoadBalancer, target_group: TargetGroup, logs: AccessLogs
) -> None:
    """The outputs for users, services and alarms."""
    host = If(layer.has(DOMAIN_NAME), layer.parameter(DOMAIN_NAME), GetAtt(balancer, "DNSName"))
    layer.output(
        "Url", Sub("https://${Host}", Host=host), "Address of the application", public=True
    )
    layer.output(
        "UrlCertificate",
        url_certificate(layer),
        "Whether the certificate is valid for Url",
        public=True,
    )
    layer.output(
        "LoadBalancerDnsName",
        GetAtt(balancer, "DNSName"),
        "The load balancer's own name, for a record in DNS elsewhere",
        public=True,
    )
    layer.output("LoadBalancerArn", Ref(balancer), "ARN of the load balancer")
    layer.output(
        "LoadBalancerFullName",
        GetAtt(balancer, "LoadBalancerFullName"),
        "Name of the load balancer in its metrics",
    )
    layer.output("TargetGroupArn", Ref(target_group), "ARN of the api's target group")
    layer.output(
        "TargetGroupFullName",
        GetAtt(target_group, "TargetGroupFullName"),
        "Name of the api's target group in its metrics",
    )
    layer.output("WebAclName", named(), "Name of the firewall in its metrics")
    layer.output(
        "AccessLogBucketName",
        If(layer.use(ACCESS_LOGS), Ref(logs.bucket), ""),
        "Bucket of the access logs; empty where they are off",
    )
