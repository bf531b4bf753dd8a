"""Tag options: the tags that the user who launches a product can or must choose from."""

from typing import Any

from ministack.core.responses import get_account_id

from embedded_aws.services.records import Request, ServiceError
from embedded_aws.services.service_catalog import state
from embedded_aws.services.service_catalog.state import Answer, Record

# https://docs.aws.amazon.com/servicecatalog/latest/adminguide/limits.html
_MOST_PER_RESOURCE = 25
_MOST_VALUES = 25


def _create(request: Request) -> Answer:
    _refuse_duplicate(request["Key"], request["Value"])
    same_key = [o for o in state.tag_options.values() if o["Key"] == request["Key"]]
    if len(same_key) >= _MOST_VALUES:
        raise state.limit_error(_MOST_VALUES, "values per TagOption key")
    option = {
        "Key": request["Key"],
        "Value": request["Value"],
        "Active": True,
        "Id": state.new_id("tag"),
        "Owner": get_account_id(),
    }
    state.tag_options[option["Id"]] = option
    return {"TagOptionDetail": option}


def _refuse_duplicate(key: str, value: str) -> None:
    if any((o["Key"], o["Value"]) == (key, value) for o in state.tag_options.values()):
        raise ServiceError("DuplicateResourceException", f"TagOption {key}={value} already exists.")


def _option_of(identifier: str) -> Record:
    return state.find(state.tag_options, "TagOption", identifier)


def _describe(request: Request) -> Answer:
    return {"TagOptionDetail": _option_of(request["Id"])}


def _update(request: Request) -> Answer:
    option = _option_of(request["Id"])
    value = str(request.get("Value", option["Value"]))
    if value != option["Value"]:
        _refuse_duplicate(option["Key"], value)
    option.update(state.present_members(request, "Value", "Active"))
    return {"TagOptionDetail": option}


def _delete(request: Request) -> Answer:
    option = _option_of(request["Id"])
    if _resources_with(option["Id"]):
        raise state.in_use(f"TagOption {option['Id']} is associated with a resource.")
    del state.tag_options[option["Id"]]
    return {}


def _list(request: Request) -> Answer:
    wanted = request.get("Filters", {})
    found = [
        option
        for option in state.tag_options.values()
        if all(option[name] == value for name, value in wanted.items())
    ]
    return state.page(request, "TagOptionDetails", found, following="PageToken")


def _associate(request: Request) -> Answer:
    option, resource = _option_of(request["TagOptionId"]), _resource(request["ResourceId"])
    if option["Id"] in resource["TagOptions"]:
        raise ServiceError(
            "DuplicateResourceException",
            f"TagOption {option['Id']} is already associated with {request['ResourceId']}.",
        )
    if len(resource["TagOptions"]) >= _MOST_PER_RESOURCE:
        raise state.limit_error(_MOST_PER_RESOURCE, "TagOptions per resource")
    resource["TagOptions"].append(option["Id"])
    return {}


def _disassociate(request: Request) -> Answer:
    resource = _resource(request["ResourceId"])
    if request["TagOptionId"] not in resource["TagOptions"]:
        raise state.not_found("TagOption", request["TagOptionId"])
    resource["TagOptions"].remove(request["TagOptionId"])
    return {}


def _resource(identifier: str) -> Record:
    resource: Record | None = state.portfolios.get(identifier) or state.products.get(identifier)
    if resource is None:
        raise state.not_found("Resource", identifier)
    return resource


def _resources_with(identifier: str) -> list[tuple[str, Record]]:
    """The portfolios and products that have the option, each with its type."""
    stores: dict[str, Any] = {"Portfolio": state.portfolios, "Product": state.products}
    return [
        (kind, resource)
        for kind, store in stores.items()
        for resource in store.values()
        if identifier in resource["TagOptions"]
    ]


def _list_resources(request: Request) -> Answer:
    option = _option_of(request["TagOptionId"])
    found = [
        {
            "Name": resource.get("DisplayName") or resource["Name"],
            **state.present_members(resource, "Id", "ARN", "Description", "CreatedTime"),
        }
        for kind, resource in _resources_with(option["Id"])
        if request.get("ResourceType", kind) == kind
    ]
    return state.page(request, "ResourceDetails", found, following="PageToken")


def shown_options(resource: Record) -> list[Record]:
    """The tag options of a portfolio or product."""
    return [
        state.find_in_any_account(state.tag_options, identifier)
        for identifier in resource["TagOptions"]
    ]


def choices(portfolio: Record, product: Record) -> dict[str, list[str]]:
    """The values to choose from by key; empty if portfolio and product contradict each other.

    https://docs.aws.amazon.com/servicecatalog/latest/adminguide/tagoptions-launching.html
    """
    of_portfolio, of_product = _by_key(portfolio), _by_key(product)
    both = of_portfolio.keys() & of_product.keys()
    common = {key: [v for v in of_portfolio[key] if v in of_product[key]] for key in both}
    return {**of_portfolio, **of_product, **common}


def _by_key(resource: Record) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for option in shown_options(resource):
        if option["Active"]:
            values.setdefault(option["Key"], []).append(option["Value"])
    return values


OPERATIONS = {
    "CreateTagOption": _create,
    "DescribeTagOption": _describe,
    "UpdateTagOption": _update,
    "DeleteTagOption": _delete,
    "ListTagOptions": _list,
    "AssociateTagOptionWithResource": _associate,
    "DisassociateTagOptionFromResource": _disassociate,
    "ListResourcesForTagOption": _list_resources,
}
