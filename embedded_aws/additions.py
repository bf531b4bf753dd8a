"""Everything this package adds to ministack, in the order in which it must be added."""

from embedded_aws import nested_stacks, template_urls
from embedded_aws.resources import (
    alarms,
    caches,
    containers,
    edge,
    identity,
    network,
    scaling,
    storage,
)
from embedded_aws.services import application_autoscaling, dlm, waf_logging


def install() -> None:
    """Add it all; call it once, after `settings.prepare_environment` and before serving."""
    for service in (application_autoscaling, dlm, waf_logging):
        service.install()
    for subject in (network, identity, caches, edge, scaling, storage, alarms, containers):
        subject.install()
    template_urls.install()
    nested_stacks.install()
