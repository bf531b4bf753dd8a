"""The names of the two buckets: they must be free if the stack creates the buckets, and belong to this account if it uses existing ones.

An update compares the names with those of the root's outputs, which CloudFormation changes at the end of an update.
If a read fails, the launch continues, and CloudFormation rolls back if AWS refuses a bucket.
"""

import logging
from collections.abc import Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from .bucket_settings import differing_setting
from .launch import Launch

LOGGER = logging.getLogger(__name__)

EXISTING, NAMESPACE = "ExistingBuckets", "BucketNamespace"
OUTPUTS = ("DocumentsBucketName", "MediaBucketName")
FREE, OWN, ELSEWHERE, FOREIGN = (
    "free",
    "of this account",
    "of this account in another region",
    "of another account",
)
SETTINGS = (
    "DocumentsIntelligentTieringDays",
    "DocumentsGlacierDays",
    "DocumentsOldVersionDays",
    "MediaCorsOrigins",
)
"""Parameters that an existing bucket must have been created with."""


def buckets_are_available(launch: Launch) -> str | None:
    """The sentence for buckets that cannot be created, do not exist or have unsuitable settings; or None."""
    names = bucket_names(launch)
    exist = launch.values[EXISTING] == "true"
    if not launch.creates:
        deployed = deployed_names(launch)
        if not deployed:
            return None
        if deployed == names:
            if exist != (launch.previous.get(EXISTING) == "true"):
                return keep_origin(names, exist)
            changed = any(launch.previous.get(key) != launch.values[key] for key in SETTINGS)
            return differing_setting(launch, names) if exist and changed else None
    try:
        owners = {name: owner(launch, name) for name in names}
    except (BotoCoreError, ClientError) as error:
        LOGGER.warning("the buckets cannot be read: %s", error)
        return None
    return existing(launch, owners) if exist else new(owners)


def bucket_names(launch: Launch) -> list[str]:
    """The names of the buckets of documents and media in the template."""
    values = launch.values
    _, _, _, region, account, *_ = launch.stack_id.split(":")
    suffix = f"-{account}-{region}-an" if values[NAMESPACE] == "account-regional" else ""
    return [
        f"{values['Project']}-{values['Environment']}-{kind}{suffix}"
        for kind in ("documents", "media")
    ]


def deployed_names(launch: Launch) -> list[str]:
    """The names of the buckets before the update; empty if the creation of the stack is not complete."""
    try:
        found = launch.clients("cloudformation").describe_stacks(StackName=launch.stack_id)
    except (BotoCoreError, ClientError) as error:
        LOGGER.warning("the stack cannot be read: %s", error)
        return []
    outputs = {
        each["OutputKey"]: each.get("OutputValue", "")
        for each in found["Stacks"][0].get("Outputs", [])
    }
    return [outputs[name] for name in OUTPUTS if name in outputs]


def owner(launch: Launch, name: str) -> str:
    """The owner of the bucket with this name: one of the four constants. Raises the errors of botocore."""
    region, account = launch.stack_id.split(":")[3:5]
    try:
        found = launch.clients("s3").head_bucket(Bucket=name, ExpectedBucketOwner=account)
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == 404:
            return FREE
        if status == 403:
            return FOREIGN
        raise
    return OWN if found.get("BucketRegion", region) == region else ELSEWHERE


def new(owners: Mapping[str, str]) -> str | None:
    """The sentence for a name that is taken, or None."""
    for who, advice in (
        (FOREIGN, f"set {NAMESPACE}=account-regional, or choose another Project"),
        (ELSEWHERE, f"set {NAMESPACE}=account-regional, or choose another Project"),
        (
            OWN,
            f"set {EXISTING}=true to use both buckets with everything in them,"
            f" or choose another {NAMESPACE} or Project",
        ),
    ):
        taken = [name for name, whose in owners.items() if whose == who]
        if taken:
            return f"{listed(taken)} {who}: {advice}."
    return None


def existing(launch: Launch, owners: Mapping[str, str]) -> str | None:
    """The sentence for a bucket that is missing or unsuitable, or None."""
    if OWN not in owners.values():
        return (
            f"{EXISTING} is true, but this account has neither bucket {' nor '.join(owners)} in this region:"
            f" set {EXISTING}=false to create them."
        )
    missing = [name for name, who in owners.items() if who != OWN]
    if missing:
        return (
            f"{EXISTING} is true, but this account has no bucket {missing[0]} in this region:"
            f" create it with the settings of the other one, or choose another {NAMESPACE} or Project."
        )
    return differing_setting(launch, list(owners))


def keep_origin(names: Sequence[str], exist: bool) -> str:
    """The sentence for an update that would remove the buckets from the stack, or create them again."""
    both = " and ".join(names)
    if exist:
        return f"This stack created the buckets {both}: keep {EXISTING} at false."
    return (
        f"The buckets {both} exist and do not belong to this stack, which would create them:"
        f" keep {EXISTING} at true."
    )


def listed(names: Sequence[str]) -> str:
    """The beginning of a sentence about buckets that exist."""
    if len(names) == 1:
        return f"{names[0]} is already a bucket"
    return f"{' and '.join(names)} are already buckets"
