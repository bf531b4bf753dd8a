"""A fault in one region fails a run and is reported with the region; the other region succeeds."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.common.embedded_sessions import taskcat
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.release.assemble import Release
from templates_src.access.taskcat import TASKCAT_ROLE_NAME
from tests.taskcat.definition import DIST, FILE_NAME, HOME, NAME, definition
from tests.taskcat.launcher import QUIET, on_embedded
from tests.taskcat.prerequisites import prepare, remember
from tests.taskcat.tree import lay_out

PLUGINS = Path(__file__).with_name("plugins")
SOUND, FAULTY = "eu-west-1", "ap-southeast-2"
# This region does not offer the default instance class of the database.
CLASSLESS = "ca-west-1"
REGIONS = [SOUND, FAULTY]


@dataclass(frozen=True)
class Rehearsal:
    """A tree whose tests can be changed, and an embedded AWS to run them on."""

    running: EmbeddedAws
    tree: Path
    release: Release
    output: Path

    def run(self, test: str, **changes: Any) -> subprocess.CompletedProcess[str]:
        """Run one test of taskcat.yml in both regions, with changes."""
        document = definition(self.release)
        entry = document["tests"][test]
        parameters = entry["parameters"] | changes.pop("parameters", {})
        document["tests"] = {
            test: {**entry, "regions": REGIONS, **changes, "parameters": parameters}
        }
        (self.tree / FILE_NAME).write_text(yaml.safe_dump(document), encoding="utf-8")
        return on_embedded(self.running, self.tree, self.output, PLUGINS, **QUIET)

    def aws(self, region: str) -> Aws:
        return Aws(region, self.running.environment())

    def allow(self, action: str) -> None:
        """Add an action to the taskcat role, for a fault that the tests of taskcat.yml do not cause."""
        home = self.aws(HOME)
        taskcat(home, self.release)
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        home.client("iam").put_role_policy(
            RoleName=TASKCAT_ROLE_NAME.default,
            PolicyName="fault",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )


@pytest.fixture
def rehearsal(embedded: EmbeddedAws, release: Release, tmp_path: Path) -> Rehearsal:
    return Rehearsal(embedded, lay_out(tmp_path / "tree"), release, tmp_path / "report")


def sentences(done: subprocess.CompletedProcess[str], *words: str) -> Iterator[str]:
    """The lines that hold all words."""
    return (line for line in done.stdout.splitlines() if all(word in line for word in words))


def assert_red(
    done: subprocess.CompletedProcess[str], test: str, status: str, faulty: str = FAULTY
) -> None:
    """Only the faulty region fails."""
    assert done.returncode == 1, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [test, SOUND, "CREATE_COMPLETE"] in rows, done.stdout
    assert [test, faulty, status] in rows, done.stdout
    assert not list(sentences(done, SOUND, "ended in"))
    assert "1 passed, 1 failed" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_missing_nested_template_fails_its_region(rehearsal: Rehearsal) -> None:
    key = f"{NAME}/{DIST}/templates/data.template.json"
    hook = {"type": "lost_template", "config": {"region": FAULTY, "key": key}}

    done = rehearsal.run("data", prehooks=[hook])

    assert_red(done, "data", "CREATE_FAILED")
    (sentence,) = sentences(done, f"data in {FAULTY} ended in CREATE_FAILED")
    assert key in sentence


def test_unavailable_database_class_fails_its_region(rehearsal: Rehearsal) -> None:
    done = rehearsal.run("data", regions=[SOUND, CLASSLESS])

    assert_red(done, "data", "CREATE_FAILED", CLASSLESS)
    (sentence,) = sentences(done, f"data in {CLASSLESS} ended in CREATE_FAILED")
    # Reported once, and not again for each parent stack.
    assert sentence.count("Database: ") == 1
    assert f"db.t4g.medium is not offered in {CLASSLESS}" in sentence


def test_failed_production_is_deleted_despite_its_protection(rehearsal: Rehearsal) -> None:
    """The resources that were launched before the failure are protected too, and would cause costs."""
    prepare(rehearsal.running)
    key = f"{NAME}/{DIST}/templates/monitoring.template.json"
    hook = {"type": "lost_template", "config": {"region": HOME, "key": key}}

    done = rehearsal.run("prod", regions=[HOME], prehooks=[hook])

    assert done.returncode == 1
    assert list(sentences(done, f"prod in {HOME} ended in CREATE_FAILED", key))
    assert not list(sentences(done, "is left in")), done.stdout
    aws = rehearsal.aws(HOME)
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    assert [stack["StackName"] for stack in stacks] == [TASKCAT_ROLE_NAME.default]
    assert aws.client("rds").describe_db_instances()["DBInstances"] == []
    assert aws.client("elbv2").describe_load_balancers()["LoadBalancers"] == []


def test_rule_that_refuses_fails_its_region(rehearsal: Rehearsal) -> None:
    for region, nat in ((SOUND, "per-zone"), (FAULTY, "single")):
        remember(rehearsal.aws(region), "/nat", nat)
    rehearsal.allow("ssm:GetParameter")

    done = rehearsal.run(
        "network", parameters={"Environment": "prod", "NatGateways": "$[taskcat_ssm_/nat]"}
    )

    assert_red(done, "network", "CREATE_FAILED")
    (sentence,) = sentences(done, f"network in {FAULTY} ended in")
    assert "NatGateways must be per-zone when Environment is prod." in sentence


def test_leftover_in_a_region_is_reported(rehearsal: Rehearsal) -> None:
    rehearsal.allow("sns:CreateTopic")

    done = rehearsal.run("network", prehooks=[{"type": "litter", "config": {"region": FAULTY}}])

    assert done.returncode == 1
    assert list(sentences(done, "AWS::SNS::Topic", "litter", f"is left in {FAULTY}"))
    assert not list(sentences(done, f"is left in {SOUND}"))


def test_wrong_output_is_reported(rehearsal: Rehearsal) -> None:
    template = rehearsal.tree / DIST / "templates" / "network.template.json"
    body = json.loads(template.read_text(encoding="utf-8"))
    body["Outputs"]["VpcId"]["Value"] = "vpc-00000000000000000"
    template.write_text(json.dumps(body), encoding="utf-8")

    done = rehearsal.run("network")

    assert done.returncode == 1
    for region in REGIONS:
        assert list(sentences(done, f"in {region} outputs VpcId", "ec2 does not find"))


def test_test_without_a_stack_is_reported(rehearsal: Rehearsal) -> None:
    done = rehearsal.run("network", regions=[])

    assert done.returncode == 1
    assert list(sentences(done, "network was never launched"))
