"""Tokens and sessions: signed with one key and accepted by two, so that a rotation signs no user out."""

import base64
import hashlib
import hmac
import json
import os
import time

TOKEN, SESSION = "JWT_SECRET", "SESSION_KEY"
LIFETIME_SECONDS = 60 * 60
HEADER = {"alg": "HS256", "typ": "JWT"}


def sign(variable: str, user: str) -> str:
    """A JSON Web Token for a user, signed with the key in the variable."""
    claims = {"sub": user, "exp": int(time.time()) + LIFETIME_SECONDS}
    message = b".".join(_encoded(json.dumps(part).encode()) for part in (HEADER, claims))
    return b".".join((message, _signature(os.environ[variable], message))).decode()


def user_of(variable: str, token: str) -> str | None:
    """The user of a token that is signed with either key and has not expired."""
    message, _, signature = token.encode().rpartition(b".")
    keys = (os.environ[variable], os.environ[f"{variable}_SECONDARY"])
    if not any(hmac.compare_digest(signature, _signature(key, message)) for key in keys):
        return None
    _, _, encoded = message.partition(b".")
    claims = json.loads(base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4)))
    return str(claims["sub"]) if claims["exp"] > time.time() else None


def _signature(key: str, message: bytes) -> bytes:
    return _encoded(hmac.digest(key.encode(), message, hashlib.sha256))


def _encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")
