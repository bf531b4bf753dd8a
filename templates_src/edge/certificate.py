"""The certificate for HTTPS: an existing one, one that ACM issues for a domain name or, outside prod, a self-signed one."""

from __future__ import annotations

from typing import Any

from awacs import acm
from awacs.aws import Allow, Statement, StringEquals, StringEqualsIfExists
from awacs.aws import Condition as PolicyCondition
from troposphere import (
    And,
    Condition,
    Equals,
    GetAtt,
    If,
    Not,
    NoValue,
    Or,
    Ref,
    StackId,
    Sub,
    Tags,
)
from troposphere.awslambda import Function, Permission
from troposphere.certificatemanager import Certificate, DomainValidationOption
from troposphere.cloudformation import CustomResource
from troposphere.elasticloadbalancingv2 import LoadBalancer
from troposphere.events import Rule as ScheduleRule
from troposphere.events import Target

from templates_src.core.function import add_custom_resource, add_function
from templates_src.core.json_text import ConditionalEntry, json_text
from templates_src.core.layer import Layer, Rule
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import ENVIRONMENT, PROD, PROJECT, named

DNS_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# The tag that identifies the certificate of this environment among those of the account.
OWNER_TAG = "StackId"
# How long a deletion waits until the load balancer releases the certificate, in seconds.
TIMEOUT_SECONDS = 600
# The function renews a certificate that expires within 90 days: it has three runs, so that two can fail.
RENEWAL_SCHEDULE = "rate(30 days)"

CERTIFICATE_ARN = Declaration(
    name="CertificateArn",
    group=groups.DOMAIN,
    label="Certificate",
    description="ARN of an issued ACM certificate in this region; empty for a certificate for DomainName or, outside prod, a self-signed one. A first value deletes the certificate that it replaces, and the log of its function.",
    default="",
    pattern=r"(arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[\w-]+)?",
    message="CertificateArn must be empty or the ARN of an ACM certificate, arn:aws:acm:REGION:ACCOUNT:certificate/ID.",
)

DOMAIN_NAME = Declaration(
    name="DomainName",
    group=groups.DOMAIN,
    label="Domain name",
    description="Name that users type, such as app.example.com; empty for the load balancer's own name. A change replaces the certificate that HostedZoneId validates.",
    default="",
    pattern=rf"({DNS_LABEL}(\.{DNS_LABEL})+)?",
    # ACM's limits for the domain name of a certificate.
    max_length=64,
    message="DomainName must be empty or a lower-case DNS name of at most 64 characters, such as app.example.com.",
)

HOSTED_ZONE_ID = Declaration(
    name="HostedZoneId",
    group=groups.DOMAIN,
    label="Hosted zone",
    description="ID of the Route 53 zone of DomainName, for its record and certificate; empty if DNS is elsewhere. A change replaces the record and the certificate; a first value deletes a self-signed certificate and the log of its function.",
    default="",
    pattern="(Z[A-Z0-9]{1,31})?",
    message="HostedZoneId must be empty or the ID of a public Route 53 hosted zone, such as Z0123456789ABCDEFGHIJ.",
)


def require_certificate(layer: Layer) -> None:
    """Rules: a prod environment has a certificate that browsers trust, and its domain name and zone are given together."""
    layer.rule(
        Rule(
            "HttpsHasCertificate",
            parameters=(ENVIRONMENT, CERTIFICATE_ARN, HOSTED_ZONE_ID),
            when=Equals(Ref(ENVIRONMENT.name), PROD),
            holds=Or(has_value(CERTIFICATE_ARN), has_value(HOSTED_ZONE_ID)),
            message=(
                "CertificateArn, or DomainName with HostedZoneId, must be given in prod: "
                "its HTTPS needs a certificate that is not self-signed."
            ),
        )
    )
    layer.rule(
        Rule(
            "HostedZoneHasDomainName",
            parameters=(DOMAIN_NAME, HOSTED_ZONE_ID),
            when=has_value(HOSTED_ZONE_ID),
            holds=has_value(DOMAIN_NAME),
            message="DomainName must be given with HostedZoneId: it is the name of the record and the certificate.",
        )
    )


def has_value(declaration: Declaration) -> Not:
    """Whether an optional parameter has a value, written out because a rule cannot refer to a condition."""
    return Not(Equals(Ref(declaration.name), ""))


def certificate_arn(layer: Layer, balancer: LoadBalancer) -> If:
    """The certificate that the listener uses.

    After a change of the kind, the listener gets the new certificate while both exist; then the old one is deleted.
    """
    has_certificate = layer.has(CERTIFICATE_ARN)
    self_signed = layer.condition(
        "UseDevelopmentCertificate",
        And(
            Not(Condition(has_certificate)),
            Not(Condition(layer.has(HOSTED_ZONE_ID))),
            Not(Condition(layer.is_prod())),
        ),
    )
    requested = layer.condition(
        "UseRequestedCertificate",
        And(Not(Condition(has_certificate)), Not(Condition(self_signed))),
    )
    return If(
        has_certificate,
        layer.parameter(CERTIFICATE_ARN),
        If(
            self_signed,
            Ref(add_development_certificate(layer, balancer, self_signed)),
            Ref(add_requested_certificate(layer, requested)),
        ),
    )


