"""Template URLs in every style in which S3 addresses an object.

ministack 1.5.33 reads the first path segment as the bucket, which is correct for path style only.
"""

import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ministack.services.cloudformation import helpers

from embedded_aws.bridge import functions, tables

# The domain of each partition (botocore's partitions.json, dnsSuffix).
_SUFFIXES = (
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
)
# s3, s3.REGION, s3-REGION, s3.dualstack.REGION, s3-fips.REGION, with a bucket before it or not.
_HOST = re.compile(
    r"^(?:(?P<bucket>[a-z0-9][a-z0-9.-]*)\.)?"
    r"s3(?:-fips)?(?:\.dualstack)?(?:[.-](?P<region>[a-z]{2,5}(?:-[a-z]+)+-\d))?"
    rf"\.(?:{'|'.join(re.escape(suffix) for suffix in _SUFFIXES)})$"
)
_LOCAL_HOSTS = ("127.0.0.1", "localhost")


def install() -> None:
    """Make CloudFormation read templates and stack policies through this module."""
    read_inline = functions.resolve_document.current

    def resolve(parameters: Any, body_key: str, url_key: str, label: str) -> Any:
        url = functions.request_field(parameters, url_key)
        if not url or functions.request_field(parameters, body_key):
            return read_inline(parameters, body_key, url_key, label)
        try:
            text = _fetch(url, url_key)
        except ValueError as problem:
            return None, functions.stack_error("ValidationError", str(problem))
        if body_key == "TemplateBody" and len(text.encode()) > helpers.TEMPLATE_URL_MAX_BYTES:
            limit = helpers.TEMPLATE_URL_MAX_BYTES
            message = f"Template may not exceed {limit} bytes in size."
            return None, functions.stack_error("ValidationError", message)
        return text, None

    functions.resolve_document.replace(resolve)


def locate(url: str) -> tuple[str, str, str | None] | None:
    """Bucket, key and region (None when the URL names none) of an S3 URL, or None for another."""
    parts = urlsplit(url)
    host, path = parts.hostname or "", unquote(parts.path).lstrip("/")
    match = _HOST.match(host)
    if match is None and host not in _LOCAL_HOSTS:
        return None
    if match is not None and match["bucket"]:
        return match["bucket"], path, match["region"]
    bucket, _, key = path.partition("/")
    return bucket, key, match["region"] if match else None


def _fetch(url: str, url_key: str) -> str:
    place = locate(url)
    if place is None or not place[0] or not place[1]:
        raise ValueError(f"{url_key} must reference a valid S3 object to which you have access.")
    bucket, key, region = place
    home = (tables.BUCKETS.get(bucket) or {}).get("region")
    if home is None:
        raise ValueError(f"S3 error: The specified bucket does not exist: {bucket}")
    if region is not None and region != home:
        raise ValueError(
            f"S3 error: The bucket {bucket} is in {home}, not in {region}, and must be addressed"
            " by the endpoint of its region"
        )
    version = parse_qs(urlsplit(url).query).get("versionId", [None])[0]
    content = functions.read_object(bucket, key, version)
    if content is None:
        raise ValueError(f"S3 error: The specified key does not exist: {key} in {bucket}")
    return bytes(content).decode("utf-8")
