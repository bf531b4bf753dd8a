"""The details that ACM reads from an imported certificate, and the certificates that it refuses; ministack's ACM accepts any input.

https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-prerequisites.html
https://docs.aws.amazon.com/acm/latest/userguide/import-reimport.html
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID
from ministack.core.responses import error_response_json

from embedded_aws.bridge import functions, tables
from embedded_aws.services.records import Request, ServiceError

Answer = Callable[[Request], Any]
Rule = Callable[[Request, Answer], Any]

_CURVES = {
    "secp256r1": "EC_prime256v1",
    "secp384r1": "EC_secp384r1",
    "secp521r1": "EC_secp521r1",
}
# The usages that do not depend on another usage.
_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
# API_ImportCertificate.
_LONGEST_KEY_BYTES = 5120


def install() -> None:
    """Check requests before ministack's ACM answers them."""
    functions.import_certificate.replace(_guarded(_import, functions.import_certificate.current))
    functions.delete_certificate.replace(_guarded(_delete, functions.delete_certificate.current))
    described = functions.certificate_detail.current
    functions.certificate_detail.replace(
        lambda record: {**described(record), **_described_details(record)}
    )


def _guarded(rule: Rule, answer: Answer) -> Answer:
    def guarded(request: Request) -> Any:
        try:
            return rule(request, answer)
        except ServiceError as error:
            return error_response_json(error.code, str(error), error.status)

    return guarded


def _delete(request: Request, answer: Answer) -> Any:
    if not request["CertificateArn"].startswith("arn:"):
        raise _invalid(f"{request['CertificateArn']} is not the ARN of a certificate.")
    users = _used_by(request["CertificateArn"])
    if users:
        raise ServiceError(
            "ResourceInUseException",
            f"Certificate {request['CertificateArn']} is in use. In use by: {', '.join(users)}",
        )
    return answer(request)


def _import(request: Request, answer: Answer) -> Any:
    """Import a complete certificate that is valid today; an existing ARN keeps its kind of key."""
    certificate = _whole(request)
    arn = request.get("CertificateArn")
    if arn:
        _check_kind(request, certificate, _imported(arn))
    status, headers, body = answer(request)
    if status < 300:
        names = _names(certificate)
        tables.CERTIFICATES[json.loads(body)["CertificateArn"]] |= {
            "DomainName": names[0],
            "SubjectAlternativeNames": names,
            "NotBefore": certificate.not_valid_before_utc.timestamp(),
            "NotAfter": certificate.not_valid_after_utc.timestamp(),
        }
    return status, headers, body


def _whole(request: Request) -> x509.Certificate:
    """The certificate of a request, if it is valid today and has the key of the request."""
    pem, key_pem = (
        functions.decode_pem(request.get(name)).encode() for name in ("Certificate", "PrivateKey")
    )
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _invalid("The certificate or the private key is not valid PEM.") from None
    if len(key_pem) > _LONGEST_KEY_BYTES or key.public_key() != certificate.public_key():
        raise _invalid("The private key is too long, or is not that of the certificate.")
    if not certificate.not_valid_before_utc <= datetime.now(UTC) < certificate.not_valid_after_utc:
        raise _invalid("The certificate is not valid at this time.")
    if not list(certificate.issuer) or not _names(certificate):
        raise _invalid("The certificate has no issuer, or no domain name.")
    return certificate


def _imported(arn: str) -> x509.Certificate:
    record = functions.own_certificate(arn)
    if record is None:
        raise ServiceError("ResourceNotFoundException", f"Could not find certificate {arn}.")
    if record["Type"] != "IMPORTED":
        raise _invalid(f"The certificate {arn} was not imported.")
    return x509.load_pem_x509_certificate(record["_pem_body"].encode())


def _check_kind(request: Request, new: x509.Certificate, old: x509.Certificate) -> None:
    """The type of key does not change, usages can only be added, and another call sets tags."""
    if request.get("Tags"):
        raise _invalid("Tagging is not permitted on re-import.")
    if _algorithm(new) != _algorithm(old):
        raise _invalid("The key type and size of a certificate cannot be changed.")
    if not _usages(old) <= _usages(new):
        raise _invalid("Key usages of a certificate cannot be removed.")


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def _usages(certificate: x509.Certificate) -> set[str]:
    found: set[str] = set()
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.ExtendedKeyUsage):
            found |= {usage.dotted_string for usage in extension.value}
        if isinstance(extension.value, x509.KeyUsage):
            found |= {name for name in _KEY_USAGES if getattr(extension.value, name)}
    return found


def _names(certificate: x509.Certificate) -> list[str]:
    """The common name and the alternative names, each once."""
    common = [
        str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    ]
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        others = extension.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        others = []
    return list(dict.fromkeys([*common, *others]))


def _algorithm(certificate: x509.Certificate) -> str:
    match certificate.public_key():
        case ec.EllipticCurvePublicKey() as key if key.curve.name in _CURVES:
            return _CURVES[key.curve.name]
        case rsa.RSAPublicKey() as key:
            return f"RSA_{key.key_size}"
        case _:
            raise _invalid("ACM does not support the key algorithm of the certificate.")


def _described_details(record: dict[str, Any]) -> dict[str, Any]:
    """Details of DescribeCertificate that ministack leaves out."""
    used = {"InUseBy": _used_by(record["CertificateArn"])}
    if record.get("Type") != "IMPORTED":
        return used
    certificate = x509.load_pem_x509_certificate(record["_pem_body"].encode())
    return {**used, "KeyAlgorithm": _algorithm(certificate)}


def _used_by(arn: str) -> list[str]:
    """The load balancers with a listener that has the certificate, and the users that ministack knows."""
    balancers = {
        listener["LoadBalancerArn"]
        for listener in tables.LISTENERS.values()
        if arn in listener.get("Certificates", ())
    }
    return [*sorted(balancers), *functions.signing_profiles_using(arn)]
