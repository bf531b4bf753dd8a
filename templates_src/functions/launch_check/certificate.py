"""A given certificate: ACM has it in this region, it is issued, and it is valid for the domain name.

The load balancer refuses a certificate that is not issued, after the data layer is up. It accepts one for another name, and then every
client refuses the address in the output Url.
https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html
"""

import logging
from collections.abc import Iterable

from botocore.exceptions import BotoCoreError, ClientError

from .launch import Launch

LOGGER = logging.getLogger(__name__)
CERTIFICATE, DOMAIN = "CertificateArn", "DomainName"
ISSUED = "ISSUED"
# How many names a sentence shows.
SHOWN = 3


def certificate_fits(launch: Launch) -> str | None:
    """The sentence for a certificate that cannot serve the domain name, or None. What ACM does not tell refuses nothing.

    An update that keeps certificate and domain name is not checked.
    """
    arn, domain = launch.values.get(CERTIFICATE, ""), launch.values.get(DOMAIN, "")
    changes = any(
        launch.changed(name, launch.values.get(name, "")) for name in (CERTIFICATE, DOMAIN)
    )
    if not arn or not (launch.creates or changes):
        return None
    region = launch.stack_id.split(":")[3]
    if arn.split(":")[3] != region:
        return (
            f"{CERTIFICATE} names a certificate in {arn.split(':')[3]};"
            f" the load balancer needs one of ACM in {region}."
        )
    try:
        found = launch.clients("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
            return f"{CERTIFICATE} names {arn}, which does not exist; name an issued certificate of ACM."
        LOGGER.warning("the certificate cannot be read: %s", error)
        return None
    except BotoCoreError as error:
        LOGGER.warning("the certificate cannot be read: %s", error)
        return None
    if found.get("Status", ISSUED) != ISSUED:
        return (
            f"{CERTIFICATE} names a certificate with the status {found['Status']};"
            " a load balancer needs one that is issued."
        )
    names = sorted({found["DomainName"], *found.get("SubjectAlternativeNames", ())})
    if domain and not is_valid_for(names, domain):
        more = f" and {len(names) - SHOWN} other names" if len(names) > SHOWN else ""
        return (
            f"{CERTIFICATE} names a certificate for {', '.join(names[:SHOWN])}{more}, which is not valid for {DOMAIN} ({domain});"
            " name one that is, or leave DomainName empty if clients use another address."
        )
    return None


def is_valid_for(names: Iterable[str], domain: str) -> bool:
    """Whether one of the names is the domain, or an asterisk in the place of its first label.

    https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html
    """
    host = domain.lower()
    _, _, parent = host.partition(".")
    return any(name.lower().rstrip(".") in {host, f"*.{parent}"} for name in names)
