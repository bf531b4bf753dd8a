"""Provision, update and terminate: each is a record whose work goes on after the answer."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from typing import Any

from ministack.core.responses import get_account_id, get_region

from embedded_aws.services.records import Refusal, Request
from embedded_aws.services.service_catalog import callers, launch_roles, launch_tags, stacks, state
from embedded_aws.services.service_catalog.artifacts import artifact_of
from embedded_aws.services.service_catalog.constraints import constraints_of, rules_of
from embedded_aws.services.service_catalog.launch_roles import LaunchRole
from embedded_aws.services.service_catalog.paths import path_of, paths_to
from embedded_aws.services.service_catalog.products import product_of
from embedded_aws.services.service_catalog.provisioned import (
    provisioned_product_of,
    record_detail,
)
from embedded_aws.services.service_catalog.stacks import Stack
from embedded_aws.services.service_catalog.state import Answer, Record
from embedded_aws.services.service_catalog.templates import with_rules

Work = Callable[[Record, LaunchRole | None], Coroutine[Any, Any, Stack]]

_CAPABILITIES = {
    "Capabilities.member.1": "CAPABILITY_NAMED_IAM",
    "Capabilities.member.2": "CAPABILITY_AUTO_EXPAND",
}
_GONE: Stack = {"StackStatus": "DELETE_COMPLETE", "Outputs": []}
# What works on records at present; held, because the loop holds tasks weakly.
_working: set[asyncio.Task[None]] = set()


def _provision(request: Request) -> Answer:
    product = product_of(state.chosen(request, "ProductId", "ProductName"))
    path = path_of(product, request)
    artifact = artifact_of(product, request)
    if not artifact["Active"] or artifact["Guidance"] == "DEPRECATED":
        raise state.invalid(f"Provisioning Artifact {artifact['Id']} is deprecated or not active.")
    name = request["ProvisionedProductName"]
    if any(one["Name"] == name for one in state.provisioned_products.values()):
        raise state.invalid(f"A stack named {name} already exists.")
    if constraints_of(path["Id"], product["Id"], "STACKSET"):
        raise state.invalid("The embedded AWS does not launch stack sets.")
    tags = launch_tags.at_launch(path, product, request.get("Tags", []))
    provisioned = _new(request, product, artifact, tags)
    body = with_rules(state.templates[artifact["Id"]], rules_of(path["Id"], product["Id"]))
    topics = [*request.get("NotificationArns", []), *_topics(path, product)]
    fields = {
        **_CAPABILITIES,
        **_parameters(request),
        **stacks.fields_of("Tags", tags),
        **{f"NotificationARNs.member.{n}": topic for n, topic in enumerate(topics, 1)},
    }

    async def work(record: Record, role: LaunchRole | None) -> Stack:
        return await _act("CreateStack", provisioned, record, role, fields, body)

    state.provisioned_products[provisioned["Id"]] = provisioned
    role_arn = launch_roles.launch_role_arn(path, product)
    record = begin("PROVISION_PRODUCT", provisioned, request, path, artifact)
    return _continue(record, provisioned, role_arn, work)


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
    """The parameters as CloudFormation takes them.

    What an update does not mention gets the template's default, as in UpdateStack: the API says
    only that UsePreviousValue keeps a value.
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
    body = with_rules(state.templates[artifact["Id"]], rules_of(path["Id"], product["Id"]))
    fields = {**_CAPABILITIES, **_parameters(request), **stacks.fields_of("Tags", tags)}

    async def work(record: Record, role: LaunchRole | None) -> Stack:
        stack = await _act("UpdateStack", provisioned, record, role, fields, body)
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
    record = begin("UPDATE_PROVISIONED_PRODUCT", provisioned, request, path, artifact)
    return _continue(record, provisioned, role_arn, work)


def _settled(request: Request) -> Record:
    """The provisioned product of a request, if nothing works on it."""
    provisioned = provisioned_product_of(request)
    if provisioned["Status"] == "UNDER_CHANGE":
        raise state.invalid(
            f"Provisioned product {provisioned['Id']} is UNDER_CHANGE; wait until it is not."
        )
    return provisioned


def _product_after(provisioned: Record, request: Request) -> Record:
    given = state.chosen(request, "ProductId", "ProductName")
    return product_of(given or {"ProductId": provisioned["ProductId"]})


def _path_after(provisioned: Record, product: Record, request: Request) -> Record:
    """The path that the request names, or the one of the launch if it is still open."""
    named = state.chosen(request, "PathId", "PathName")
    if not named:
        for path in paths_to(product):
            if path["PathId"] == provisioned["PathId"]:
                return path
    return path_of(product, named)


def _artifact_after(provisioned: Record, product: Record, request: Request) -> Record:
    given = state.chosen(request, "ProvisioningArtifactId", "ProvisioningArtifactName")
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
            stack = await _act("DeleteStack", provisioned, record, role, {}, "")
        except Refusal:
            if not request.get("IgnoreErrors"):
                raise
            return _GONE
        return _GONE if request.get("IgnoreErrors") else stack

    path = {"PathId": provisioned["PathId"]}
    artifact = {"Id": provisioned["ProvisioningArtifactId"]}
    role_arn = provisioned.get("LaunchRoleArn")
    record = begin("TERMINATE_PROVISIONED_PRODUCT", provisioned, request, path, artifact)
    return _continue(record, provisioned, role_arn, work)


