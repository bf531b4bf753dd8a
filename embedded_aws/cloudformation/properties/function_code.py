"""Refuse a Lambda function whose code object does not exist; ministack creates it without code.

A custom resource of such a function would wait for its timeout.
https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html (InvalidParameterValueException)
https://github.com/aws-samples/aws-account-vending-machine/issues/23 quotes the message.
"""

from embedded_aws.bridge import functions, tables
from embedded_aws.cloudformation.properties import hook
from embedded_aws.errors import ServiceCallError

_TYPES = {"AWS::Lambda::Function": "Code", "AWS::Lambda::LayerVersion": "Content"}


def install() -> None:
    """Look for the object before a function or a layer is created or updated."""
    hook.add(_check)


def _check(operation: hook.Operation) -> None:
    name = _TYPES.get(operation.resource_type)
    if name is None or not operation.changes(name):
        return
    code = operation.properties.get(name) or {}
    bucket, key = code.get("S3Bucket"), code.get("S3Key")
    if not bucket or not key:
        return
    if bucket not in tables.BUCKETS:
        if functions.bucket_owner(bucket) is not None:
            # A bucket of another account: its policy decides, and ministack reads objects of the account only.
            return
        raise _unreadable("NoSuchBucket", "The specified bucket does not exist")
    if functions.read_object(bucket, key, code.get("S3ObjectVersion")) is None:
        raise _unreadable("NoSuchKey", "The specified key does not exist.")


def _unreadable(code: str, message: str) -> ServiceCallError:
    return ServiceCallError(
        "Lambda",
        "InvalidParameterValueException",
        f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}",
    )
