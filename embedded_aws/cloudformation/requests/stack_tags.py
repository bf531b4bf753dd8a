"""Refuse a stack with two tags of one key, as CloudFormation does since 2026; ministack accepts them.

https://github.com/elastic/cloud-on-k8s/issues/9232 quotes the message.
"""

from collections import Counter
from typing import Any

from embedded_aws.bridge import functions


def install() -> None:
    """Check the keys wherever CloudFormation checks tags."""
    validate = functions.validate_stack_tags.current

    def validate_keys_too(tags: list[dict[str, Any]]) -> Any:
        if any(count > 1 for count in Counter(tag.get("Key") for tag in tags).values()):
            return functions.stack_error(
                "ValidationError", "Tags contain duplicate keys; tag keys must be unique"
            )
        return validate(tags)

    functions.validate_stack_tags.replace(validate_keys_too)
