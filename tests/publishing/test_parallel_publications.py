"""Publications in parallel: of two publishers, and of several regions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.plan.steps import Action
from pipeline.catalog.publish import plan_regions, publish, summary
from pipeline.catalog.spec.model import Catalog
from pipeline.errors import PipelineError
from tests.publishing.conftest import WAITS, Publisher
from tests.publishing.faults import Clients
from tests.publishing.minimal_catalog import (
    CATALOG,
    small_catalog,
    small_release,
)
from tests.publishing.results import (
    guidance,
    writing_steps,
)


@pytest.mark.parametrize("texts", [("A", "A"), ("A", "B")], ids=["same", "different"])
def test_two_parallel_publishers_create_no_duplicates(
    publisher: Publisher, texts: tuple[str, str]
) -> None:
    begin = Barrier(2)

    def run(text: str) -> str:
        release = small_release(publisher.release, text=text)
        plans = plan_regions(Clients(publisher.embedded), release, small_catalog())
        begin.wait()
        try:
            publish(plans, waits=WAITS)
        except PipelineError as refusal:
            return str(refusal)
        return ""

    with ThreadPoolExecutor(2) as pool:
        refused = [reason for reason in pool.map(run, texts) if reason]

    if texts[0] == texts[1]:
        assert refused == []
        assert not writing_steps(publisher.plan(text="A"))
    else:
        [reason] = refused
        assert "other content" in reason
    held = publisher.snapshot()
    assert len(held["portfolios"]) == len(held["products"]) == len(held["tag options"]) == 1
    assert len(held["portfolios"][0]["constraints"]) == 3
    assert list(guidance(publisher)) == ["1.0.0"]


def test_two_publishers_of_different_catalogs_create_no_duplicates(
    publisher: Publisher,
) -> None:
    begin = Barrier(2)
    catalogs = [
        small_catalog(CATALOG.replace("Whole env", f"{word} env").replace("For", f"{word} for"))
        for word in ("Whole", "Other")
    ]

    def run(catalog: Catalog) -> None:
        plans = plan_regions(Clients(publisher.embedded), small_release(publisher.release), catalog)
        begin.wait()
        publish(plans, waits=WAITS)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, catalogs))

    held = publisher.snapshot()
    assert len(held["portfolios"]) == len(held["products"]) == len(held["tag options"]) == 1
    assert len(held["portfolios"][0]["constraints"]) == 3
    assert list(guidance(publisher)) == ["1.0.0"]


def test_regions_are_published_in_parallel_and_have_one_role(publisher: Publisher) -> None:
    text = CATALOG.replace("[eu-north-1]", "[eu-north-1, eu-west-1, us-east-1]")
    catalog = small_catalog(text)

    plans = publisher.publish(catalog=catalog)

    assert [plan.region for plan in plans] == ["eu-north-1", "eu-west-1", "us-east-1"]
    assert writing_steps(plans).count((Action.CREATE, Kind.LAUNCH_ROLE)) == 1
    assert summary(publisher.plan(catalog=catalog))[Action.CREATE] == 0


def test_failed_region_does_not_stop_the_others(publisher: Publisher) -> None:
    catalog = small_catalog(CATALOG.replace("[eu-north-1]", "[eu-north-1, eu-west-1]"))
    plans = publisher.plan(catalog=catalog)
    there = publisher.others("eu-west-1").client("s3")
    version = plans[1].desired.products["production"].version
    there.create_bucket(
        Bucket=version.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    there.put_object(Bucket=version.bucket, Key=version.key, Body=b"theirs")

    with pytest.raises(PipelineError, match="eu-west-1"):
        publish(plans, waits=WAITS)

    assert guidance(publisher) == {"1.0.0": "DEFAULT"}
