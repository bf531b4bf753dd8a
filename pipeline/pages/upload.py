"""The site in the release bucket, beside the release that it describes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from pipeline.aws import Aws, aws_errors
from pipeline.release.assemble import Release
from pipeline.release.upload import keys_below, put_once

_SEVERAL = 8


def location(release: Release, contents: Mapping[str, bytes]) -> str:
    """The prefix of the site: below that of the release, with the hash of the site.

    The profiles change the site and not the release, and an uploaded object never changes.
    """
    digest = hashlib.sha256()
    for name, body in sorted(contents.items()):
        digest.update(f"{name}\n{hashlib.sha256(body).hexdigest()}\n".encode())
    return f"{release.prefix}pages/{digest.hexdigest()[:12]}/"


def upload_site(
    aws: Aws, release: Release, bucket: str, contents: Mapping[str, bytes]
) -> tuple[str, int]:
    """Upload the files of the site that the bucket does not contain; returns its address and the number of written files.

    Raises PipelineError if AWS refuses, and for a file of the same name with other content.
    """
    prefix = location(release, contents)
    s3 = aws.client("s3")
    with aws_errors(f"upload the pages to bucket {bucket}"):
        present = keys_below(s3, bucket, prefix)

        def put(name: str) -> bool:
            key = prefix + name
            return put_once(s3, bucket, key, contents[name], present=key in present)

        with ThreadPoolExecutor(_SEVERAL) as pool:
            written = sum(pool.map(put, sorted(contents)))
    return f"s3://{bucket}/{prefix}", written
