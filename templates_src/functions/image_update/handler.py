"""Updates only ``ImageTag`` of the provisioned product of this function.

Handler: ``functions.image_update.handler.handler``. Needs no VPC. The deploy role invokes it: IAM cannot limit which parameters
UpdateProvisionedProduct changes, so that role cannot call Service Catalog, and this function decides what an update contains.

Events, whose fields are all required strings; any other field is refused:

``{"Action": "Describe", "ProvisionedProduct": NAME}``
    Returns ``{"RepositoryUri": …}``, the repository of the environment.
``{"Action": "Update", "ProvisionedProduct": NAME, "ImageTag": TAG, "UpdateToken": TOKEN}``
    Starts an update of the same version, over the same launch path or the only one, with the previous value of every other parameter.
    Returns ``{"RecordId": …}``. The same token starts the same update only once.
``{"Action": "Status", "RecordId": ID}``
    Returns ``{"Status": …, "Errors": …}``, of Service Catalog's record; the errors are one line.

``{"Action": "Why", "RecordId": ID}``
    Returns ``{"Reasons": …}``: what ECS knows since the beginning of the update about services that are not stable, one line for each
    reason, with the last log lines of failed tasks; empty if nothing is wrong.

Raises RefusedError with a sentence that names the problem, and botocore's ClientError if Service Catalog refuses.

The product must be the one whose output ImageUpdateFunctionName is this function. So a role that owns two products by
mistake can update only the right one.

Permissions, at the level of the function's role (``servicecatalog:roleLevel``), which therefore owns the provisioned product:
``servicecatalog:DescribeProvisionedProduct``, ``servicecatalog:DescribeRecord``, ``servicecatalog:UpdateProvisionedProduct``;
``servicecatalog:DescribeProvisioningParameters`` on the product; its own log group. For the reasons, on the services of the
environment: those of ``service_diagnosis`` without ``elasticloadbalancing:DescribeTargetHealth``, because the unhealthy targets are
gone after an update; the events of the service name them.

Environment: ``CLUSTER``, the name of the cluster; ``SERVICES``, WORKLOAD=SERVICE=LOG-GROUP for each service, separated by spaces.
"""

import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.config

from ..service_diagnosis import Finding, Reader, ServiceLocation, diagnose

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

CLIENT = botocore.config.Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}
)

IMAGE_TAG = "ImageTag"
OWN_OUTPUT = "ImageUpdateFunctionName"
REPOSITORY_OUTPUT = "RepositoryUri"

TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""The tag of an image in ECR. The parameter can also be empty, which stands for the placeholder image and is not a deployment."""


class RefusedError(Exception):
    """The request is not one that this function serves."""


@dataclass(frozen=True)
class Product:
    """The provisioned product: its identifiers, and the outputs of its last successful update."""

    id: str
    product_id: str
    version_id: str
    path_id: str
    outputs: Mapping[str, str]


def handler(event: object, context: object) -> dict[str, str]:  # noqa: ARG001 (Lambda's signature)
    """Serve one request; see the module's docstring."""
    fields = _fields(event)
    serve, _ = ACTIONS[fields["Action"]]
    answer = serve(fields)
    # The reasons contain lines of other logs.
    noted = {name: value for name, value in answer.items() if name != "Reasons"}
    LOGGER.info("%s", json.dumps({**fields, **noted}))
    return answer


def describe(fields: Mapping[str, str]) -> dict[str, str]:
    """Where to push images."""
    return {
        REPOSITORY_OUTPUT: _own_product(fields["ProvisionedProduct"]).outputs[REPOSITORY_OUTPUT]
    }


def update(fields: Mapping[str, str]) -> dict[str, str]:
    """Start the update. A parameter that an update does not name returns to its default, so all are named."""
    tag = fields[IMAGE_TAG]
    if not TAG.fullmatch(tag):
        raise RefusedError(
            "ImageTag must be the tag of an image: at most 128 letters, digits, dots, hyphens and underscores."
        )
    product = _own_product(fields["ProvisionedProduct"])
    catalog = _catalog()
    path, names = _form(catalog, product)
    if IMAGE_TAG not in names:
        raise RefusedError(f"The product {fields['ProvisionedProduct']} has no parameter ImageTag.")
    kept = [{"Key": name, "UsePreviousValue": True} for name in names if name != IMAGE_TAG]
    record = catalog.update_provisioned_product(
        ProvisionedProductId=product.id,
        ProductId=product.product_id,
        ProvisioningArtifactId=product.version_id,
        **path,
        ProvisioningParameters=[{"Key": IMAGE_TAG, "Value": tag}, *kept],
        UpdateToken=fields["UpdateToken"],
    )
    return {"RecordId": record["RecordDetail"]["RecordId"]}


