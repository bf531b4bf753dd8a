"""Errors that the command line prints as one sentence instead of a traceback."""

import difflib
from collections.abc import Iterable


class PipelineError(Exception):
    """An operation cannot continue; the text says in one sentence what is wrong, where, and what to do."""

    exit_status = 1


class DataLossError(PipelineError):
    """An operation that would lose data which the user did not name."""

    exit_status = 3


def listed(names: list[str]) -> str:
    """Names as prose: ``a``, ``a and b``, ``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean NAME?`` with the known name that is closest to a misspelt one, empty where none is close."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else ""
