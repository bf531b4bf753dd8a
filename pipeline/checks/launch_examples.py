"""Example values for parameters without a value in a profile, so that an environment can be rendered."""

from __future__ import annotations

from pipeline.aws import partition_of
from pipeline.template.example_values import arn_of
from templates_src.core.parameters.shared import PROD, RELEASE_BUCKET
from templates_src.edge.certificate import CERTIFICATE_ARN

_BUCKET = "example-release-bucket"
_SEED = "5eed" * 16


def launch_examples(region: str, environment: str) -> dict[str, str]:
    """Return the release bucket and, for prod, the certificate's ARN for a launch in the region."""
    given = {RELEASE_BUCKET.name: _BUCKET}
    if environment == PROD:
        given[CERTIFICATE_ARN.name] = arn_of(
            "AWS::CertificateManager::Certificate",
            region,
            partition_of(region),
            "Certificate",
            _SEED,
        )
    return given
