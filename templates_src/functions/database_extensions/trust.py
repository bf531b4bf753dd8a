"""The authorities of a database's certificate."""

import os
import ssl
from pathlib import Path

from ..custom_resource import ProvisioningError

ROOTS = Path(__file__).parent / "rds_roots"


def verified_tls() -> ssl.SSLContext:
    """TLS 1.2 or later that accepts only a certificate with the name of the database, signed by a root of this region.

    The roots are the PEM file that DATABASE_CA_FILE names, otherwise those of Amazon RDS in AWS_REGION. The override
    replaces only the roots: no setting turns verification off. Raises ProvisioningError without roots.

    The context does not use ssl.create_default_context: since Python 3.13 that adds VERIFY_X509_STRICT, which refuses
    some valid certificates, and libpq's verify-full does not require it either.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    override = os.environ.get("DATABASE_CA_FILE")
    roots = Path(override) if override else _roots_of_region(os.environ.get("AWS_REGION", ""))
    try:
        context.load_verify_locations(cafile=roots)
    except OSError as error:  # ssl.SSLError is one: a file without certificates
        raise ProvisioningError(
            f"{roots} holds no certificates to verify the database with."
        ) from error
    return context


def _roots_of_region(region: str) -> Path:
    roots = ROOTS / f"{region}.pem"
    if not roots.is_file():
        raise ProvisioningError(
            f"This release has no root certificates of Amazon RDS for the region '{region}', so the database cannot be verified:"
            " add them to tools/rds_roots.py, or name a PEM file in DATABASE_CA_FILE."
        )
    return roots
