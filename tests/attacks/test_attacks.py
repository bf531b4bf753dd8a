"""Every attempt of the table is refused for the named reason, and succeeds without only that reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.attacks.__main__ import PAGE, page
from tests.attacks.attack import Attack, findings
from tests.attacks.products import LAUNCHES
from tests.attacks.table import ATTACKS

# The principals of docs/rights.md; each makes attempts.
PRINCIPALS = {
    "outsider",
    "account that a portfolio is shared with",
    "development launcher",
    "production launcher",
    "publisher of a modified template",
    "publisher role",
    "plan role",
    "taskcat role",
    "deploy role",
    "api task",
    "worker task",
    "beat task",
    "search instance",
    "function or service role",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_attempt_is_refused_only_by_its_guards(attack: Attack) -> None:
    assert attack.guards
    assert findings(attack) == []


def test_every_principal_makes_attempts() -> None:
    made = {attack.principal for attack in ATTACKS} | {launch.principal for launch in LAUNCHES}
    assert made == PRINCIPALS
    assert len(ATTACKS) >= 40
    assert len({str(attack) for attack in ATTACKS}) == len(ATTACKS)


def test_page_lists_every_attempt() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "run `python -m tests.attacks`"


def test_unknown_guard_is_an_error() -> None:
    attempt = ATTACKS[0].attempt()
    for guard in ("use-buckets/Nothing: Effect", "boundary"):
        with pytest.raises(ValueError, match=r"guard|boundary"):
            attempt.without(guard)


def test_a_guard_that_does_not_decide_is_found() -> None:
    """Planted faults: another guard of the same policies, and a second guard that a table forgets."""
    decided = next(
        each for each in ATTACKS if len(each.guards) == 1 and "read-secrets" in str(each.guards)
    )
    with pytest.raises(AssertionError):
        test_attempt_is_refused_only_by_its_guards(
            replace(decided, guards=("read-secrets/DecryptThroughSecretsManagerOnly: Resource",))
        )
    twofold = next(each for each in ATTACKS if len(each.guards) == 2)
    with pytest.raises(AssertionError):
        test_attempt_is_refused_only_by_its_guards(replace(twofold, guards=twofold.guards[:1]))
