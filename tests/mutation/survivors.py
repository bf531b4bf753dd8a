"""The mutants that no check finds, each with the reason. The list may only shrink: `--write` only removes entries."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.mutation.reasons import EQUIVALENT

FILE = Path(__file__).with_name("survivors.txt")


@cache
def listed() -> frozenset[str]:
    """The keys of the list."""
    return frozenset(line for line in FILE.read_text(encoding="utf-8").splitlines() if line)


def reason(key: str) -> str | None:
    """Why a mutant changes nothing; None if no reason matches."""
    return next((text for pattern, text in EQUIVALENT if pattern.fullmatch(key)), None)


def is_equivalent(key: str) -> bool:
    """Whether a mutant changes nothing for a user, so that no check can find it."""
    return reason(key) is not None


def keep(alive: set[str]) -> None:
    """Remove the entries that a check finds now."""
    kept = sorted(listed() & alive)
    FILE.write_text("".join(f"{key}\n" for key in kept), encoding="utf-8")


def added_since(kept: Path) -> list[str]:
    """The entries that the list of a kept release does not have; none if the release was kept without a list."""
    if not kept.exists():
        return []
    return sorted(listed() - set(kept.read_text(encoding="utf-8").splitlines()))
