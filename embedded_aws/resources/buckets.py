"""AWS::S3::Bucket: names in the account-regional namespace."""

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners

from embedded_aws.registry import Created, Properties

_PREFIX = "BucketNamePrefix"


def install() -> None:
    """Let ministack's handlers see the name that a prefix stands for."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    create, update = handler["create"], handler["update"]

    def create_named(logical_id: str, properties: Properties, stack_name: str) -> Created:
        created: Created = create(logical_id, _named(properties), stack_name)
        return created

    def update_named(
        physical_id: str, old: Properties, new: Properties, stack_name: str
    ) -> Created:
        updated: Created = update(physical_id, _named(old), _named(new), stack_name)
        return updated

    handler["create"], handler["update"] = create_named, update_named


def _named(properties: Properties) -> Properties:
    """Properties with the name PREFIX-ACCOUNT-REGION-an of an account-regional bucket."""
    if _PREFIX not in properties:
        return properties
    name = f"{properties[_PREFIX]}-{get_account_id()}-{get_region()}-an"
    if len(name) > 63:
        raise ValueError(f"The specified bucket is not valid: {name} is longer than 63 characters")
    return {**properties, "BucketName": name}
