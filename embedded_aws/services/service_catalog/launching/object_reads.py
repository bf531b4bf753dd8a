"""Objects that CloudFormation and Lambda read with the launch role: nested templates and function code.

ministack reads them without a check of the role.
"""

import contextvars
from typing import Any

from ministack.core.responses import get_region, request_scope
from ministack.services import s3

from embedded_aws.bridge import functions
from embedded_aws.services.records import ServiceError
from embedded_aws.services.service_catalog.launching import foreign_buckets
from embedded_aws.services.service_catalog.launching.launch_roles import FORWARDED, LaunchRole

# The launch role of the operation in progress; None if no operation is in progress.
working_role: contextvars.ContextVar[LaunchRole | None] = contextvars.ContextVar(
    "launch_role", default=None
)
_OWNER = "s3:resourceaccount"
_TAG = "s3:existingobjecttag/"


def install() -> None:
    """Evaluate s3:ResourceAccount with the bucket's owner, and check the launch role before Lambda reads code."""
    resolve = functions.resolve_condition_key.current
    fetch = functions.fetch_function_code.current

    def resolve_key(key: str, context: Any) -> Any:
        # ministack treats the caller's account as the owner of every bucket.
        if key.lower() == _OWNER and _OWNER in context.service_context:
            return context.service_context[_OWNER]
        return resolve(key, context)

    def fetch_code(bucket: str, key: str, version_id: str | None = None) -> bytes | None:
        refused = why_refused(bucket, key)
        if refused:
            raise ValueError(
                "Your access has been denied by S3, please make sure your request credentials have"
                f" permission to GetObject for {bucket}/{key}. S3 Error Code: AccessDenied. S3"
                f" Error Message: {refused}"
            )
        fetched: bytes | None = fetch(bucket, key, version_id)
        return fetched

    functions.resolve_condition_key.replace(resolve_key)
    functions.fetch_function_code.replace(fetch_code)


def require(action: str, resource: str, keys: dict[str, Any]) -> None:
    """Refuse a read that the launch role of the present operation does not allow; allow all reads outside an operation."""
    role = working_role.get()
    if role is not None:
        role.require(action, resource, {**FORWARDED, **keys})


def why_refused(bucket: str, key: str) -> str:
    """Why the present operation cannot read an object; empty if it can."""
    role = working_role.get()
    if role is not None:
        try:
            role.require(
                "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", {**FORWARDED, **facts(bucket, key)}
            )
        except ServiceError as error:
            return str(error)
    return "Access Denied" if foreign_buckets.is_closed(bucket, key) else ""


def facts(bucket: str, key: str) -> dict[str, str]:
    """What conditions can be evaluated against for an object: its bucket's owner and its tags."""
    owner = functions.bucket_owner(bucket)
    if owner is None:
        return {}
    with request_scope(owner, get_region()):
        tags = s3.object_tags_for_condition(bucket, key, {})
    return {
        _OWNER: owner,
        **{f"{_TAG}{name.lower()}": value for name, value in tags.items()},
    }
