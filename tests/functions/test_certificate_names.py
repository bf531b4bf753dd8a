"""The check of a given certificate, with ACM of the embedded AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from templates_src.functions.launch_check.hosted_zone import certificate_fits, is_valid_for
from templates_src.functions.launch_check.launch import Launch

ROOT = "arn:aws:cloudformation:eu-north-1:111122223333:stack/carbon-connect-dev/1"
DOMAIN = "app.example.com"

Check = Callable[..., "str | None"]


@pytest.fixture
def issue(client: Any) -> Callable[..., str]:
    """An issued certificate for names."""

    def issued(*names: str) -> str:
        made = client("acm").request_certificate(
            DomainName=names[0], SubjectAlternativeNames=list(names), ValidationMethod="DNS"
        )
        return str(made["CertificateArn"])

    return issued


@pytest.fixture
def check(client: Any) -> Check:
    """Checks a creation, or an update from ``before``."""

    def checked(arn: str, domain: str = DOMAIN, before: dict[str, str] | None = None) -> str | None:
        given = {"CertificateArn": arn, "DomainName": domain}
        found = certificate_fits(Launch(given, before or {}, before is None, ROOT, client))
        # What custom_resource.py keeps of a reason.
        assert found is None or len(found) <= 600
        return found

    return checked


@pytest.mark.parametrize(
    ("names", "domain"),
    [
        ([DOMAIN], DOMAIN),
        (["example.com", DOMAIN], DOMAIN),
        (["*.example.com"], DOMAIN),
        (["other.example.org"], ""),
    ],
)
def test_certificate_of_the_domain_is_let_through(
    issue: Callable[..., str], check: Check, names: list[str], domain: str
) -> None:
    assert check(issue(*names), domain) is None


@pytest.mark.parametrize(
    "name", ["example.com", "other.example.com", "*.app.example.com", "*.com", "*.example.org"]
)
def test_certificate_of_another_name_is_refused(
    issue: Callable[..., str], check: Check, name: str
) -> None:
    found = check(issue(name)) or ""
    assert f"a certificate for {name}, which is not valid for DomainName (app.example.com)" in found
    assert "leave DomainName empty" in found


def test_many_names_are_counted(issue: Callable[..., str], check: Check) -> None:
    found = check(issue(*(f"n{number}.example.org" for number in range(9)))) or ""
    assert "n0.example.org, n1.example.org, n2.example.org and 6 other names" in found


def test_certificate_that_cannot_be_used_is_refused(
    issue: Callable[..., str], check: Check
) -> None:
    arn = issue(DOMAIN)
    assert "which does not exist" in (check(f"{arn[:-1]}0") or check(f"{arn[:-1]}1") or "")
    elsewhere = arn.replace(":eu-north-1:", ":us-east-1:")
    assert "names a certificate in us-east-1" in (check(elsewhere) or "")


def test_certificate_that_is_not_issued_is_refused(client: Any, issue: Callable[..., str]) -> None:
    arn = issue(DOMAIN)
    answer = client("acm").describe_certificate(CertificateArn=arn)
    answer["Certificate"]["Status"] = "PENDING_VALIDATION"

    class Pending:
        """ACM before the validation, which the embedded AWS does at once."""

        def describe_certificate(self, **_: str) -> Any:
            return answer

    given = {"CertificateArn": arn, "DomainName": DOMAIN}
    found = certificate_fits(Launch(given, {}, True, ROOT, lambda _: Pending())) or ""
    assert "with the status PENDING_VALIDATION" in found


def test_update_that_keeps_both_is_not_checked(issue: Callable[..., str], check: Check) -> None:
    wrong = issue("other.example.com")
    kept = {"CertificateArn": wrong, "DomainName": DOMAIN}
    assert check(wrong, before=kept) is None
    assert check(wrong, before={**kept, "DomainName": "old.example.com"})
    assert check(wrong, before={**kept, "CertificateArn": ""})
    assert check("", before=kept) is None


def test_without_the_permission_nothing_is_refused() -> None:
    class Denied:
        """A role without the permission."""

        def describe_certificate(self, **_: str) -> None:
            raise ClientError(
                {"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeCertificate"
            )

    given = {
        "CertificateArn": "arn:aws:acm:eu-north-1:111122223333:certificate/1",
        "DomainName": DOMAIN,
    }
    assert certificate_fits(Launch(given, {}, True, ROOT, lambda _: Denied())) is None


def test_names_are_compared_without_case() -> None:
    assert is_valid_for(["APP.Example.com"], DOMAIN)
    assert is_valid_for(["*.EXAMPLE.com"], DOMAIN)
    assert not is_valid_for(["*.example.com"], "a.b.example.com")
    assert not is_valid_for([], DOMAIN)
