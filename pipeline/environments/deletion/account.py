"""Reading an account with credentials that may lack permissions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.aws import Aws, code_of


class UnreadableError(Exception):
    """These credentials cannot make a call, or AWS did not answer it; the account has recorded it.

    The text names the missing permission, or the call with its error code. ``denied`` says whether a permission is missing.
    """

    def __init__(self, text: str, *, denied: bool) -> None:
        super().__init__(text)
        self.denied = denied


@dataclass
class Account:
    """An account in one region. ``unread`` has, by IAM action, the subjects that these credentials cannot read."""

    aws: Aws
    unread: dict[str, list[str]] = field(default_factory=dict)

    def read(self, action: str, about: str, call: Callable[[Any], Any]) -> Any | None:
        """The answer of a call, which receives the client of the action's service; None if the resource does not exist.

        ``action`` is the IAM action that the call needs, ``about`` its subject. Raises UnreadableError for every other
        error of the service, and the errors of botocore where AWS cannot be reached.
        """
        from botocore.exceptions import ClientError

        try:
            return call(self.aws.client(_CLIENTS.get(action.partition(":")[0], _service(action))))
        except ClientError as error:
            code = code_of(error)
            if is_absent(code) or "does not exist" in str(error):
                return None
            denied = is_denied(code)
            known = action if denied else f"{action} ended in {code}"
            subjects = self.unread.setdefault(known, [])
            if about not in subjects:
                subjects.append(about)
            raise UnreadableError(f"needs {action}" if denied else known, denied=denied) from error

    def lines(self) -> Iterator[str]:
        """The subjects that these credentials cannot read, and the permission that each needs."""
        for action, subjects in self.unread.items():
            needs = action if " ended in " in action else f"needs {action}"
            yield f"Not known: {', '.join(subjects)} ({needs})."


# The services whose IAM prefix is not the name of the SDK's client.
_CLIENTS = {"elasticloadbalancing": "elbv2", "servicequotas": "service-quotas"}


def _service(action: str) -> str:
    return action.partition(":")[0]


def is_denied(code: str) -> bool:
    """Whether an error code says that a permission is missing; S3 answers some calls with the HTTP status alone."""
    return code == "403" or any(
        word in code for word in ("AccessDenied", "Unauthorized", "AuthorizationError")
    )


def is_absent(code: str) -> bool:
    """Whether an error code says that a resource does not exist."""
    return code == "404" or "NotFound" in code or code.startswith("NoSuch")
