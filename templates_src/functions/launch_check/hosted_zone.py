"""The hosted zone and the certificate of the domain name.

The zone exists, holds the name, and public DNS leads to it. A given certificate is in this region, is issued, and is valid for the name.

ACM validates a certificate by a record in public DNS. If public DNS does not lead to the zone, CloudFormation waits for hours. A read or
a DNS question without an answer lets the launch go on.
https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html

The load balancer refuses a certificate that is not issued, after the data layer is up. It accepts one for another name, and then every
client refuses the address in the output Url.
https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from .launch import Launch

LOGGER = logging.getLogger(__name__)
ZONE, DOMAIN, CERTIFICATE = "HostedZoneId", "DomainName", "CertificateArn"
# The records of the zone's own name come first: at most one of each type, and alias records with an identifier.
FIRST_RECORDS = "100"
ISSUED = "ISSUED"
# How many names of a certificate a sentence shows.
SHOWN = 3


@dataclass(frozen=True)
class Zone:
    """A hosted zone, as the records at its apex describe it."""

    identifier: str
    name: str
    name_servers: frozenset[str]


def zone_is_delegated(launch: Launch) -> str | None:
    """The sentence for a zone that the certificate or the record cannot use, or None.

    An update that keeps the zone, the name and the certificate is not checked: they worked when they were set.
    """
    identifier, domain = launch.values.get(ZONE, ""), launch.values.get(DOMAIN, "")
    names = (ZONE, DOMAIN, CERTIFICATE)
    kept = not any(launch.changed(name, launch.values.get(name, "")) for name in names)
    if not identifier or (kept and not launch.creates):
        return None
    try:
        zone = read_zone(launch, identifier)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "NoSuchHostedZone":
            return (
                f"{ZONE} names {identifier}, which does not exist;"
                f" name the public hosted zone of {domain} in this account, or leave it empty if DNS is elsewhere."
            )
        LOGGER.warning("the hosted zone cannot be read: %s", error)
        return None
    except BotoCoreError as error:
        LOGGER.warning("the hosted zone cannot be read: %s", error)
        return None
    if zone is None:
        return None
    if domain != zone.name and not domain.endswith(f".{zone.name}"):
        return (
            f"{DOMAIN} ({domain}) is not in the hosted zone {identifier} ({zone.name});"
            f" name the zone of {domain}, or a domain in {zone.name}."
        )
    return None if launch.values.get(CERTIFICATE) else refuse_delegation(launch, zone)


def read_zone(launch: Launch, identifier: str) -> Zone | None:
    """The zone, or None without a record of its name servers. Raises botocore's errors.

    Its own record, and not the delegation set of AWS, names the servers of a zone with white-label name servers.
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/white-label-name-servers.html
    """
    found = launch.clients("route53").list_resource_record_sets(
        HostedZoneId=identifier, MaxItems=FIRST_RECORDS
    )
    records = found["ResourceRecordSets"]
    (name, *_) = [plain(each["Name"]) for each in records if each["Type"] == "SOA"] or [""]
    servers = frozenset(
        plain(record["Value"])
        for each in records
        if each["Type"] == "NS" and plain(each["Name"]) == name
        for record in each.get("ResourceRecords", ())
    )
    return Zone(identifier, name, servers) if servers else None


def plain(name: str) -> str:
    """A name in lower case without the final dot."""
    return name.rstrip(".").lower()


def refuse_delegation(launch: Launch, zone: Zone) -> str | None:
    """The sentence for a zone that public DNS does not lead to, or None."""
    public = launch.name_servers(zone.name)
    if public is None:
        LOGGER.warning("DNS does not say which name servers %s has", zone.name)
        return None
    # One in common suffices: a change of a delegation spreads over hours.
    if public & zone.name_servers:
        return None
    found = f"has {', '.join(sorted(public)[:2])}" if public else "has none that answers"
    return (
        f"{ZONE} names {zone.identifier}, which is private or not delegated: public DNS {found} as name servers of {zone.name}, and"
        f" without the zone's, ACM cannot issue the certificate. Enter {', '.join(sorted(zone.name_servers))} at the registrar of"
        f" {zone.name} or in the zone above it, and launch when `dig NS {zone.name}` shows them."
    )


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
