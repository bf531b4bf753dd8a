"""The caller: the identity that determines launch paths and the owner of a provisioned product."""

import contextvars
from collections.abc import Mapping
from dataclasses import dataclass

from ministack.core.iam_evaluator import resolve_caller_identity
from ministack.core.responses import get_account_id
from ministack.core.router import extract_access_key_id

from embedded_aws.bridge import tables


@dataclass(frozen=True)
class Caller:
    """A principal: `arn` is that of its user or role, `session_arn` that of its credentials."""

    arn: str
    session_arn: str

    def principals(self) -> list[str]:
        """The ARNs of the caller that a portfolio can contain: its own and those of its groups."""
        user = self.arn.rpartition("/")[2]
        if ":user/" not in self.arn:
            return [self.arn]
        groups = [
            group["Arn"] for group in tables.USER_GROUPS.values() if user in group.get("Users", ())
        ]
        return [self.arn, *groups]


_current: contextvars.ContextVar[Caller] = contextvars.ContextVar("service_catalog_caller")


def current() -> Caller:
    """The caller of the current request."""
    return _current.get()


def remember(headers: Mapping[str, str]) -> None:
    """Find the caller that signed a request; an unknown key belongs to the account itself."""
    identity = resolve_caller_identity(extract_access_key_id(dict(headers), {}) or "")
    root = f"arn:aws:iam::{get_account_id()}:root"
    session_arn = str(identity["userArn"]) if identity else root
    _current.set(Caller(without_session(session_arn), session_arn))


def without_session(session_arn: str) -> str:
    """The role's ARN of a session: arn:aws:sts::1:assumed-role/name/session has no path."""
    head, _, rest = session_arn.partition(":assumed-role/")
    if not rest:
        return session_arn
    name = rest.split("/")[0]
    role = tables.ROLES.get(name)
    return str(role["Arn"]) if role else f"{head.replace(':sts:', ':iam:')}:role/{name}"
