"""The certificate of the load balancer: it exists in the region, is issued and valid, and has the domain name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.environments.account.findings import Finding, cannot_tell, no, yes
from pipeline.environments.deletion.account import Account, UnreadableError
from templates_src.edge.certificate import CERTIFICATE_ARN, DOMAIN_NAME

ISSUED = "ISSUED"


def certificate(values: Mapping[str, str], region: str, account: Account) -> Finding | None:
    """Whether the load balancer can use the given certificate; None if the environment has another one."""
    arn, domain = values.get(CERTIFICATE_ARN.name, ""), values.get(DOMAIN_NAME.name, "")
    if not arn:
        return None
    subject = "certificate"

    def read(client: Any) -> Any:
        return client.describe_certificate(CertificateArn=arn)["Certificate"]

    try:
        found = account.read("acm:DescribeCertificate", "the certificate", read)
    except UnreadableError as error:
        return cannot_tell(subject, f"{arn} is not known: {error}.")
    if found is None:
        return no(subject, f"{arn} does not exist: set {CERTIFICATE_ARN.name} to one of {region}.")
    problem = _problem(found, domain)
    return no(subject, problem) if problem else yes(subject, f"{arn} is issued and valid.")


def _problem(found: Mapping[str, Any], domain: str) -> str | None:
    arn, status = found["CertificateArn"], found["Status"]
    if status == "PENDING_VALIDATION":
        return f"{arn} is not issued: create the DNS records that `aws acm describe-certificate` shows, and wait for ACM."
    ends = found.get("NotAfter")
    if status == "EXPIRED" or (ends and ends <= datetime.now(UTC)):
        return f"{arn} has expired: set {CERTIFICATE_ARN.name} to a valid certificate."
    if status != ISSUED:
        return f"{arn} is in {status}: set {CERTIFICATE_ARN.name} to an issued certificate."
    names = [found.get("DomainName", ""), *found.get("SubjectAlternativeNames", [])]
    if domain and not any(_covers(name, domain) for name in names):
        return (
            f"{arn} is for {', '.join(dict.fromkeys(names))} and not for {domain}: use a certificate that names {domain},"
            f" or change {DOMAIN_NAME.name}."
        )
    return None


def _covers(name: str, domain: str) -> bool:
    """Whether a name in a certificate is the domain, or its wildcard. A wildcard stands for one label."""
    name, domain = name.lower().rstrip("."), domain.lower().rstrip(".")
    if name.startswith("*."):
        return domain.partition(".")[2] == name[2:]
    return name == domain
