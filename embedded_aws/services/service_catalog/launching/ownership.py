"""Change the owner or the launch role of a provisioned product."""

import re
import time

from embedded_aws.services.records import Request, ServiceError
from embedded_aws.services.service_catalog import callers, state
from embedded_aws.services.service_catalog.launching.provisioned import provisioned_product_of
from embedded_aws.services.service_catalog.launching.work import begin
from embedded_aws.services.service_catalog.state import Answer

_OWNER = re.compile(
    r"arn:aws[a-z-]*:(iam::\d{12}:(user|role)/.+|sts::\d{12}:assumed-role/[^/]+/.+|iam::\d{12}:root)"
)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
_FORMS = {"OWNER": _OWNER, "LAUNCH_ROLE": _ROLE}


def _update(request: Request) -> Answer:
    provisioned = provisioned_product_of({"ProvisionedProductId": request["ProvisionedProductId"]})
    properties = request["ProvisionedProductProperties"]
    for name, value in properties.items():
        if not _FORMS[name].fullmatch(value):
            raise state.invalid(f"{value} is not a valid ARN for {name}.")
    if provisioned["Status"] == "UNDER_CHANGE":
        raise ServiceError(
            "InvalidStateException", f"Provisioned product {provisioned['Id']} is UNDER_CHANGE."
        )
    status = provisioned["Status"]
    last = {"PathId": provisioned["PathId"]}
    artifact = {"Id": provisioned["ProvisioningArtifactId"]}
    record = begin("UPDATE_PROVISIONED_PRODUCT", provisioned, {}, last, artifact)
    provisioned["Status"] = status
    if "OWNER" in properties:
        owner = callers.without_session(properties["OWNER"])
        provisioned.update(UserArn=owner, UserArnSession=properties["OWNER"])
    if "LAUNCH_ROLE" in properties:
        role = properties["LAUNCH_ROLE"]
        provisioned.update(LaunchRoleArn=role, LaunchRoleOfOwner=role)
    record.update(Status="SUCCEEDED", UpdatedTime=time.time())
    return {
        "ProvisionedProductId": provisioned["Id"],
        "ProvisionedProductProperties": properties,
        "RecordId": record["RecordId"],
        "Status": "SUCCEEDED",
    }


OPERATIONS = {"UpdateProvisionedProductProperties": _update}
