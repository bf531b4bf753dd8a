"""AWS::S3::Bucket: names in the account-regional namespace, lifecycle rules, and the owner of a bucket."""

from typing import Any

from ministack.core.responses import get_account_id, get_region

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Created, Properties

_PREFIX = "BucketNamePrefix"


def install() -> None:
    """Pass the full name of a bucket to ministack's handlers."""
    handler = tables.RESOURCE_HANDLERS["AWS::S3::Bucket"]
    create, update = handler["create"], handler["update"]

    def create_named(logical_id: str, properties: Properties, stack_name: str) -> Created:
        created: Created = create(logical_id, _named(properties), stack_name)
        _keep_lifecycle(created[0], properties)
        return created

    def update_named(
        physical_id: str, old: Properties, new: Properties, stack_name: str
    ) -> Created:
        updated: Created = update(physical_id, _named(old), _named(new), stack_name)
        _keep_lifecycle(updated[0], new)
        return updated

    handler["create"], handler["update"] = create_named, update_named
    _install_expected_owner()


def _install_expected_owner() -> None:
    """Refuse a request that expects another owner of its bucket; ministack does not read the header.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """
    scope = functions.apply_bucket_scope.current

    def scope_of_owner(method: str, bucket: str, key: str, headers: Any, *rest: Any) -> Any:
        expected = headers.get("x-amz-expected-bucket-owner")
        owner = functions.bucket_owner(bucket) if bucket and expected else None
        if owner is not None and owner != expected:
            return functions.s3_error("AccessDenied", "Access Denied", 403, f"/{bucket}")
        return scope(method, bucket, key, headers, *rest)

    functions.apply_bucket_scope.replace(scope_of_owner)


def _named(properties: Properties) -> Properties:
    """Properties with the name PREFIX-ACCOUNT-REGION-an of an account-regional bucket."""
    if _PREFIX not in properties:
        return properties
    name = f"{properties[_PREFIX]}-{get_account_id()}-{get_region()}-an"
    if len(name) > 63:
        raise ValueError(f"The specified bucket is not valid: {name} is longer than 63 characters")
    return {**properties, "BucketName": name}


def _keep_lifecycle(name: str, properties: Properties) -> None:
    """Make S3 show the lifecycle rules of the template, which ministack's handler drops."""
    rules = (properties.get("LifecycleConfiguration") or {}).get("Rules", [])
    if rules:
        tables.BUCKET_LIFECYCLES[name] = [_lifecycle_rule(rule) for rule in rules]
    else:
        tables.BUCKET_LIFECYCLES.pop(name, None)


def _lifecycle_rule(rule: Properties) -> Properties:
    """A rule of the template in the words of the S3 API."""
    shown: Properties = {
        "ID": rule.get("Id", ""),
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
    }
    transitions = rule.get("Transitions", [])
    if transitions:
        shown["Transitions"] = [
            {"Days": int(each["TransitionInDays"]), "StorageClass": each["StorageClass"]}
            for each in transitions
        ]
    expiration: Properties = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = int(rule["ExpirationInDays"])
    if rule.get("ExpiredObjectDeleteMarker"):
        expiration["ExpiredObjectDeleteMarker"] = True
    if expiration:
        shown["Expiration"] = expiration
    if "NoncurrentVersionExpiration" in rule:
        days = int(rule["NoncurrentVersionExpiration"]["NoncurrentDays"])
        shown["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    if "AbortIncompleteMultipartUpload" in rule:
        shown["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    return shown
