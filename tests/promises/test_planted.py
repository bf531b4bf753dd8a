"""What the tests of the promises find: faults planted in pages, in clauses, and in named tests."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.promises import ledger, named
from tests.promises.breaks import broken
from tests.promises.document import Unit, units_of
from tests.promises.figures import stated
from tests.promises.judging import findings, problems_of, unread
from tests.promises.ledger import Entry

PAGE = """# Title

One sentence. `Another` sentence, with [a link](page.md)
over two lines.

- **Term.** An item.

| what | first | second |
|---|---|---|
| row | one | `a \\| b` |

    code that is no sentence
"""
CHECK = "data/deletion-policies-match-the-table"


def entry(text: str, *clauses: str) -> Entry:
    return Entry(Unit("Section", text), list(clauses))


def test_each_sentence_and_row_is_a_unit() -> None:
    assert [unit.text for unit in units_of("page.md", PAGE)] == [
        "One sentence.",
        "`Another` sentence, with a link over two lines.",
        "Term: An item.",
        r"row | one | `a \| b`",
    ]


def test_a_new_sentence_has_no_check_and_the_others_keep_theirs() -> None:
    former = [entry("It stays.", f"held by {CHECK}")]
    former[0].unit = Unit("Title", "It stays.")
    units = units_of("page.md", "# Title\n\nIt stays. It is new.\n")

    updated = ledger.updated(units, former)

    assert [each.checks for each in updated] == [[CHECK], []]
    assert list(problems_of(updated[0])) == []
    assert list(problems_of(updated[1]))
    assert list(ledger.parse(ledger.text(updated))) == updated


@pytest.mark.parametrize(
    ("planted", "says"),
    [
        (entry("It stays."), "needs either a check or the reason"),
        (entry("It stays.", f"held by {CHECK}", "advice"), "needs either a check or the reason"),
        (entry("It stays.", "held by data/no-such-relation"), "no relation"),
        (entry("It stays.", "held by attempt api task: flies"), "makes no"),
        (entry("It stays.", "held by no/such_file.py::test_it"), "does not exist"),
        (entry("It stays.", "held by test_golden.py::test_no_such_test"), "has no test"),
        (entry("It stays.", "explanation"), "no explanation"),
        (entry("It is kept.", "advice"), "no advice"),
        (entry("It is kept.", "risk"), "no risk"),
        (entry("It is kept.", "AWS: it is known"), "no address"),
        (entry("It is kept.", "held"), "not a clause"),
        (
            entry("after 5 minutes", f"held by {CHECK}", "states after {WorkerTaskDefinition/Cpu}"),
            "The templates or the code say: 'after ",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_entry_is_found(planted: Entry, says: str) -> None:
    assert [problem for problem in problems_of(planted) if says in problem]


def test_a_number_that_nothing_reads_is_found() -> None:
    assert unread(entry("It stays for 7 days.", f"held by {CHECK}")) == {"7"}
    assert unread(entry("`x=7` stays.", f"held by {CHECK}")) == set()


def test_figures_are_those_of_the_templates() -> None:
    assert stated("{ApiTargetGroup/HealthCheckIntervalSeconds} s") == "15 s"
    assert stated("in dev: {BucketRemovalFunction/Timeout as minutes} min") == "15 min"
    assert stated("{least LoadBalancerIdleTimeout}-{most LoadBalancerIdleTimeout as thousands}")


def test_a_change_that_breaks_a_promise_is_found_and_another_is_not() -> None:
    checks = {CHECK: named.relations()[CHECK]}

    assert findings(checks, 'Key/../DeletionPolicy = "Delete"') == {CHECK}
    assert findings(checks, "without Key") == set()
    assert "Key" not in broken("without Key").layers["security"]["Resources"]


@pytest.mark.parametrize(
    ("body", "fails"),
    [
        ("assert 1 == 1", True),
        ("with pytest.raises(ValueError): pass", True),
        ("helper()", True),
        ("pass", False),
        ("other()", False),
    ],
)
def test_a_test_that_asserts_nothing_is_found(tmp_path: Path, body: str, fails: bool) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(
        f"def helper():\n    assert 1\n\ndef other():\n    return 1\n\ndef test_it():\n    {body}\n"
    )

    assert ast.parse(path.read_text())
    assert named.can_fail(path, "test_it") is fails
