"""Values that a profile leaves to the launch, as examples to render with and as real things on the embedded AWS."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.aws import Aws, sentences
from pipeline.examples import arn_of, partition_of

EXAMPLE_BUCKET = "example-release-bucket"
EXAMPLE_DOMAIN = "carbon-connect.example.com"
_SEED = "5eed" * 16


def stand_ins(region: str) -> dict[str, str]:
    """Examples of what a launch in the region must be told: the release bucket and a certificate."""
    certificate = arn_of(
        "AWS::CertificateManager::Certificate", region, partition_of(region), "Certificate", _SEED
    )
    return {"ReleaseBucket": EXAMPLE_BUCKET, "CertificateArn": certificate}


def embedded_prerequisites(aws: Aws, given: Mapping[str, str]) -> dict[str, str]:
    """Make on the embedded AWS what an account would have, unless it is given: a certificate."""
    if given.get("CertificateArn") or given.get("DomainName"):
        return {}
    with sentences("request a certificate from the embedded AWS"):
        certificate = aws.client("acm").request_certificate(
            DomainName=EXAMPLE_DOMAIN, ValidationMethod="DNS"
        )
    return {"CertificateArn": certificate["CertificateArn"]}
