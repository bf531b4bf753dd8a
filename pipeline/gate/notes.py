"""The release notes that people write in notes/VERSION.yaml. The gate and docs/releases/VERSION.md read them.

    summary: What the release is about, in one sentence.
    before_the_update:
      - What a user must know or do before the update.
    breaking:
      - change: Parameter WafRateLimit is removed
        reason: Why the change is worth it, and what a user does.
        minor_because: Why it needs no new major version.

Only ``summary`` is required at the top; ``minor_because`` is optional. ``change`` repeats the text of the gate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError, listed
from pipeline.gate.findings import Finding
from pipeline.parameters.profiles import display_path
from pipeline.paths import NOTES

_RESOURCE = r"[A-Za-z0-9]+(\.[A-Za-z0-9]+)?"
# The possible values of `change`: the texts of pipeline.gate.findings and pipeline.changes.interface.
CHANGE = re.compile(
    rf"{_RESOURCE} (is replaced|may be replaced|is deleted|leaves the stack|loses data|fails)"
    r"|Parameter \w+ is (removed|renamed \w+|required|narrowed)"
    r"|Output \w+ is removed"
    r"|Layer \w+ has an incompatible interface"
)
_KEYS = {"summary", "before_the_update", "breaking"}
_ENTRY = {"change", "reason", "minor_because"}


@dataclass(frozen=True)
class Reason:
    """The reason for a breaking change, and why it needs no major version; empty if it does."""

    reason: str
    minor_because: str = ""


@dataclass(frozen=True)
class Notes:
    """The notes of a version; ``reasons`` by their change."""

    file: str
    summary: str = ""
    before_the_update: tuple[str, ...] = ()
    reasons: Mapping[str, Reason] = field(default_factory=dict)

    def reason(self, finding: Finding) -> Reason | None:
        """The reason for a change in the notes; None if there is none."""
        return self.reasons.get(finding.change)

    def without_reason(self, findings: Iterable[Finding]) -> list[Finding]:
        """The changes without a reason in the notes."""
        return [finding for finding in findings if self.reason(finding) is None]


def load_notes(version: str, folder: Path = NOTES) -> Notes:
    """The notes of a version; empty if the file does not exist.

    Raises PipelineError with the file and the entry for notes that cannot be read.
    """
    path = folder / f"{version}.yaml"
    file = display_path(path)
    if not path.exists():
        return Notes(file)
    import yaml

    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise PipelineError(f"{file} cannot be read: {reason}.") from error
    return _checked(body, file)


def _checked(body: Any, file: str) -> Notes:
    if not isinstance(body, dict) or not body.keys() <= _KEYS or "summary" not in body:
        raise PipelineError(
            f"{file} must have the key summary, and can only have the keys {_list(_KEYS)}."
        )
    reasons: dict[str, Reason] = {}
    for number, entry in enumerate(_items(body, "breaking", file), 1):
        where = f"{file}: entry {number} of breaking"
        if not isinstance(entry, dict) or not {"change", "reason"} <= entry.keys() <= _ENTRY:
            raise PipelineError(
                f"{where} must have change and reason, and can only have the keys {_list(_ENTRY)}."
            )
        change = _text(entry["change"], f"{where}: change")
        if not CHANGE.fullmatch(change):
            raise PipelineError(
                f"{where}: change is {change!r}; copy it from the message of the gate, such as 'Data.Database is replaced'."
            )
        if change in reasons:
            raise PipelineError(f"{where} repeats {change!r}; remove one of the two.")
        minor = _text(entry["minor_because"], f"{where}: minor_because") if len(entry) > 2 else ""
        reasons[change] = Reason(_text(entry["reason"], f"{where}: reason"), minor)
    return Notes(
        file,
        _text(body["summary"], f"{file}: summary"),
        tuple(
            _text(each, f"{file}: before_the_update")
            for each in _items(body, "before_the_update", file)
        ),
        reasons,
    )


def _items(body: Mapping[str, Any], key: str, file: str) -> list[Any]:
    found = body.get(key, [])
    if not isinstance(found, list):
        raise PipelineError(f"{file}: {key} must be a list.")
    return found


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PipelineError(f"{where} must be a sentence.")
    return " ".join(value.split())


def _list(keys: Iterable[str]) -> str:
    return listed(sorted(keys))
