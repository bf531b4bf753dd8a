"""Launches that are killed and run again end like those without an interruption."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from commands.direct import DirectLaunch, launch_release
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.release.assemble import Release
from pipeline.release.upload import release_bucket_name
from tests.conftest import REGION
from tests.gate import Condition, Gate, Request
from tests.launches.environments import Environment, aws_of
from tests.launches.inventory import counted, inventory
from tests.launches.tree import Tree, end, finished


@dataclass(frozen=True)
class Point:
    """The point of an interruption: before a request, or with ``after`` before its response."""

    at: Condition
    count: int = 1
    after: bool = False


def asks_for(action: str) -> Condition:
    return lambda request: request.asks_for(action)


POINTS = {
    "bucket half made": Point(Request.makes_bucket, after=True),
    "during the upload": Point(Request.writes_object, count=3, after=True),
    "before the manifest": Point(lambda request: request.writes_object("manifest.json")),
    "change set made": Point(asks_for("CreateChangeSet"), after=True),
    "change set not executed": Point(asks_for("ExecuteChangeSet")),
    "change set executed": Point(asks_for("ExecuteChangeSet"), after=True),
}
INTERRUPTIONS = [
    *((point, signal.SIGKILL) for point in POINTS),
    ("change set made", signal.SIGINT),
    ("change set executed", signal.SIGINT),
]


@dataclass(frozen=True)
class State:
    """The result of a launch, without values that differ from launch to launch."""

    stacks: Mapping[str, str]
    resources: Mapping[str, str]
    outputs: frozenset[str]
    parameters: Mapping[str, str]
    counts: Counter[str]
    release: Mapping[str, int]
    bucket: tuple[Any, ...]
    waiting_change_sets: int


def state(aws: Aws, environment: Environment) -> State:
    s3, bucket = aws.client("s3"), release_bucket_name(aws.account(), REGION)
    stacks = environment.stacks()
    versions = s3.list_object_versions(Bucket=bucket)["Versions"]
    change_sets = aws.client("cloudformation").list_change_sets(StackName=environment.stack)
    return State(
        {name: stack["StackStatus"] for name, stack in stacks.items()},
        {name: resource.type for name, resource in environment.resources().items()},
        frozenset(environment.outputs()),
        {p["ParameterKey"]: p["ParameterValue"] for p in stacks[""]["Parameters"]},
        counted(inventory(aws)),
        Counter(version["Key"] for version in versions),
        (
            s3.get_bucket_versioning(Bucket=bucket)["Status"],
            s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
        ),
        sum(each["ExecutionStatus"] == "AVAILABLE" for each in change_sets["Summaries"]),
    )


def launch_again(running: EmbeddedAws, release: Release) -> State:
    """Run `build.py launch dev --direct` in this process."""
    aws = aws_of(running)
    launched = launch_release(aws, release, "dev", DirectLaunch())
    assert launched is not None
    assert launched.succeeded, launched.failures
    return state(aws, Environment(running, release, "dev"))


@pytest.fixture(scope="module")
def undisturbed(running: EmbeddedAws, release: Release) -> State:
    running.reset()
    return launch_again(running, release)


@pytest.mark.parametrize(
    ("point", "number"), INTERRUPTIONS, ids=[f"{p}, {n.name}" for p, n in INTERRUPTIONS]
)
def test_interrupted_launch_that_runs_again_succeeds(
    running: EmbeddedAws,
    release: Release,
    tree: Tree,
    undisturbed: State,
    point: str,
    number: signal.Signals,
) -> None:
    running.reset()
    launching: list[subprocess.Popen[str]] = []
    where = POINTS[point]

    with Gate(
        running.endpoint_url,
        where.at,
        lambda: end(launching[0], number),
        count=where.count,
        after=where.after,
    ) as gate:
        variables = {**running.environment(), "AWS_ENDPOINT_URL": gate.endpoint_url}
        launching.append(tree.start("launch", "dev", "--direct", **variables))
        first = finished(launching[0])

    assert gate.has_acted
    if number == signal.SIGINT:
        assert first.returncode == 130
        assert first.stderr == ("build.py: Interrupted; run the same command again to continue.\n")
    else:
        assert first.returncode == -number
    assert launch_again(running, release) == undisturbed


WAITING = {
    "Resources": {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "300"},
        },
    }
}


class InProgress:
    """A stack with the environment's name that has an operation in progress until it is signalled."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        environment.client("cloudformation").create_stack(
            StackName=environment.stack, TemplateBody=json.dumps(WAITING)
        )

    def signal(self, status: str) -> None:
        """End the operation when a command waits for it."""
        until(lambda: self.environment.notes)
        listed = self.environment.client("cloudformation").describe_stack_resources(
            StackName=self.environment.stack
        )["StackResources"]
        url = next(r["PhysicalResourceId"] for r in listed if r["LogicalResourceId"] == "Handle")
        body = {"Status": status, "UniqueId": "1", "Data": "", "Reason": "set by the test"}
        address = urlsplit(url)
        connection = http.client.HTTPConnection(address.netloc, timeout=10)
        connection.request("PUT", address.path, json.dumps(body))
        assert connection.getresponse().status == 200
        connection.close()


def until(condition: Any) -> None:
    """Wait for a condition; the limit of a minute is for a busy machine."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


@pytest.mark.parametrize(
    ("signalled", "notes", "status"),
    [
        ("SUCCESS", ["is in CREATE_IN_PROGRESS; waiting"], "UPDATE_COMPLETE"),
        (
            "FAILURE",
            ["is in CREATE_IN_PROGRESS; waiting", "failed; removing it"],
            "CREATE_COMPLETE",
        ),
    ],
)
def test_launch_waits_for_an_operation_in_progress(
    running: EmbeddedAws, release: Release, signalled: str, notes: list[str], status: str
) -> None:
    running.reset()
    environment = Environment(running, release, "dev")
    in_progress = InProgress(environment)

    with ThreadPoolExecutor(1) as pool:
        launching = pool.submit(environment.launch)
        in_progress.signal(signalled)
        launched = launching.result()

    assert launched.status == status
    assert len(environment.notes) == len(notes)
    for note, part in zip(environment.notes, notes, strict=True):
        assert part in note
    assert {name.split(".")[0] for name in environment.resources()} == {
        "Root",
        *(layer.name.capitalize() for layer in release.layers),
    }


def test_delete_waits_for_an_operation_in_progress(running: EmbeddedAws, release: Release) -> None:
    running.reset()
    environment = Environment(running, release, "dev")
    in_progress = InProgress(environment)

    with ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(environment.delete)
        in_progress.signal("SUCCESS")

        assert deleting.result().status == "DELETE_COMPLETE"
    assert environment.stacks() == {}


def test_two_parallel_launches_create_one_environment(
    running: EmbeddedAws, release: Release, undisturbed: State
) -> None:
    running.reset()
    first, second = (Environment(running, release, "dev") for _ in range(2))

    with ThreadPoolExecutor(1) as pool:
        launching = pool.submit(first.launch)
        until(lambda: first.heard)
        followed = second.launch()
        launched = launching.result()

    assert launched.status == "CREATE_COMPLETE"
    assert followed.succeeded
    assert not followed.changed
    assert state(second.aws, second) == undisturbed
