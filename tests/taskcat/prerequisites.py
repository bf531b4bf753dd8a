"""Create the prerequisites of docs/testing.md for tests of production on an embedded AWS."""

from __future__ import annotations

from commands.common.embedded_launch import EXAMPLE_DOMAIN, embedded_prerequisites
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from templates_src.core.parameters.shared import PROD
from templates_src.edge.certificate import CERTIFICATE_ARN
from tests.taskcat.definition import CERTIFICATE, DOMAIN, HOME, SECOND, ZONE


def prepare(running: EmbeddedAws) -> None:
    """A certificate in the first region, and a zone for the second, with the names in taskcat.yml."""
    home, second = Aws(HOME, running.environment()), Aws(SECOND, running.environment())
    remember(home, CERTIFICATE, embedded_prerequisites(home, PROD, {})[CERTIFICATE_ARN.name])
    zone = second.client("route53").create_hosted_zone(
        Name=EXAMPLE_DOMAIN, CallerReference="taskcat"
    )["HostedZone"]["Id"]
    remember(second, ZONE, zone.rpartition("/")[2])
    remember(second, DOMAIN, EXAMPLE_DOMAIN)


def remember(aws: Aws, name: str, value: str) -> None:
    """Keep a value in Systems Manager."""
    aws.client("ssm").put_parameter(Name=name, Value=value, Type="String")