def begin(
    kind: str, provisioned: Record, request: Request, path: Record, artifact: Record
) -> Record:
    """A new record; the provisioned product is under change from now on."""
    now, caller = time.time(), callers.current()
    record = {
        "RecordId": state.new_id("rec"),
        "ProvisionedProductName": provisioned["Name"],
        "Status": "CREATED",
        "CreatedTime": now,
        "UpdatedTime": now,
        "ProvisionedProductType": "CFN_STACK",
        "RecordType": kind,
        "ProvisionedProductId": provisioned["Id"],
        "ProductId": provisioned["ProductId"],
        "ProvisioningArtifactId": artifact["Id"],
        "PathId": path["PathId"],
        "RecordErrors": [],
        "RecordTags": request.get("Tags", []),
        "Outputs": [],
        "UserArn": caller.arn,
        "UserArnSession": caller.session_arn,
    }
    state.records[record["RecordId"]] = record
    provisioned.update(
        Status="UNDER_CHANGE",
        PathId=path["PathId"],
        LastRecordId=record["RecordId"],
        LastProvisioningRecordId=record["RecordId"],
    )
    provisioned.pop("StatusMessage", None)
    return record


def _continue(record: Record, provisioned: Record, role_arn: str | None, work: Work) -> Answer:
    """Answer with the record as it is, and do the work afterwards."""
    if role_arn:
        record["LaunchRoleArn"] = provisioned["LaunchRoleArn"] = role_arn
    answer = {"RecordDetail": record_detail(record)}
    task = asyncio.get_running_loop().create_task(_carry_out(record, provisioned, work))
    _working.add(task)
    task.add_done_callback(_working.discard)
    return answer


async def _carry_out(record: Record, provisioned: Record, work: Work) -> None:
    record["Status"] = "IN_PROGRESS"
    try:
        role_arn = record.get("LaunchRoleArn")
        role = launch_roles.assume(role_arn) if role_arn else None
        stack = await work(record, role)
        _conclude(record, provisioned, stack)
    except Refusal as refusal:
        _fail(record, provisioned, refusal.code, str(refusal))
    except Exception as problem:  # whatever broke must not leave a record in progress
        _fail(record, provisioned, "InternalFailure", f"The embedded AWS broke off: {problem!r}")
        raise
    finally:
        record["UpdatedTime"] = time.time()


async def _act(
    action: str,
    provisioned: Record,
    record: Record,
    role: LaunchRole | None,
    fields: dict[str, str],
    body: str,
) -> Stack:
    """Have CloudFormation act on the product's stack, and keep what it is known by."""

    def observe(stack: Stack) -> None:
        provisioned["PhysicalId"] = stack["StackId"]
        if "ROLLBACK_IN_PROGRESS" in stack["StackStatus"]:
            record["Status"] = "IN_PROGRESS_IN_ERROR"

    name = f"SC-{get_account_id()}-{provisioned['Id']}"
    arn = provisioned.get("PhysicalId") or (
        f"arn:aws:cloudformation:{get_region()}:{get_account_id()}:stack/{name}/*"
    )
    try:
        return await stacks.carry_out(action, arn, role, fields, body, observe)
    except Refusal as refusal:
        # A new version that changes nothing is a success: its number is what was updated.
        if action != "UpdateStack" or "No updates are to be performed" not in str(refusal):
            raise
        record["Unchanged"] = True
        return stacks.present(name)


def _conclude(record: Record, provisioned: Record, stack: Stack) -> None:
    """Success where the stack is what was asked for, failure with its reason otherwise."""
    wanted = {
        "PROVISION_PRODUCT": "CREATE_COMPLETE",
        "UPDATE_PROVISIONED_PRODUCT": "UPDATE_COMPLETE",
        "TERMINATE_PROVISIONED_PRODUCT": "DELETE_COMPLETE",
    }[record["RecordType"]]
    if stack["StackStatus"] != wanted and "Unchanged" not in record:
        raise stacks.failure(stack)
    record["Status"] = "SUCCEEDED"
    if record["RecordType"] == "TERMINATE_PROVISIONED_PRODUCT":
        state.provisioned_products.pop(provisioned["Id"], None)
        return
    record["Outputs"] = _outputs(stack)
    provisioned.update(Status="AVAILABLE", LastSuccessfulProvisioningRecordId=record["RecordId"])


def _outputs(stack: Stack) -> list[Record]:
    arn = {
        "OutputKey": "CloudformationStackARN",
        "OutputValue": stack["StackId"],
        "Description": "The ARN of the launched Cloudformation Stack",
    }
    others = [
        state.chosen(output, "OutputKey", "OutputValue", "Description")
        for output in stack.get("Outputs", [])
    ]
    return [arn, *others]


def _fail(record: Record, provisioned: Record, code: str, message: str) -> None:
    record["Status"] = "FAILED"
    record["RecordErrors"] = [{"Code": code, "Description": message}]
    # API_ProvisionedProductDetail: ERROR where no stack runs, TAINTED where an older one does.
    launched = record["RecordType"] != "PROVISION_PRODUCT" and provisioned.get("PhysicalId")
    provisioned.update(Status="TAINTED" if launched else "ERROR", StatusMessage=message)


def break_off() -> None:
    """Stop all work, because everything is about to be forgotten."""
    for task in list(_working):
        task.cancel()


def settle_restored() -> None:
    """Fail the records that were in progress when the process that saved them ended."""
    for (account, region, _), record in state.records._data.items():
        if record["Status"] in ("CREATED", "IN_PROGRESS", "IN_PROGRESS_IN_ERROR"):
            provisioned = state.provisioned_products.get_scoped(
                account, region, record["ProvisionedProductId"], {}
            )
            _fail(record, provisioned, "InternalFailure", "The embedded AWS was stopped.")


OPERATIONS = {
    "ProvisionProduct": _provision,
    "UpdateProvisionedProduct": _update,
    "TerminateProvisionedProduct": _terminate,
}
