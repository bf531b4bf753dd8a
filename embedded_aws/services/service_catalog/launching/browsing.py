"""Information about a product for users who can launch it."""

from embedded_aws.services.records import Request
from embedded_aws.services.service_catalog import state, visible
from embedded_aws.services.service_catalog.administration import tag_options, templates
from embedded_aws.services.service_catalog.administration.artifacts import artifact_of
from embedded_aws.services.service_catalog.administration.constraints import (
    constraints_of,
    parameters_of,
    rules_of,
)
from embedded_aws.services.service_catalog.administration.products import matching, summary
from embedded_aws.services.service_catalog.launching.launch_roles import launch_role_arn
from embedded_aws.services.service_catalog.launching.paths import path_of, paths_to, require_path
from embedded_aws.services.service_catalog.state import Answer, Record
from embedded_aws.services.service_catalog.visible import product_of


def _search(request: Request) -> Answer:
    reachable = [product for product in visible.products() if paths_to(product)]
    found = matching(request, reachable)
    answer = state.page(request, "ProductViewSummaries", map(summary, found))
    return {**answer, "ProductViewAggregations": _counted(reachable)}


def _counted(products: list[Record]) -> Record:
    counts: dict[str, dict[str, int]] = {"Owner": {}, "ProductType": {}}
    for product in products:
        for name, value in (("Owner", product["Owner"]), ("ProductType", product["Type"])):
            counts[name][value] = counts[name].get(value, 0) + 1
    return {
        name: [{"Value": value, "ApproximateCount": count} for value, count in values.items()]
        for name, values in counts.items()
    }


def _describe(request: Request) -> Answer:
    product = product_of(request)
    paths = require_path(product)
    return {
        **_described(product),
        "Budgets": [],
        "LaunchPaths": [{"Id": path["PathId"], "Name": path["DisplayName"]} for path in paths],
    }


def _described(product: Record) -> Answer:
    return {
        "ProductViewSummary": summary(product),
        "ProvisioningArtifacts": [
            state.present_members(artifact, "Id", "Name", "Description", "CreatedTime", "Guidance")
            for artifact in product["Artifacts"].values()
            if artifact["Active"]
        ],
    }


def _describe_view(request: Request) -> Answer:
    views = [p for p in visible.products() if p["ViewId"] == request["Id"]]
    product = state.record_named("Product view", request["Id"], views)
    require_path(product)
    return _described(product)


def _list_paths(request: Request) -> Answer:
    product = product_of({"ProductId": request["ProductId"]})
    found = [
        {
            "Id": path["PathId"],
            "Name": path["DisplayName"],
            "ConstraintSummaries": _summaries(path, product),
            "Tags": [*path["Tags"], *product["Tags"]],
        }
        for path in require_path(product)
    ]
    return state.page(request, "LaunchPathSummaries", found)


def _summaries(path: Record, product: Record) -> list[Record]:
    return [
        state.present_members(constraint, "Type", "Description")
        for constraint in constraints_of(path["Id"], product["Id"])
    ]


def _describe_parameters(request: Request) -> Answer:
    product = product_of(state.present_members(request, "ProductId", "ProductName"))
    path = path_of(product, request)
    artifact = artifact_of(product, request)
    if not artifact["Active"]:
        raise state.not_found("Provisioning Artifact", artifact["Id"])
    body = state.find_in_any_account(state.templates, artifact["Id"])
    outputs = templates.outputs(body)
    return {
        "ProvisioningArtifactParameters": templates.parameters(
            body, rules_of(path["Id"], product["Id"])
        ),
        "ConstraintSummaries": _summaries(path, product),
        "UsageInstructions": _instructions(path, product),
        "TagOptions": [
            {"Key": key, "Values": values}
            for key, values in tag_options.choices(path, product).items()
        ],
        "ProvisioningArtifactOutputs": outputs,
        "ProvisioningArtifactOutputKeys": outputs,
    }


def _instructions(path: Record, product: Record) -> list[Record]:
    """The requirements of the constraints, in the API's terms."""
    rules = [
        {"Type": "rules", "Value": constraint["Parameters"]}
        for constraint in constraints_of(path["Id"], product["Id"], "TEMPLATE")
    ]
    role = launch_role_arn(path, product)
    if role:
        rules.append({"Type": "launchAsRole", "Value": role})
    update = parameters_of(path["Id"], product["Id"], "RESOURCE_UPDATE")
    if update:
        allowed = update["Properties"]["TagUpdateOnProvisionedProduct"]
        rules.append({"Type": "tagUpdateOnProvisionedProduct", "Value": allowed})
    return rules


OPERATIONS = {
    "SearchProducts": _search,
    "DescribeProduct": _describe,
    "DescribeProductView": _describe_view,
    "ListLaunchPaths": _list_paths,
    "DescribeProvisioningParameters": _describe_parameters,
}
