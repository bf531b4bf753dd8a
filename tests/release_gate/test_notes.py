"""The error for invalid notes is one sentence with file and entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.gate.findings import Finding
from pipeline.gate.notes import Reason, load_notes

GOOD = """
summary: All of it.
before_the_update: [Read this.]
breaking:
  - change: Data.Database is replaced
    reason: The new one
      is faster.
"""


def notes_of(folder: Path, text: str) -> object:
    (folder / "3.0.0.yaml").write_text(text, encoding="utf-8")
    return load_notes("3.0.0", folder)


def test_notes_give_reasons(tmp_path: Path) -> None:
    notes_of(tmp_path, GOOD)
    notes = load_notes("3.0.0", tmp_path)
    replaced, deleted = (
        Finding(f"Data.Database is {word}", ()) for word in ("replaced", "deleted")
    )

    assert (notes.summary, notes.before_the_update) == ("All of it.", ("Read this.",))
    assert notes.reason(replaced) == Reason("The new one is faster.")
    assert notes.without_reason([replaced, deleted]) == [deleted]


def test_version_without_notes_gives_no_reason(tmp_path: Path) -> None:
    assert dict(load_notes("9.9.9", tmp_path).reasons) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "3.0.0.yaml cannot be read: while parsing a flow node"),
        ("", "must have the key summary"),
        ("breaking: []", "must have the key summary"),
        (f"{GOOD}more: 1", "can only have the keys before_the_update, breaking and summary"),
        ("summary: 3", "summary must be a sentence"),
        ("summary: a\nbefore_the_update: b", "before_the_update must be a list"),
        ("summary: a\nbreaking: [b]", "entry 1 of breaking must have change and reason"),
        (GOOD.replace("reason", "why"), "entry 1 of breaking must have change and reason"),
        (GOOD.replace("Data.Database is", "It gets"), "change is 'It gets replaced'; copy it from"),
        (GOOD.replace("The new one\n      is faster.", "''"), "reason must be a sentence"),
        (
            f"{GOOD}  - {{change: Data.Database is replaced, reason: a}}",
            "entry 2 of breaking repeats",
        ),
        (f"{GOOD}    minor_because: 1", "minor_because must be a sentence"),
    ],
)
def test_wrong_notes_are_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(PipelineError) as refused:
        notes_of(tmp_path, text)

    assert "3.0.0.yaml" in str(refused.value)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
