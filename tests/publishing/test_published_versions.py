"""The versions of a publication: default, deprecated, retired and refused ones."""

from __future__ import annotations

import pytest

from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.plan.steps import Action
from pipeline.errors import PipelineError
from tests.publishing.conftest import Publisher
from tests.publishing.faults import Calls
from tests.publishing.minimal_catalog import (
    CATALOG,
    ORGANIZATION,
    SHARE,
    small_catalog,
)
from tests.publishing.results import (
    guidance,
    launch_product,
    step_texts,
    writing_steps,
)


def test_next_version_is_default_and_the_one_before_deprecated(publisher: Publisher) -> None:
    publisher.publish()
    before = publisher.snapshot()["bucket"]

    plans = publisher.publish(version="1.1.0")

    assert (Action.DEPRECATE, Kind.VERSION) in writing_steps(plans)
    assert guidance(publisher) == {"1.0.0": "DEPRECATED", "1.1.0": "DEFAULT"}
    assert set(before) <= set(publisher.snapshot()["bucket"])


def test_fix_of_an_older_version_does_not_become_the_default(publisher: Publisher) -> None:
    publisher.publish(version="1.1.0")

    publisher.publish(version="1.0.1")

    assert guidance(publisher) == {"1.0.1": "DEPRECATED", "1.1.0": "DEFAULT"}
    assert not writing_steps(publisher.plan(version="1.0.1"))


def test_versions_beyond_the_number_kept_are_retired(publisher: Publisher) -> None:
    for version in ("1.9.0", "1.10.0", "1.11.0"):
        plans = publisher.publish(version=version)

    assert (Action.RETIRE, Kind.VERSION) in writing_steps(plans)
    assert guidance(publisher) == {"1.10.0": "DEPRECATED", "1.11.0": "DEFAULT"}
    assert not writing_steps(publisher.plan(version="1.11.0"))


def test_version_older_than_those_kept_is_refused(publisher: Publisher) -> None:
    for version in ("1.1.0", "1.2.0"):
        publisher.publish(version=version)
    calls = Calls()

    with pytest.raises(
        PipelineError, match=r"Production 1\.0\.0 in eu-north-1 is older than the 2 ver"
    ):
        publisher.publish(calls, version="1.0.0")

    assert calls.writes == []


def test_used_version_is_kept_and_reported_with_its_users(
    publisher: Publisher,
) -> None:
    publisher.publish()
    name = launch_product(publisher)

    for version in ("1.1.0", "1.2.0"):
        plans = publisher.publish(version=version)

    assert guidance(publisher).keys() == {"1.0.0", "1.1.0", "1.2.0"}
    again = publisher.plan(version="1.2.0")
    [line] = step_texts(again, Action.REPORT)
    assert line.startswith(
        f"Production 1.0.0 beyond the 2 versions kept, but in use by {name} (pp-"
    )
    assert not writing_steps(again)
    assert (Action.RETIRE, Kind.VERSION) not in writing_steps(plans)


def test_versions_of_a_shared_product_are_not_retired(publisher: Publisher) -> None:
    text = CATALOG.replace("products:\n  production", f"{SHARE}products:\n  production")
    text += ORGANIZATION
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        plans = publisher.publish(version=version, catalog=small_catalog(text))

    assert guidance(publisher).keys() == {"1.0.0", "1.1.0", "1.2.0"}
    assert (
        "provisioned products in other accounts are not visible"
        in step_texts(plans, Action.REPORT)[0]
    )


def test_other_content_under_a_used_version_is_refused(publisher: Publisher) -> None:
    publisher.publish()
    before, calls = publisher.snapshot(), Calls()

    with pytest.raises(
        PipelineError, match=r"has other content than Production 1\.0\.0.*raise the version"
    ):
        publisher.publish(calls, text="Another release")

    assert calls.writes == []
    assert publisher.snapshot() == before


def test_other_content_is_refused_also_with_an_empty_bucket(publisher: Publisher) -> None:
    publisher.publish()
    s3 = publisher.aws.client("s3")
    for key, _ in publisher.snapshot()["bucket"]:
        [name] = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        s3.delete_object(Bucket=name, Key=key)

    with pytest.raises(
        PipelineError, match=r"Production 1\.0\.0 in eu-north-1 is already published"
    ):
        publisher.publish(text="Another release")


def test_reading_calls_do_not_grow_with_versions(publisher: Publisher) -> None:
    catalog = small_catalog(CATALOG.replace("versions_kept: 2", "versions_kept: 50"))
    publisher.publish(catalog=catalog)
    few, many = Calls(), Calls()
    publisher.plan(few, catalog=catalog)
    for number in range(1, 13):
        publisher.publish(version=f"1.{number}.0", catalog=catalog)

    publisher.plan(many, catalog=catalog, version="1.12.0")

    assert len(many.made) == len(few.made)
