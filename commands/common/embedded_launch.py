"""Prerequisites of a launch on the embedded AWS that exist in an account: the certificate of prod."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.aws import Aws, aws_errors
from templates_src.core.parameters.shared import PROD
from templates_src.edge.certificate import CERTIFICATE_ARN, DOMAIN_NAME

EXAMPLE_DOMAIN = "carbon-connect.example.com"


def embedded_prerequisites(aws: Aws, environment: str, given: Mapping[str, str]) -> dict[str, str]:
    """Create the prerequisites on the embedded AWS that are not given: prod's certificate."""
    named = given.get(CERTIFICATE_ARN.name) or given.get(DOMAIN_NAME.name)
    if environment != PROD or named:
        return {}
    with aws_errors("request a certificate from the embedded AWS"):
        certificate = aws.client("acm").request_certificate(
            DomainName=EXAMPLE_DOMAIN, ValidationMethod="DNS"
        )
    return {CERTIFICATE_ARN.name: certificate["CertificateArn"]}
