"""Provision, update and terminate a product."""

import json
import time

from ministack.core.responses import get_account_id, get_region

from embedded_aws.services.records import Request, ServiceError
from embedded_aws.services.service_catalog import callers, state
from embedded_aws.services.service_catalog.administration.artifacts import artifact_of
from embedded_aws.services.service_catalog.administration.constraints import (
    constraints_of,
    rules_of,
)
from embedded_aws.services.service_catalog.administration.templates import with_rules
from embedded_aws.services.service_catalog.launching import launch_roles, launch_tags, stacks
from embedded_aws.services.service_catalog.launching.launch_roles import LaunchRole
from embedded_aws.services.service_catalog.launching.paths import path_of, paths_to
from embedded_aws.services.service_catalog.launching.provisioned import provisioned_product_of
from embedded_aws.services.service_catalog.launching.stacks import Stack
from embedded_aws.services.service_catalog.launching.work import act, begin, follow
from embedded_aws.services.service_catalog.state import Answer, Record
from embedded_aws.services.service_catalog.visible import product_of

_CAPABILITIES = {
    "Capabilities.member.1": "CAPABILITY_NAMED_IAM",
    "Capabilities.member.2": "CAPABILITY_AUTO_EXPAND",
}
_GONE: Stack = {"StackStatus": "DELETE_COMPLETE", "Outputs": []}


def _provision(request: Request) -> Answer:
    product = product_of(state.present_members(request, "ProductId", "ProductName"))
    path = path_of(product, request)
    artifact = artifact_of(product, request)
    if not artifact["Active"]:
        raise state.invalid(f"Provisioning Artifact {artifact['Id']} is not active.")
    if artifact["Guidance"] == "DEPRECATED":
        raise state.invalid(f"Provisioning Artifact {artifact['Id']} is deprecated.")
    name = request["ProvisionedProductName"]
    if any(one["Name"] == name for one in state.provisioned_products.values()):
        raise state.invalid(f"A stack named {name} already exists.")
    if constraints_of(path["Id"], product["Id"], "STACKSET"):
        raise state.invalid("The embedded AWS does not launch stack sets.")
    tags = launch_tags.at_launch(path, product, request.get("Tags", []))
    provisioned = _new(request, product, artifact, tags)
    body = _body(path, product, artifact)
    topics = [*request.get("NotificationArns", []), *_topics(path, product)]
    fields = {
        **_CAPABILITIES,
        **_parameters(request),
        **stacks.fields_of("Tags", tags),
        **{f"NotificationARNs.member.{n}": topic for n, topic in enumerate(topics, 1)},
    }

    async def work(record: Record, role: LaunchRole | None) -> Stack:
        return await act("CreateStack", provisioned, record, role, fields, body)

    state.provisioned_products[provisioned["Id"]] = provisioned
    role_arn = launch_roles.launch_role_arn(path, product)
    record = begin("PROVISION_PRODUCT", provisioned, request, path, artifact)
    return follow(record, provisioned, role_arn, work)


def _body(path: Record, product: Record, artifact: Record) -> str:
    """The version's template with the rules of the product in the portfolio."""
    body = state.find_in_any_account(state.templates, artifact["Id"])
    return with_rules(body, rules_of(path["Id"], product["Id"]))


def _new(request: Request, product: Record, artifact: Record, tags: list[Record]) -> Record:
    identifier, name = state.new_id("pp"), request["ProvisionedProductName"]
    caller = callers.current()
    return {
        "Id": identifier,
        "Name": name,
        "Arn": f"arn:aws:servicecatalog:{get_region()}:{get_account_id()}"
        f":stack/{name}/{identifier}",
        "Type": "CFN_STACK",
        "CreatedTime": time.time(),
        "IdempotencyToken": request["ProvisionToken"],
        "ProductId": product["Id"],
        "ProvisioningArtifactId": artifact["Id"],
        "Tags": tags,
        "UserArn": caller.arn,
        "UserArnSession": caller.session_arn,
    }


def _topics(path: Record, product: Record) -> list[str]:
    return [
        topic
        for constraint in constraints_of(path["Id"], product["Id"], "NOTIFICATION")
        for topic in json.loads(constraint["Parameters"])["NotificationArns"]
    ]


