"""Provisioning artifacts: the versions of a product, each with its copy of a template."""

import time
from collections.abc import Container

from embedded_aws.services.records import Request
from embedded_aws.services.service_catalog import state, visible
from embedded_aws.services.service_catalog.administration import templates
from embedded_aws.services.service_catalog.state import Answer, Record

# https://docs.aws.amazon.com/servicecatalog/latest/adminguide/limits.html
_MOST_VERSIONS = 100
_SOURCES = {"LoadTemplateFromURL": "TemplateUrl", "ImportFromPhysicalId": "TemplatePhysicalId"}


def add(product: Record, properties: Record) -> Record:
    """Copy the template of a new version and add the version to the product. Names need not be unique; a launch with
    an ambiguous name is refused.
    """
    if len(product["Artifacts"]) >= _MOST_VERSIONS:
        raise state.limit_error(_MOST_VERSIONS, "provisioning artifacts per product")
    if properties.get("Type", "CLOUD_FORMATION_TEMPLATE") != "CLOUD_FORMATION_TEMPLATE":
        raise state.invalid(f"The type must be that of the product, {product['Type']}.")
    if " " in properties.get("Name", ""):
        raise state.invalid("The name of a provisioning artifact must not contain spaces.")
    source = state.exactly_one(properties.get("Info", {}), *_SOURCES)
    place = properties["Info"][source]
    checked = not properties.get("DisableTemplateValidation")
    if source == "LoadTemplateFromURL":
        body = templates.load(place, validate=checked)
    else:
        body = templates.of_stack(place)
    artifact = {
        "Id": state.new_id("pa"),
        "Name": properties.get("Name", ""),
        **state.present_members(properties, "Description"),
        "Type": "CLOUD_FORMATION_TEMPLATE",
        "CreatedTime": time.time(),
        "Active": True,
        "Guidance": "DEFAULT",
        "Info": {_SOURCES[source]: place},
    }
    state.templates[artifact["Id"]] = body
    product["Artifacts"][artifact["Id"]] = artifact
    return artifact


def artifact_of(product: Record, request: Request) -> Record:
    """The version with ProvisioningArtifactId or ProvisioningArtifactName."""
    given = state.exactly_one(request, "ProvisioningArtifactId", "ProvisioningArtifactName")
    kind, wanted = "Provisioning Artifact", request[given]
    if given == "ProvisioningArtifactName":
        named = [a for a in product["Artifacts"].values() if a["Name"] == wanted]
        return state.record_named(kind, wanted, named)
    artifact: Record | None = product["Artifacts"].get(wanted)
    if artifact is None:
        raise state.not_found(kind, wanted)
    return artifact


def detail(artifact: Record) -> Record:
    """A version as an administrator sees it."""
    return state.present_members(
        artifact, "Id", "Name", "Description", "Type", "CreatedTime", "Active", "Guidance"
    )


def _described(artifact: Record) -> Answer:
    return {
        "ProvisioningArtifactDetail": detail(artifact),
        "Info": artifact["Info"],
        "Status": "AVAILABLE",
    }


def _own_product(request: Request) -> Record:
    return state.find(state.products, "Product", request["ProductId"])


def _create(request: Request) -> Answer:
    return _described(add(_own_product(request), request["Parameters"]))


def _describe(request: Request) -> Answer:
    product = visible.product_of(state.present_members(request, "ProductId", "ProductName"))
    artifact = artifact_of(product, request)
    answer = _described(artifact)
    if request.get("IncludeProvisioningArtifactParameters"):
        answer["ProvisioningArtifactParameters"] = templates.parameters(
            state.find_in_any_account(state.templates, artifact["Id"])
        )
    return answer


def _update(request: Request) -> Answer:
    artifact = artifact_of(_own_product(request), request)
    if " " in request.get("Name", ""):
        raise state.invalid("The name of a provisioning artifact must not contain spaces.")
    artifact.update(state.present_members(request, "Name", "Description", "Active", "Guidance"))
    return _described(artifact)


def _delete(request: Request) -> Answer:
    product = _own_product(request)
    artifact = artifact_of(product, request)
    refuse_if_used((artifact["Id"],), f"Provisioning Artifact {artifact['Id']}")
    if len(product["Artifacts"]) == 1:
        raise state.in_use(f"Product {product['Id']} must keep one provisioning artifact.")
    del product["Artifacts"][artifact["Id"]]
    state.templates.pop(artifact["Id"], None)
    return {}


def refuse_if_used(artifacts: Container[str], what: str) -> None:
    """Refuse the deletion of versions that a provisioned product uses."""
    users = [
        provisioned["Id"]
        for provisioned in state.records_of_all_accounts(state.provisioned_products)
        if provisioned["ProvisioningArtifactId"] in artifacts
    ]
    if users:
        raise state.in_use(f"{what} is used by provisioned products: {', '.join(users)}.")


def _list(request: Request) -> Answer:
    artifacts = visible.product_of({"ProductId": request["ProductId"]})["Artifacts"].values()
    return {"ProvisioningArtifactDetails": [detail(artifact) for artifact in artifacts]}


OPERATIONS = {
    "CreateProvisioningArtifact": _create,
    "DescribeProvisioningArtifact": _describe,
    "UpdateProvisioningArtifact": _update,
    "DeleteProvisioningArtifact": _delete,
    "ListProvisioningArtifacts": _list,
}
