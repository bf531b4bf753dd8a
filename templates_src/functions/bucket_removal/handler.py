"""Custom resource: deletes the buckets of an environment when the environment is deleted, if they are empty or if it may empty them.

Handler: ``functions.bucket_removal.handler.handler``. Needs no VPC. CloudFormation retains the buckets (DeletionPolicy
RetainExceptOnCreate), because S3 refuses to delete a bucket that holds anything and the deletion of the stack would stop there.

Properties of the resource (``Custom::BucketCleanup``):

Buckets
    A list of bucket names, which the stack created.
Removal
    ``retain``: the buckets are deleted only if all of them hold no object, no old version and no delete marker, because the next
    environment of the name uses all of them again or none. ``empty``: objects, versions, delete markers and unfinished
    uploads are deleted, and then the buckets.

Create and Update do nothing. Delete does nothing either, unless CloudFormation deletes the stack of the resource itself
(DELETE_IN_PROGRESS) as a part of one of these operations of its root stack: the deletion (DELETE_IN_PROGRESS), or the
rollback of the creation (ROLLBACK_IN_PROGRESS). So an update, its cleanup and its rollback never delete an object.

Delete always succeeds, so that it never stops the deletion of a stack: what cannot be deleted, also because the time runs out,
stays, and the log says so.

Permissions: ``cloudformation:DescribeStacks`` on the stack and its root; ``s3:ListBucketVersions``, ``s3:DeleteBucket`` on the
buckets; with ``empty`` also ``s3:ListBucketMultipartUploads`` on the buckets and ``s3:DeleteObject``,
``s3:DeleteObjectVersion``, ``s3:AbortMultipartUpload`` on their objects; its own log group.
"""

import logging
from collections.abc import Mapping
from typing import Any

import boto3
import botocore.config
import botocore.exceptions

from ..custom_resource import LambdaContext, ProvisioningError, Request, Result, serve
from ..stack_status import ENVIRONMENT_ENDS, describe_stack
from .emptying import Bucket, delete_buckets

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

PHYSICAL_ID = "bucket-removal"
"""Always the same: another one would make CloudFormation send a Delete during an update."""

RETAIN, EMPTY = "retain", "empty"

DELETION = "DELETE_IN_PROGRESS"

CLIENT = botocore.config.Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 5},
    max_pool_connections=16,
)


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Answer one request of CloudFormation; see the module's docstring."""
    serve(event, context, provision, PHYSICAL_ID)


def provision(request: Request) -> Result:
    """Do what the request asks for. Raises ProvisioningError for a Create or Update without the properties described above."""
    try:
        names, removal = _properties(request.properties)
    except ProvisioningError as error:
        # CloudFormation deletes what it could not create; that must succeed too.
        if request.type != "Delete":
            raise
        LOGGER.warning("nothing to delete: %s", error)
        return Result(PHYSICAL_ID)
    if request.type == "Delete" and _is_end_of_environment(request.stack_id):
        s3 = boto3.client("s3", config=CLIENT)
        account = request.stack_id.split(":")[4]
        buckets = [Bucket(s3, name, account, request.deadline) for name in names]
        LOGGER.info("%s", delete_buckets(buckets, also_content=removal == EMPTY))
    return Result(PHYSICAL_ID)


def _properties(properties: Mapping[str, Any]) -> tuple[list[str], str]:
    names, removal = properties.get("Buckets"), properties.get("Removal")
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ProvisioningError("Buckets must be a list of bucket names.")
    if removal not in (RETAIN, EMPTY):
        raise ProvisioningError(f"Removal must be {RETAIN} or {EMPTY}.")
    return names, removal


def _is_end_of_environment(stack_id: str) -> bool:
    """Whether the stack is deleted because its root is deleted, or because the creation of its root is rolled back."""
    try:
        stack = describe_stack(stack_id)
        if stack["StackStatus"] != DELETION:
            LOGGER.info("the buckets stay: the stack is in %s", stack["StackStatus"])
            return False
        root = describe_stack(stack.get("RootId") or stack_id)
    except (
        ProvisioningError,
        botocore.exceptions.BotoCoreError,
        botocore.exceptions.ClientError,
    ) as error:
        LOGGER.warning("the buckets stay: the status of the stack is not known: %s", error)
        return False
    ends = root["StackStatus"] in ENVIRONMENT_ENDS
    if not ends:
        LOGGER.info("the buckets stay: the root stack is in %s", root["StackStatus"])
    return ends
