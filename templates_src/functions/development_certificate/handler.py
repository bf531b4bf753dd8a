"""Custom resource: a self-signed certificate in ACM, for a development load balancer without another one.

Handler: ``functions.development_certificate.handler.handler``. Needs no VPC. Memory of 256 MB is enough. During its
time-out, best 600 s, a deletion waits until the load balancer releases the certificate: ACM refuses the deletion for
minutes after that of the listener. Set ServiceTimeout of the resource a minute above it.

Properties of the resource (``Custom::DevelopmentCertificate``):

DomainNames
    A list of host names, such as the load balancer's own. ACM shows the first.
Environment
    Refused if it is ``prod``, or absent.
Tags
    A list of Key and Value. ACM takes them with the first import; later ones are added, none is removed.

Create imports a new certificate; its ARN is the physical ID. Update imports another one with a new key **into the same
ARN**, so that listeners keep it: no update is a replacement. Delete succeeds if the certificate does not exist.

Answers: SUCCESS with ``Fn::GetAtt Expires`` (ISO 8601); FAILED with a sentence that says why.

Also the target of a schedule, with the input ``{"Renew": {"CertificateArn": …, "DomainNames": […], "Environment": …}}``: imports
another certificate into the ARN once fewer than RENEW_BEFORE remain, and otherwise does nothing. Returns what it did, and raises
what fails, so that the function's Errors metric shows it; the next run tries again.

Permissions: ``acm:ImportCertificate`` and ``acm:AddTagsToCertificate`` (ACM asks for both when it imports with tags),
``acm:DescribeCertificate`` and ``acm:DeleteCertificate``; its own log group. The key goes to ACM and nowhere else.
"""

import logging
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore
import botocore.config
import botocore.exceptions

from ..custom_resource import Deadline, LambdaContext, ProvisioningError, Request, Result, serve
from .self_signed import SelfSigned, self_signed

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

PHYSICAL_ID = "development-certificate"
"""The physical ID of a resource without an imported certificate."""

PROD = "prod"

RENEW_BEFORE = timedelta(days=90)
"""Three runs of a monthly schedule, so that two can fail."""

RETRY_SECONDS = 5.0
"""Between two attempts of a deletion that ACM refuses."""

HOST_NAME = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
)

GONE = "ResourceNotFoundException"
STILL_HELD = ("ResourceInUseException", "ConflictException", "ThrottlingException")

CLIENT = botocore.config.Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}
)


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any] | None:
    """Answer one request of CloudFormation, or one run of the schedule; see the module's docstring."""
    if isinstance(event, Mapping) and "Renew" in event:
        return renew(event["Renew"])
    serve(event, context, provide, PHYSICAL_ID)
    return None


def provide(request: Request) -> Result:
    """Process the request. Raises ProvisioningError."""
    arn = request.physical_id or PHYSICAL_ID
    if request.type == "Delete":
        delete(arn, request.deadline)
        return Result(arn)
    made = self_signed(_checked_names(request.properties))
    tags = _tags(request.properties.get("Tags", []))
    if request.type == "Create":
        arn = _import(made, **({"Tags": tags} if tags else {}))
    else:
        # ACM accepts no tags for an import into an ARN.
        _import(made, CertificateArn=arn)
        if tags:
            _acm("AddTagsToCertificate", CertificateArn=arn, Tags=tags)
    return Result(arn, {"Expires": made.expires.isoformat()})


def renew(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Renew the certificate if it is due. Raises ProvisioningError."""
    names = _checked_names(wanted)
    arn = str(wanted.get("CertificateArn", ""))
    expires: datetime = _acm("DescribeCertificate", CertificateArn=arn)["Certificate"]["NotAfter"]
    due = expires - datetime.now(UTC) < RENEW_BEFORE
    if due:
        made = self_signed(names)
        _import(made, CertificateArn=arn)
        expires = made.expires
    LOGGER.info("%s: %s, expires %s", arn, "renewed" if due else "not due", expires.isoformat())
    return {"Renewed": due, "Expires": expires.isoformat()}


def delete(arn: str, deadline: Deadline) -> None:
    """Delete the certificate when no resource uses it any more. Raises ProvisioningError if that takes too long."""
    if not arn.startswith("arn:"):
        return
    while True:
        try:
            boto3.client("acm", config=CLIENT).delete_certificate(CertificateArn=arn)
        except botocore.exceptions.ClientError as error:
            code = _code(error)
            if code == GONE:
                return
            if code not in STILL_HELD:
                raise _refused("DeleteCertificate", error) from error
        except botocore.exceptions.BotoCoreError as error:
            code = type(error).__name__
        else:
            return
        if deadline.remaining() <= RETRY_SECONDS:
            raise ProvisioningError(
                f"ACM did not delete {arn} in time ({code}): a listener may still use it. "
                "Delete again once nothing does."
            )
        LOGGER.info("%s: %s, trying again", arn, code)
        time.sleep(RETRY_SECONDS)


def _checked_names(properties: Mapping[str, Any]) -> list[str]:
    """The host names for the certificate, in lower case. Raises ProvisioningError, always in prod."""
    environment = properties.get("Environment")
    if not isinstance(environment, str) or not environment:
        raise ProvisioningError("Environment is missing: name the environment, which is not prod.")
    if environment == PROD:
        raise ProvisioningError(
            "A prod environment takes no self-signed certificate: give CertificateArn, or DomainName with HostedZoneId."
        )
    given = properties.get("DomainNames")
    if not isinstance(given, list) or not given:
        raise ProvisioningError("DomainNames must be a list of at least one host name.")
    names = list(dict.fromkeys(str(name).lower() for name in given))
    for name in names:
        if not HOST_NAME.fullmatch(name):
            raise ProvisioningError(f"DomainNames holds {name[:70]!r}, which is no host name.")
    return names


def _tags(given: object) -> list[dict[str, str]]:
    if not isinstance(given, list) or not all(
        isinstance(tag, Mapping) and tag.keys() == {"Key", "Value"} for tag in given
    ):
        raise ProvisioningError("Tags must be a list of Key and Value.")
    return [{"Key": str(tag["Key"]), "Value": str(tag["Value"])} for tag in given]


def _import(made: SelfSigned, **more: Any) -> str:
    """Import into ACM, as a new certificate or into the given ARN; returns the ARN."""
    answer = _acm(
        "ImportCertificate", Certificate=made.certificate, PrivateKey=made.private_key, **more
    )
    return str(answer["CertificateArn"])


def _acm(operation: str, **parameters: Any) -> dict[str, Any]:
    client = boto3.client("acm", config=CLIENT)
    try:
        answer: dict[str, Any] = getattr(client, botocore.xform_name(operation))(**parameters)
    except botocore.exceptions.ClientError as error:
        # Without the cause, because its request contains the key.
        raise _refused(operation, error) from None
    except botocore.exceptions.BotoCoreError as error:
        raise ProvisioningError(
            f"ACM could not be reached for {operation}: {type(error).__name__}."
        ) from None
    return answer


def _refused(operation: str, error: botocore.exceptions.ClientError) -> ProvisioningError:
    """The message of ACM, without quotes of the request."""
    code = _code(error)
    said = error.response.get("Error", {}).get("Message", "")
    words = "" if code == "ValidationException" else f" {said}"
    return ProvisioningError(f"ACM refused {operation}: {code}.{words}")


def _code(error: botocore.exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
