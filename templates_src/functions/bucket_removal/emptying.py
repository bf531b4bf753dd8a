"""Buckets and their content, deleted in the time that there is."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import botocore.exceptions

from ..custom_resource import Deadline

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

MARGIN_SECONDS = 30.0
"""No request starts later than this before the deadline: one takes seconds, with its retries."""

WORKERS = 8
"""Requests at a time. Each deletes up to 1,000 versions, the most that S3 takes and the length of a listed page."""

FAILURES = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)


class TimeIsUpError(Exception):
    """The deadline is too near for another request."""


def delete_buckets(buckets: Sequence["Bucket"], *, also_content: bool) -> str:
    """Delete the buckets if all of them are empty, or with everything in them; returns what happened.

    They go together or stay together: the next environment of the name uses all of them again, or creates them all. Never
    raises an error of S3.
    """
    try:
        if also_content:
            for bucket in buckets:
                bucket.empty()
        for bucket in buckets:
            if bucket.holds_anything():
                return f"the buckets stay: {bucket.name} is not empty"
        for bucket in buckets:
            bucket.delete()
    except TimeIsUpError:
        return "the buckets stay with the rest of their content: the time is up"
    except FAILURES as error:
        return f"the buckets stay: {_code(error) or error}"
    return "the buckets are deleted"


@dataclass(frozen=True)
class Bucket:
    """A bucket of the account, or one that does not exist, which is empty.

    Every request names the account, because another one can own a bucket of the same name. The methods raise
    TimeIsUpError, and botocore's errors.
    """

    s3: Any
    name: str
    account: str
    deadline: Deadline

    def empty(self) -> None:
        """Delete every version, delete marker and unfinished upload."""
        with _unless_missing():
            self._delete_versions()
            self._abort_uploads()

    def holds_anything(self) -> bool:
        """Whether the bucket has a version or a delete marker."""
        self._check_time()
        with _unless_missing():
            page = self.s3.list_object_versions(**self._own, MaxKeys=1)
            return bool(page.get("Versions") or page.get("DeleteMarkers"))
        return False

    def delete(self) -> None:
        """Delete the bucket, which S3 refuses unless it is empty."""
        self._check_time()
        with _unless_missing():
            self.s3.delete_bucket(**self._own)

    @property
    def _own(self) -> dict[str, str]:
        return {"Bucket": self.name, "ExpectedBucketOwner": self.account}

    def _delete_versions(self) -> None:
        """Every version and delete marker, in page-sized requests, several at a time."""
        pages = self._pages()
        with ThreadPoolExecutor(WORKERS) as pool:
            while several := list(islice(pages, WORKERS)):
                self._check_time()
                # The list is what raises the exceptions of the workers here.
                list(pool.map(self._delete_page, several))

    def _pages(self) -> Iterator[list[dict[str, str]]]:
        for page in self.s3.get_paginator("list_object_versions").paginate(**self._own):
            self._check_time()
            listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if listed:
                yield [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in listed]

    def _delete_page(self, versions: list[dict[str, str]]) -> None:
        answer = self.s3.delete_objects(**self._own, Delete={"Objects": versions, "Quiet": True})
        for error in answer.get("Errors", [])[:3]:
            # Not the key of the object, which can be personal data.
            LOGGER.warning("an object was not deleted: %s", error.get("Code"))

    def _abort_uploads(self) -> None:
        """Every upload that was never completed: its parts are billed and block nothing, but belong to the bucket."""
        for page in self.s3.get_paginator("list_multipart_uploads").paginate(**self._own):
            for upload in page.get("Uploads", []):
                self._check_time()
                self.s3.abort_multipart_upload(
                    **self._own, Key=upload["Key"], UploadId=upload["UploadId"]
                )

    def _check_time(self) -> None:
        if self.deadline.remaining() < MARGIN_SECONDS:
            raise TimeIsUpError


@contextmanager
def _unless_missing() -> Iterator[None]:
    """End the block where S3 says that there is no such bucket."""
    try:
        yield
    except botocore.exceptions.ClientError as error:
        if _code(error) != "NoSuchBucket":
            raise


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