def url_certificate(layer: Layer) -> If:
    """Whether clients accept the certificate at the address in the output Url, in one sentence.

    Only ACM and the DNS know the names of a given certificate, and no public certificate has the load balancer's own name.
    """
    domain = f"${{{DOMAIN_NAME.name}}}"
    given = If(
        layer.has(DOMAIN_NAME),
        Sub(f"CertificateArn must name a certificate that is valid for {domain}."),
        "Not valid for Url, the load balancer's own name: set DomainName to a name of the certificate.",
    )
    return If(
        layer.has(CERTIFICATE_ARN),
        given,
        If(
            "UseDevelopmentCertificate",
            "Self-signed: clients warn until they trust it; see docs/certificates.md.",
            Sub(f"Issued by ACM for {domain}."),
        ),
    )


def add_requested_certificate(layer: Layer, condition: str) -> Certificate:
    """The certificate that ACM issues for the domain name and renews.

    A new domain name creates a new certificate, which is issued and in use before the old one is deleted.
    """
    return layer.add(
        Certificate(
            "Certificate",
            Condition=condition,
            DomainName=layer.parameter(DOMAIN_NAME),
            ValidationMethod="DNS",
            # With the zone, CloudFormation creates the validation record and waits.
            DomainValidationOptions=[
                DomainValidationOption(
                    DomainName=layer.parameter(DOMAIN_NAME),
                    HostedZoneId=layer.parameter(HOSTED_ZONE_ID),
                )
            ],
            Tags=Tags(**layer.tags(Name=named())),
        )
    )


def add_development_certificate(
    layer: Layer, balancer: LoadBalancer, condition: str
) -> CustomResource:
    """A self-signed certificate for the load balancer's name and, if DNS is elsewhere, for the domain name."""
    function = add_function(
        layer,
        "development_certificate",
        description="Creates, renews and deletes the self-signed certificate of a development load balancer",
        timeout_seconds=TIMEOUT_SECONDS,
        statements=(import_certificate(), manage_certificate()),
        condition=condition,
    )
    has_domain = layer.has(DOMAIN_NAME)
    certificate = add_custom_resource(
        layer,
        "DevelopmentCertificate",
        function,
        condition=condition,
        Environment=layer.parameter(ENVIRONMENT),
        DomainNames=[
            GetAtt(balancer, "DNSName"),
            If(has_domain, layer.parameter(DOMAIN_NAME), NoValue),
        ],
        Tags=Tags(**layer.tags(Name=named(), **{OWNER_TAG: StackId})),
    )
    names = [
        f"${{{balancer.title}.DNSName}}",
        ConditionalEntry(has_domain, f"${{{DOMAIN_NAME.name}}}"),
    ]
    wanted = {
        "CertificateArn": f"${{{certificate.title}}}",
        "DomainNames": names,
        "Environment": f"${{{ENVIRONMENT.name}}}",
    }
    add_renewal(layer, function, condition, {"Renew": wanted})
    return certificate


def add_renewal(layer: Layer, function: Function, condition: str, event: dict[str, Any]) -> None:
    """Renews once a month, so that the certificate does not expire in an environment without updates."""
    schedule = layer.add(
        ScheduleRule(
            "DevelopmentCertificateRenewal",
            Condition=condition,
            Description="Renews the self-signed certificate before it expires",
            ScheduleExpression=RENEWAL_SCHEDULE,
            Targets=[
                Target(Id="function", Arn=GetAtt(function, "Arn"), Input=json_text(event)),
            ],
        )
    )
    layer.add(
        Permission(
            "DevelopmentCertificateRenewalPermission",
            Condition=condition,
            Action="lambda:InvokeFunction",
            FunctionName=Ref(function),
            Principal="events.amazonaws.com",
            SourceArn=GetAtt(schedule, "Arn"),
        )
    )


def import_certificate() -> Statement:
    """Import a new certificate, with the tag of this stack.

    The ID is unknown before the import, hence the wildcard. ACM checks AddTagsToCertificate for an import with tags.
    A new certificate has no tags. One with the tags of another environment is refused, so the function cannot take it
    over.
    """
    of_another = StringEqualsIfExists(
        {f"aws:ResourceTag/{known.name}": Ref(known.name) for known in (PROJECT, ENVIRONMENT)}
    )
    return Statement(
        Sid="ImportAsItsOwn",
        Effect=Allow,
        Action=[acm.ImportCertificate, acm.AddTagsToCertificate],
        Resource=[certificates()],
        Condition=PolicyCondition(
            [StringEquals({f"aws:RequestTag/{OWNER_TAG}": StackId}), of_another]
        ),
    )


def manage_certificate() -> Statement:
    """The certificate with the tag of this stack; the condition limits the wildcard."""
    return Statement(
        Sid="RenewAndDeleteItsOwn",
        Effect=Allow,
        Action=[
            acm.ImportCertificate,
            acm.AddTagsToCertificate,
            acm.DescribeCertificate,
            acm.DeleteCertificate,
        ],
        Resource=[certificates()],
        Condition=PolicyCondition(StringEquals({f"aws:ResourceTag/{OWNER_TAG}": StackId})),
    )


def certificates() -> Sub:
    """ARN of every certificate of this account and region."""
    return Sub("arn:${AWS::Partition}:acm:${AWS::Region}:${AWS::AccountId}:certificate/*")
