"""Release buckets of other accounts, which a launch reads if the bucket's policy allows it.

ministack's CloudFormation and Lambda find only buckets of their own account.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, request_scope

from embedded_aws.bridge import functions, tables
from embedded_aws.services.service_catalog import organization


def install() -> None:
    """Calls that read an object for a user also read from open buckets of other accounts."""
    read = functions.read_object.current

    def read_anywhere(bucket: str, key: str, version_id: str | None = None) -> Any:
        with opened(bucket, key):
            return read(bucket, key, version_id)

    functions.read_object.replace(read_anywhere)


@contextmanager
def opened(bucket: str, key: str) -> Iterator[None]:
    """A context in which an object of another account exists, if its bucket's policy allows GetObject."""
    owner = functions.bucket_owner(bucket)
    if owner in (None, get_account_id()) or is_closed(bucket, key):
        yield
        return
    with request_scope(str(owner), get_region()):
        yield


def is_closed(bucket: str, key: str) -> bool:
    """Whether an object is in another account's bucket, whose policy does not allow this one to get it."""
    owner = functions.bucket_owner(bucket)
    return owner not in (None, get_account_id()) and not _may_get(str(owner), bucket, key)


def _may_get(owner: str, bucket: str, key: str) -> bool:
    """Whether the policy of a bucket allows this account to get an object; the role's policies are checked elsewhere."""
    account = get_account_id()
    asked = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:iam::{account}:root",
        principal_type="Root",
        principal_account=account,
        action="s3:GetObject",
        resource_arn=f"arn:aws:s3:::{bucket}/{key}",
        region=get_region(),
        secure_transport=True,
        # ministack would look for an organization that the account manages itself.
        service_context={"aws:principalorgid": organization.identifier_of(account)},
    )
    policy = tables.BUCKET_POLICIES.scoped(owner, None, bucket)
    return bool(iam_evaluator.evaluate_resource_policy(policy, asked).decision == "Allow")
