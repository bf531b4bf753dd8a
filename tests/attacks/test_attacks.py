"""Every attempt of the table is refused for the reason that it names, and succeeds without exactly that reason."""

from __future__ import annotations

import pytest

from tests.attacks.attack import Attack, without
from tests.attacks.table import ATTACKS

# The principals of the issue; each makes attempts.
PRINCIPALS = {
    "outsider",
    "api task",
    "worker task",
    "beat task",
    "deploy role",
    "search instance",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_attempt_is_refused_by_its_guards_and_by_nothing_else(attack: Attack) -> None:
    attempt = attack.attempt()

    assert attack.guards
    assert not attempt.decision().allowed
    for guard in attack.guards:
        alone = without(attempt, [other for other in attack.guards if other != guard]).decision()
        assert guard in alone.reasons(), (guard, alone.reasons())
    assert without(attempt, attack.guards).decision().allowed


def test_every_principal_makes_attempts() -> None:
    assert {attack.principal for attack in ATTACKS} >= PRINCIPALS
    assert len(ATTACKS) >= 40
    assert len({str(attack) for attack in ATTACKS}) == len(ATTACKS)
