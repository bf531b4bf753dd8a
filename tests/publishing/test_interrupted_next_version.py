"""Killed anywhere, whole afterwards: every call of the publication of a next version meets every fault, and the next run makes good."""

from __future__ import annotations

import pytest

from tests.publishing.conftest import Publisher
from tests.publishing.interruptions import Trials, next_version
from tests.publishing.states import StatefulAws

WRITES = {
    "CreateChangeSet",
    "ExecuteChangeSet",
    "UpdateTerminationProtection",
    "PutObject",
    "UpdatePortfolio",
    "UpdateProduct",
    "CreateProvisioningArtifact",
    "UpdateProvisioningArtifact",
    "DeleteProvisioningArtifact",
    "UpdateConstraint",
    "DeleteConstraint",
    "AssociatePrincipalWithPortfolio",
}


def test_every_call_meets_every_fault(
    stateful_publisher: Publisher, stateful_aws: StatefulAws, subtests: pytest.Subtests
) -> None:
    trials = Trials.of(next_version, stateful_publisher, stateful_aws)
    assert trials.writes == WRITES
    assert len(trials.made) > 35

    trials.meet_every_fault(subtests)
