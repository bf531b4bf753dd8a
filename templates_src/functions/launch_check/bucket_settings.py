"""The settings of existing buckets, which an environment does not change: they must equal those of buckets that it creates."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .launch import Launch

ABSENT = frozenset(
    {
        "NoSuchBucketPolicy",
        "NoSuchCORSConfiguration",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "OwnershipControlsNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
"""Error codes of S3 for a bucket without the setting."""

TRANSITIONS = {
    "INTELLIGENT_TIERING": "DocumentsIntelligentTieringDays",
    "GLACIER": "DocumentsGlacierDays",
}
CLOSED = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
OLD_VERSIONS, ORIGINS = "DocumentsOldVersionDays", "MediaCorsOrigins"

Read = Callable[..., Mapping[str, Any]]


def differing_setting(launch: Launch, names: Sequence[str]) -> str | None:
    """The sentence for the first setting of the buckets of documents and media that differs; or None."""
    s3, account = launch.clients("s3"), launch.stack_id.split(":")[4]
    documents, media = names
    for name in names:

        def read(operation: str, bucket: str = name) -> Mapping[str, Any]:
            return _read(s3, operation, Bucket=bucket, ExpectedBucketOwner=account)

        try:
            found = [*of_both(read)]
            if name == documents:
                found += lifecycle(read, launch.values)
            if name == media:
                found += origins(read, launch.values)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            return f"The settings of the existing bucket {name} cannot be read: {code}."
        except BotoCoreError as error:
            return f"The settings of the existing bucket {name} cannot be read: {error}."
        if found:
            return f"The existing bucket {name} {found[0]}."
    return None


def _read(s3: Any, operation: str, **bucket: str) -> Mapping[str, Any]:
    """The answer of S3; empty if the bucket does not have the setting."""
    try:
        answer: Mapping[str, Any] = getattr(s3, operation)(**bucket)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ABSENT:
            return {}
        raise
    return answer


def of_both(read: Read) -> Iterator[str]:
    """A missing setting of either bucket, and what to do."""
    if read("get_bucket_versioning").get("Status") != "Enabled":
        yield "does not keep old versions: turn on its versioning"
    if algorithm(read("get_bucket_encryption")) != "AES256":
        yield "is not encrypted with AES256: set its default encryption to SSE-S3"
    closed = read("get_public_access_block").get("PublicAccessBlockConfiguration", {})
    if not all(closed.get(key) for key in CLOSED):
        yield "can be opened to the public: block all public access"
    rules = read("get_bucket_ownership_controls").get("OwnershipControls", {}).get("Rules", [])
    if [rule["ObjectOwnership"] for rule in rules] != ["BucketOwnerEnforced"]:
        yield "has ACLs: set its object ownership to BucketOwnerEnforced"
    if not refuses_plain_http(read("get_bucket_policy").get("Policy", "{}")):
        yield "accepts plain HTTP: deny requests where aws:SecureTransport is false in its policy"


def algorithm(answer: Mapping[str, Any]) -> str:
    """The algorithm of the default encryption."""
    for rule in answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", []):
        return str(rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", ""))
    return ""


def refuses_plain_http(policy: str) -> bool:
    """Whether a statement of the policy denies all requests without TLS."""
    statements = json.loads(policy).get("Statement", [])
    for statement in [statements] if isinstance(statements, dict) else statements:
        condition = statement.get("Condition", {}).get("Bool", {})
        if (
            statement.get("Effect") == "Deny"
            and statement.get("Action") in ("s3:*", ["s3:*"])
            and statement.get("Principal") in ("*", {"AWS": "*"})
            and str(condition.get("aws:SecureTransport")).lower() in ("false", "['false']")
        ):
            return True
    return False


def lifecycle(read: Read, values: Mapping[str, str]) -> list[str]:
    """The difference between the lifecycle rules of the documents bucket and the parameters."""
    answer = read("get_bucket_lifecycle_configuration")
    rules = [rule for rule in answer.get("Rules", []) if rule.get("Status") == "Enabled"]
    found = {
        TRANSITIONS[each["StorageClass"]]: each.get("Days")
        for rule in rules
        for each in rule.get("Transitions", [])
        if each.get("StorageClass") in TRANSITIONS
    }
    for rule in rules:
        if "NoncurrentDays" in rule.get("NoncurrentVersionExpiration", {}):
            found[OLD_VERSIONS] = rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
    return [
        f"has {found.get(key, 'no')} days in its lifecycle rules where {key} is {values[key]}:"
        " change the parameter or the rule"
        for key in (*TRANSITIONS.values(), OLD_VERSIONS)
        if str(found.get(key)) != values[key]
    ]


def origins(read: Read, values: Mapping[str, str]) -> list[str]:
    """The difference between the CORS rules of the media bucket and the parameter."""
    rules = read("get_bucket_cors").get("CORSRules", [])
    found = {origin for rule in rules for origin in rule.get("AllowedOrigins", [])}
    wanted = {origin for origin in values[ORIGINS].split(",") if origin}
    if found == wanted:
        return []
    return [
        f"allows the origins {', '.join(sorted(found)) or 'none'} where {ORIGINS} is"
        f" {', '.join(sorted(wanted)) or 'empty'}: change the parameter or its CORS rules"
    ]
