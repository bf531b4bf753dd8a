"""A published version as a side of `build.py changes`, read from its bucket."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from pipeline.release.upload import ensure_bucket, upload
from tests.launches.environments import aws_of

BUCKET = "published-versions"


@pytest.fixture(scope="module")
def location(running: EmbeddedAws, release: Release) -> str:
    """The location of the published release of the working tree."""
    aws = aws_of(running)
    ensure_bucket(aws, BUCKET)
    upload(aws, release, BUCKET)
    return f"s3://{BUCKET}/{release.prefix}"


def changes(running: EmbeddedAws, *sides: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "build.py", "changes", *sides],
        cwd=PROJECT_FOLDER,
        env={**os.environ, **running.environment()},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_published_version_is_compared_with_dist(running: EmbeddedAws, location: str) -> None:
    same = changes(running, location, "dist")
    earlier = changes(running, "1.1.0", location)

    assert (same.returncode, same.stderr) == (0, "")
    assert same.stdout.split("\n")[:2] == ["dev", "  No resource changes."]
    assert (
        "Compute.BeatService (AWS::ECS::Service) is updated with an interruption" in earlier.stdout
    )


@pytest.mark.parametrize(
    ("side", "words"),
    [
        (f"s3://{BUCKET}/nothing/", "has no templates/environment.template.json"),
        ("s3://no-such-bucket-of-ours/x/", "Could not read s3://no-such-bucket-of-ours/x/: "),
        ("s3://", "Could not read s3://: "),
    ],
)
@pytest.mark.usefixtures("location")
def test_a_location_without_a_version_is_one_sentence(
    running: EmbeddedAws, side: str, words: str
) -> None:
    ended = changes(running, side, "dist")

    (line,) = ended.stderr.splitlines()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert words in line
