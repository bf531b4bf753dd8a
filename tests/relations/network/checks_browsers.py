"""What browsers may do with the objects of a bucket."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks.render import Rendered
from tests.relations.registry import relation
from tests.rendering import resources_of_type

# What a browser needs for an upload and for reading it; a page of an allowed origin must not delete.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
UPLOAD_METHODS = frozenset({"GET", "HEAD", "PUT", "POST"})
# Chromium forgets the answer of a bucket after two hours, whatever the bucket says.
# https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Access-Control-Max-Age
BROWSER_MEMORY = 7200


@relation
def browsers_upload_from_named_origins(rendered: Rendered) -> Iterator[str]:
    """A bucket answers browsers of named origins over HTTPS only; what an upload needs is allowed and its result is readable."""
    for bucket in resources_of_type(rendered, "AWS::S3::Bucket"):
        if "CorsConfiguration" not in bucket.properties:
            if (
                bucket.logical_id == "MediaBucket"
                and rendered.parameters[bucket.layer]["MediaCorsOrigins"]
            ):
                yield f"{bucket.logical_id} answers no browser, although MediaCorsOrigins names origins."
            continue
        rules = bucket.properties["CorsConfiguration"]["CorsRules"]
        allowed = {origin for rule in rules for origin in rule["AllowedOrigins"]}
        wanted = rendered.parameters[bucket.layer]["MediaCorsOrigins"]
        if allowed != {each.strip() for each in wanted.split(",")}:
            yield f"{bucket.logical_id} answers {sorted(allowed)}, not the origins of MediaCorsOrigins."
        for rule in rules:
            if any(
                "*" in origin or not origin.startswith("https://")
                for origin in rule["AllowedOrigins"]
            ):
                yield f"{bucket.logical_id} answers browsers from {rule['AllowedOrigins']}."
            if UPLOAD_METHODS - set(rule["AllowedMethods"]):
                yield f"{bucket.logical_id} does not answer what an upload asks."
            for method in sorted(set(rule["AllowedMethods"]) - UPLOAD_METHODS):
                yield f"{bucket.logical_id} lets a page {method} objects."
            if rule.get("AllowedHeaders") != ["*"] or "ETag" not in rule.get("ExposedHeaders", ()):
                yield f"{bucket.logical_id} hides the headers of an upload."
            if not 600 <= int(rule.get("MaxAge", 0)) <= BROWSER_MEMORY:
                yield f"{bucket.logical_id} lets browsers ask again after {rule.get('MaxAge')} seconds."
