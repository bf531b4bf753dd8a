"""The form in which PostgreSQL stores a password, computed here, so that no statement or server log contains the password."""

import base64
import hashlib
import hmac
import os

ITERATIONS = 4096
"""PostgreSQL's default, and the minimum of RFC 7677."""

SALT_BYTES = 16


def verifier(password: str, salt: bytes | None = None) -> str:
    """The SCRAM-SHA-256 verifier of an ASCII password, for ``ALTER ROLE … PASSWORD``.

    ASCII, because SASLprep does not change printable ASCII. Raises ValueError for other characters.
    https://www.postgresql.org/docs/16/catalog-pg-authid.html
    """
    if not (password.isascii() and password.isprintable()):
        raise ValueError("a password must consist of printable ASCII characters")
    salt = os.urandom(SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored_key = hashlib.sha256(_sign(salted, b"Client Key")).digest()
    server_key = _sign(salted, b"Server Key")
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored_key)}:{_text(server_key)}"


def _sign(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