def _parameters(request: Request) -> dict[str, str]:
    """The parameters in CloudFormation's form. A parameter that an update does not name gets the template's default,
    as in UpdateStack: the API says only that UsePreviousValue keeps a value.
    """
    return stacks.fields_of(
        "Parameters",
        [
            {
                "ParameterKey": given["Key"],
                **(
                    {"UsePreviousValue": "true"}
                    if given.get("UsePreviousValue")
                    else {"ParameterValue": given.get("Value", "")}
                ),
            }
            for given in request.get("ProvisioningParameters", [])
        ],
    )


def _update(request: Request) -> Answer:
    provisioned = _settled(request)
    product = _product_after(provisioned, request)
    path = _path_after(provisioned, product, request)
    artifact = _artifact_after(provisioned, product, request)
    tags = launch_tags.after_update(path, product, provisioned, request.get("Tags"))
    body = _body(path, product, artifact)
    fields = {**_CAPABILITIES, **_parameters(request), **stacks.fields_of("Tags", tags)}

    async def work(record: Record, role: LaunchRole | None) -> Stack:
        stack = await act("UpdateStack", provisioned, record, role, fields, body)
        if stack["StackStatus"] == "UPDATE_COMPLETE" or "Unchanged" in record:
            provisioned.update(
                ProductId=product["Id"], ProvisioningArtifactId=artifact["Id"], Tags=tags
            )
        return stack

    role_arn = (
        provisioned.get("LaunchRoleOfOwner")
        or launch_roles.launch_role_arn(path, product)
        or provisioned.get("LaunchRoleArn")
    )
    record = begin(
        "UPDATE_PROVISIONED_PRODUCT", provisioned, request, path, artifact, product["Id"]
    )
    return follow(record, provisioned, role_arn, work)


def _settled(request: Request) -> Record:
    """The provisioned product of a request, if no operation is in progress."""
    provisioned = provisioned_product_of(request)
    if provisioned["Status"] == "UNDER_CHANGE":
        raise state.invalid(
            f"Provisioned product {provisioned['Id']} is UNDER_CHANGE; wait until it is not."
        )
    return provisioned


def _product_after(provisioned: Record, request: Request) -> Record:
    given = state.present_members(request, "ProductId", "ProductName")
    return product_of(given or {"ProductId": provisioned["ProductId"]})


def _path_after(provisioned: Record, product: Record, request: Request) -> Record:
    """The path that the request names, or the path of the launch if it is still available."""
    named = state.present_members(request, "PathId", "PathName")
    if not named:
        for path in paths_to(product):
            if path["PathId"] == provisioned["PathId"]:
                return path
    return path_of(product, named)


def _artifact_after(provisioned: Record, product: Record, request: Request) -> Record:
    given = state.present_members(request, "ProvisioningArtifactId", "ProvisioningArtifactName")
    present = {"ProvisioningArtifactId": provisioned["ProvisioningArtifactId"]}
    artifact = artifact_of(product, given or present)
    if not artifact["Active"]:
        raise state.invalid(f"Provisioning Artifact {artifact['Id']} is not active.")
    return artifact


def _terminate(request: Request) -> Answer:
    provisioned = _settled(request)

    async def work(record: Record, role: LaunchRole | None) -> Stack:
        if request.get("RetainPhysicalResources") or not provisioned.get("PhysicalId"):
            return _GONE
        try:
            stack = await act("DeleteStack", provisioned, record, role, {}, "")
        except ServiceError:
            if not request.get("IgnoreErrors"):
                raise
            return _GONE
        return _GONE if request.get("IgnoreErrors") else stack

    path = {"PathId": provisioned["PathId"]}
    artifact = {"Id": provisioned["ProvisioningArtifactId"]}
    role_arn = provisioned.get("LaunchRoleArn")
    record = begin("TERMINATE_PROVISIONED_PRODUCT", provisioned, request, path, artifact)
    return follow(record, provisioned, role_arn, work)


OPERATIONS = {
    "ProvisionProduct": _provision,
    "UpdateProvisionedProduct": _update,
    "TerminateProvisionedProduct": _terminate,
}
