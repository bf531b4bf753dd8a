"""The tags of a provisioned product: of its portfolio and product, of tag options, and of the request.

https://docs.aws.amazon.com/servicecatalog/latest/adminguide/tagoptions-launching.html
"""

from embedded_aws.services.service_catalog import state
from embedded_aws.services.service_catalog.administration.constraints import parameters_of
from embedded_aws.services.service_catalog.administration.tag_options import choices
from embedded_aws.services.service_catalog.state import Record

# https://docs.aws.amazon.com/servicecatalog/latest/adminguide/limits.html
_MOST_TAGS = 50


def at_launch(path: Record, product: Record, given: list[Record]) -> list[Record]:
    """The tags of the stack; refused if a choice is missing, invalid or contradictory."""
    fixed = {tag["Key"]: tag["Value"] for tag in [*path["Tags"], *product["Tags"]]}
    free = _by_key(given)
    for key in fixed.keys() & free.keys():
        if fixed[key] != free[key]:
            raise state.invalid(f"Tag {key} is set to {fixed[key]} by the portfolio or product.")
    return _checked({**fixed, **free, **_chosen(path, product, free)})


def after_update(
    path: Record, product: Record, provisioned: Record, given: list[Record] | None
) -> list[Record]:
    """The tags of the stack; changed only if a RESOURCE_UPDATE constraint allows it."""
    present: list[Record] = provisioned["Tags"]
    if not given:
        return present
    constraint = parameters_of(path["Id"], product["Id"], "RESOURCE_UPDATE") or {}
    properties = constraint.get("Properties", {})
    if properties.get("TagUpdateOnProvisionedProduct") != "ALLOWED":
        raise state.invalid(
            "Tag updates are not allowed: the product has no RESOURCE_UPDATE constraint with"
            " TagUpdateOnProvisionedProduct ALLOWED."
        )
    free = {**_by_key(present), **_by_key(given)}
    return _checked({**free, **_chosen(path, product, free)})


def _by_key(tags: list[Record]) -> dict[str, str]:
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) < len(keys):
        raise state.invalid("Duplicate tag keys are not allowed.")
    return {tag["Key"]: tag["Value"] for tag in tags}


def _chosen(path: Record, product: Record, given: dict[str, str]) -> dict[str, str]:
    tags = {}
    for key, values in choices(path, product).items():
        if not values:
            tags[key] = f"sc-tagoption-conflict-{path['Id']}-{product['Id']}"
        elif given.get(key) in values or (key not in given and len(values) == 1):
            tags[key] = given.get(key, values[0])
        else:
            raise state.invalid(f"Tag {key} must be one of {', '.join(values)}.")
    return tags


def _checked(tags: dict[str, str]) -> list[Record]:
    if len(tags) > _MOST_TAGS:
        raise state.limit_error(_MOST_TAGS, "tags per provisioned product")
    return [{"Key": key, "Value": value} for key, value in tags.items()]
