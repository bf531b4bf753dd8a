"""The lines of a check of the account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line: the subject, whether it is ready, and a sentence that says why and, for a no, what to do.

    ``holds`` is None where the account cannot be read; the sentence then names the missing permission. ``stops`` says whether
    a launch fails because of it; an environment that can be launched but cannot grow to its largest size is a no that stops nothing.
    """

    subject: str
    holds: bool | None
    text: str
    stops: bool = True

    @property
    def word(self) -> str:
        """The verdict in words."""
        return {True: "yes", False: "no", None: "cannot tell"}[self.holds]


def yes(subject: str, text: str) -> Finding:
    """A line that is ready."""
    return Finding(subject, holds=True, text=text)


def no(subject: str, text: str, *, stops: bool = True) -> Finding:
    """A line that is not ready."""
    return Finding(subject, holds=False, text=text, stops=stops)


def cannot_tell(subject: str, text: str) -> Finding:
    """A line about something that these credentials cannot read."""
    return Finding(subject, holds=None, text=text, stops=False)


def stopping(findings: Sequence[Finding]) -> list[Finding]:
    """The lines that stop a launch."""
    return [each for each in findings if each.holds is False and each.stops]