def _form(catalog: Any, product: Product) -> tuple[dict[str, str], list[str]]:
    """The launch path, as arguments of calls, and the names of the parameters.

    After the product has moved to another portfolio, the path of the last update does not exist, and the only path is
    the default.
    """
    version = {
        "ProductId": product.product_id,
        "ProvisioningArtifactId": product.version_id,
    }
    path = {"PathId": product.path_id}
    try:
        form = catalog.describe_provisioning_parameters(**version, **path)
    except catalog.exceptions.ResourceNotFoundException:
        path = {}
        form = catalog.describe_provisioning_parameters(**version)
    return path, [each["ParameterKey"] for each in form["ProvisioningArtifactParameters"]]


def status(fields: Mapping[str, str]) -> dict[str, str]:
    """The status of an update, and why it failed."""
    record = _catalog().describe_record(Id=fields["RecordId"])["RecordDetail"]
    errors = " ".join(error["Description"] for error in record.get("RecordErrors", ()))
    return {"Status": record["Status"], "Errors": " ".join(errors.split())}


def why(fields: Mapping[str, str]) -> dict[str, str]:
    """Why services are not stable since the beginning of an update, also after its rollback."""
    record = _catalog().describe_record(Id=fields["RecordId"])["RecordDetail"]
    reader = Reader(_client, denied=["elasticloadbalancing:DescribeTargetHealth"])
    found = diagnose(reader, _services(), record["CreatedTime"], history=True)
    return {"Reasons": "\n".join(line for finding in found for line in _lines(finding))}


def _lines(finding: Finding) -> list[str]:
    return [finding.text, *(f"  | {line}" for line in finding.log)]


def _services() -> list[ServiceLocation]:
    cluster = os.environ["CLUSTER"]
    return [
        ServiceLocation(workload, cluster, service, group)
        for workload, service, group in (each.split("=") for each in os.environ["SERVICES"].split())
    ]


ACTIONS: Mapping[str, tuple[Callable[[Mapping[str, str]], dict[str, str]], frozenset[str]]] = {
    "Describe": (describe, frozenset({"Action", "ProvisionedProduct"})),
    "Update": (update, frozenset({"Action", "ProvisionedProduct", IMAGE_TAG, "UpdateToken"})),
    "Status": (status, frozenset({"Action", "RecordId"})),
    "Why": (why, frozenset({"Action", "RecordId"})),
}


def _fields(event: object) -> Mapping[str, str]:
    """The request's fields. Raises RefusedError for an unknown action, and for a field too many or too few."""
    action = event.get("Action") if isinstance(event, Mapping) else None
    if not isinstance(event, Mapping) or not isinstance(action, str) or action not in ACTIONS:
        raise RefusedError(f"Action must be one of {', '.join(ACTIONS)}.")
    _, expected = ACTIONS[action]
    if set(event) != expected or not all(
        isinstance(value, str) and value for value in event.values()
    ):
        raise RefusedError(
            f"{action} takes the fields {', '.join(sorted(expected))}, and no others."
        )
    return event


def _own_product(name: str) -> Product:
    """The provisioned product. Raises RefusedError where it does not contain this function."""
    catalog = _catalog()
    detail = catalog.describe_provisioned_product(Name=name)["ProvisionedProductDetail"]
    record_id = detail["LastSuccessfulProvisioningRecordId"]
    path, outputs = _last_record(catalog, record_id)
    if outputs.get(OWN_OUTPUT) != os.environ["AWS_LAMBDA_FUNCTION_NAME"]:
        raise RefusedError(f"This function belongs to another provisioned product than {name}.")
    return Product(
        detail["Id"], detail["ProductId"], detail["ProvisioningArtifactId"], path, outputs
    )


def _last_record(catalog: Any, record_id: str) -> tuple[str, dict[str, str]]:
    """Launch path and outputs of a record, from all its pages."""
    outputs: dict[str, str] = {}
    page: dict[str, str] = {}
    while True:
        answer = catalog.describe_record(Id=record_id, **page)
        for output in answer.get("RecordOutputs", ()):
            outputs[output["OutputKey"]] = output["OutputValue"]
        if not answer.get("NextPageToken"):
            return answer["RecordDetail"]["PathId"], outputs
        page = {"PageToken": answer["NextPageToken"]}


def _catalog() -> Any:
    return _client("servicecatalog")


def _client(service: str) -> Any:
    return boto3.client(service, config=CLIENT)
