"""The content of a region's Service Catalog and release bucket without IDs, for comparing two publications."""

from __future__ import annotations

from typing import Any

from pipeline.aws import Aws
from templates_src.access.publisher import PUBLISHER_ROLE_NAME


def snapshot(aws: Aws) -> dict[str, Any]:
    """Portfolios, products, versions, constraints and so on as sorted lists, so that a duplicate is visible."""
    catalog = aws.client("servicecatalog")
    portfolios = catalog.list_portfolios()["PortfolioDetails"]
    products = catalog.search_products_as_admin()["ProductViewDetails"]
    names = {
        view["ProductViewSummary"]["ProductId"]: view["ProductViewSummary"]["Name"]
        for view in products
    }
    return {
        "portfolios": in_order(portfolio(catalog, each["Id"], names) for each in portfolios),
        "products": in_order(product(catalog, identity) for identity in names),
        "tag options": in_order(
            (option["Key"], option["Value"], option["Active"])
            for option in catalog.list_tag_options()["TagOptionDetails"]
        ),
        "bucket": bucket(aws),
        "roles": roles(aws),
        "stacks": in_order(
            (stack["StackName"], stack["StackStatus"])
            for stack in aws.client("cloudformation").describe_stacks()["Stacks"]
            # The role that publishes is not a part of what it publishes.
            if stack["StackName"] != PUBLISHER_ROLE_NAME.default
        ),
    }


def in_order(things: Any) -> list[Any]:
    return sorted(things, key=str)


def without_ids(details: dict[str, Any]) -> dict[str, Any]:
    gone = ("Id", "ProductId", "PortfolioId", "ConstraintId", "ARN", "ProductARN", "CreatedTime")
    return {key: value for key, value in details.items() if key not in gone}


def portfolio(catalog: Any, identity: str, names: dict[str, str]) -> dict[str, Any]:
    described = catalog.describe_portfolio(Id=identity)
    constraints = catalog.list_constraints_for_portfolio(PortfolioId=identity)["ConstraintDetails"]
    views = catalog.search_products_as_admin(PortfolioId=identity)["ProductViewDetails"]
    return {
        **without_ids(described["PortfolioDetail"]),
        "tags": in_order((tag["Key"], tag["Value"]) for tag in described["Tags"]),
        "tag options": in_order((o["Key"], o["Value"]) for o in described["TagOptions"]),
        "products": in_order(view["ProductViewSummary"]["Name"] for view in views),
        "principals": in_order(
            tuple(each.values())
            for each in catalog.list_principals_for_portfolio(PortfolioId=identity)["Principals"]
        ),
        "constraints": in_order(
            (
                names[each["ProductId"]],
                each["Type"],
                each["Description"],
                catalog.describe_constraint(Id=each["ConstraintId"])["ConstraintParameters"],
            )
            for each in constraints
        ),
        "shares": in_order(
            (share["PrincipalId"], share["Type"], share["ShareTagOptions"])
            for share in catalog.describe_portfolio_shares(PortfolioId=identity, Type="ACCOUNT")[
                "PortfolioShareDetails"
            ]
        ),
    }


def product(catalog: Any, identity: str) -> dict[str, Any]:
    described = catalog.describe_product_as_admin(Id=identity)
    versions = catalog.list_provisioning_artifacts(ProductId=identity)
    return {
        **without_ids(described["ProductViewDetail"]["ProductViewSummary"]),
        "tags": in_order((tag["Key"], tag["Value"]) for tag in described["Tags"]),
        "versions": in_order(
            tuple(without_ids(each).items()) for each in versions["ProvisioningArtifactDetails"]
        ),
    }


def roles(aws: Aws) -> list[tuple[str, str, list[str]]]:
    """The roles of environments: name, boundary, and the keys of the tags."""
    iam = aws.client("iam")
    found = []
    for entry in iam.list_roles(PathPrefix="/carbon-connect/")["Roles"]:
        role = iam.get_role(RoleName=entry["RoleName"])["Role"]
        boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
        tags = in_order(tag["Key"] for tag in role.get("Tags", ()))
        found.append((role["RoleName"], boundary, tags))
    return in_order(found)


def bucket(aws: Aws) -> list[tuple[str, str]]:
    s3 = aws.client("s3")
    return [
        (entry["Key"], entry["ETag"])
        for name in s3.list_buckets()["Buckets"]
        for entry in s3.list_objects_v2(Bucket=name["Name"]).get("Contents", [])
    ]
