"""A reference in the metadata of a resource is a dependency, as one in its properties. ministack reads the properties only.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-metadata.html
https://cloudonaut.io/optional-dependson-with-cloudformation-metadata-to-the-rescue
"""

from typing import Any

from embedded_aws.bridge import functions


def install() -> None:
    """Add the references in the metadata to the dependencies of a resource."""
    dependencies_of = functions.dependencies_of.current

    def with_metadata(definition: dict[str, Any], names: set[str]) -> set[str]:
        found: set[str] = dependencies_of(definition, names)
        metadata = definition.get("Metadata", {})
        return found | {name for name, _ in functions.referred_to(metadata) if name in names}

    functions.dependencies_of.replace(with_metadata)
