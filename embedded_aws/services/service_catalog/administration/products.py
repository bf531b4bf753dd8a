"""Products: their records, and the two operations that search for them."""

import time
from collections.abc import Iterable

from embedded_aws.services.records import Request
from embedded_aws.services.service_catalog import state, visible
from embedded_aws.services.service_catalog.administration import artifacts
from embedded_aws.services.service_catalog.administration.tag_options import shown_options
from embedded_aws.services.service_catalog.state import Answer, Record

# https://docs.aws.amazon.com/servicecatalog/latest/adminguide/limits.html
_MOST_PRODUCTS = 350
_DESCRIPTION = (
    "Name",
    "Owner",
    "Distributor",
    "SupportDescription",
    "SupportEmail",
    "SupportUrl",
)
_SORTED_BY = {"Title": "Name", "CreationDate": "CreatedTime", "VersionCount": "Artifacts"}


def _create(request: Request) -> Answer:
    if request["ProductType"] != "CLOUD_FORMATION_TEMPLATE":
        raise state.invalid(f"The embedded AWS has no products of type {request['ProductType']}.")
    version = request.get("ProvisioningArtifactParameters")
    if not version:
        raise state.invalid("ProvisioningArtifactParameters is required.")
    if len(state.products) >= _MOST_PRODUCTS:
        raise state.limit_error(_MOST_PRODUCTS, "products per region")
    identifier = state.new_id("prod")
    product = {
        "Id": identifier,
        "ViewId": state.new_id("prodview"),
        "ARN": state.arn("product", identifier),
        "CreatedTime": time.time(),
        "Type": request["ProductType"],
        **_described(request),
        "Tags": state.checked_tags(request.get("Tags", [])),
        "Artifacts": {},
        "TagOptions": [],
    }
    artifact = artifacts.add(product, version)
    state.products[identifier] = product
    return {
        "ProductViewDetail": detail(product),
        "ProvisioningArtifactDetail": artifacts.detail(artifact),
        "Tags": product["Tags"],
    }


def _described(request: Request) -> Record:
    given = state.present_members(request, *_DESCRIPTION)
    if request.get("Description") is not None:
        given["ShortDescription"] = request["Description"]
    if not given.get("SupportUrl", "https://").startswith(("http://", "https://")):
        raise state.invalid("SupportUrl must start with http:// or https://.")
    return given


def summary(product: Record) -> Record:
    """A product as a user in the console sees it."""
    return {
        "Id": product["ViewId"],
        "ProductId": product["Id"],
        "HasDefaultPath": False,
        **state.present_members(product, *_DESCRIPTION, "ShortDescription", "Type"),
    }


def detail(product: Record) -> Record:
    """A product as an administrator sees it."""
    return {
        "ProductViewSummary": summary(product),
        "Status": "AVAILABLE",
        "ProductARN": product["ARN"],
        "CreatedTime": product["CreatedTime"],
    }


def _update(request: Request) -> Answer:
    product = state.find(state.products, "Product", request["Id"])
    described, tags = _described(request), state.tags_after(product, request)
    product.update(described, Tags=tags)
    return {"ProductViewDetail": detail(product), "Tags": tags}


def _delete(request: Request) -> Answer:
    product = state.find(state.products, "Product", request["Id"])
    if any(product["Id"] in p["Products"] for p in state.portfolios.values()):
        raise state.in_use(f"Product {product['Id']} is associated with a portfolio.")
    artifacts.refuse_if_used(product["Artifacts"], f"Product {product['Id']}")
    for artifact in product["Artifacts"]:
        state.templates.pop(artifact, None)
    del state.products[product["Id"]]
    return {}


def _describe_as_admin(request: Request) -> Answer:
    product = visible.product_of(state.present_members(request, "Id", "Name"))
    return {
        "ProductViewDetail": detail(product),
        "ProvisioningArtifactSummaries": [
            state.present_members(artifact, "Id", "Name", "Description", "CreatedTime")
            for artifact in product["Artifacts"].values()
        ],
        "Tags": product["Tags"],
        "TagOptions": shown_options(product),
        "Budgets": [],
    }


def _search_as_admin(request: Request) -> Answer:
    within = request.get("PortfolioId")
    found = list(state.products.values())
    if within:
        portfolio = visible.portfolio_of(within)
        found = [p for p in visible.products() if p["Id"] in portfolio["Products"]]
    return state.page(request, "ProductViewDetails", map(detail, matching(request, found)))


def matching(request: Request, found: Iterable[Record]) -> list[Record]:
    """The products that match the filters, in the order of the request. FullTextSearch searches for each word; the
    other filters compare the whole value.
    """
    passing = [product for product in found if _passes(product, request.get("Filters", {}))]
    member = _SORTED_BY.get(request.get("SortBy", ""))
    if member:

        def rank(product: Record) -> tuple[int, str, float]:
            value = product[member]
            if isinstance(value, dict):
                return len(value), "", 0.0
            return (0, value.lower(), 0.0) if isinstance(value, str) else (0, "", value)

        passing.sort(key=rank, reverse=request.get("SortOrder") == "DESCENDING")
    return passing


def _passes(product: Record, filters: dict[str, list[str]]) -> bool:
    shown = {
        "Owner": product["Owner"],
        "ProductType": product["Type"],
        "SourceProductId": product["Id"],
    }
    text = " ".join(str(value) for value in summary(product).values()).lower()
    for name, values in filters.items():
        if name == "FullTextSearch":
            passes = all(word in text for value in values for word in value.lower().split())
        else:
            passes = shown[name] in values
        if not passes:
            return False
    return True


OPERATIONS = {
    "CreateProduct": _create,
    "UpdateProduct": _update,
    "DeleteProduct": _delete,
    "DescribeProductAsAdmin": _describe_as_admin,
    "SearchProductsAsAdmin": _search_as_admin,
}
