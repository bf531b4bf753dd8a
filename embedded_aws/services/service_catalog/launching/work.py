"""Records of operations on provisioned products, and the work that continues after the answer."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from ministack.core.responses import get_account_id, get_region

from embedded_aws.bridge import tables
from embedded_aws.services.records import Request, ServiceError
from embedded_aws.services.service_catalog import callers, state
from embedded_aws.services.service_catalog.launching import launch_roles, stacks
from embedded_aws.services.service_catalog.launching.launch_roles import LaunchRole
from embedded_aws.services.service_catalog.launching.provisioned import record_detail
from embedded_aws.services.service_catalog.launching.stacks import Stack
from embedded_aws.services.service_catalog.state import Answer, Record

Work = Callable[[Record, LaunchRole | None], Coroutine[Any, Any, Stack]]

# The tasks in progress; stored here, because the loop has only weak references to tasks.
_working: set[asyncio.Task[None]] = set()


def begin(
    kind: str,
    provisioned: Record,
    request: Request,
    path: Record,
    artifact: Record,
    product: str = "",
) -> Record:
    """Create a record; the provisioned product is then under change. `product` is the ID of the product if the
    operation changes it.
    """
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
        "ProductId": product or provisioned["ProductId"],
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


def follow(record: Record, provisioned: Record, role_arn: str | None, work: Work) -> Answer:
    """Answer with the current record, and do the work afterwards."""
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
    except ServiceError as error:
        _fail(record, provisioned, error.code, str(error))
    except Exception as problem:  # a failure of any kind must not leave a record in progress
        _fail(record, provisioned, "InternalFailure", f"The embedded AWS broke off: {problem!r}")
        raise
    finally:
        record["UpdatedTime"] = time.time()


async def act(
    action: str,
    provisioned: Record,
    record: Record,
    role: LaunchRole | None,
    fields: dict[str, str],
    body: str,
) -> Stack:
    """Change the stack of the product with CloudFormation, and store its identifiers."""

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
    except ServiceError as error:
        # An update to a new version without other changes succeeds: it changes the version.
        if action != "UpdateStack" or "No updates are to be performed" not in str(error):
            raise
        record["Unchanged"] = True
        return stacks.present(name)


def _conclude(record: Record, provisioned: Record, stack: Stack) -> None:
    """Record success if the stack has the requested state, otherwise failure with its reason."""
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
        state.present_members(output, "OutputKey", "OutputValue", "Description")
        for output in stack.get("Outputs", [])
    ]
    return [arn, *others]


def _fail(record: Record, provisioned: Record, code: str, message: str) -> None:
    record["Status"] = "FAILED"
    record["RecordErrors"] = [{"Code": code, "Description": message}]
    # API_ProvisionedProductDetail: ERROR without a working stack, TAINTED with the stack of an earlier operation.
    launched = record["RecordType"] != "PROVISION_PRODUCT" and provisioned.get("PhysicalId")
    provisioned.update(Status="TAINTED" if launched else "ERROR", StatusMessage=message)


def abort_all() -> None:
    """Stop all work before the state is deleted."""
    for task in list(_working):
        task.cancel()


def fail_restored() -> None:
    """Fail the records that were in progress when the process that saved them ended."""
    for (account, region, _), record in tables.everywhere(state.records):
        if record["Status"] in ("CREATED", "IN_PROGRESS", "IN_PROGRESS_IN_ERROR"):
            provisioned = state.provisioned_products.get_scoped(
                account, region, record["ProvisionedProductId"], {}
            )
            _fail(record, provisioned, "InternalFailure", "The embedded AWS was stopped.")
