"""A first publication with every fault at every call: the next run repairs everything."""

from __future__ import annotations

import pytest

from tests.publishing.conftest import Publisher
from tests.publishing.interruptions import Trials, first_publication
from tests.publishing.states import StatefulAws

WRITES = {
    "UpdateTerminationProtection",
    "CreateChangeSet",
    "ExecuteChangeSet",
    "PutObject",
    "CreateTagOption",
    "CreatePortfolio",
    "CreateProduct",
    "AssociateProductWithPortfolio",
    "CreateConstraint",
    "AssociateTagOptionWithResource",
    "AssociatePrincipalWithPortfolio",
    "CreatePortfolioShare",
}


def test_every_call_meets_every_fault(
    stateful_publisher: Publisher, stateful_aws: StatefulAws, subtests: pytest.Subtests
) -> None:
    trials = Trials.of(first_publication, stateful_publisher, stateful_aws)
    assert trials.writes == WRITES
    assert len(trials.made) > 35

    trials.meet_every_fault(subtests)
