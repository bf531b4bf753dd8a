"""A launch that the account cannot have is refused before anything is created."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from commands.common.embedded_sessions import publisher
from commands.common.preview import Consent
from commands.direct import DirectLaunch, launch_release
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.publish import plan_regions
from pipeline.catalog.spec.document import load_catalog
from pipeline.environments.account.requirements import require_launch, require_publication
from pipeline.errors import PipelineError
from pipeline.parameters.profiles import load_profile, resolve
from pipeline.release.assemble import Release
from tests.conftest import REGION

LOG_GROUP = "aws-waf-logs-carbon-connect-dev"


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedAws]:
    with EmbeddedAws.start(region=REGION) as running:
        yield running


@pytest.fixture
def aws(running: EmbeddedAws) -> Aws:
    running.reset()
    return Aws(REGION, running.environment())


def test_direct_launch_stops_before_it_creates_anything(release: Release, aws: Aws) -> None:
    aws.client("logs").create_log_group(logGroupName=LOG_GROUP)
    wanted = DirectLaunch(consent=Consent(assume_yes=True))

    with pytest.raises(PipelineError, match=rf"log group {LOG_GROUP}: The account has a log group"):
        launch_release(aws, release, "dev", wanted)

    assert aws.client("s3").list_buckets()["Buckets"] == []
    assert aws.client("cloudformation").describe_stacks()["Stacks"] == []


def test_several_reasons_are_counted(release: Release, aws: Aws, running: EmbeddedAws) -> None:
    aws.client("logs").create_log_group(logGroupName=LOG_GROUP)
    running.set_quota("vpc", "L-F678F1CE", 1)

    with pytest.raises(PipelineError, match=r"`check` shows 1 more\.$"):
        require_launch(aws, release, "dev", values_of(release))


def test_quota_that_only_limits_growth_does_not_stop_a_launch(
    release: Release, aws: Aws, running: EmbeddedAws
) -> None:
    running.set_quota("fargate", "L-3032A538", 6)
    require_launch(aws, release, "dev", values_of(release))

    running.set_quota("fargate", "L-3032A538", 2)
    with pytest.raises(PipelineError, match=r"0 of 2 in use, and dev needs 2.25: request at least"):
        require_launch(aws, release, "dev", values_of(release))


def test_publication_stops_before_it_creates_anything(
    release: Release, aws: Aws, running: EmbeddedAws
) -> None:
    plans = plan_regions(lambda _region: aws, release, load_catalog(), (REGION,))
    require_publication(plans)

    running.set_quota("servicecatalog", "L-764CF6A1", 5)
    with pytest.raises(
        PipelineError, match=r"0 of 5 in use, and the publication needs 9: request at least 9"
    ):
        require_publication(plans)


@pytest.mark.parametrize("plans", [True, False], ids=["plan role", "publisher role"])
def test_roles_of_a_publication_read_its_quotas(
    release: Release, aws: Aws, running: EmbeddedAws, plans: bool
) -> None:
    running.set_quota("servicecatalog", "L-764CF6A1", 5)
    session = publisher(aws, release, plans=plans)
    planned = plan_regions(lambda _region: session, release, load_catalog(), (REGION,))

    with pytest.raises(PipelineError, match="request at least 9"):
        require_publication(planned)


def values_of(release: Release) -> dict[str, str]:
    profile = load_profile(release.root, "dev")
    return resolve(release.root, profile, {"ReleaseBucket": "my-releases"})
