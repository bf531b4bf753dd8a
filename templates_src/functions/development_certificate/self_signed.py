"""A P-256 key and a self-signed certificate for a TLS server.

Pure Python, so that one zip runs on every architecture. The ecdsa package warns that an attacker who measures the time
of many signatures can learn the key (CVE-2024-23342). That needs thousands of signatures with one key. Here a key signs
once, without an observer, and after that the load balancer signs.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import ecdsa
from asn1crypto import core, keys, pem, x509
from ecdsa.util import sigencode_der

VALIDITY = timedelta(days=825)
"""The longest validity that Apple's platforms accept of a TLS server: https://support.apple.com/en-us/103769"""

CLOCK_SKEW = timedelta(minutes=5)
"""The largest delay of a client's clock."""

ORGANIZATION = "Self-signed development certificate"

LONGEST_COMMON_NAME = 64
"""RFC 5280, ub-common-name."""

SIGNATURE = {"algorithm": "sha256_ecdsa"}


@dataclass(frozen=True)
class SelfSigned:
    """A certificate and its key (PKCS #8), in PEM; no representation contains the key."""

    certificate: bytes
    private_key: bytes = field(repr=False)
    expires: datetime


def self_signed(domain_names: Sequence[str]) -> SelfSigned:
    """A new key and its certificate for one or more names."""
    key = ecdsa.SigningKey.generate(curve=ecdsa.NIST256p, hashfunc=hashlib.sha256)
    begins = datetime.now(UTC).replace(microsecond=0) - CLOCK_SKEW
    # The last second counts as well.
    expires = begins + VALIDITY - timedelta(seconds=1)
    name = _distinguished_name(domain_names[0])
    public_key = keys.PublicKeyInfo.load(key.verifying_key.to_der())
    content = x509.TbsCertificate(
        {
            "version": "v3",
            # At most 20 octets, positive: RFC 5280, 4.1.2.2.
            "serial_number": secrets.randbits(158) + 1,
            "signature": SIGNATURE,
            "issuer": name,
            "validity": {
                "not_before": x509.Time({"utc_time": begins}),
                "not_after": x509.Time({"utc_time": expires}),
            },
            "subject": name,
            "subject_public_key_info": public_key,
            "extensions": _extensions(domain_names, public_key),
        }
    )
    # Deterministic (RFC 6979), so that a signature needs no random number.
    signature = key.sign_deterministic(content.dump(), sigencode=sigencode_der)
    certificate = x509.Certificate(
        {
            "tbs_certificate": content,
            "signature_algorithm": SIGNATURE,
            "signature_value": core.OctetBitString(signature),
        }
    )
    return SelfSigned(
        pem.armor("CERTIFICATE", certificate.dump()),
        pem.armor("PRIVATE KEY", _pkcs8(key).dump()),
        expires,
    )


def _pkcs8(key: ecdsa.SigningKey) -> keys.PrivateKeyInfo:
    """The key in PKCS #8, version 1; the ecdsa package writes version 2 without its public key, which some readers refuse."""
    return keys.PrivateKeyInfo.wrap(keys.ECPrivateKey.load(key.to_der()), "ec")


def _distinguished_name(domain_name: str) -> x509.Name:
    """Subject and issuer. ACM shows the common name, clients read only the alternative names.

    A name that is too long is replaced by the wildcard of its domain.
    """
    shown = domain_name
    if len(shown) > LONGEST_COMMON_NAME:
        shown = "*." + domain_name.split(".", 1)[1]
    return x509.Name.build({"organization_name": ORGANIZATION, "common_name": shown})


def _extensions(
    domain_names: Sequence[str], public_key: keys.PublicKeyInfo
) -> list[dict[str, Any]]:
    """The usages of a TLS server only. ACM refuses a renewed certificate with fewer usages than the former one."""
    names = [x509.GeneralName("dns_name", name) for name in domain_names]
    return [
        _extension("subject_alt_name", names),
        _extension("basic_constraints", {"ca": False}, critical=True),
        _extension("key_usage", {"digital_signature"}, critical=True),
        _extension("extended_key_usage", ["server_auth"]),
        _extension("key_identifier", public_key.sha1),
    ]


def _extension(name: str, value: Any, *, critical: bool = False) -> dict[str, Any]:
    return {"extn_id": name, "critical": critical, "extn_value": value}
