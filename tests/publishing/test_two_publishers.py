"""Two publishers in parallel, one waiting before each of its calls while the other runs: at least one succeeds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from pipeline.catalog.publish import refusals
from tests.publishing.conftest import Publisher
from tests.publishing.faults import Calls, Clients, is_write
from tests.publishing.interleaving import NEVER, Pair, Turn, Wishes, in_turns
from tests.publishing.interruptions import SHARED
from tests.publishing.minimal_catalog import CATALOG, small_catalog
from tests.publishing.states import StatefulAws

OLDER: dict[str, Any] = {"version": "1.1.0"}
NEWER: dict[str, Any] = {"version": "1.2.0"}


@dataclass
class Meeting:
    """Two publishers to one AWS, which has the same state in every trial."""

    pair: Pair
    aws: StatefulAws
    good: set[str] = field(default_factory=set)

    def prepare(self, **published: Any) -> None:
        """Restore the state before the publication."""
        self.aws.reset()
        if published:
            self.pair[0].publish(**published)
        self.aws.keep()

    def one_after_the_other(self, *wanted: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The result of both without interleaving, and the calls of the first."""
        self.aws.restore()
        made = Calls()
        self.pair[0].publish(made, **wanted[0])
        for other in wanted[1:]:
            self.pair[1].publish(**other)
        return self.pair[0].snapshot(), made.made

    def in_parallel(self, wanted: Wishes, at: int, other_at: int = NEVER) -> tuple[Turn, Turn]:
        """Both publish from the prepared state."""
        self.aws.restore()
        return in_turns(self.pair, wanted, at, other_at)

    def expect(self, expected: dict[str, Any], last: dict[str, Any], where: str) -> None:
        """Fails unless AWS has the expected state, and publishing the last release again has no steps."""
        state = self.aws.digest()
        # States that differ only in random identifiers and times are checked once.
        if state not in self.good:
            assert self.pair[0].snapshot() == expected, where
            assert not self.pair[0].plan(**last)[0].writing, where
            self.good.add(state)


@pytest.fixture
def meeting(stateful_publisher: Publisher, stateful_aws: StatefulAws) -> Meeting:
    clients = Clients(stateful_aws), Clients(stateful_aws)
    other = Publisher(stateful_aws, stateful_publisher.release, *clients)
    return Meeting((stateful_publisher, other), stateful_aws)


def guidance(held: dict[str, Any]) -> dict[str, str]:
    """The guidance of each version of the product, by name; fails for a name that exists twice."""
    [product] = held["products"]
    found = [dict(version) for version in product["versions"]]
    named = {version["Name"]: version["Guidance"] for version in found}
    assert len(named) == len(found)
    return named


def places(made: list[str]) -> list[int]:
    """The numbers of the writing calls, and the end."""
    return [number for number, name in enumerate(made, 1) if is_write(name)] + [len(made) + 1]


def test_two_of_the_same_release_agree(meeting: Meeting) -> None:
    meeting.prepare()
    wanted = {"catalog": small_catalog(SHARED)}
    expected, made = meeting.one_after_the_other(wanted)
    assert len(made) > 35
    held = 0

    for at, name in enumerate([*made, "its end"], 1):
        one, other = meeting.in_parallel((wanted, wanted), at)
        held += one.held
        assert one.refusal == other.refusal == "", f"held before {name}"
        meeting.expect(expected, wanted, f"held before {name}")

    assert held == len(made)


def test_newest_of_two_versions_is_the_default(meeting: Meeting) -> None:
    meeting.prepare(version="1.0.0")
    expected, made = meeting.one_after_the_other(OLDER, NEWER)
    assert guidance(expected) == {"1.1.0": "DEPRECATED", "1.2.0": "DEFAULT"}
    assert len(made) > 30
    held = 0

    for at, name in enumerate([*made, "its end"], 1):
        one, other = meeting.in_parallel((OLDER, NEWER), at)
        held += one.held
        assert one.refusal == other.refusal == "", f"held before {name}"
        meeting.expect(expected, NEWER, f"held before {name}")

    assert held == len(made)


@pytest.mark.parametrize("wanted", [(OLDER, NEWER), (NEWER, OLDER)], ids=["older", "newer"])
def test_newest_of_two_versions_is_the_default_also_if_both_wait(
    meeting: Meeting, wanted: Wishes
) -> None:
    meeting.prepare(version="1.0.0")
    expected, _ = meeting.one_after_the_other(OLDER, NEWER)
    _, made = meeting.one_after_the_other(wanted[0])
    create = made.index("CreateProvisioningArtifact")
    last = len(made) - made[::-1].index("ListProvisioningArtifacts")
    phase = range(create + 1, last + 1)
    # A publisher learns nothing about the other's version from the description of the version it publishes.
    numbers = [at for at in phase if made[at - 1] != "DescribeProvisioningArtifact"]
    assert [made[at - 1] for at in numbers] == [
        "CreateProvisioningArtifact",
        "UpdateProvisioningArtifact",
        "ListProvisioningArtifacts",
    ]

    for at in numbers:
        for other_at in numbers:
            one, other = meeting.in_parallel(wanted, at, other_at)
            where = f"held before {at} and {other_at} of {made}"
            assert one.held, where
            assert other.held, where
            assert one.refusal == other.refusal == "", where
            meeting.expect(expected, NEWER, where)


def test_two_first_versions_create_one_product(meeting: Meeting) -> None:
    meeting.prepare()
    expected, made = meeting.one_after_the_other(OLDER, NEWER)

    for at in places(made):
        one, other = meeting.in_parallel((OLDER, NEWER), at)
        assert one.refusal == other.refusal == "", f"held before {at} of {made}"
        meeting.expect(expected, NEWER, f"held before {at} of {made}")


def test_one_of_two_contents_of_a_version_wins(meeting: Meeting) -> None:
    meeting.prepare(version="1.0.0")
    wanted = {**OLDER, "text": "One"}, {**OLDER, "text": "Another"}
    _, made = meeting.one_after_the_other(wanted[0])
    losers = set()

    for at in places(made):
        where = f"held before {at} of {made}"
        turns = meeting.in_parallel(wanted, at)
        [loser] = [number for number, turn in enumerate(turns) if turn.refusal]
        losers.add(loser)
        assert "other content" in turns[loser].refusal, where
        assert guidance(meeting.pair[0].snapshot()) == {"1.0.0": "DEPRECATED", "1.1.0": "DEFAULT"}
        assert not meeting.pair[0].plan(**wanted[1 - loser])[0].writing, where
        assert refusals(meeting.pair[0].plan(**wanted[loser])), where

    assert losers == {0, 1}


def test_version_beyond_those_kept_is_refused(meeting: Meeting) -> None:
    catalog = small_catalog(CATALOG.replace("versions_kept: 2", "versions_kept: 1"))
    older, newer = {**OLDER, "catalog": catalog}, {**NEWER, "catalog": catalog}
    meeting.prepare(version="1.0.0")
    _, made = meeting.one_after_the_other(older)
    refused = 0

    for at in places(made):
        where = f"held before {at} of {made}"
        one, other = meeting.in_parallel((older, newer), at)
        if one.refusal:
            assert "older than the 1 versions that catalog.yaml keeps" in one.refusal, where
            refused += 1
        assert other.refusal == "", where
        assert guidance(meeting.pair[0].snapshot()) == {"1.2.0": "DEFAULT"}, where
        assert not meeting.pair[0].plan(**newer)[0].writing, where

    assert 0 < refused < len(places(made))
