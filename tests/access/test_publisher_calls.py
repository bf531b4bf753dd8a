"""The recorded calls are the current calls of planning and publishing."""

from __future__ import annotations

import pytest

from pipeline.errors import PipelineError
from pipeline.release.assemble import Release
from templates_src.access.publisher_calls import CALLS
from tools.publisher_calls import of_bucket, record, text


def test_recorded_calls_are_up_to_date(release: Release) -> None:
    assert text(record(release)) == CALLS.read_bytes(), "run python -m tools.publisher_calls"


def test_unknown_property_of_the_bucket_is_refused() -> None:
    with pytest.raises(
        PipelineError, match=r"has the property CorsConfiguration.*tools/publisher_calls"
    ):
        of_bucket((), {"BucketName": "x", "CorsConfiguration": {}})
