"""What ACM reads from an imported certificate, and what it refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.embedded_aws.conftest import Account

SERVER, SIGNING = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CODE_SIGNING


def pair(
    *,
    curve: ec.EllipticCurve | None = None,
    days: int = 30,
    usages: tuple[x509.ObjectIdentifier, ...] = (SERVER,),
) -> dict[str, bytes]:
    """A self-signed certificate that ends after so many days, and its key, as ImportCertificate takes them."""
    key = ec.generate_private_key(curve or ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app.example.com")])
    names = [x509.DNSName("app.example.com"), x509.DNSName("api.example.com")]
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=60))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .sign(key, hashes.SHA256())
    )
    return {
        "Certificate": certificate.public_bytes(serialization.Encoding.PEM),
        "PrivateKey": key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    }


def refusal(account: Account, **request: Any) -> str:
    with pytest.raises(ClientError) as refused:
        account.client("acm").import_certificate(**request)
    return str(refused.value)


def test_it_is_read(account: Account) -> None:
    acm, imported = account.client("acm"), pair()

    arn = acm.import_certificate(**imported)["CertificateArn"]

    certificate = x509.load_pem_x509_certificate(imported["Certificate"])
    described = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert described["DomainName"] == "app.example.com"
    assert described["SubjectAlternativeNames"] == ["app.example.com", "api.example.com"]
    assert described["KeyAlgorithm"] == "EC_prime256v1"
    assert described["NotAfter"] == certificate.not_valid_after_utc
    assert described["InUseBy"] == []


def test_broken_and_strange_ones_are_refused(account: Account) -> None:
    imported, other = pair(), pair()

    assert "not valid PEM" in refusal(account, **{**imported, "PrivateKey": b"key"})
    assert "not that of the certificate" in refusal(
        account, **{**imported, "PrivateKey": other["PrivateKey"]}
    )
    assert "not valid at this time" in refusal(account, **pair(days=-1))
    assert "not valid at this time" in refusal(account, **pair(days=90))


def test_what_is_imported_into_must_be_of_the_same_kind(account: Account) -> None:
    acm = account.client("acm")
    arn = acm.import_certificate(**pair(usages=(SERVER, SIGNING)))["CertificateArn"]

    same = acm.import_certificate(CertificateArn=arn, **pair(usages=(SIGNING, SERVER)))

    assert same["CertificateArn"] == arn
    assert "cannot be changed" in refusal(
        account, CertificateArn=arn, **pair(curve=ec.SECP384R1(), usages=(SERVER, SIGNING))
    )
    assert "cannot be removed" in refusal(account, CertificateArn=arn, **pair())
    tags = [{"Key": "Name", "Value": "x"}]
    assert "Tagging is not permitted on re-import" in refusal(
        account, CertificateArn=arn, Tags=tags, **pair(usages=(SERVER, SIGNING))
    )
    acm.delete_certificate(CertificateArn=arn)
    assert "ResourceNotFoundException" in refusal(account, CertificateArn=arn, **pair())


def test_one_that_acm_issued_is_not_imported_into(account: Account) -> None:
    issued = account.client("acm").request_certificate(DomainName="app.example.com")

    assert "was not imported" in refusal(account, CertificateArn=issued["CertificateArn"], **pair())
