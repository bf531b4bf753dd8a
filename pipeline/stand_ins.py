"""Values that a profile leaves to the launch, as examples to render with and as real things on the embedded AWS."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.aws import Aws, sentences
from pipeline.examples import arn_of, partition_of
from templates_src.core.shared import PROD, RELEASE_BUCKET
from templates_src.edge.certificate import CERTIFICATE_ARN, DOMAIN_NAME

EXAMPLE_BUCKET = "example-release-bucket"
EXAMPLE_DOMAIN = "carbon-connect.example.com"
_SEED = "5eed" * 16


def stand_ins(region: str, environment: str) -> dict[str, str]:
    """Examples of what a launch in the region must be told: the release bucket and, in prod, a certificate."""
    given = {RELEASE_BUCKET.name: EXAMPLE_BUCKET}
    if environment == PROD:
        given[CERTIFICATE_ARN.name] = arn_of(
            "AWS::CertificateManager::Certificate",
            region,
            partition_of(region),
            "Certificate",
            _SEED,
        )
    return given


def embedded_prerequisites(aws: Aws, environment: str, given: Mapping[str, str]) -> dict[str, str]:
    """Make on the embedded AWS what an account would have, unless it is given: prod's certificate."""
    named = given.get(CERTIFICATE_ARN.name) or given.get(DOMAIN_NAME.name)
    if environment != PROD or named:
        return {}
    with sentences("request a certificate from the embedded AWS"):
        certificate = aws.client("acm").request_certificate(
            DomainName=EXAMPLE_DOMAIN, ValidationMethod="DNS"
        )
    return {CERTIFICATE_ARN.name: certificate["CertificateArn"]}
